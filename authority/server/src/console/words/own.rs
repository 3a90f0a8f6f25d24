//! What the pages of a card holder say, in each language side by side.

catalogue! {
    /// What the pages of a card holder say, by what it is for.
    OwnWords;

    nav: "My card", "내 카드", "我的卡", "Moja kartica";
    sign_in_about: "Card holders sign in as “holder/” and their number, such as holder/230001.", "카드 소지자는 “holder/” 뒤에 학번이나 사번을 붙여 로그인합니다. 예: holder/230001", "持卡人请用 “holder/” 加学号或工号登录，例如 holder/230001。", "Nositelji kartica prijavljuju se kao „holder/” i svoj broj, na primjer holder/230001.";

    // The cards.
    your_cards: "Your cards", "내 카드 목록", "您的卡片", "Vaše kartice";
    card_works: "It works.", "사용할 수 있습니다.", "可正常使用。", "Radi.";
    card_lost: "You reported it lost. No door opens for it.", "분실 신고한 카드입니다. 어떤 문도 열리지 않습니다.", "您已报失，任何门都不会为它打开。", "Prijavili ste je kao izgubljenu. Ne otvara nijedna vrata.";
    card_held: "An office holds it back. Ask the card office.", "담당 부서에서 정지한 카드입니다. 카드 담당 부서에 문의하세요.", "该卡已被部门停用，请咨询办卡处。", "Obustavio ju je ured. Obratite se uredu za kartice.";
    card_waits: "Fetch it at the card office.", "카드 담당 부서에서 받으세요.", "请到办卡处领取。", "Preuzmite je u uredu za kartice.";
    card_over: "It is no longer in use.", "더 이상 쓰지 않는 카드입니다.", "已不再使用。", "Više nije u uporabi.";
    mark_lost: "reported lost", "분실 신고됨", "已报失", "prijavljena kao izgubljena";
    older_cards: "Cards no longer in use: {count}", "더 이상 쓰지 않는 카드 {count}장", "不再使用的卡片：{count}", "Kartice koje više nisu u uporabi: {count}";
    ask_office: "Anything else about your cards: ask the card office.", "카드에 관한 다른 문의는 카드 담당 부서로 해 주세요.", "有关卡片的其他问题，请咨询办卡处。", "Za sve ostalo o karticama obratite se uredu za kartice.";

    // Lost, and found again.
    lose: "Report lost", "분실 신고", "报失", "Prijavi gubitak";
    lose_card: "Report card {card} lost?", "카드 {card}을(를) 분실 신고할까요?", "要为卡片 {card} 报失吗？", "Prijaviti gubitak kartice {card}?";
    lose_about: "From the moment you send this, no door opens for it, whoever holds it. If you find it again, you can let it work again here.", "보내는 즉시 누가 가지고 있든 어떤 문도 열리지 않습니다. 다시 찾으면 여기에서 직접 풀 수 있습니다.", "提交后，无论卡在谁手里，都立即无法打开任何门。找到后您可以在这里自行恢复。", "Od slanja ne otvara nijedna vrata, tko god je držao. Ako je pronađete, ovdje je sami možete ponovno pustiti u rad.";
    lose_now: "Report it lost now", "지금 분실 신고", "立即报失", "Prijavi gubitak odmah";
    what_happened: "What happened", "어떻게 된 일인가요", "发生了什么", "Što se dogodilo";
    what_about: "One line, for the card office. “Lost” is enough.", "담당 부서가 볼 한 줄입니다. “분실”이라고만 적어도 됩니다.", "一行文字，供办卡处查看。写“遗失”即可。", "Jedan redak za ured za kartice. Dovoljno je „izgubljena”.";
    find_again: "I have it again", "다시 찾았습니다", "我找到了", "Opet je imam";
    find_card: "Let card {card} work again?", "카드 {card}을(를) 다시 사용할까요?", "要恢复使用卡片 {card} 吗？", "Pustiti karticu {card} ponovno u rad?";
    find_about: "Only when you hold it in your hand: doors open for it again, whoever holds it.", "카드가 손에 있을 때만 하세요. 누가 가지고 있든 문이 다시 열립니다.", "请确认卡片已在您手中：恢复后，无论卡在谁手里都能开门。", "Samo kad je držite u ruci: vrata joj se ponovno otvaraju, tko god je držao.";
    find_now: "Let it work again", "다시 사용하기", "恢复使用", "Pusti je u rad";
    reason_found: "found again", "다시 찾음", "已找到", "pronađena";
    is_lost: "Card {card} is reported lost", "카드 {card} 분실 신고됨", "卡片 {card} 已报失", "Kartica {card} prijavljena je kao izgubljena";
    is_found: "Card {card} works again", "카드 {card} 다시 사용 가능", "卡片 {card} 已恢复使用", "Kartica {card} ponovno radi";
    is_ordered: "Your order is kept", "요청이 저장되었습니다", "您的请求已记录", "Vaš je nalog zapisan";
    reported_at: "Kept at", "접수 시각", "受理时间", "Zaprimljeno";
    in_force_some: "In force at {done} of {total} doors.", "문 {total}개 중 {done}개에 적용됨.", "已在 {total} 扇门中的 {done} 扇生效。", "Na snazi na {done} od {total} vrata.";
    in_force_all: "In force at all {total} doors.", "문 {total}개 모두에 적용됨.", "已在全部 {total} 扇门生效。", "Na snazi na svim vratima: {total}.";
    no_doors: "No door has to change for it.", "바뀌어야 할 문이 없습니다.", "没有门需要更改。", "Nijedna se vrata zbog toga ne mijenjaju.";
    rest_lost: "The other doors follow by themselves as soon as they are reached. Until then they may still open for the card: if that worries you, tell the security office.", "나머지 문은 연결되는 대로 자동으로 적용됩니다. 그때까지는 카드로 열릴 수 있으니, 걱정되면 보안 담당 부서에 알려 주세요.", "其余的门一经连通便会自动生效。在此之前该卡可能仍能开门；如有担忧，请告知保安部门。", "Ostala vrata slijede sama čim budu dostupna. Do tada se kartici mogu još otvoriti: ako vas to brine, javite uredu za sigurnost.";
    rest_found: "The other doors follow by themselves as soon as they are reached.", "나머지 문은 연결되는 대로 자동으로 적용됩니다.", "其余的门一经连通便会自动生效。", "Ostala vrata slijede sama čim budu dostupna.";
    in_force_in: "In force in", "적용된 건물", "已生效的楼宇", "Na snazi u zgradama";
    to_own: "To my page", "내 페이지로", "返回我的页面", "Na moju stranicu";

    // The photo.
    photo: "Photo", "사진", "照片", "Fotografija";
    your_photo: "Your photo", "내 사진", "您的照片", "Vaša fotografija";
    photo_none: "There is no photo of you yet.", "아직 사진이 없습니다.", "还没有您的照片。", "Vaše fotografije još nema.";
    photo_waiting: "It waits to be looked at.", "확인을 기다리고 있습니다.", "等待审核。", "Čeka na pregled.";
    photo_approved: "It is approved.", "승인되었습니다.", "已通过审核。", "Odobrena je.";
    photo_locked: "It is locked now. Whoever approved it can reopen it, if you need another one.", "이제 바꿀 수 없습니다. 다른 사진이 필요하면 승인한 부서에 다시 열어 달라고 하세요.", "现已锁定。如需更换，请联系审核部门重新开放。", "Sada je zaključana. Ako trebate drugu, može je otključati onaj tko ju je odobrio.";
    photo_rejected: "It was not accepted. Please bring another one.", "받아들여지지 않았습니다. 다른 사진을 올려 주세요.", "未通过审核，请另行提交。", "Nije prihvaćena. Pošaljite drugu.";
    photo_reopened: "It was reopened.", "다시 열렸습니다.", "已重新开放。", "Ponovno je otvorena.";
    photo_bring: "Bring a photo", "사진 올리기", "提交照片", "Pošalji fotografiju";
    photo_size: "A JPEG of exactly {width} × {height} pixels, at most {size} kB.", "정확히 {width} × {height} 픽셀, {size} kB 이하의 JPEG.", "JPEG 格式，尺寸须为 {width} × {height} 像素，不超过 {size} kB。", "JPEG od točno {width} × {height} piksela, najviše {size} kB.";
    photo_any: "A JPEG of at most {pixels} pixels a side and {size} kB.", "한 변이 {pixels} 픽셀 이하, {size} kB 이하의 JPEG.", "JPEG 格式，每边不超过 {pixels} 像素，不超过 {size} kB。", "JPEG od najviše {pixels} piksela po stranici i {size} kB.";
    photo_upright: "It has to be upright as it is. Where and when it was taken is not kept.", "똑바로 선 사진이어야 합니다. 촬영 장소와 시각은 저장하지 않습니다.", "照片本身须为正向。拍摄地点和时间不会保存。", "Mora biti uspravna kakva jest. Gdje je i kada snimljena ne čuva se.";
    photo_file: "File", "파일", "文件", "Datoteka";
    photo_send: "Send", "보내기", "提交", "Pošalji";
    photo_no_file: "Choose a file first.", "먼저 파일을 선택하세요.", "请先选择文件。", "Najprije odaberite datoteku.";

    // The own taps, and what was asked for.
    taps: "Your last taps", "최근 출입 기록", "您最近的刷卡记录", "Vaši posljednji prolasci";
    taps_about: "Only you and the offices that may read the log see these.", "본인과 기록을 볼 수 있는 부서만 볼 수 있습니다.", "仅您本人和有权查阅记录的部门可见。", "Vide ih samo vi i uredi koji smiju čitati zapisnik.";
    taps_all: "Show more", "더 보기", "显示更多", "Prikaži više";
    requests: "Access that was asked for you", "나를 위한 출입 신청", "为您申请的门禁", "Pristup zatražen za vas";
    request_waiting: "waits for a decision", "결정 대기 중", "等待审批", "čeka odluku";
    request_expired: "nobody decided in time", "기한 내 결정 없음", "逾期未审批", "nitko nije odlučio na vrijeme";
    request_approved: "approved", "승인됨", "已批准", "odobreno";
    request_rejected: "rejected", "거절됨", "已拒绝", "odbijeno";
    request_withdrawn: "taken back", "취소됨", "已撤回", "povučeno";
}
