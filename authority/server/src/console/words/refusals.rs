//! Why the authority refuses something, as an office is told it: in the console's languages, and without the names of commands.
//!
//! What can only happen to somebody who operates the authority itself is told in the authority's own words, which are English.

use super::{Language, RecordsWords, fill};
use crate::http::cards::state_name;
use crate::http::failure::{Cause, Failure};
use core::fmt::Display;
use doorward_policy::directory::Refusal;
use doorward_policy::office::authorize::Denial;
use doorward_protocol::time::Day;

catalogue! {
    /// Why the authority refuses something, by what it is about.
    RefusalWords;

    denied_gone: "You may do nothing here any more; ask an administrator.", "이제 아무 권한이 없습니다. 관리자에게 문의하십시오.", "您在此已无任何权限，请联系管理员。", "Ovdje više nemate nikakvih ovlasti; obratite se administratoru.";
    denied_role: "Your role, {role}, may not do this. These may: {roles}.", "{role} 역할로는 할 수 없습니다. 할 수 있는 역할: {roles}.", "您的角色 {role} 不能执行此操作。可以执行的角色：{roles}。", "Vaša uloga {role} to ne smije. Smiju: {roles}.";
    denied_remit: "This is outside of what you are responsible for as {role}.", "{role}의 담당 범위 밖입니다.", "这超出了您作为 {role} 的职责范围。", "To je izvan onoga za što ste kao {role} odgovorni.";
    denied_approver: "Only {approver} decides about this application.", "이 신청은 {approver}만 결정할 수 있습니다.", "此申请只能由 {approver} 决定。", "O ovoj prijavi odlučuje samo {approver}.";
    denied_stage: "This stage of campaign {campaign} is open from {from} to {until}; who comes later is served by the card office.", "{campaign}의 이 단계는 {from}부터 {until}까지입니다. 이후에는 카드 담당 부서에 문의하십시오.", "{campaign} 的此阶段开放时间为 {from} 至 {until}；逾期请到办卡处办理。", "Ta faza kampanje {campaign} otvorena je od {from} do {until}; poslije toga obratite se uredu za kartice.";
    denied_holder: "Card holders see and do only what is on their own page; ask the card office.", "카드 소지자는 자기 페이지에 있는 일만 할 수 있습니다. 카드 담당 부서에 문의하십시오.", "持卡人只能查看和办理自己页面上的事项，请联系办卡处。", "Nositelji kartica vide i rade samo ono na vlastitoj stranici; obratite se uredu za kartice.";
    denied_others_hold: "Card {card} was not held back by your own report; the card office or the security office lets it work again.", "카드 {card}은(는) 본인 신고로 정지된 것이 아닙니다. 카드 담당 부서나 보안 부서에서 해제할 수 있습니다.", "卡片 {card} 并非因您本人挂失而停用；请由办卡处或保卫处恢复。", "Kartica {card} nije obustavljena vašom prijavom; ponovno je uključuje ured za kartice ili sigurnosna služba.";
    wrong_password: "The name or the password is wrong.", "사용자 이름이나 비밀번호가 틀렸습니다.", "用户名或密码错误。", "Ime ili lozinka nisu točni.";
    locked_out: "There were too many wrong passwords; try again in {seconds} s.", "비밀번호를 너무 여러 번 틀렸습니다. {seconds}초 후에 다시 시도하십시오.", "密码错误次数过多，请在 {seconds} 秒后重试。", "Previše pogrešnih lozinki; pokušajte ponovno za {seconds} s.";
    wrong_secret: "The set-up secret is wrong, was used, or has expired; ask for a new one.", "초기 설정 코드가 틀렸거나 이미 사용되었거나 만료되었습니다. 새 코드를 요청하십시오.", "设置密钥错误、已使用或已过期，请索取新的密钥。", "Tajna za postavljanje je pogrešna, iskorištena ili istekla; zatražite novu.";
    weak_password: "Choose a longer password that others would not guess.", "더 길고 남이 짐작하기 어려운 비밀번호를 정하십시오.", "请设置更长且不易被猜到的密码。", "Odaberite dulju lozinku koju drugi ne bi pogodili.";
    foreign_form: "This form is not from a page of yours, or from one before you signed in; open the page again.", "이 양식은 현재 로그인한 페이지의 것이 아닙니다. 페이지를 다시 여십시오.", "此表单不是您当前页面的，或是登录前的；请重新打开页面。", "Ovaj obrazac nije s vaše stranice, ili je od prije prijave; ponovno otvorite stranicu.";
    session_ended: "Your session has ended; sign in again.", "세션이 끝났습니다. 다시 로그인하십시오.", "会话已结束，请重新登录。", "Vaša je prijava istekla; prijavite se ponovno.";
    too_fast: "These are too many requests at once; wait a moment.", "요청이 한꺼번에 너무 많습니다. 잠시 기다려 주십시오.", "请求过多，请稍候。", "Previše je zahtjeva odjednom; pričekajte trenutak.";
    no_page: "There is no such page.", "그런 페이지가 없습니다.", "没有此页面。", "Nema takve stranice.";
    unknown: "{id} is not known; check the spelling.", "{id}은(는) 등록되어 있지 않습니다. 철자를 확인하십시오.", "未找到 {id}，请检查拼写。", "{id} nije poznato; provjerite kako je napisano.";
    card_closed: "Card {card} is closed for good; issue another one.", "카드 {card}은(는) 영구 폐기되었습니다. 새 카드를 발급하십시오.", "卡片 {card} 已永久注销，请另发新卡。", "Kartica {card} trajno je zatvorena; izdajte drugu.";
    card_state: "Card {card} is {state}; this cannot be done with it.", "카드 {card}의 상태는 {state}입니다. 이 작업을 할 수 없습니다.", "卡片 {card} 的状态为{state}，无法执行此操作。", "Kartica {card}: {state}; to se s njom ne može.";
    card_exists: "There is a card {card} already, or there was.", "카드 {card}은(는) 이미 있거나 있었습니다.", "卡片 {card} 已存在或曾经存在。", "Kartica {card} već postoji ili je postojala.";
    card_open: "{person} has card {card}, and everyone has one; replace it, or close it first.", "{person}은(는) 이미 카드 {card}이(가) 있으며 한 사람에 한 장입니다. 교체하거나 먼저 폐기하십시오.", "{person} 已有卡片 {card}，每人只有一张；请更换或先注销。", "{person} ima karticu {card}, a svatko ima jednu; zamijenite je ili je najprije zatvorite.";
    others_card: "Card {card} is not one of {person}.", "카드 {card}은(는) {person}의 카드가 아닙니다.", "卡片 {card} 不属于 {person}。", "Kartica {card} ne pripada osobi {person}.";
    nothing_replaced: "Say which old card the new one replaces.", "새 카드가 대신할 이전 카드를 지정하십시오.", "请指明新卡替换的旧卡。", "Navedite koju staru karticu zamjenjuje nova.";
    nothing_to_replace: "A card issued for this reason replaces none; leave the old one out.", "이 사유의 카드는 다른 카드를 대신하지 않습니다. 이전 카드를 비워 두십시오.", "以此原因发的卡不替换旧卡；请留空旧卡。", "Kartica izdana iz tog razloga ne zamjenjuje nijednu; izostavite staru.";
    temporary_type: "Cards of type {card_type} are not issued for this reason; choose another type.", "{card_type} 카드는 이 사유로 발급하지 않습니다. 다른 종류를 고르십시오.", "{card_type} 不能以此原因发放，请选择其他卡种。", "Kartice vrste {card_type} ne izdaju se iz tog razloga; odaberite drugu vrstu.";
    number: "The printed number is not one of this type of card.", "인쇄 번호가 이 카드 종류의 형식과 맞지 않습니다.", "印刷号码不符合此卡种的格式。", "Tiskani broj nije ispravan za tu vrstu kartice.";
    no_extension: "Card {card} is valid that long already; give a later day than {until}.", "카드 {card}은(는) 이미 그때까지 유효합니다. {until}보다 늦은 날짜를 정하십시오.", "卡片 {card} 的有效期已到那时；请选择晚于 {until} 的日期。", "Kartica {card} već vrijedi tako dugo; odaberite dan poslije {until}.";
    photo_locked: "The photo of {person} is approved and locked; reopen it first.", "{person}의 사진은 승인되어 잠겨 있습니다. 먼저 승인을 취소하십시오.", "{person} 的照片已通过并锁定；请先重新开放。", "Fotografija osobe {person} odobrena je i zaključana; najprije je otvorite.";
    photo_replaced: "Another photo of {person} has come since; look at that one.", "{person}의 다른 사진이 새로 올라왔습니다. 그 사진을 확인하십시오.", "{person} 已提交了另一张照片，请查看新的。", "U međuvremenu je stigla druga fotografija osobe {person}; pogledajte nju.";
    photo_state: "The photo of {person} does not wait for this; look at it again.", "{person}의 사진은 지금 그렇게 처리할 수 없습니다. 다시 확인하십시오.", "{person} 的照片当前不能这样处理，请重新查看。", "Fotografija osobe {person} sada to ne čeka; pogledajte je ponovno.";
    not_entitled: "Category {category} gets no cards of type {card_type}.", "{category} 신분에는 {card_type} 카드를 발급하지 않습니다.", "类别 {category} 不能办理 {card_type}。", "Kategorija {category} ne dobiva kartice vrste {card_type}.";
    no_application: "A card of type {card_type} for {person} needs an application that {approver} approves.", "{person}의 {card_type} 카드는 {approver}이(가) 승인한 신청이 필요합니다.", "{person} 的 {card_type} 需要由 {approver} 批准的申请。", "Kartica vrste {card_type} za {person} treba prijavu koju odobrava {approver}.";
    documents_missing: "The application lacks: {documents}.", "신청에 빠진 서류: {documents}.", "申请缺少：{documents}。", "Prijavi nedostaje: {documents}.";
    too_many: "{count} are too many at once.", "{count}건은 한 번에 처리하기에 너무 많습니다.", "一次 {count} 项过多。", "{count} je previše odjednom.";
    name_taken: "{id} is there already; choose another name.", "{id}은(는) 이미 있습니다. 다른 이름을 고르십시오.", "{id} 已存在，请换一个名称。", "{id} već postoji; odaberite drugo ime.";
    decided: "{id} is decided already.", "{id}은(는) 이미 결정되었습니다.", "{id} 已作出决定。", "O {id} već je odlučeno.";
    people: "This cannot be done for: {people}.", "다음 사람에게는 할 수 없습니다: {people}.", "无法对以下人员执行：{people}。", "To se ne može za: {people}.";
    people_no_photo: "Without an approved photo: {people}. Approve theirs, or strike them off the roster.", "사진이 승인되지 않은 사람: {people}. 승인하거나 명단에서 빼십시오.", "照片未通过：{people}。请审核通过或将其移出名单。", "Bez odobrene fotografije: {people}. Odobrite njihove ili ih skinite s popisa.";
    people_not_on_roster: "Not on this roster: {people}.", "이 명단에 없는 사람: {people}.", "不在此名单上：{people}。", "Nisu na ovom popisu: {people}.";
    people_not_of_unit: "Not of this unit: {people}.", "이 소속이 아닌 사람: {people}.", "不属于本单位：{people}。", "Ne pripadaju ovoj jedinici: {people}.";
    people_not_in_batch: "Not in this batch: {people}.", "이 제작 묶음에 없는 사람: {people}.", "不在此批次中：{people}。", "Nisu u ovoj seriji: {people}.";
    people_in_batch: "In a batch already: {people}.", "이미 제작 주문된 사람: {people}.", "已在制卡批次中：{people}。", "Već su u seriji: {people}.";
    nobody_to_order: "Nobody is on it whose card could be made.", "카드를 만들 수 있는 사람이 없습니다.", "其中没有可制卡的人员。", "Na njemu nema nikoga kome bi se mogla izraditi kartica.";
    on_another_roster: "{person} is on the roster of {unit} already; take them off there first.", "{person}은(는) 이미 {unit} 명단에 있습니다. 먼저 거기서 빼십시오.", "{person} 已在 {unit} 的名单上；请先从那里移除。", "{person} već je na popisu jedinice {unit}; najprije ga ondje skinite.";
    roster_state: "The roster of {unit} cannot be changed like that now; look at it again.", "{unit} 명단은 지금 그렇게 바꿀 수 없습니다. 다시 확인하십시오.", "{unit} 的名单当前不能这样更改，请重新查看。", "Popis jedinice {unit} sada se ne može tako mijenjati; pogledajte ga ponovno.";
    no_days: "The first day {from} is after the last day {until}.", "시작일 {from}이(가) 종료일 {until}보다 늦습니다.", "开始日期 {from} 晚于结束日期 {until}。", "Prvi dan {from} je poslije zadnjeg dana {until}.";
    unit_within_unit: "Access for a unit holds for its people only anyway.", "부서에 대한 허가는 어차피 그 소속 사람에게만 적용됩니다.", "对单位的授权本来就只适用于其成员。", "Dozvola za jedinicu ionako vrijedi samo za njezine ljude.";
    lockdown_in_force: "It is locked down already.", "이미 봉쇄되어 있습니다.", "已处于封锁状态。", "Već je zaključano.";
    lockdown_not_in_force: "No such lockdown is in force.", "그런 봉쇄가 내려져 있지 않습니다.", "没有此封锁生效。", "Takvo zaključavanje nije na snazi.";
    person_changed: "{person} has changed meanwhile; look again.", "{person}의 정보가 그동안 바뀌었습니다. 다시 확인하십시오.", "{person} 的信息已变更，请重新查看。", "Podaci o {person} u međuvremenu su se promijenili; pogledajte ponovno.";
    text: "A text is empty, too long, or has characters that do not belong there.", "글이 비어 있거나 너무 길거나 사용할 수 없는 문자가 있습니다.", "文本为空、过长或含有不允许的字符。", "Tekst je prazan, predug ili ima znakove koji tamo ne pripadaju.";
    agent_not_there: "Agent {agent} has neither joined nor been invited.", "에이전트 {agent}은(는) 등록되거나 초대된 적이 없습니다.", "代理 {agent} 既未加入也未被邀请。", "Agent {agent} nije se ni pridružio ni bio pozvan.";
}

