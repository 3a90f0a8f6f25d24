//! What the pages of facilities and departments say, in each language side by side.

catalogue! {
    /// What the pages of facilities and departments say, by what it is for.
    AccessWords;

    nav: "Requests", "출입 신청", "门禁申请", "Zahtjevi";
    nav_grants: "Grants", "출입 권한", "门禁权限", "Dozvole";
    nav_review: "Review", "정기 검토", "定期复核", "Pregled";

    // Requests.
    to_decide: "Waits for your decision", "결정할 신청", "待您审批", "Čeka vašu odluku";
    to_decide_none: "Nothing waits for your decision.", "결정할 신청이 없습니다.", "没有待您审批的申请。", "Ništa ne čeka vašu odluku.";
    own_open: "You asked for", "내가 낸 신청", "您的申请", "Vaši zahtjevi";
    own_none: "Nothing that you asked for waits.", "대기 중인 내 신청이 없습니다.", "您没有等待中的申请。", "Nijedan vaš zahtjev ne čeka.";
    others_open: "Waits for others", "다른 사람의 결정을 기다리는 신청", "待他人审批", "Čeka odluku drugih";
    decided: "Decided lately", "최근 결정", "近期结果", "Nedavno odlučeno";
    decided_none: "Nothing was decided yet.", "아직 결정된 신청이 없습니다.", "尚无结果。", "Još ništa nije odlučeno.";
    first_shown: "These are the first of {count}.", "전체 {count}건 중 앞부분입니다.", "以上为 {count} 条中的前一部分。", "Ovo su prvi od {count}.";
    standing_waiting: "waiting", "대기 중", "等待中", "čeka";
    standing_expired: "nobody decided in time", "기한 내 결정 없음", "逾期未审批", "nitko nije odlučio na vrijeme";
    standing_approved: "approved", "승인됨", "已批准", "odobren";
    standing_rejected: "rejected", "거절됨", "已拒绝", "odbijen";
    standing_withdrawn: "taken back", "취소됨", "已撤回", "povučen";
    asked_by: "asked by {by}", "신청자 {by}", "申请人 {by}", "traži {by}";

    // One request.
    request: "Request {id}", "신청 {id}", "申请 {id}", "Zahtjev {id}";
    for_whom: "For whom", "대상", "对象", "Za koga";
    place: "Where", "장소", "地点", "Gdje";
    hours: "Hours", "시간대", "时段", "Sati";
    days: "Days", "기간", "日期", "Dani";
    asked: "Asked", "신청", "申请", "Traženo";
    decide_until: "Can be decided until", "결정 기한", "审批期限", "Može se odlučiti do";
    outcome: "Outcome", "결과", "结果", "Ishod";
    by_whom: "by {by}", "처리: {by}", "经办：{by}", "odluka: {by}";
    its_grant: "Grant", "권한", "权限", "Dozvola";
    to_change: "How far it has come at the doors", "문에 적용된 정도 보기", "查看各门的生效进度", "Dokle je stiglo na vratima";
    in_force_soon: "It is approved, and the doors are being told.", "승인되었으며 문에 알리고 있습니다.", "已批准，正在通知各门。", "Odobreno je i vrata se obavještavaju.";
    decide: "Decide", "결정", "审批", "Odlučite";
    decide_reason: "What you say to it", "의견", "意见", "Što kažete na to";
    decide_reason_about: "Needed to reject. Whoever asked reads it, and it stands in the journal.", "거절하려면 꼭 적어야 합니다. 신청자가 읽고 기록에 남습니다.", "拒绝时必填。申请人可见，并记入日志。", "Potrebno za odbijanje. Čita ga tko je tražio i ostaje u dnevniku.";
    earlier_until: "Last day, if an earlier one", "더 이른 종료일 (있으면)", "最后一天（如需提前）", "Posljednji dan, ako je raniji";
    approve: "Approve", "승인", "批准", "Odobri";
    reject: "Reject", "거절", "拒绝", "Odbij";
    approved_reason: "approved", "승인", "批准", "odobreno";
    withdraw: "Take back", "신청 취소", "撤回", "Povuci";
    withdraw_about: "It is not needed any more.", "더 이상 필요하지 않을 때 취소합니다.", "不再需要时可撤回。", "Ako više nije potrebno.";
    not_yours: "Whoever decides about these doors decides about it.", "이 문을 담당하는 사람이 결정합니다.", "由负责这些门的人员审批。", "O tome odlučuje tko odlučuje o tim vratima.";

    // What a grant would change.
    effect: "What it would change", "승인하면 바뀌는 것", "批准后的变化", "Što bi promijenilo";
    effect_people: "People with a card whom it names: {people}. Of them gain a door: {gaining}.", "카드가 있는 대상자 {people}명 중 {gaining}명이 새 문을 열 수 있게 됩니다.", "对象中有卡者 {people} 人，其中 {gaining} 人将可打开新的门。", "Osoba s karticom koje imenuje: {people}. Od njih dobiva vrata: {gaining}.";
    effect_none: "Nobody whom it names has a card.", "대상자 중 카드가 있는 사람이 없습니다.", "对象中无人持卡。", "Nitko koga imenuje nema karticu.";
    effect_doors: "Doors: {doors}, agents: {agents}.", "문 {doors}개, 에이전트 {agents}개.", "{doors} 扇门，{agents} 个代理。", "Vrata: {doors}, agenti: {agents}.";
    effect_gone: "What it names is not there any more; approving it would be refused.", "대상이 더 이상 없어 승인할 수 없습니다.", "其对象已不存在，无法批准。", "Ono što imenuje više ne postoji; odobrenje bi bilo odbijeno.";
    effect_gain: "gain it", "새로 열림", "新获得", "dobiva";
    effect_more: "gain hours", "시간 늘어남", "增加时段", "dobiva sate";
    effect_have: "have it", "이미 열림", "已拥有", "već ima";
    effect_without: "cannot even then", "여전히 못 엶", "仍无法打开", "ni tada ne može";
    effect_about: "Counted as the doors would decide: whoever cannot even then has a card without the door’s function, or a rule excludes them.", "문이 실제로 판단하는 방식으로 셉니다. 여전히 못 여는 사람은 카드에 그 기능이 없거나 규칙으로 제외된 사람입니다.", "按各门的实际判断统计。仍无法打开者的卡片没有该功能，或被规则排除。", "Brojano kako bi vrata odlučila: tko ni tada ne može, na kartici nema tu funkciju ili ga pravilo isključuje.";

    ending: "What would end with it", "끝내면 바뀌는 것", "结束后的变化", "Što bi s njom prestalo";
    ending_people: "People with a card whom it names: {people}. Of them lose a door: {gaining}.", "카드가 있는 대상자 {people}명 중 {gaining}명이 문을 더 이상 열 수 없게 됩니다.", "对象中有卡者 {people} 人，其中 {gaining} 人将无法再打开某扇门。", "Osoba s karticom koje imenuje: {people}. Od njih gubi vrata: {gaining}.";
    ending_lose: "lose it", "못 열게 됨", "失去", "gubi";
    ending_less: "lose hours", "시간 줄어듦", "减少时段", "gubi sate";
    ending_have: "keep it", "계속 열림", "仍可打开", "zadržava";

    // Asking, and granting at once.
    ask_access: "Ask for access", "출입 신청하기", "申请门禁", "Zatraži pristup";
    grant_access: "Grant access", "권한 주기", "授予权限", "Daj dozvolu";
    which_building: "To which building?", "어느 건물인가요?", "哪栋楼？", "U koju zgradu?";
    go_on: "Go on", "다음", "下一步", "Dalje";
    no_building: "There is no building about which you decide.", "결정할 수 있는 건물이 없습니다.", "没有由您负责的楼宇。", "Nema zgrade o kojoj odlučujete.";
    other_building: "Another building", "다른 건물", "选择其他楼宇", "Druga zgrada";
    doors: "Doors", "문", "门", "Koja vrata";
    all_doors: "All doors of this building", "이 건물의 모든 문", "该楼所有门", "Sva vrata ove zgrade";
    for_unit: "Everyone of a unit", "소속 전체", "某单位全体成员", "Svi iz jedinice";
    no_unit: "– no unit –", "– 소속 선택 안 함 –", "– 不选单位 –", "– bez jedinice –";
    for_category: "Only of this category", "이 구분만", "仅限此类人员", "Samo ove kategorije";
    any_category: "of any category", "모든 구분", "不限类别", "bilo koje kategorije";
    for_person: "Or one person: name or number", "또는 한 사람: 이름이나 번호", "或某一人：姓名或编号", "Ili jedna osoba: ime ili broj";
    for_person_about: "With a unit, too, it ends by itself when the person leaves that unit.", "소속도 고르면 그 소속을 떠날 때 저절로 끝납니다.", "若同时选择单位，则离开该单位时自动结束。", "Uz jedinicu, prestaje sam kad osoba iz nje ode.";
    which_person: "Which person?", "어느 사람인가요?", "哪一位？", "Koja osoba?";
    nobody_of_these: "– none of these –", "– 이 중에 없음 –", "– 不在其中 –", "– nitko od ovih –";
    any_hour: "at any hour", "시간 제한 없음", "任何时间", "u svako doba";
    first_day: "First day", "시작일", "开始日期", "Prvi dan";
    first_day_about: "From now on where it is empty.", "비우면 지금부터입니다.", "留空则立即开始。", "Od sada, ako je prazno.";
    last_day: "Last day", "종료일", "结束日期", "Zadnji dan";
    last_day_about: "Without end where it is empty.", "비우면 기한이 없습니다.", "留空则长期有效。", "Bez kraja, ako je prazno.";
    ask_reason_about: "Whoever decides reads it.", "결정하는 사람이 읽습니다.", "审批人会看到。", "Čita ga tko odlučuje.";
    waits: "Days that it waits for a decision", "결정을 기다리는 일수", "等待审批的天数", "Koliko dana čeka odluku";
    preview: "See what it would change", "바뀌는 것 보기", "查看变化", "Pogledaj što bi promijenilo";
    say_whom: "Say for whom: a unit, a category of people, or one person.", "대상을 고르세요: 소속, 구분 또는 한 사람.", "请选择对象：单位、类别或某一人。", "Recite za koga: jedinica, kategorija ili jedna osoba.";
    person_or_category: "Name one person or a category, not both.", "한 사람 또는 구분 중 하나만 고르세요.", "只能选择某一人或类别之一。", "Navedite jednu osobu ili kategoriju, ne oboje.";
    person_which: "Several people fit “{text}”. Choose one.", "“{text}”에 해당하는 사람이 여럿입니다. 한 명을 고르세요.", "有多人符合“{text}”，请选择一人。", "Više osoba odgovara „{text}”. Odaberite jednu.";
    waits_wrong: "“{text}” is not a number of days.", "“{text}”은(는) 일수가 아닙니다.", "“{text}”不是天数。", "„{text}” nije broj dana.";

    // Grants and their review.
    grants_about: "Rights that were given beside the rules, those that end first on top.", "규칙과 별도로 준 권한입니다. 먼저 끝나는 것부터 보입니다.", "规则之外授予的权限，先到期者在前。", "Prava dana uz pravila; najprije ona koja prva prestaju.";
    grants_none: "There is no such grant.", "해당하는 권한이 없습니다.", "没有此类权限。", "Nema takve dozvole.";
    grants_find: "Whom, where, or a name", "대상, 장소 또는 이름", "对象、地点或名称", "Tko, gdje ili naziv";
    grants_over: "Show those that are over, too", "끝난 권한도 보기", "同时显示已结束的", "Prikaži i one koje su prestale";
    grant_in_force: "in force", "사용 중", "生效中", "na snazi";
    grant_to_come: "to come", "예정", "未开始", "tek dolazi";
    grant_over: "over", "끝남", "已结束", "prestala";
    of_folder: "of the campus folder", "캠퍼스 폴더에서 옴", "来自校园文件夹", "iz mape kampusa";
    reviewed: "given or confirmed", "부여 또는 확인", "授予或确认于", "dana ili potvrđena";
    reviewed_never: "never confirmed", "확인한 적 없음", "从未确认", "nikad potvrđena";
    review_about: "Grants that nobody has given or confirmed for so long. Keep what is still needed, and end the rest.", "오랫동안 부여하거나 확인하지 않은 권한입니다. 필요한 것은 유지하고 나머지는 끝내세요.", "长时间未授予或确认的权限。保留仍需要的，结束其余的。", "Dozvole koje dugo nitko nije dao ni potvrdio. Zadržite potrebne, a ostale završite.";
    review_none: "None is due. All of them were given or confirmed since.", "검토할 권한이 없습니다. 모두 그 뒤에 부여되거나 확인되었습니다.", "没有需要复核的权限，均在此期间授予或确认过。", "Nijedna nije na redu. Sve su otada dane ili potvrđene.";
    review_older: "Not confirmed for", "확인하지 않은 기간", "未确认时长", "Bez potvrde već";
    review_any: "any time", "전체", "不限", "bilo koliko";
    review_days: "{days} days", "{days}일", "{days} 天", "dana: {days}";
    review_due: "Due: {count}", "검토 대상 {count}건", "待复核 {count} 条", "Na redu: {count}";
    keep: "Keep", "유지", "保留", "Zadrži";
    keep_grant: "Keep grant {id}", "권한 {id} 유지", "保留权限 {id}", "Zadrži dozvolu {id}";
    keep_reason: "Why it is still needed", "아직 필요한 이유", "仍需要的原因", "Zašto je još potrebna";
    kept: "Kept: {id}.", "유지했습니다: {id}.", "已保留：{id}。", "Zadržana: {id}.";
    end: "End", "끝내기", "结束", "Završi";
    end_grant: "End grant {id}?", "권한 {id}을(를) 끝낼까요?", "结束权限 {id}？", "Završiti dozvolu {id}?";
    end_about: "Whoever opens these doors by no other right stands before them closed from the moment you send this, or after the day that you name.", "다른 권한이 없는 사람은 보내는 즉시, 또는 지정한 날 이후로 이 문을 열 수 없습니다.", "没有其他权限的人将自提交时起，或在您指定的日期之后，无法打开这些门。", "Tko ta vrata ne otvara po drugom pravu, od slanja ili nakon navedenog dana ostaje pred zatvorenima.";
    end_folder: "The campus folder names it, too: it comes back with the next import unless it is taken out there.", "캠퍼스 폴더에도 있습니다. 거기서 지우지 않으면 다음 가져오기 때 다시 생깁니다.", "校园文件夹中也有此权限：若不在其中删除，下次导入时会恢复。", "I mapa kampusa je imenuje: vraća se sa sljedećim uvozom ako se ondje ne ukloni.";
    end_on: "Last day", "마지막 날", "最后一天", "Zadnji dan dozvole";
    end_on_about: "It ends at once where it is empty.", "비우면 바로 끝납니다.", "留空则立即结束。", "Prestaje odmah, ako je prazno.";

    // Buildings.
    building_none: "There is no building in your remit.", "담당하는 건물이 없습니다.", "您的职责范围内没有楼宇。", "U vašoj nadležnosti nema zgrade.";
    buildings_about: "Buildings with a door in your remit, and how their agents are.", "담당하는 문이 있는 건물과 에이전트 상태입니다.", "您负责的楼宇及其代理状态。", "Zgrade s vratima u vašoj nadležnosti i stanje njihovih agenata.";
    shut_doors: "locked down: {count}", "봉쇄된 문 {count}개", "已封锁 {count} 扇", "zaključanih vrata: {count}";
    agent: "Agent", "에이전트", "代理", "Agent zgrade";
    agent_connected: "connected", "연결됨", "已连接", "povezan";
    agent_silent: "does not answer", "응답 없음", "无响应", "ne javlja se";
    agent_none: "no agent yet", "에이전트 없음", "尚无代理", "agenta još nema";
    agent_heard: "last heard", "마지막 응답", "最后响应", "zadnji glas";
    decides_until: "its doors decide by themselves until", "문이 스스로 판단하는 기한:", "各门可自行判断至", "vrata sama odlučuju do";
    decides_no_more: "its doors have denied since", "문이 거부하기 시작한 시각:", "各门自此时起拒绝：", "vrata odbijaju od";
    owner: "Owner", "관리 부서", "所属单位", "Vlasnik";
    open_now: "People who can open it now: {count}", "지금 열 수 있는 사람 {count}명", "现在可打开者 {count} 人", "Sada ih može otvoriti: {count}";
    not_counted: "who can open it?", "누가 열 수 있나요?", "谁能打开？", "tko ih otvara?";
    grants_here: "Grants to this building", "이 건물의 권한", "该楼的权限", "Dozvole za ovu zgradu";
    taps_here: "Taps in this building", "이 건물의 출입 기록", "该楼的刷卡记录", "Prolasci u ovoj zgradi";
    to_buildings: "Buildings and how they are", "건물과 상태", "楼宇及状态", "Zgrade i njihovo stanje";

    // What a person opens, and why one was refused.
    person_opens: "What can this person open?", "이 사람은 무엇을 열 수 있나요?", "此人能打开什么？", "Što ova osoba može otvoriti?";
    opens_title: "What can {name} open?", "{name}: 무엇을 열 수 있나요?", "{name} 能打开什么？", "Što može otvoriti: {name}?";
    opens_none: "No door at that moment.", "그 시각에 열 수 있는 문이 없습니다.", "该时刻无法打开任何门。", "U tom trenutku nijedna vrata.";
    person_refused: "Why was this person refused?", "이 사람은 왜 거부되었나요?", "此人为何被拒绝？", "Zašto je ova osoba odbijena?";
    refused_title: "Why was {name} refused?", "{name}: 왜 거부되었나요?", "{name} 为何被拒绝？", "Zašto je odbijena osoba {name}?";
    refused_about: "The newest taps that a door refused. Each “why” answers for that moment.", "문이 거부한 최근 태그입니다. “왜?”를 누르면 그 시각 기준으로 답합니다.", "最近被拒绝的刷卡。点击“为什么”查看当时的原因。", "Najnoviji odbijeni prolasci. Svako „zašto” odgovara za taj trenutak.";
    refused_none: "No door refused this person lately.", "최근 거부된 기록이 없습니다.", "近期没有被拒绝的记录。", "U zadnje vrijeme nijedna vrata nisu odbila tu osobu.";

    // Whom, where and when.
    who_unit: "Everyone of {unit}", "{unit} 소속 전원", "{unit} 全体成员", "Svi iz jedinice {unit}";
    who_category: "All of category {category}", "구분 {category} 전원", "类别 {category} 全体", "Svi kategorije {category}";
    who_category_of: "{category} of {unit}", "{unit} 소속 {category}", "{unit} 的 {category}", "{category} iz jedinice {unit}";
    who_person_of: "{person}, while in {unit}", "{person} ({unit} 소속인 동안)", "{person}（在 {unit} 期间）", "{person}, dok je u jedinici {unit}";
    where_building: "all doors of {building}", "{building}의 모든 문", "{building} 的所有门", "sva vrata zgrade {building}";
    terms: "{who}: {place}", "{who} → {place} 출입", "{who} → 进入 {place}", "{who} → {place}";
    from: "from {day}", "{day}부터", "自 {day} 起", "od {day}";
}
