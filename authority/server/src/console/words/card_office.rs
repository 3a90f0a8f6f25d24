//! What the pages of the card office say, in each language side by side.

catalogue! {
    /// What the pages of the card office say, by what it is for.
    CardOfficeWords;

    nav: "Card office", "카드 업무", "办卡", "Ured za kartice";
    desk: "Card desk", "카드 창구", "办卡窗口", "Šalter";
    photos: "Photo queue", "사진 심사", "照片审核", "Pregled fotografija";
    campaigns: "Campaigns", "발급 일정", "批量办卡", "Kampanje";
    batches: "Batches", "제작 묶음", "制卡批次", "Serije";
    applications: "Applications", "발급 신청", "办卡申请", "Zahtjevi";
    reissues: "New cards due", "재발급 대상", "待换卡", "Za zamjenu";

    // Lists.
    pages: "Pages of this list", "목록의 페이지", "列表分页", "Stranice popisa";
    page_of: "Page {page} of {pages}", "{pages}쪽 중 {page}쪽", "第 {page} 页，共 {pages} 页", "Stranica {page} od {pages}";
    before: "Before", "이전", "上一页", "Prethodna";
    behind: "Next", "다음", "下一页", "Sljedeća";
    standing: "State", "상태", "状态", "Stanje";
    any: "any", "전체", "全部", "bilo koje";
    go_on: "Go on", "계속", "继续", "Dalje";
    person_number: "Person's number", "학번/사번", "学号/工号", "Broj osobe";

    // The queue of photos.
    waiting_count: "Waiting: {count}", "대기 {count}건", "待审核 {count} 张", "Na čekanju: {count}";
    none_waiting: "No photo waits.", "대기 중인 사진이 없습니다.", "没有待审核的照片。", "Nijedna fotografija ne čeka.";
    all_photos: "All photos", "사진 전체", "全部照片", "Sve fotografije";
    to_queue: "To the queue", "심사 대기열로", "前往审核队列", "Na red čekanja";
    find_photo: "Name or number", "이름 또는 학번", "姓名或学号", "Ime ili broj";
    photos_found: "Photos: {count}", "사진 {count}장", "照片 {count} 张", "Fotografija: {count}";
    photo: "Photo", "사진", "照片", "Fotografija";
    photo_waiting: "waits", "대기", "待审核", "čeka";
    photo_approved: "approved", "승인", "已通过", "odobrena";
    photo_rejected: "rejected", "반려", "已退回", "odbijena";
    photo_missing: "no photo", "사진 없음", "无照片", "nema je";
    brought: "Brought", "제출", "提交", "Predana";
    last_word: "Last change", "최근 변경", "最近变更", "Posljednja promjena";
    size_asked: "{width} × {height} pixels, JPEG.", "{width} × {height} 픽셀, JPG.", "{width} × {height} 像素，JPG。", "{width} × {height} piksela, JPEG.";
    look_for: "One person, upright, no blank margin, the face clear.", "한 사람만, 똑바로, 여백 없이, 얼굴이 뚜렷해야 합니다.", "仅一人，正立，无白边，面部清晰。", "Jedna osoba, uspravno, bez praznog ruba, lice jasno.";
    approve: "Approve", "승인", "通过", "Odobri";
    reject: "Reject", "반려", "退回", "Odbij";
    skip: "Later", "나중에", "稍后", "Kasnije";
    decide: "Decide", "심사하기", "审核", "Odluči";
    usual_reasons: "Usual reasons; choosing one rejects.", "자주 쓰는 사유입니다. 고르면 바로 반려됩니다.", "常用原因，选择即退回。", "Uobičajeni razlozi; odabirom se odbija.";
    usual_upright: "Not upright", "똑바르지 않음", "照片不正", "Nije uspravna";
    usual_margin: "Blank margin", "여백이 있음", "有白边", "Prazan rub";
    usual_others: "More than one person", "한 사람이 아님", "不止一人", "Više osoba";
    usual_unclear: "Face not clear", "얼굴이 뚜렷하지 않음", "面部不清晰", "Lice nije jasno";
    usual_other_face: "Not this person", "본인이 아님", "非本人", "Nije ta osoba";
    usual_old: "Too old", "오래된 사진", "照片过旧", "Prestara";
    other_reason: "Another reason", "다른 사유", "其他原因", "Drugi razlog";
    reason_is_read: "One line; the person reads it.", "한 줄로 적어 주세요. 본인이 읽게 됩니다.", "一行文字，本人会看到。", "Jedan redak; osoba ga čita.";
    did_approve: "Approved: {name}.", "승인함: {name}.", "已通过：{name}。", "Odobreno: {name}.";
    did_reject: "Rejected: {name}.", "반려함: {name}.", "已退回：{name}。", "Odbijeno: {name}.";
    look_again: "Look again", "다시 보기", "再看一次", "Pogledaj ponovno";
    was_not_decided: "was not decided:", "처리되지 않음:", "未能处理：", "nije odlučeno:";
    could_not_send: "it could not be sent; the photo waits on.", "보내지 못했습니다. 사진은 계속 대기합니다.", "未能发送，照片仍待审核。", "slanje nije uspjelo; fotografija i dalje čeka.";
    keys: "Keys", "단축키", "快捷键", "Tipke";
    keys_on: "Single keys: on", "단축키 켜짐", "快捷键：开", "Tipke: uključene";
    keys_off: "Single keys: off", "단축키 꺼짐", "快捷键：关", "Tipke: isključene";
    key_reject: "Reject: open the reasons", "반려: 사유 열기", "退回：打开原因", "Odbij: otvori razloge";
    key_digits: "Choose a usual reason", "자주 쓰는 사유 고르기", "选择常用原因", "Odaberi uobičajeni razlog";
    key_escape: "Close the reasons", "사유 닫기", "关闭原因", "Zatvori razloge";
    reopen: "Take the approval back", "승인 취소", "撤销通过", "Povuci odobrenje";
    reopen_about: "The photo is then rejected with this reason, and another can be brought.", "사진이 이 사유로 반려되며 새 사진을 받을 수 있습니다.", "照片将以此原因退回，之后可提交新照片。", "Fotografija se tada odbija s ovim razlogom i može se predati druga.";
    bring: "Bring a photo", "사진 올리기", "上传照片", "Predaj fotografiju";
    photo_file: "File", "파일", "文件", "Datoteka";

    // The desk.
    which_card: "Which card?", "어느 카드인가요?", "哪张卡？", "Koja kartica?";
    desk_about: "Hold a card to the reader, or type its number, a name or a person's number.", "카드를 리더기에 대거나 카드 번호, 이름, 학번을 입력하세요.", "将卡放在读卡器上，或输入卡号、姓名、学号。", "Prislonite karticu na čitač ili upišite njezin broj, ime ili broj osobe.";
    found_cards: "Found cards", "습득한 카드", "拾获的卡片", "Nađene kartice";
    none_found: "No found card waits for its holder.", "주인을 기다리는 습득 카드가 없습니다.", "没有等待失主的卡片。", "Nijedna nađena kartica ne čeka nositelja.";
    give_back: "Give back", "돌려주기", "归还", "Vrati";
    waits_found: "This card was found and waits for its holder: {place}", "습득되어 주인을 기다리는 카드입니다: {place}", "该卡已被拾获，等待失主：{place}", "Kartica je nađena i čeka nositelja: {place}";
    at_desk: "At the desk", "창구 업무", "窗口办理", "Na šalteru";
    activate: "Activate", "활성화", "激活", "Aktiviraj";
    activate_about: "The card lies here and its holder is there: it works from now on.", "카드가 여기 있고 본인이 확인되었습니다. 지금부터 사용할 수 있습니다.", "卡片在此且本人在场：即刻启用。", "Kartica je ovdje i nositelj je tu: od sada vrijedi.";
    ends_with_it: "With it ends: {cards}.", "함께 폐기됨: {cards}.", "同时注销：{cards}。", "S time prestaje: {cards}.";
    replace: "Replace", "재발급", "换卡", "Zamijeni";
    extend: "Extend", "기간 연장", "延期", "Produlji";
    extend_card: "Extend card {card}", "카드 {card} 기간 연장", "延长卡片 {card} 的有效期", "Produljenje kartice {card}";
    extend_about: "One that expired works again.", "만료된 카드도 다시 사용할 수 있게 됩니다.", "已过期的卡片也会恢复使用。", "Istekla kartica ponovno vrijedi.";
    new_last_day: "New last day", "새 만료일", "新的最后有效日", "Novi posljednji dan";
    document: "Document that was shown", "확인한 서류", "出示的证件", "Pokazana isprava";
    proof: "What proves that the holder is still here.", "재학/재직을 증명하는 서류를 적어 주세요.", "证明持卡人仍在校的材料。", "Čime je dokazano da je nositelj još ovdje.";
    own_document: "Needed where the holder wants it closed: their own document.", "본인이 폐기를 요청한 경우 본인 신분증을 적어 주세요.", "持卡人要求注销时需出示本人证件。", "Potrebno kad nositelj sam traži zatvaranje: vlastita isprava.";
    close: "Close", "폐기", "注销", "Zatvori";
    close_card: "Close card {card} for good?", "카드 {card}을(를) 완전히 폐기할까요?", "永久注销卡片 {card}？", "Trajno zatvoriti karticu {card}?";
    close_about: "No door opens for it any more, and nothing undoes it.", "더는 어떤 문도 열리지 않으며 되돌릴 수 없습니다.", "该卡将无法打开任何门，且不可恢复。", "Više ne otvara nijedna vrata i to se ne može poništiti.";
    found_card: "Found", "습득 접수", "拾获登记", "Nađena";
    found_question: "Card {card} was found", "카드 {card} 습득 접수", "拾获卡片 {card}", "Kartica {card} je nađena";
    found_about: "It opens nothing until its holder has it back.", "주인이 돌려받을 때까지 어떤 문도 열리지 않습니다.", "归还失主之前无法打开任何门。", "Ne otvara ništa dok je nositelj ne dobije natrag.";
    place: "Where it was found, and where it is kept", "습득한 곳과 보관 장소", "拾获地点和保管地点", "Gdje je nađena i gdje se čuva";
    place_about: "One line, such as “library; kept at the gate”.", "한 줄로 적어 주세요. 예: “도서관, 정문에 보관”", "一行文字，例如“图书馆，存放于门卫处”。", "Jedan redak, na primjer „knjižnica; čuva se na porti”.";

    // A new card.
    new_card: "New card", "새 카드", "办新卡", "Nova kartica";
    issue_for: "New card for {name}", "{name} 새 카드", "为 {name} 办新卡", "Nova kartica: {name}";
    cause: "Why", "발급 사유", "办卡原因", "Zašto";
    cause_first: "First card", "최초 발급", "首次办卡", "Prva kartica";
    cause_lost: "Old one lost", "분실", "旧卡遗失", "Stara izgubljena";
    cause_stolen: "Old one stolen", "도난", "旧卡被盗", "Stara ukradena";
    cause_damaged: "Old one damaged", "훼손", "旧卡损坏", "Stara oštećena";
    cause_destroyed: "Old one destroyed", "완전 파손", "旧卡毁坏", "Stara uništena";
    cause_department: "Other department", "소속 변경", "院系变更", "Drugi odjel";
    cause_role: "Other role", "신분 변경", "身份变更", "Druga uloga";
    cause_not_working: "Old one does not work", "작동 불량", "旧卡失灵", "Stara ne radi";
    cause_temporary: "Stands in for a while", "임시 카드", "临时卡", "Privremena kartica";
    old_card: "Old card", "기존 카드", "旧卡", "Stara kartica";
    old_card_about: "Counts where the new one comes in its place.", "재발급일 때만 적용됩니다.", "仅在换卡时适用。", "Vrijedi kad nova dolazi umjesto nje.";
    came_back: "The old card came back", "기존 카드를 반납함", "已交回旧卡", "Stara kartica je vraćena";
    is_back: "came back", "반납함", "已交回", "vraćena";
    is_not_back: "did not come back", "반납하지 않음", "未交回", "nije vraćena";
    until_about: "Empty: as the campus says for the category.", "비워 두면 구분에 따라 정해집니다.", "留空则按类别规定。", "Prazno: kako kampus određuje za kategoriju.";
    number_about: "Empty: made by the card's type.", "비워 두면 카드 종류에 따라 만들어집니다.", "留空则按卡片类型生成。", "Prazno: određuje ga vrsta kartice.";
    go_on_to_fee: "Go on to the fee", "수수료 확인", "查看费用", "Dalje na naknadu";
    fee: "Fee", "수수료", "费用", "Naknada";
    no_fee: "none named", "정해진 금액 없음", "未规定", "nije navedena";
    ends_at_once: "Card {card} ends as soon as the new one is issued.", "새 카드를 발급하면 카드 {card}은(는) 바로 폐기됩니다.", "新卡发放后，卡片 {card} 立即注销。", "Kartica {card} prestaje čim se izda nova.";
    ends_later: "Card {card} ends when the new one is activated.", "새 카드를 활성화하면 카드 {card}은(는) 폐기됩니다.", "新卡激活后，卡片 {card} 即注销。", "Kartica {card} prestaje kad se nova aktivira.";
    new_card_read: "The new card", "새 카드 번호", "新卡卡号", "Nova kartica, broj";
    new_card_about: "Hold it to the reader, or type what readers read.", "리더기에 대거나 리더기가 읽는 번호를 입력하세요.", "放在读卡器上，或输入读出的卡号。", "Prislonite je na čitač ili upišite što čitači čitaju.";
    issue: "Issue the card", "카드 발급", "发放卡片", "Izdaj karticu";
    is_issued: "Card {card} is issued", "카드 {card} 발급됨", "卡片 {card} 已发放", "Kartica {card} je izdana";
    in_place_of: "in place of {card}", "{card} 대신", "替换 {card}", "umjesto {card}";
    issued_by: "Issued by", "발급한 사람", "发放人", "Izdao";
    comes_into_use: "It comes into use when it is activated.", "활성화하면 사용할 수 있습니다.", "激活后即可使用。", "Vrijedi kad se aktivira.";
    doors_of_it: "How far doors know it", "문에 적용된 상황", "各门生效情况", "Koliko vrata to znaju";

    // Campaigns and rosters.
    campaigns_about: "Cards for many at once. A stage is open on its days; who comes too late is served at the desk.", "여러 사람의 카드를 한꺼번에 발급합니다. 기간이 지나면 창구에서 처리합니다.", "批量办卡。各阶段仅在规定日期开放，逾期请到窗口办理。", "Kartice za mnoge odjednom. Svaka faza ima svoje dane; tko zakasni, dolazi na šalter.";
    no_campaigns: "The campus has no campaign.", "발급 일정이 없습니다.", "目前没有批量办卡。", "Kampus nema nijednu kampanju.";
    campaign: "Campaign", "발급 일정", "批量办卡", "Kampanja";
    stage_photos: "Photos", "사진 등록", "提交照片", "Fotografije";
    stage_roster: "Rosters", "명단 확정", "确认名单", "Popisi";
    stage_hand_over: "Handing out", "교부", "发卡", "Uručivanje";
    any_day: "any day", "상시", "不限日期", "bilo koji dan";
    open_today: "open today", "오늘 진행 중", "今日开放", "danas otvoreno";
    closed_today: "closed today", "오늘은 닫힘", "今日关闭", "danas zatvoreno";
    no_rosters: "None of your units has a roster yet.", "아직 명단이 없습니다.", "您的单位还没有名单。", "Nijedna vaša jedinica još nema popis.";
    roster_of_unit: "Roster of", "명단을 볼 소속", "查看名单的单位", "Popis jedinice";
    open_roster: "Open", "열기", "打开", "Otvori";
    roster_open: "open", "작성 중", "编制中", "otvoren";
    roster_confirmed: "confirmed", "확정됨", "已确认", "potvrđen";
    roster_accepted: "accepted", "접수됨", "已接收", "prihvaćen";
    roster_counts: "people: {people}, photos approved: {approved}, ordered: {ordered}", "{people}명, 사진 승인 {approved}명, 제작 {ordered}명", "{people} 人，照片通过 {approved}，已制卡 {ordered}", "osoba: {people}, odobrenih fotografija: {approved}, naručeno: {ordered}";
    was_returned: "Given back: {reason}", "반려됨: {reason}", "已退回：{reason}", "Vraćeno: {reason}";
    roster_of: "Roster of {unit}", "{unit} 명단", "{unit} 名单", "Popis: {unit}";
    step_by: "By {by}.", "처리한 사람: {by}", "经办人：{by}", "Učinio: {by}.";
    without_photo: "Without an approved photo: {count}. The roster can be confirmed once there are none.", "사진 승인이 안 된 사람 {count}명. 모두 승인되어야 확정할 수 있습니다.", "照片未通过 {count} 人。全部通过后才能确认名单。", "Bez odobrene fotografije: {count}. Popis se može potvrditi kad ih ne bude.";
    confirm_roster: "Confirm: the roster is complete", "명단 확정", "确认名单完整", "Potvrdi: popis je potpun";
    accept_roster: "Accept the roster", "명단 접수", "接收名单", "Prihvati popis";
    return_roster: "Give back", "돌려보내기", "退回名单", "Vrati popis";
    return_question: "Give the roster of {unit} back?", "{unit} 명단을 돌려보낼까요?", "退回 {unit} 的名单？", "Vratiti popis jedinice {unit}?";
    return_about: "It is open again; the department reads the reason.", "명단이 다시 열리고 학과가 사유를 읽게 됩니다.", "名单将重新开放，院系会看到原因。", "Popis se ponovno otvara; odjel čita razlog.";
    to_batches: "Order their cards", "카드 제작 주문", "订购卡片", "Naruči njihove kartice";
    on_roster: "On the roster: {count}", "명단 {count}명", "名单上 {count} 人", "Na popisu: {count}";
    nobody_on_roster: "Nobody yet.", "아직 아무도 없습니다.", "还没有人。", "Još nikoga.";
    strike: "Strike off", "명단에서 빼기", "移出名单", "Briši s popisa";
    strike_chosen: "Strike those chosen off", "선택한 사람 빼기", "移出所选人员", "Briši odabrane";
    enter: "Put people on it", "명단에 넣기", "加入名单", "Dodaj osobe";
    without_card: "People of the unit who can get this card", "이 카드를 받을 수 있는 소속 인원", "本单位可办此卡的人员", "Osobe jedinice koje mogu dobiti ovu karticu";
    by_number: "By number", "번호로 넣기", "按编号加入", "Po broju";
    by_number_about: "Numbers of people, one a line.", "학번을 한 줄에 하나씩 적어 주세요.", "每行一个编号。", "Brojevi osoba, jedan po retku.";
    enter_chosen: "Put them on the roster", "명단에 넣기", "加入名单", "Dodaj na popis";

    // Batches.
    no_batches: "Nothing was ordered yet.", "아직 주문한 것이 없습니다.", "尚未订购。", "Još ništa nije naručeno.";
    batch: "Batch", "제작 묶음", "批次", "Serija";
    batch_counts: "{came} of {count} came", "{count}장 중 {came}장 도착", "{count} 张中已到 {came} 张", "stiglo {came} od {count}";
    order_batch: "Order cards", "카드 제작 주문", "订购卡片", "Naruči kartice";
    nothing_to_order: "No roster is accepted, so there is nothing to order.", "접수된 명단이 없어 주문할 것이 없습니다.", "没有已接收的名单，无可订购。", "Nijedan popis nije prihvaćen pa nema što naručiti.";
    order_about: "Orders the cards of accepted rosters that are in no batch yet.", "접수된 명단 가운데 아직 주문하지 않은 카드를 주문합니다.", "订购已接收名单中尚未订购的卡片。", "Naručuje kartice s prihvaćenih popisa kojih još nema ni u jednoj seriji.";
    of_unit: "Unit", "소속", "单位", "Jedinica";
    all_units: "all units", "모든 소속", "所有单位", "sve jedinice";
    batch_name: "Name of the batch", "묶음 이름", "批次名称", "Naziv serije";
    ordered: "Ordered", "주문", "订购时间", "Naručeno";
    archive: "Download for the company", "제작 업체용 내려받기", "下载给制卡公司", "Preuzmi za tvrtku";
    archive_about: "A ZIP archive: a table, and a photo of each holder.", "표와 사진이 든 ZIP 파일입니다.", "ZIP 文件：表格和每人的照片。", "ZIP arhiva: tablica i fotografija svakog nositelja.";
    deliver: "Take in what came", "도착한 카드 등록", "登记到货", "Preuzmi pristiglo";
    table_file: "Table of what was produced (CSV)", "제작 결과 표 (CSV)", "制卡结果表 (CSV)", "Tablica izrađenog (CSV)";
    table_about: "With the columns person_id and card_id; a table with a mistake changes nothing.", "person_id와 card_id 열이 있어야 합니다. 틀린 곳이 있으면 아무것도 바뀌지 않습니다.", "需有 person_id 和 card_id 列；表格有误则不作任何更改。", "Sa stupcima person_id i card_id; tablica s pogreškom ne mijenja ništa.";
    first_day: "First day", "시작일", "生效日期", "Prvi dan";
    first_day_about: "Empty: today.", "비워 두면 오늘입니다.", "留空为今天。", "Prazno: danas.";
    not_come: "not yet", "미도착", "未到", "još nije";

    // Applications.
    new_application: "New application", "새 신청", "新申请", "Novi zahtjev";
    no_applications: "No application here.", "신청이 없습니다.", "没有申请。", "Nema zahtjeva.";
    application_of: "Application of {name}", "{name}의 신청", "{name} 的申请", "Zahtjev: {name}";
    application_waiting: "waits", "대기", "待处理", "čeka";
    application_approved: "approved", "승인", "已批准", "odobren";
    application_rejected: "rejected", "반려", "已驳回", "odbijen";
    application_used: "card issued", "발급 완료", "已发卡", "kartica izdana";
    channel_name: "How it came", "신청 경로", "申请方式", "Kako je stigao";
    channel_desk: "at the desk", "창구", "窗口", "na šalteru";
    channel_paper: "on paper", "서면", "纸质", "na papiru";
    channel_phone: "by phone", "휴대전화", "手机", "telefonom";
    channel_web: "on the web", "웹", "网页", "na webu";
    papers: "Papers", "서류", "材料", "Isprave";
    no_papers: "none", "없음", "无", "nema";
    papers_shown: "Papers that were shown", "확인한 서류", "已出示的材料", "Pokazane isprave";
    other_papers: "Other papers", "그 밖의 서류", "其他材料", "Druge isprave";
    why_so: "Why it came so, or what there is to say", "이 경로로 신청한 이유 또는 비고", "采用此方式的原因或备注", "Zašto tako, ili napomena";
    bring_application: "Bring the application", "신청 접수", "提交申请", "Predaj zahtjev";
    gets_no_card: "People of this category get no card by the campus's policy.", "이 구분은 정책상 카드를 받지 않습니다.", "按校方规定，该类别人员不发卡。", "Po pravilima kampusa osobe ove kategorije ne dobivaju karticu.";

    // New cards that are due.
    reissues_about: "Their holders went to another department or category. Doors follow at once, whatever is printed on the card.", "소지자의 소속이나 신분이 바뀌었습니다. 카드에 적힌 것과 상관없이 문에는 바로 적용됩니다.", "持卡人的院系或身份已变更。无论卡面如何，门禁立即随之生效。", "Njihovi su nositelji prešli u drugi odjel ili kategoriju. Vrata to prate odmah, što god pisalo na kartici.";
    reissues_found: "Cards: {count}", "카드 {count}장", "卡片 {count} 张", "Kartica: {count}";
    no_reissues: "Everyone has the card that fits.", "모두 맞는 카드를 갖고 있습니다.", "所有人的卡片都符合现状。", "Svatko ima odgovarajuću karticu.";
}

impl CardOfficeWords {
    /// The reasons for which photos are usually rejected, by the digit that chooses each.
    #[must_use]
    pub const fn usual(&self) -> [&'static str; 6] {
        [
            self.usual_upright,
            self.usual_margin,
            self.usual_others,
            self.usual_unclear,
            self.usual_other_face,
            self.usual_old,
        ]
    }
}