impl Language {
    /// Why something failed, in this language; `None` where only the authority's own words say it.
    #[must_use]
    pub fn tell(self, failure: &Failure) -> Option<String> {
        let words = RefusalWords::of(self);
        match failure.cause.as_deref()? {
            Cause::Denied(denial) => words.denial(denial, RecordsWords::of(self)),
            Cause::Refused(refusal) => words.refusal(refusal, self),
            Cause::LockedOut(ms) => {
                let seconds = ms.div_euclid(1000).saturating_add(1);
                Some(one(words.locked_out, "seconds", &seconds))
            }
            Cause::WrongPassword => Some(words.wrong_password.to_owned()),
            Cause::WrongSecret => Some(words.wrong_secret.to_owned()),
            Cause::WeakPassword => Some(words.weak_password.to_owned()),
            Cause::ForeignForm => Some(words.foreign_form.to_owned()),
            Cause::TooFast => Some(words.too_fast.to_owned()),
            Cause::SessionEnded => Some(words.session_ended.to_owned()),
            Cause::NoPage => Some(words.no_page.to_owned()),
        }
    }
}

impl RefusalWords {
    fn denial(&self, denial: &Denial, records: &RecordsWords) -> Option<String> {
        let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
        Some(match denial {
            Denial::Gone(_) => self.denied_gone.to_owned(),
            Denial::Role { role, act } => {
                let roles: Vec<&str> = act.roles().iter().map(|role| records.role_of(role.name())).collect();
                fill(self.denied_role, &[("role", records.role_of(role.name())), ("roles", &roles.join(", "))])
            }
            Denial::Remit { role, .. } => fill(self.denied_remit, &[("role", records.role_of(role.name()))]),
            Denial::Approver { approver, .. } => {
                fill(self.denied_approver, &[("approver", records.role_of(approver.name()))])
            }
            Denial::Stage { campaign, days, .. } => {
                let (from, until) = (day(days.from), day(days.until));
                fill(self.denied_stage, &[("campaign", campaign.as_str()), ("from", &from), ("until", &until)])
            }
            Denial::Holder => self.denied_holder.to_owned(),
            Denial::HeldByOthers(card) => fill(self.denied_others_hold, &[("card", card.as_str())]),
            Denial::Provider(_) | Denial::Authority(_) => return None,
        })
    }

