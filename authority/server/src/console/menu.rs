//! The menus: at the top what a visitor may do anywhere, and within an office's pages the one of that office.
//!
//! Deliberately not what decides who may: an entry that is not shown is refused all the same when it is asked for.

use super::visit::Visitor;
use super::words::{AccessWords, CardOfficeWords, Language, MapWords, RecordsWords, fill};
use super::{Site, access, card_office, records};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use maud::{Markup, html};

/// A page in a menu.
pub struct Entry {
    /// Where it is; pages below it count as it.
    pub path: &'static str,
    /// What to be allowed, somewhere, to see it.
    pub act: Act,
    /// What it is called.
    pub name: fn(Language) -> &'static str,
}

/// What stands at the top, in this order.
const TOP: &[Entry] = &[
    Entry { path: "/", act: Act::SeeCards, name: |language| language.words().nav_find },
    Entry { path: "/desk", act: Act::ApplyForCards, name: |language| CardOfficeWords::of(language).nav },
    Entry { path: "/doors", act: Act::SeeDoors, name: |language| language.words().nav_doors },
    Entry { path: "/requests", act: Act::SeeGrants, name: |language| AccessWords::of(language).nav },
    Entry { path: "/map", act: Act::SeeDoors, name: |language| MapWords::of(language).nav },
    Entry { path: "/taps", act: Act::ReadLog, name: |language| language.words().nav_taps },
    Entry { path: ALARMS, act: Act::SeeAgents, name: |language| language.words().nav_alarms },
    Entry { path: "/lockdown", act: Act::LockDown, name: |language| language.words().nav_lockdown },
    Entry { path: "/journal", act: Act::ReadLog, name: |language| RecordsWords::of(language).nav },
];
/// The menus of offices: where one begins with an entry at the top, that entry stands for all of its pages.
const OFFICES: &[&[Entry]] = &[access::PAGES, card_office::PAGES, records::PAGES];
/// The page beside which the open alarms are counted.
const ALARMS: &str = "/alarms";

impl Entry {
    /// Whether a visitor is there, or below.
    fn is_here(&self, visitor: &Visitor) -> bool {
        let asked = visitor.path.split('?').next().unwrap_or_default();
        asked == self.path
            || self.path != "/" && asked.strip_prefix(self.path).is_some_and(|rest| rest.starts_with('/'))
    }

    /// The pages for which it stands: those of the office whose menu begins with it, or itself.
    fn pages(&self) -> &[Self] {
        let begins = |office: &&&[Self]| office.first().is_some_and(|first| first.path == self.path);
        OFFICES.iter().find(begins).copied().unwrap_or(std::slice::from_ref(self))
    }

    /// Whether a visitor is on one of its pages, or below.
    fn stands_for(&self, visitor: &Visitor) -> bool {
        self.pages().iter().any(|page| page.is_here(visitor))
    }

    /// The first of its pages that a visitor may see.
    fn leads_to(&self, site: &Site, visitor: &Visitor) -> &str {
        let page = self.pages().iter().find(|page| visitor.may_somewhere(site, page.act));
        page.map_or(self.path, |page| page.path)
    }
}

/// The top of a page: the campus, where one can go, and who is here.
pub fn top(site: &Site, visitor: &Visitor, campus: &str) -> Markup {
    html! {
        header.top {
            a.house href="/" { span.leaf aria-hidden="true" {} span { (campus) } }
            @if let Some(caller) = &visitor.caller {
                @if !visitor.is_holder() { (pages(site, visitor)) }
                form.who method="post" action="/sign-out" {
                    (visitor.key_field())
                    span { (caller.actor) }
                    button.quiet { (visitor.words().sign_out) }
                }
            }
        }
    }
}

fn pages(site: &Site, visitor: &Visitor) -> Markup {
    let words = visitor.words();
    let sees_alarms = visitor.may(site, Act::SeeAgents, Object::Campus);
    // A count that cannot be read is not shown; the page of alarms says why.
    let open = if sees_alarms { site.api.authority.store.open_alarms().unwrap_or(0) } else { 0 };
    html! {
        nav aria-label=(words.main_menu) {
            @for entry in TOP.iter().filter(|entry| visitor.may_somewhere(site, entry.act)) {
                @let is_here = entry.stands_for(visitor).then_some("page");
                a href=(entry.leads_to(site, visitor)) aria-current=[is_here] {
                    ((entry.name)(visitor.language))
                    @if entry.path == ALARMS && open > 0 {
                        " " span.count aria-label=(fill(words.alarms_open, &[("count", &open.to_string())])) role="img" { (open) }
                    }
                }
            }
        }
    }
}

/// The menu of an office's pages.
pub fn section(site: &Site, visitor: &Visitor, name: &str, entries: &[Entry]) -> Markup {
    // A page below another one is that page, and not the other one.
    let here = entries.iter().filter(|entry| entry.is_here(visitor)).max_by_key(|entry| entry.path.len());
    let here = here.map(|entry| entry.path);
    html! {
        nav.section aria-label=(name) {
            @for entry in entries.iter().filter(|entry| visitor.may_somewhere(site, entry.act)) {
                @let is_here = (here == Some(entry.path)).then_some("page");
                a href=(entry.path) aria-current=[is_here] { ((entry.name)(visitor.language)) }
            }
        }
    }
}
