//! What the frame of every page and the pages of the security office say, in each language side by side.
//!
//! The other offices' pages have catalogues of their own beside this one.

catalogue! {
    /// What the frame and the security office's pages say, by what it is for.
    Words;

    // The frame of every page.
    skip: "Skip to the content", "본문으로 건너뛰기", "跳到正文", "Preskoči na sadržaj";
    main_menu: "Pages", "페이지 목록", "页面导航", "Stranice";
    nav_find: "Find", "찾기", "查找", "Traži";
    nav_doors: "Doors", "문", "门", "Vrata";
    nav_taps: "Taps", "출입 기록", "刷卡记录", "Prolasci";
    nav_alarms: "Alarms", "경보", "警报", "Uzbune";
    nav_lockdown: "Lockdown", "출입 봉쇄", "封锁", "Zaključavanje";
    sign_out: "Sign out", "로그아웃", "退出登录", "Odjava";
    language: "Language", "언어", "语言", "Jezik";
    locked_down_now: "Locked down now:", "현재 봉쇄 중:", "当前封锁：", "Trenutačno zaključano:";
    times_in: "All times are those of {zone}.", "모든 시각은 {zone} 기준입니다.", "所有时间均为 {zone} 时区。", "Sva su vremena u zoni {zone}.";
    alarms_open: "{count} not looked at", "미확인 {count}건", "{count} 条未处理", "nepregledanih: {count}";
    back: "Back", "뒤로", "返回", "Natrag";
    cancel: "Cancel", "취소", "取消", "Odustani";

    // Signing in, and setting a password.
    sign_in: "Sign in", "로그인", "登录", "Prijava";
    by_provider: "Sign in with your campus account", "학교 계정으로 로그인", "用校园账号登录", "Prijava sveučilišnim računom";
    signed_in: "You are signed in", "로그인되었습니다", "您已登录", "Prijavljeni ste";
    operator: "Operator name", "사용자 이름", "用户名", "Korisničko ime";
    password: "Password", "비밀번호", "密码", "Lozinka";
    to_set_up: "I have a set-up secret", "초기 설정 코드가 있습니다", "我有初始设置密钥", "Imam tajnu za postavljanje";
    set_up: "Choose your password", "비밀번호 정하기", "设置您的密码", "Odaberite lozinku";
    set_up_about: "An administrator gave you a secret. It works once.", "관리자에게서 받은 코드를 입력하세요. 한 번만 쓸 수 있습니다.", "请输入管理员给您的密钥，仅可使用一次。", "Administrator vam je dao tajnu. Vrijedi jednom.";
    secret: "Set-up secret", "초기 설정 코드", "初始设置密钥", "Tajna za postavljanje";
    new_password: "New password", "새 비밀번호", "新密码", "Nova lozinka";
    new_password_again: "New password again", "새 비밀번호 확인", "再次输入新密码", "Nova lozinka ponovno";
    passwords_differ: "The two passwords are not the same.", "두 비밀번호가 서로 다릅니다.", "两次输入的密码不一致。", "Lozinke nisu jednake.";
    set_up_done: "Your password is set. Sign in with it.", "비밀번호가 설정되었습니다. 로그인하세요.", "密码已设置，请登录。", "Lozinka je postavljena. Prijavite se njome.";

    // When something cannot be shown or done.
    error_forbidden: "You may not do this", "권한이 없습니다", "您没有此权限", "Za ovo nemate ovlast";
    error_missing: "This is not here", "찾을 수 없습니다", "找不到该内容", "Toga ovdje nema";
    error_conflict: "This cannot be done now", "지금은 처리할 수 없습니다", "现在无法执行", "To sada nije moguće";
    error_wrong: "Something in what was sent is wrong", "입력한 내용에 문제가 있습니다", "提交的内容有误", "Nešto u poslanom nije ispravno";
    error_signed_out: "You are signed out", "로그아웃되었습니다", "您已退出登录", "Odjavljeni ste";
    error_failed: "It did not work", "처리하지 못했습니다", "操作未成功", "Nije uspjelo";
    error_nothing_changed: "Nothing was changed.", "아무것도 변경되지 않았습니다.", "未作任何更改。", "Ništa nije promijenjeno.";

    // Finding people and cards.
    find: "Find a person or a card", "사람 또는 카드 찾기", "查找人员或卡片", "Pronađite osobu ili karticu";
    find_about: "A name, a number, a card, or any part of one", "이름, 학번, 카드 번호 또는 그 일부", "姓名、编号、卡号或其中一部分", "Ime, broj, kartica ili bilo koji dio";
    search: "Search", "검색", "搜索", "Traži";
    found_none: "Nothing contains “{text}”.", "“{text}”이(가) 들어간 항목이 없습니다.", "没有包含“{text}”的结果。", "Ništa ne sadrži „{text}”.";
    found: "Found: {count}", "{count}명", "{count} 人", "Osoba: {count}";
    found_more: "There are more; say more of the name or number.", "더 있습니다. 이름이나 번호를 더 입력하세요.", "还有更多结果，请输入更完整的内容。", "Ima ih još; upišite više znakova.";
    person: "Person", "사람", "人员", "Osoba";
    cards: "Cards", "카드", "卡片", "Kartice";
    no_cards: "No card.", "카드가 없습니다.", "没有卡片。", "Nema kartice.";
    category: "Category", "구분", "类别", "Kategorija";
    units: "Units", "소속", "所属单位", "Jedinice";
    until: "until {day}", "{day}까지", "至 {day}", "do {day}";
    left_on: "left on {day}", "{day} 떠남", "{day} 离开", "otišla/otišao {day}";
    photo_of: "Photo of {name}", "{name} 사진", "{name}的照片", "Fotografija: {name}";
    no_photo: "No photo", "사진 없음", "无照片", "Bez fotografije";

    // A card.
    card: "Card", "카드", "卡片", "Kartica";
    holder: "Holder", "소지자", "持卡人", "Nositelj";
    card_type: "Type", "종류", "类型", "Vrsta";
    number: "Printed number", "인쇄 번호", "印刷号码", "Otisnuti broj";
    issued_on: "Issued", "발급일", "发放日期", "Izdana";
    valid_until: "Last day", "만료일", "最后有效日", "Posljednji dan";
    no_end: "no end", "기한 없음", "长期", "bez kraja";
    state: "State", "상태", "状态", "Stanje";
    state_produced: "produced, not handed out", "제작됨, 미교부", "已制作，未发放", "izrađena, nije uručena";
    state_active: "active", "사용 중", "使用中", "aktivna";
    state_suspended: "suspended", "정지됨", "已挂失", "obustavljena";
    state_closed: "closed", "폐기됨", "已注销", "zatvorena";
    opens_now: "Opens now", "지금 열 수 있는 문", "现在可打开", "Sada otvara";
    opens_nothing: "No door at this moment.", "지금 열 수 있는 문이 없습니다.", "目前无法打开任何门。", "Trenutačno nijedna vrata.";
    opens_doors: "Doors: {doors}, buildings: {buildings}", "건물 {buildings}곳의 문 {doors}개", "{buildings} 栋楼的 {doors} 扇门", "Vrata: {doors}, zgrade: {buildings}";
    with_factors: "with {factors}", "{factors} 필요", "需 {factors}", "uz {factors}";
    suspend: "Suspend", "정지", "挂失", "Obustavi";
    suspend_card: "Suspend card {card}?", "카드 {card}을(를) 정지할까요?", "挂失卡片 {card}？", "Obustaviti karticu {card}?";
    suspend_about: "No door opens for it from the moment you send this. It can be resumed.", "보내는 즉시 어떤 문도 열리지 않습니다. 나중에 다시 풀 수 있습니다.", "提交后该卡立即无法打开任何门，之后可以恢复。", "Od slanja ne otvara nijedna vrata. Može se ponovno pustiti.";
    resume: "Resume", "정지 해제", "解挂", "Ponovno pusti";
    resume_card: "Let card {card} work again?", "카드 {card}을(를) 다시 사용하게 할까요?", "恢复使用卡片 {card}？", "Pustiti karticu {card} ponovno u rad?";
    reason: "Reason", "사유", "原因", "Razlog";
    reason_about: "One line; it stands in the journal.", "한 줄로 적어 주세요. 기록에 남습니다.", "一行文字，将记入日志。", "Jedan redak; ostaje u dnevniku.";
    reason_lost: "lost", "분실", "遗失", "izgubljena";
    reason_stolen: "stolen", "도난", "被盗", "ukradena";
    reason_misused: "misused", "부정 사용", "滥用", "zlouporaba";

    // How far a change has come.
    change: "Change {seq}", "변경 {seq}", "变更 {seq}", "Promjena {seq}";
    doors_closing: "Doors are closing for {subject}", "{subject}: 문이 닫히는 중", "正在对 {subject} 关闭门禁", "Vrata se zatvaraju: {subject}";
    doors_closed: "Closed everywhere for {subject}", "{subject}: 모든 문이 닫힘", "已对 {subject} 全部关闭", "Svugdje zatvoreno: {subject}";
    doors_changing: "Doors are being told: {subject}", "문에 알리는 중: {subject}", "正在通知各门：{subject}", "Vrata se obavještavaju: {subject}";
    doors_changed: "In force everywhere: {subject}", "모든 곳에 적용됨: {subject}", "已在各处生效：{subject}", "Svugdje na snazi: {subject}";
    doors_some_missing: "Not everywhere yet: {subject}", "아직 일부에 적용되지 않음: {subject}", "尚未在各处生效：{subject}", "Još ne svugdje: {subject}";
    change_no_doors: "No door has to change for this.", "바뀌어야 할 문이 없습니다.", "没有门需要更改。", "Nijedna se vrata zbog ovoga ne mijenjaju.";
    change_soon: "The doors that this concerns are being worked out.", "해당하는 문을 계산하고 있습니다.", "正在计算涉及的门。", "Utvrđuje se kojih se vrata to tiče.";
    doors_done: "Doors: {done} of {total}", "문 {total}개 중 {done}개", "{total} 扇门中的 {done} 扇", "Vrata: {done} od {total}";
    clock: "Time since the order", "지시 후 경과 시간", "下令后经过的时间", "Vrijeme od naloga";
    unreachable: "Not reached", "연결되지 않음", "未能送达", "Nedostupno";
    unreachable_until: "{agent} is not reached; its doors stop deciding by themselves at", "{agent}에 연결되지 않음. 그 문들이 스스로 판단을 멈추는 시각:", "{agent} 无法连接；其门将自行停止判断的时间：", "{agent} nije dostupan; njegova vrata sama prestaju odlučivati u";
    unreachable_open: "{agent} is not reached, and some of its doors decide without end. Send somebody.", "{agent}에 연결되지 않으며 일부 문은 기한 없이 판단합니다. 사람을 보내세요.", "{agent} 无法连接，部分门会无限期判断，请派人前往。", "{agent} nije dostupan, a neka njegova vrata odlučuju bez kraja. Pošaljite nekoga.";
    mark_waiting: "waiting", "대기", "等待中", "čeka";
    mark_unreachable: "not reached", "연결 안 됨", "无法连接", "nedostupno";
    mark_applied: "in force", "적용됨", "已生效", "na snazi";
    mark_durable: "confirmed", "확인됨", "已确认", "potvrđeno";
    mark_doors: "doors: {count}", "문 {count}개", "{count} 扇门", "vrata: {count}";
    buildings: "Buildings", "건물", "楼宇", "Zgrade";
    evidence: "Download the evidence", "증거 파일 내려받기", "下载证据文件", "Preuzmi dokaz";
    evidence_about: "Signed by each agent; checked offline with “doorward verify”.", "각 에이전트가 서명했으며 “doorward verify”로 오프라인에서 확인합니다.", "由各代理签名，可用 “doorward verify” 离线核验。", "Potpisao ga je svaki agent; provjerava se bez mreže naredbom “doorward verify”.";
    to_card: "To the card", "카드로 가기", "前往卡片", "Na karticu";

    // Taps as they happen.
    taps: "Taps", "출입 기록", "刷卡记录", "Prolasci";
    taps_none: "No tap yet.", "아직 기록이 없습니다.", "尚无刷卡记录。", "Još nema prolazaka.";
    door: "Door", "문", "门", "Vrata";
    door_id: "Door (its id)", "문 (ID)", "门（编号）", "Vrata (oznaka)";
    building: "Building", "건물", "楼宇", "Zgrada";
    all_buildings: "All buildings", "모든 건물", "所有楼宇", "Sve zgrade";
    filter: "Show", "보기", "显示", "Prikaži";
    pause: "Pause", "일시 정지", "暂停", "Zaustavi";
    go_on: "Go on", "계속", "继续", "Nastavi";
    live_on: "Live", "실시간", "实时", "Uživo";
    live_paused: "Paused", "일시 정지됨", "已暂停", "Zaustavljeno";
    live_lost: "No connection; what stands here may be old.", "연결이 끊겼습니다. 내용이 오래되었을 수 있습니다.", "连接已断开，内容可能已过时。", "Nema veze; prikaz može biti zastario.";
    live_none: "Reload this page to see what is new.", "새 내용을 보려면 페이지를 새로 고치세요.", "刷新页面以查看最新内容。", "Ponovno učitajte stranicu za novo stanje.";
    granted: "granted", "허가", "允许", "dopušteno";
    denied: "denied", "거부", "拒绝", "odbijeno";
    unknown_card: "unknown card", "알 수 없는 카드", "未知卡片", "nepoznata kartica";

    why_so: "Why?", "왜?", "为什么？", "Zašto?";

    // Doors, who opens them, and why one does not.
    doors: "Find a door", "문 찾기", "查找门", "Pronađite vrata";
    doors_about: "A door, a building, or any part of a name", "문, 건물 또는 이름의 일부", "门、楼宇或名称的一部分", "Vrata, zgrada ili bilo koji dio naziva";
    doors_more: "There are more; say more of the name.", "더 있습니다. 이름을 더 입력하세요.", "还有更多，请输入更完整的名称。", "Ima ih još; upišite više znakova.";
    who_opens: "Who can open {door}?", "{door}: 누가 열 수 있나요?", "谁能打开 {door}？", "Tko može otvoriti: {door}?";
    when: "When", "시각", "时间", "Kada";
    ask: "Ask", "확인", "查询", "Pitaj";
    who_none: "Nobody.", "아무도 열 수 없습니다.", "没有人。", "Nitko.";
    who_more: "These are the first of {count}; all of them are in the answer of the API, or in “doorward who”.", "전체 {count}건 중 앞부분입니다. 전체는 API나 “doorward who”에서 볼 수 있습니다.", "以上为 {count} 条中的前一部分；全部内容见 API 或 “doorward who”。", "Ovo su prvi od {count}; svi su u odgovoru API-ja ili naredbe „doorward who”.";
    who_count: "Cards that open it: {count}", "열 수 있는 카드: {count}", "可打开的卡片：{count}", "Kartice koje ih otvaraju: {count}";
    taps_here: "Taps at this door", "이 문의 출입 기록", "该门的刷卡记录", "Prolasci na ovim vratima";
    why: "Why does a door answer so?", "문이 왜 그렇게 답하나요?", "门为何如此应答？", "Zašto vrata tako odgovaraju?";
    why_about: "What it would answer at this moment, or at another one that you name.", "지금 또는 지정한 시각에 문이 어떻게 답할지 알려 줍니다.", "该门在此刻或您指定的时刻将如何应答。", "Što bi odgovorila sada ili u trenutku koji navedete.";
    why_answer: "{card} at {door}", "{door}의 {card}", "{card} 在 {door}", "{card} na vratima {door}";

    // Alarms.
    alarms: "Alarms", "경보", "警报", "Uzbune";
    alarms_about: "What somebody has to look at.", "누군가 확인해야 하는 일입니다.", "需要有人处理的事项。", "Što netko mora pregledati.";
    alarms_none: "Nothing waits to be looked at.", "확인할 경보가 없습니다.", "没有待处理的警报。", "Ništa ne čeka na pregled.";
    alarms_all: "Show those that were looked at, too", "확인한 경보도 보기", "同时显示已处理的警报", "Prikaži i pregledane";
    alarms_waiting: "Show only those that wait", "미확인 경보만 보기", "只显示待处理的警报", "Prikaži samo one koje čekaju";
    acknowledge: "Looked at", "확인함", "已处理", "Pregledano";
    acknowledge_alarm: "Looked at: alarm {id}", "경보 {id} 확인함", "已处理：警报 {id}", "Pregledano: uzbuna {id}";
    alarm_card_tapped: "A card that is not in use was tapped", "사용할 수 없는 카드가 태그됨", "有停用的卡片被刷", "Prislonjena je kartica koja nije u uporabi";
    alarm_silent: "An agent does not answer", "에이전트가 응답하지 않음", "有代理无响应", "Agent se ne javlja";
    alarm_records_missing: "Records are missing", "기록이 누락됨", "记录缺失", "Nedostaju zapisi";
    alarm_records_contradict: "Records contradict each other", "기록이 서로 어긋남", "记录互相矛盾", "Zapisi su proturječni";
    alarm_clock: "A clock is wrong", "시계가 맞지 않음", "时钟有误", "Sat nije točan";
    alarm_store: "A store is damaged", "저장소가 손상됨", "存储损坏", "Spremište je oštećeno";
    alarm_rolled_back: "Something stands at an older state", "이전 상태로 되돌아감", "状态被回退", "Nešto je na starijem stanju";
    alarm_state: "An agent's state is not what it should be", "에이전트 상태가 올바르지 않음", "代理状态异常", "Stanje agenta nije kakvo treba biti";

    // Lockdown.
    lockdown: "Lockdown", "출입 봉쇄", "封锁", "Zaključavanje";
    lockdown_about: "Doors that are locked down deny everyone, with any card.", "봉쇄된 문은 어떤 카드로도 열리지 않습니다.", "被封锁的门拒绝所有人和所有卡片。", "Zaključana vrata odbijaju svakoga, sa svakom karticom.";
    in_force: "In force", "봉쇄 중", "生效中", "Na snazi";
    none_in_force: "Nothing is locked down.", "봉쇄된 곳이 없습니다.", "目前没有封锁。", "Ništa nije zaključano.";
    new_lockdown: "Lock down", "봉쇄하기", "实施封锁", "Zaključaj";
    one_door: "One door", "문 하나", "一扇门", "Jedna vrata";
    one_building: "One building", "건물 하나", "一栋楼", "Jedna zgrada";
    whole_campus: "The whole campus", "캠퍼스 전체", "整个校园", "Cijeli kampus";
    go_to_confirm: "Choose", "선택", "选择", "Odaberi";
    lockdown_of: "Lock down {what}?", "{what}을(를) 봉쇄할까요?", "封锁 {what}？", "Zaključati: {what}?";
    lockdown_doors: "From the moment you send this, these doors deny everyone: {count}.", "보내는 즉시 문 {count}개가 모두를 거부합니다.", "提交后 {count} 扇门将立即拒绝所有人。", "Od slanja ova vrata odbijaju svakoga: {count}.";
    type_name: "Type “{name}” to confirm", "확인하려면 “{name}”을(를) 입력하세요", "请输入“{name}”以确认", "Za potvrdu upišite „{name}”";
    typed_wrong: "That is not “{name}”. Nothing was locked down.", "“{name}”이(가) 아닙니다. 봉쇄하지 않았습니다.", "输入的不是“{name}”，未实施封锁。", "To nije „{name}”. Ništa nije zaključano.";
    lock_down_now: "Lock down now", "지금 봉쇄", "立即封锁", "Zaključaj odmah";
    release: "Release", "해제", "解除", "Otključaj";
    release_of: "Release {what}?", "{what} 봉쇄를 해제할까요?", "解除对 {what} 的封锁？", "Otključati: {what}?";
    release_about: "Its doors decide by card again.", "문들이 다시 카드로 판단합니다.", "相关的门将恢复按卡片判断。", "Vrata ponovno odlučuju po kartici.";
    which_door: "Which door?", "어느 문인가요?", "哪扇门？", "Koja vrata?";

    // Why a door answered as it did.
    reason_no_state: "the door knows nothing yet", "문에 정보가 없음", "门尚无数据", "vrata još ništa ne znaju";
    reason_lease_ended: "too long without a word from the authority", "서버와 너무 오래 연결되지 않음", "与服务器失联过久", "predugo bez riječi središta";
    reason_clock_untrusted: "the door's clock is wrong", "문의 시계가 맞지 않음", "门的时钟有误", "sat vrata nije točan";
    reason_not_recorded: "it could not be recorded", "기록할 수 없음", "无法记录", "nije se moglo zapisati";
    reason_lockdown: "locked down", "봉쇄됨", "已封锁", "zaključano";
    reason_unlocked: "open for anyone", "누구에게나 열림", "对所有人开放", "otvoreno svima";
    reason_unknown_credential: "unknown here", "등록되지 않은 카드", "此处未知", "ovdje nepoznato";
    reason_closed: "card is closed", "폐기된 카드", "卡片已注销", "kartica je zatvorena";
    reason_not_activated: "card is not activated", "활성화되지 않은 카드", "卡片未激活", "kartica nije aktivirana";
    reason_suspended: "card is suspended", "정지된 카드", "卡片已挂失", "kartica je obustavljena";
    reason_not_yet_valid: "not valid yet", "아직 유효하지 않음", "尚未生效", "još ne vrijedi";
    reason_expired: "expired", "만료됨", "已过期", "istekla";
    reason_function_not_on_card: "card does not have this function", "카드에 이 기능이 없음", "卡片无此功能", "kartica nema tu funkciju";
    reason_ended: "holder has left", "소지자가 떠남", "持卡人已离开", "nositelj je otišao";
    reason_excluded: "a rule excludes the holder", "규칙으로 제외됨", "被规则排除", "pravilo isključuje nositelja";
    reason_no_permission: "no permission", "권한 없음", "没有权限", "nema dozvole";
    reason_outside_schedule: "not at this hour", "허용 시간이 아님", "不在允许时间内", "ne u ovo vrijeme";
    reason_factor_required: "a further factor is needed", "추가 인증 필요", "需要其他验证", "potreban je još jedan faktor";
    reason_granted: "permitted", "허용됨", "有权限", "ima dozvolu";
}