    /// What cannot be done for some people, by the words of the authority for it.
    fn of_people(&self, what: &str) -> &'static str {
        match what.split(';').next() {
            Some("without an approved photo") => self.people_no_photo,
            Some("not on this roster") => self.people_not_on_roster,
            Some("not affiliated to this unit") => self.people_not_of_unit,
            Some("not in this batch") => self.people_not_in_batch,
            Some("in a batch already") => self.people_in_batch,
            _ => self.people,
        }
    }

    fn refusal(&self, refusal: &Refusal, language: Language) -> Option<String> {
        Some(match refusal {
            Refusal::Unknown { id, .. } => one(self.unknown, "id", id),
            Refusal::CardClosed(card) => one(self.card_closed, "card", card),
            Refusal::CardState { card, state, .. } => {
                two(self.card_state, ("card", card), ("state", &language.words().card_state(state_name(*state))))
            }
            Refusal::CardExists(card) => one(self.card_exists, "card", card),
            Refusal::CardOpen { person, card } => two(self.card_open, ("person", person), ("card", card)),
            Refusal::OthersCard { card, person } => two(self.others_card, ("person", person), ("card", card)),
            Refusal::NothingReplaced(_) => self.nothing_replaced.to_owned(),
            Refusal::NothingToReplace(_) => self.nothing_to_replace.to_owned(),
            Refusal::TemporaryType { card_type, .. } => one(self.temporary_type, "card_type", card_type),
            Refusal::Number(_) | Refusal::NoNumber(_) => self.number.to_owned(),
            Refusal::NoExtension { card, until, .. } => two(self.no_extension, ("card", card), ("until", until)),
            Refusal::PhotoLocked(person) => one(self.photo_locked, "person", person),
            Refusal::PhotoReplaced(person) => one(self.photo_replaced, "person", person),
            Refusal::PhotoState { person, .. } => one(self.photo_state, "person", person),
            Refusal::NotEntitled { category, card_type, .. } => {
                two(self.not_entitled, ("category", category), ("card_type", card_type))
            }
            Refusal::NoApplication { person, card_type, approved_by } => {
                let approver = ("approver", RecordsWords::of(language).role_of(approved_by.name()));
                fill(self.no_application, &[("person", person.as_str()), ("card_type", card_type.as_str()), approver])
            }
            Refusal::DocumentsMissing(documents) => one(self.documents_missing, "documents", &documents.join(", ")),
            Refusal::TooManyDocuments(count) | Refusal::TooManyPeople(count) => one(self.too_many, "count", count),
            Refusal::ApplicationExists(id) => one(self.name_taken, "id", id),
            Refusal::BatchExists(id) => one(self.name_taken, "id", id),
            Refusal::GrantExists(id) => one(self.name_taken, "id", id),
            Refusal::RequestExists(id) => one(self.name_taken, "id", id),
            Refusal::ApplicationDecided { id, .. } => one(self.decided, "id", id),
            Refusal::RequestDecided { id, .. } => one(self.decided, "id", id),
            Refusal::People { people, what } => one(self.of_people(what), "people", people),
            Refusal::NobodyToOrder => self.nobody_to_order.to_owned(),
            Refusal::OnAnotherRoster { person, unit } => {
                two(self.on_another_roster, ("person", person), ("unit", unit))
            }
            Refusal::RosterState { unit, .. } => one(self.roster_state, "unit", unit),
            Refusal::NoDays { from, until } => two(self.no_days, ("from", from), ("until", until)),
            Refusal::UnitWithinUnit => self.unit_within_unit.to_owned(),
            Refusal::LockdownInForce(_) => self.lockdown_in_force.to_owned(),
            Refusal::LockdownNotInForce { .. } => self.lockdown_not_in_force.to_owned(),
            Refusal::PersonChanged(person) => one(self.person_changed, "person", person),
            Refusal::Text { .. } => self.text.to_owned(),
            Refusal::AgentNotThere(agent) => one(self.agent_not_there, "agent", agent),
            Refusal::NotFounded
            | Refusal::AlreadyFounded
            | Refusal::NothingImported
            | Refusal::StillHere { .. }
            | Refusal::NoAlias(_)
            | Refusal::ApiTokenExists(_)
            | Refusal::ReservedName(_)
            | Refusal::OfProvider(_)
            | Refusal::EmptyRemit
            | Refusal::AlwaysIsNoSchedule
            | Refusal::TokenUnknown(_)
            | Refusal::TokenExpired { .. }
            | Refusal::ExpiryPast { .. }
            | Refusal::KeyInUse(_)
            | Refusal::OtherCampus { .. }
            | Refusal::CategoryInUse { .. }
            | Refusal::FeedSize(_)
            | Refusal::UserNameTaken(_)
            | Refusal::TooManyAffiliations(_)
            | Refusal::NoDay(_)
            | Refusal::ImportOvertaken { .. }
            | Refusal::UnknownTimeZone(_)
            | Refusal::TimeRunsBackwards { .. }
            | Refusal::NotNext { .. } => return None,
        })
    }
}

fn one(sentence: &str, name: &str, value: &dyn Display) -> String {
    fill(sentence, &[(name, &value.to_string())])
}

fn two(sentence: &str, first: (&str, &dyn Display), second: (&str, &dyn Display)) -> String {
    fill(sentence, &[(first.0, &first.1.to_string()), (second.0, &second.1.to_string())])
}
