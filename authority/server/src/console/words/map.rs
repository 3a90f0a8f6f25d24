//! What the pages of the campus map say, in each language side by side.

catalogue! {
    /// What the pages of the campus map say, by what it is for.
    MapWords;

    nav: "Map", "지도", "地图", "Karta";
    map: "Campus map", "캠퍼스 지도", "校园地图", "Karta kampusa";
    map_about: "Each building by its state; the same stands below in words.", "건물마다 상태를 표시합니다. 같은 내용이 아래에 글로 있습니다.", "按状态显示每栋楼，下方有相同内容的文字说明。", "Svaka zgrada po svojem stanju; isto piše i ispod.";
    no_buildings: "No building lies in your remit.", "담당 범위에 건물이 없습니다.", "您的职责范围内没有楼宇。", "U vašoj nadležnosti nema zgrada.";
    not_placed: "not on the plan yet", "아직 도면에 없음", "尚未标在平面图上", "još nije na nacrtu";
    cannot_read: "A part of the map cannot be read:", "지도의 일부를 읽을 수 없습니다:", "地图的一部分无法读取：", "Dio karte ne može se pročitati:";

    // The state of a building.
    well: "all well", "이상 없음", "一切正常", "sve u redu";
    locked_down: "locked down", "봉쇄됨", "已封锁", "zaključano";
    locked_down_some: "doors locked down: {count} of {total}", "문 {total}개 중 {count}개 봉쇄됨", "{total} 扇门中的 {count} 扇已封锁", "zaključana vrata: {count} od {total}";
    lease_ended: "lease ended: doors deny", "유효 시간 만료: 문이 거부함", "租期已到：门拒绝开启", "rok istekao: vrata odbijaju";
    not_reached: "agent not reached", "에이전트에 연결되지 않음", "无法连接代理", "agent nedostupan";
    no_agent: "no agent yet", "아직 에이전트 없음", "尚无代理", "još nema agenta";
    alarms_open: "alarms open: {count}", "미확인 경보 {count}건", "未处理警报：{count}", "otvorene uzbune: {count}";
    not_told: "not locked down", "봉쇄되지 않음", "未封锁", "nije zaključano";
    not_told_about: "Whether agents are reached is for those to see who may see agents.", "에이전트 연결 상태는 권한이 있는 사람만 볼 수 있습니다.", "代理的连接状态仅对有权查看代理的人显示。", "Jesu li agenti dostupni vide oni koji smiju vidjeti agente.";

    // Arranging the map.
    arrange: "Arrange the map", "지도 편집", "编辑地图", "Uredi kartu";
    places: "Where buildings stand", "건물 위치", "楼宇位置", "Gdje zgrade stoje";
    building_placed: "{name} (placed)", "{name} (배치됨)", "{name}（已标注）", "{name} (postavljena)";
    from_left: "From the left, in percent", "왼쪽에서 (%)", "距左侧（%）", "Slijeva, u postocima";
    from_top: "From the top, in percent", "위에서 (%)", "距顶部（%）", "Odozgo, u postocima";
    place: "Put it there", "여기에 배치", "标在此处", "Postavi";
    take_off: "Take it off the plan", "도면에서 빼기", "从平面图移除", "Makni s nacrta";
    click_about: "Or choose the building and click on the plan where it stands.", "또는 건물을 고르고 도면에서 그 위치를 클릭하세요.", "或选择楼宇，然后在平面图上点击其位置。", "Ili odaberite zgradu i kliknite na nacrt ondje gdje stoji.";
    click_alt: "Plan of the campus: put the chosen building where you click", "캠퍼스 도면: 클릭한 곳에 선택한 건물을 배치", "校园平面图：点击处即为所选楼宇的位置", "Nacrt kampusa: odabrana zgrada ide onamo gdje kliknete";
    needs_number: "Say where, as two numbers from 0 to 100.", "위치를 0에서 100 사이의 두 숫자로 입력하세요.", "请用 0 到 100 之间的两个数字指定位置。", "Navedite mjesto dvama brojevima od 0 do 100.";
    plan: "The plan", "도면", "平面图", "Nacrt";
    plan_none: "There is none; buildings stand on an empty sheet.", "도면이 없어 빈 바탕에 건물을 표시합니다.", "尚无平面图，楼宇显示在空白底图上。", "Nema ga; zgrade stoje na praznom listu.";
    plan_now: "{width} × {height} pixels", "{width} × {height} 픽셀", "{width} × {height} 像素", "{width} × {height} piksela";
    plan_about: "A PNG or JPEG of at most {size} MB and {side} pixels a side. All who may ask about doors see it.", "{size} MB 이하, 한 변 {side} 픽셀 이하의 PNG 또는 JPEG. 문을 조회할 수 있는 모든 사람이 보게 됩니다.", "PNG 或 JPEG，不超过 {size} MB，每边不超过 {side} 像素。所有可查询门的人都能看到。", "PNG ili JPEG od najviše {size} MB i {side} piksela po stranici. Vide ga svi koji smiju pitati za vrata.";
    plan_file: "File", "파일", "文件", "Datoteka";
    plan_bring: "Use this plan", "이 도면 사용", "使用此平面图", "Upotrijebi ovaj nacrt";
    plan_remove: "Remove the plan", "도면 삭제", "删除平面图", "Ukloni nacrt";
    plan_no_file: "Choose a file first.", "먼저 파일을 선택하세요.", "请先选择文件。", "Najprije odaberite datoteku.";
    to_map: "To the map", "지도로 가기", "前往地图", "Na kartu";
}
