//! What the pages of the auditor and the operator say, in each language side by side.

catalogue! {
    /// What the pages of the auditor and the operator say, by what it is for.
    RecordsWords;

    nav: "Records", "감사 기록", "审计记录", "Evidencija";

    // The menu of these pages.
    journal: "Journal", "변경 기록", "变更日志", "Dnevnik promjena";
    log: "Access log", "출입 이력", "门禁记录", "Dnevnik prolazaka";
    plots: "Taps in numbers", "출입 통계", "刷卡统计", "Prolasci u brojkama";
    latency: "Speed of removals", "차단 속도", "停用速度", "Brzina ukidanja";
    agents: "Agents", "에이전트", "代理", "Agenti";
    compare: "Compare", "시점 비교", "对比", "Usporedba";
    looks: "Who looked", "조회 내역", "查阅记录", "Tko je gledao";
    operators: "Operators", "사용자", "操作员", "Korisnici";
    retention: "Retention", "보존 기간", "保留期限", "Rokovi čuvanja";
    receivers: "Receivers", "연동 시스템", "接收系统", "Primatelji";

    // What several pages say.
    who: "Who", "누가", "何人", "Tko";
    what: "What", "무엇을", "何事", "Što";
    from: "From", "시작", "起", "Od";
    to: "To", "끝", "止", "Do";
    all: "All", "전체", "全部", "Sve";
    older: "Older", "이전 내역", "更早", "Starije";
    newest: "Newest", "최신", "最新", "Najnovije";
    nothing_fits: "Nothing fits.", "해당하는 내역이 없습니다.", "没有符合的记录。", "Ništa ne odgovara.";
    as_table: "Table (CSV)", "표로 저장(CSV)", "表格（CSV）", "Tablica (CSV)";
    as_lines: "JSON lines", "JSON 줄로 저장", "JSON 行", "JSON retci";
    export_about: "What fits is exported, up to {count}.", "해당하는 내역을 최대 {count}건까지 내보냅니다.", "导出符合的记录，最多 {count} 条。", "Izvozi se što odgovara, najviše {count}.";
    numbers: "The numbers", "수치 보기", "查看数据", "Brojke";
    count: "Count", "건수", "数量", "Broj";
    name: "Name", "이름", "名称", "Naziv";
    and_more: "and {count} more", "외 {count}건", "另有 {count} 项", "i još {count}";
    columns_about: "Taps: {count}. Most in one column: {most}.", "출입 {count}건, 한 칸의 최댓값 {most}건.", "共 {count} 次刷卡，单列最多 {most} 次。", "Prolazaka: {count}. Najviše u jednom stupcu: {most}.";

    // The journal.
    journal_about: "Everything that was ever changed, by whom and when; the newest first.", "지금까지의 모든 변경을 누가 언제 했는지, 최신순으로 보여 줍니다.", "所有变更及其执行者和时间，最新的在前。", "Sve što je ikad promijenjeno, tko je i kada; najnovije prvo.";
    kind: "Kind", "종류", "类别", "Vrsta promjene";
    about_id: "About (an id)", "대상(ID)", "对象（编号）", "O čemu (oznaka)";
    looked_back: "It was looked back as far as entry {seq}.", "기록 {seq}번까지 찾아보았습니다.", "已查找至第 {seq} 条。", "Pregledano je do zapisa {seq}.";
    to_change: "At the doors", "문 적용 상태", "各门状态", "Na vratima";

    // The access log.
    log_about: "What doors answered, in the order in which it came home; the newest first.", "문이 어떻게 답했는지, 도착한 순서대로 최신순으로 보여 줍니다.", "各门的应答，按送达顺序排列，最新的在前。", "Što su vrata odgovorila, redom kojim je stiglo; najnovije prvo.";
    answer: "Answer", "응답", "应答", "Odgovor";
    came_later: "came home", "도착", "送达于", "stiglo";

    // Plots of taps.
    plots_about: "Counted from the access log, on the clock of the campus.", "출입 이력에서 캠퍼스 시각 기준으로 집계했습니다.", "根据门禁记录统计，按校园时间计。", "Izbrojeno iz dnevnika prolazaka, po satu kampusa.";
    span: "Time", "기간", "时段", "Razdoblje";
    span_day: "Last 24 hours", "최근 24시간", "最近 24 小时", "Zadnja 24 sata";
    span_week: "Last 7 days", "최근 7일", "最近 7 天", "Zadnjih 7 dana";
    span_month: "Last 30 days", "최근 30일", "最近 30 天", "Zadnjih 30 dana";
    per_hour: "Taps per hour", "시간별 출입", "每小时刷卡", "Prolasci po satu";
    per_day: "Taps per day", "일별 출입", "每日刷卡", "Prolasci po danu";
    per_door: "Doors with most taps", "출입이 많은 문", "刷卡最多的门", "Vrata s najviše prolazaka";
    refusals: "Refusals by reason", "사유별 거부", "按原因统计的拒绝", "Odbijanja po razlogu";
    hour: "Hour", "시간", "小时", "Sat";
    day: "Day", "날짜", "日期", "Dan";
    counted_some: "There are so many that only the newest {count} were counted.", "내역이 많아 최신 {count}건만 집계했습니다.", "记录过多，仅统计了最新的 {count} 条。", "Ima ih toliko da je izbrojeno samo najnovijih {count}.";
    doors_shown: "Doors shown: {shown} of {count}.", "문 {count}개 중 {shown}개를 표시합니다.", "显示 {count} 扇门中的 {shown} 扇。", "Prikazano vrata: {shown} od {count}.";

    // How fast removals are.
    latency_title: "How long until a removal is at every door?", "차단이 모든 문에 적용되기까지 얼마나 걸리나요?", "停用多久后在所有门生效？", "Koliko treba da ukidanje stigne do svih vrata?";
    latency_about: "From the order until the word of each agent came that it has it on its disk: the newest {count} removals. An agent that was away counts for as long as it was away.", "지시부터 각 에이전트가 디스크에 저장했다고 확인할 때까지의 시간입니다(최근 차단 {count}건). 연결이 끊겨 있던 에이전트는 그 시간도 포함됩니다.", "自下令至各代理确认已写入磁盘的时间，取最近 {count} 次停用。断线的代理计入其断线时间。", "Od naloga do riječi svakog agenta da je na njegovu disku: najnovijih {count} ukidanja. Agentu koji nije bio spojen računa se i to vrijeme.";
    latency_none: "No removal yet.", "아직 차단이 없습니다.", "尚无停用。", "Još nema ukidanja.";
    median: "Half within", "절반이 이내", "半数不超过", "Polovica unutar";
    most: "99 of 100 within", "99%가 이내", "99% 不超过", "99 od 100 unutar";
    longest: "Longest", "최장", "最长", "Najdulje";
    confirmations: "Words of agents", "에이전트 확인", "代理确认数", "Potvrda agenata";
    spread_about: "{count} words of agents by how long they took, on a logarithmic scale. Half within {median}, 99 of 100 within {most}, the longest {longest}.", "에이전트 확인 {count}건의 소요 시간(로그 눈금). 절반 {median} 이내, 99% {most} 이내, 최장 {longest}.", "{count} 条代理确认的耗时分布（对数刻度）。半数在 {median} 内，99% 在 {most} 内，最长 {longest}。", "{count} potvrda agenata po trajanju, na logaritamskoj ljestvici. Polovica unutar {median}, 99 od 100 unutar {most}, najdulje {longest}.";
    takes: "Takes", "소요 시간", "耗时", "Trajanje";
    waiting: "Not confirmed", "미확인", "尚未确认", "Nepotvrđeno";
    waiting_none: "Every agent has confirmed each of them.", "모든 에이전트가 전부 확인했습니다.", "所有代理均已全部确认。", "Svaki je agent potvrdio svako od njih.";
    waiting_of: "{agent} has yet to confirm: {count}", "{agent}: 미확인 {count}건", "{agent} 尚未确认 {count} 次", "{agent} još mora potvrditi: {count}";
    slowest: "The slowest", "가장 오래 걸린 차단", "最慢的几次", "Najsporija";

    // Agents.
    agents_title: "How are the agents?", "에이전트는 정상인가요?", "各代理状态如何？", "Kako su agenti?";
    agents_about: "This authority is {software} and speaks protocol version {version}, as every agent does that is connected.", "이 서버는 {software}이며 프로토콜 버전 {version}을 사용합니다. 연결된 모든 에이전트도 같습니다.", "本服务器为 {software}，使用协议版本 {version}，所有已连接的代理相同。", "Ovo je središte {software} i govori protokol verzije {version}, kao i svaki spojeni agent.";
    agents_none: "No agent.", "에이전트가 없습니다.", "没有代理。", "Nema agenata.";
    agent: "Agent", "에이전트", "代理", "Agent zgrade";
    freshness: "When each agent was last heard", "에이전트별 마지막 수신 시점", "各代理最近一次通信", "Kada se koji agent zadnji put javio";
    freshness_about: "Agents heard: {heard}, of them connected: {connected}. The longest silence: {longest}. On a logarithmic scale.", "수신된 에이전트 {heard}개, 연결됨 {connected}개, 가장 긴 침묵 {longest}(로그 눈금).", "有通信的代理 {heard} 个，已连接 {connected} 个，最长静默 {longest}（对数刻度）。", "Javilo se agenata: {heard}, spojeno: {connected}. Najdulja tišina: {longest}. Na logaritamskoj ljestvici.";
    connected: "connected", "연결됨", "已连接", "spojen";
    silent: "not connected", "연결 안 됨", "未连接", "nije spojen";
    joined_not: "has not joined", "등록 안 됨", "尚未加入", "nije se pridružio";
    invited: "invited", "초대됨", "已邀请", "pozvan";
    struck_off: "struck off", "제명됨", "已除名", "brisan";
    commit: "Commit", "커밋", "提交", "Stanje (commit)";
    current: "up to date", "최신", "已是最新", "ažuran";
    behind: "behind by {count}", "{count}건 뒤처짐", "落后 {count} 条", "zaostaje za {count}";
    lease: "Decides alone until", "독자 판단 기한", "可自行判断至", "Odlučuje sam do";
    backlog: "Records waiting", "대기 중인 기록", "待传记录", "Zapisi na čekanju";
    heard: "Last heard", "마지막 수신", "最近通信", "Zadnja riječ";
    ago: "{time} ago", "{time} 전", "{time} 前", "prije {time}";
    version: "Version", "버전", "版本", "Verzija";
    clock_off: "Clock", "시계 오차", "时钟偏差", "Odstupanje sata";
    open_alarms: "Alarms not looked at", "미확인 경보", "未处理警报", "Nepregledane uzbune";
    invite: "Invite an agent", "에이전트 초대", "邀请代理", "Pozovi agenta";
    invite_about: "It can join once with the secret that you get next.", "다음에 표시되는 코드로 한 번 등록할 수 있습니다.", "可使用接下来显示的密钥加入一次。", "Može se jednom pridružiti tajnom koja se zatim pokaže.";
    minutes: "Good for so many minutes", "유효 시간(분)", "有效分钟数", "Vrijedi toliko minuta";
    invited_title: "The secret of {agent}", "{agent}의 등록 코드", "{agent} 的密钥", "Tajna agenta {agent}";
    invited_about: "It is shown this once, and works once, until", "이번 한 번만 표시되며, 한 번만 사용할 수 있습니다. 기한:", "仅显示这一次，也只能使用一次，截止于", "Pokazuje se samo sada i vrijedi jednom, do";
    invited_how: "On the machine in the building:", "건물의 장비에서 실행:", "在楼内机器上执行：", "Na stroju u zgradi:";
    strike_off: "Strike off", "제명", "除名", "Briši";
    strike_title: "Strike {agent} off?", "{agent}을(를) 제명할까요?", "将 {agent} 除名？", "Obrisati {agent}?";
    strike_about: "Its key is worth nothing from the moment you send this. Its doors go on by what it knows until their leases end. To work again it has to be invited and join anew.", "보내는 즉시 키가 무효가 됩니다. 그 문들은 기한이 끝날 때까지 알고 있는 대로 판단합니다. 다시 쓰려면 새로 초대하고 등록해야 합니다.", "提交后其密钥立即失效。其门在期限结束前仍按已知信息判断。要重新使用，须再次邀请并加入。", "Njegov ključ od slanja ne vrijedi ništa. Njegova vrata odlučuju po onome što zna dok im ne istekne rok. Za ponovni rad treba novi poziv i pridruživanje.";

    // The directory at two instants.
    compare_title: "What changed between two instants?", "두 시점 사이에 무엇이 달라졌나요?", "两个时刻之间有何变化？", "Što se promijenilo između dva trenutka?";
    compare_about: "Name a time or the number of a journal entry for each; without a later one it is now.", "각각 시각이나 변경 기록 번호를 지정하세요. 나중 시점을 비우면 지금입니다.", "请分别指定时间或日志条目编号；不填后者即为现在。", "Za svaki navedite vrijeme ili broj zapisa dnevnika; bez kasnijeg to je sada.";
    earlier: "Earlier", "이전 시점", "较早", "Raniji trenutak";
    later: "Later", "나중 시점", "较晚", "Kasniji trenutak";
    or_entry: "or after entry", "또는 기록 번호", "或条目编号", "ili nakon zapisa";
    entry: "Entry {seq}", "기록 {seq}번", "第 {seq} 条", "Zapis {seq}";
    same: "Nothing differs.", "달라진 것이 없습니다.", "没有差异。", "Nema razlike.";
    policy_differs: "The rules differ: functions, types of card, categories, schedules, rules or holidays.", "규칙이 다릅니다: 기능, 카드 종류, 구분, 시간표, 규칙 또는 휴일.", "规则不同：功能、卡类型、类别、时间表、规则或假日。", "Pravila se razlikuju: funkcije, vrste kartica, kategorije, rasporedi, pravila ili blagdani.";
    people: "People", "사람", "人员", "Osobe";
    grants: "Grants", "출입 권한", "授权", "Dozvole";
    lockdowns: "Lockdowns", "출입 봉쇄", "封锁", "Zaključavanja";
    doors: "Doors", "문", "门", "Vrata";
    added: "new", "추가", "新增", "novo";
    removed: "gone", "삭제", "删除", "uklonjeno";
    changed: "changed", "변경", "变更", "promijenjeno";
    rights: "Who gained or lost a door", "문 권한이 바뀐 사람", "获得或失去门禁的人", "Tko je dobio ili izgubio vrata";
    rights_none: "Nobody gained or lost a door.", "문 권한이 바뀐 사람이 없습니다.", "没有人获得或失去门禁。", "Nitko nije dobio ni izgubio vrata.";
    gained: "gained", "얻음", "获得", "dobili";
    lost: "lost", "잃음", "失去", "izgubili";

    // Who looked at whom.
    looks_title: "Who looked at whom?", "누가 누구를 조회했나요?", "谁查阅了谁？", "Tko je koga gledao?";
    looks_about: "Each question about a person, a card, a door or the log is kept before it is answered.", "사람, 카드, 문, 출입 이력에 대한 모든 조회는 답하기 전에 남습니다.", "对人员、卡片、门或记录的每次查询都在应答之前留存。", "Svako pitanje o osobi, kartici, vratima ili dnevniku čuva se prije odgovora.";
    question: "Question", "조회 종류", "查询类型", "Pitanje";
    about: "About", "대상", "对象", "O čemu";

    // Operators, and the table of acts.
    operators_title: "Who may do what?", "누가 무엇을 할 수 있나요?", "谁可以做什么？", "Tko što smije?";
    role: "Role", "역할", "角色", "Uloga";
    remit: "Remit", "관할", "管辖范围", "Nadležnost";
    tokens: "Tokens", "토큰", "令牌", "Tokeni";
    expired: "expired", "만료됨", "已过期", "isteklo";
    acts: "What each role may do", "역할별 권한", "各角色的权限", "Što smije koja uloga";
    acts_about: "Each only within the remit of whoever has the role.", "각 역할은 자기 관할 안에서만 할 수 있습니다.", "各角色仅限于其管辖范围内。", "Svaka samo unutar svoje nadležnosti.";
    act: "Act", "행위", "操作", "Radnja";
    may: "may", "가능", "可以", "smije";
    role_administrator: "Administrator", "관리자", "管理员", "Administrator sustava";
    role_security_office: "Security office", "보안실", "安保处", "Ured sigurnosti";
    role_control_room: "Control room", "관제실", "监控室", "Kontrolna soba";
    role_facilities: "Facilities", "시설과", "设施管理", "Upravljanje zgradama";
    role_department: "Department", "학과·부서", "部门", "Odsjek";
    role_card_office: "Card office", "카드 발급처", "制卡中心", "Ured za kartice";
    role_registrar_feed: "Registrar feed", "학적 연동", "学籍接口", "Izvor podataka";
    role_auditor: "Auditor", "감사인", "审计员", "Revizor";

    // What is kept how long.
    retention_title: "What is kept how long?", "무엇을 얼마나 보존하나요?", "什么保留多久？", "Što se koliko čuva?";
    kept_for: "Kept for", "보존 기간", "保留", "Čuva se";
    without_end: "without end", "기한 없음", "无限期", "bez kraja";
    removed_last: "Removed last time", "지난번 삭제", "上次删除", "Zadnji put uklonjeno";
    due: "Would be removed next", "다음 삭제 예정", "下次将删除", "Sljedeći put uklonit će se";
    last_run: "Last run", "지난 실행", "上次运行", "Zadnje pokretanje";
    next_run: "Next run", "다음 실행", "下次运行", "Sljedeće pokretanje";
    not_yet: "not yet", "아직 없음", "尚未", "još ne";
    beginnings: "Logs whose beginning is kept no longer", "앞부분이 삭제된 이력", "开头已不再保留的记录", "Dnevnici čiji se početak više ne čuva";
    beginning: "{agent}: {count} up to record {seq}", "{agent}: 기록 {seq}번까지 {count}건", "{agent}：至第 {seq} 条，共 {count} 条", "{agent}: {count} do zapisa {seq}";

    // Who is told of events.
    receivers_title: "Are other systems told?", "다른 시스템에 전달되고 있나요?", "其他系统收到通知了吗？", "Doznaju li drugi sustavi?";
    receivers_none: "receivers.toml names no other system.", "receivers.toml에 다른 시스템이 없습니다.", "receivers.toml 中没有其他系统。", "receivers.toml ne navodi nijedan drugi sustav.";
    events_waiting: "Events waiting", "대기 중인 이벤트", "待发事件", "Događaja na čekanju";
    works: "works", "정상", "正常", "radi";
    fails_since: "fails since", "실패 시작:", "失败始于", "ne uspijeva od";

    // Kinds of change.
    did_found: "Founded", "개설", "创建", "Osnivanje";
    did_import: "Campus folder imported", "캠퍼스 자료 반입", "导入校园数据", "Uvoz podataka kampusa";
    did_tick: "Compiled again", "재컴파일", "重新编译", "Ponovno prevođenje";
    did_agent_add: "Agent invited", "에이전트 초대", "邀请代理", "Agent pozvan";
    did_agent_enrol: "Agent joined", "에이전트 등록", "代理加入", "Agent se pridružio";
    did_agent_remove: "Agent struck off", "에이전트 제명", "代理除名", "Agent brisan";
    did_card_suspend: "Card suspended", "카드 정지", "卡片挂失", "Kartica obustavljena";
    did_card_resume: "Card resumed", "카드 정지 해제", "卡片解挂", "Kartica ponovno puštena";
    did_card_activate: "Card activated", "카드 활성화", "卡片激活", "Kartica aktivirana";
    did_card_close: "Card closed", "카드 폐기", "卡片注销", "Kartica zatvorena";
    did_card_found: "Card found", "카드 습득", "拾获卡片", "Kartica nađena";
    did_card_issue: "Card issued", "카드 발급", "卡片发放", "Kartica izdana";
    did_card_extend: "Card extended", "카드 기한 연장", "卡片延期", "Kartica produljena";
    did_application_apply: "Application brought", "발급 신청", "提交申请", "Zahtjev za karticu";
    did_application_approve: "Application approved", "발급 신청 승인", "批准申请", "Zahtjev za karticu odobren";
    did_application_reject: "Application rejected", "발급 신청 반려", "驳回申请", "Zahtjev za karticu odbijen";
    did_photo_submit: "Photo brought", "사진 제출", "提交照片", "Fotografija predana";
    did_photo_approve: "Photo approved", "사진 승인", "照片通过", "Fotografija odobrena";
    did_photo_reject: "Photo rejected", "사진 반려", "照片退回", "Fotografija odbijena";
    did_photo_reopen: "Photo reopened", "사진 잠금 해제", "照片重新开放", "Fotografija ponovno otvorena";
    did_photo_remove: "Photo removed", "사진 삭제", "照片删除", "Fotografija uklonjena";
    did_roster_enter: "Put on a roster", "명단 추가", "列入名单", "Upis na popis";
    did_roster_strike: "Taken off a roster", "명단 제외", "移出名单", "Brisanje s popisa";
    did_roster_confirm: "Roster confirmed", "명단 확정", "名单确认", "Popis potvrđen";
    did_roster_accept: "Roster accepted", "명단 접수", "名单接收", "Popis prihvaćen";
    did_roster_return: "Roster given back", "명단 반송", "名单退回", "Popis vraćen";
    did_batch_order: "Batch ordered", "일괄 제작 주문", "批量订制", "Serija naručena";
    did_batch_deliver: "Batch taken in", "일괄 제작 입고", "批量入库", "Serija preuzeta";
    did_lock_down: "Locked down", "출입 봉쇄", "实施封锁", "Zaključano";
    did_release: "Released", "봉쇄 해제", "解除封锁", "Otključano";
    did_grant_add: "Grant given", "권한 부여", "给予授权", "Dozvola dana";
    did_grant_end: "Grant ended", "권한 종료", "终止授权", "Dozvola ukinuta";
    did_grant_confirm: "Grant confirmed", "권한 재확인", "确认授权", "Dozvola potvrđena";
    did_request_ask: "Access asked for", "출입 신청", "申请门禁", "Pristup zatražen";
    did_request_approve: "Request approved", "출입 신청 승인", "批准门禁申请", "Pristup odobren";
    did_request_reject: "Request rejected", "출입 신청 반려", "驳回门禁申请", "Pristup odbijen";
    did_request_withdraw: "Request withdrawn", "출입 신청 취소", "撤回门禁申请", "Zahtjev povučen";
    did_operator_put: "Operator set", "사용자 지정", "设定操作员", "Korisnik postavljen";
    did_operator_remove: "Operator removed", "사용자 삭제", "移除操作员", "Korisnik uklonjen";
    did_operator_invite: "Operator invited", "사용자 초대", "邀请操作员", "Korisnik pozvan";
    did_token_add: "Token given", "토큰 발급", "发放令牌", "Token dan";
    did_token_remove: "Token ended", "토큰 폐기", "作废令牌", "Token ukinut";
    did_holder_invite: "Card holder invited", "카드 소지자 초대", "邀请持卡人", "Nositelj pozvan";
    did_person_erase: "Person erased", "개인정보 삭제", "删除个人数据", "Osoba izbrisana";
    did_people_push: "People pushed by a feed", "인사·학적 연동 반영", "接口推送人员", "Osobe iz izvora podataka";

    // What roles may do.
    act_import: "import a campus folder", "캠퍼스 자료 반입", "导入校园数据", "uvesti podatke kampusa";
    act_push_people: "push people by a feed", "인사·학적 연동", "通过接口推送人员", "slati osobe iz izvora podataka";
    act_manage_agents: "add or remove agents", "에이전트 초대·제명", "邀请或除名代理", "dodavati i brisati agente";
    act_manage_operators: "say who may do what", "사용자 권한 지정", "设定操作员权限", "određivati tko što smije";
    act_suspend_card: "suspend a card", "카드 정지", "挂失卡片", "obustaviti karticu";
    act_resume_card: "resume a card", "카드 정지 해제", "解挂卡片", "ponovno pustiti karticu";
    act_activate_card: "activate a card", "카드 활성화", "激活卡片", "aktivirati karticu";
    act_close_card: "close a card", "카드 폐기", "注销卡片", "zatvoriti karticu";
    act_issue_cards: "issue, replace or extend a card", "카드 발급·교체·연장", "发放、更换或延期卡片", "izdati, zamijeniti ili produljiti karticu";
    act_submit_photos: "bring a photo", "사진 제출", "提交照片", "predati fotografiju";
    act_decide_photos: "decide about a photo", "사진 승인·반려", "审核照片", "odlučiti o fotografiji";
    act_apply_for_cards: "bring or see an application for a card", "카드 발급 신청·조회", "提交或查看制卡申请", "predati ili vidjeti zahtjev za karticu";
    act_decide_applications: "decide about an application for a card", "카드 발급 신청 심사", "审批制卡申请", "odlučiti o zahtjevu za karticu";
    act_prepare_rosters: "change, confirm or see a roster", "명단 작성·확정·조회", "编制、确认或查看名单", "mijenjati, potvrditi ili vidjeti popis";
    act_produce_cards: "accept a roster, order its cards or take them in", "명단 접수·일괄 제작·입고", "接收名单、订制并入库", "prihvatiti popis, naručiti kartice ili ih preuzeti";
    act_lock_down: "lock doors down or release them", "출입 봉쇄·해제", "实施或解除封锁", "zaključati ili otključati vrata";
    act_grant: "give, confirm or end a grant", "권한 부여·재확인·종료", "给予、确认或终止授权", "dati, potvrditi ili ukinuti dozvolu";
    act_ask: "ask for access", "출입 신청", "申请门禁", "zatražiti pristup";
    act_decide: "decide about a request", "출입 신청 심사", "审批门禁申请", "odlučiti o zahtjevu za pristup";
    act_see_grants: "see requests and grants", "출입 신청·권한 조회", "查看申请和授权", "vidjeti zahtjeve i dozvole";
    act_see_cards: "see a card or its holder", "카드·소지자 조회", "查看卡片或持卡人", "vidjeti karticu ili nositelja";
    act_see_doors: "ask who can open a door", "문을 열 수 있는 사람 조회", "查询谁能打开某门", "pitati tko može otvoriti vrata";
    act_read_log: "read the access log", "출입 이력 열람", "查看门禁记录", "čitati dnevnik prolazaka";
    act_read_journal: "read the journal", "변경 기록 열람", "查看变更日志", "čitati dnevnik promjena";
    act_see_agents: "see agents and alarms", "에이전트·경보 조회", "查看代理和警报", "vidjeti agente i uzbune";
    act_acknowledge_alarms: "acknowledge alarms", "경보 확인", "处理警报", "označiti uzbune pregledanima";
    act_follow_changes: "follow a change or take its evidence", "변경 추적·증거 수령", "跟踪变更或获取证据", "pratiti promjenu ili uzeti dokaz";
    act_personal_data: "export or erase all that is known of somebody", "개인정보 내보내기·삭제", "导出或删除个人数据", "izvesti ili izbrisati sve o nekome";
    act_invite_holders: "invite a card holder to the own page", "카드 소지자 초대", "邀请持卡人", "pozvati nositelja na vlastitu stranicu";

    // What is kept for some time.
    kept_access_records: "Access records, from the day on which they came home", "출입 기록(도착일부터)", "门禁记录（自送达之日起）", "Zapisi o prolascima, od dana kad su stigli";
    kept_alarms: "Alarms that somebody has looked at", "확인한 경보", "已处理的警报", "Pregledane uzbune";
    kept_looks: "Who looked at whom", "조회 내역", "查阅记录", "Tko je koga gledao";
    kept_photos: "Photos of people, from the day on which they left", "떠난 사람의 사진(떠난 날부터)", "离校人员的照片（自离开之日起）", "Fotografije osoba, od dana kad su otišle";
    kept_closed_accounts: "All that is known of people whom no list names any more", "어느 명단에도 없는 사람의 모든 정보", "任何名单均不再包含的人员的全部信息", "Sve o osobama kojih više nema ni na jednom popisu";
    kept_unnamed_photos: "Files of photos that nobody names, for an hour", "사용되지 않는 사진 파일(1시간)", "无人使用的照片文件（一小时）", "Datoteke fotografija koje nitko ne navodi, sat vremena";
}
