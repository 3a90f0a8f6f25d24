//! The languages of the console: which there are, how one is chosen, and what is said in each.
//!
//! Deliberately not what people typed, nor what only operates the authority: these are said as they are.

/// Makes a catalogue: a struct with all that is said, and a value of it for each language, so that a word that is missing in one
/// does not compile.
macro_rules! catalogue {
    ($(#[$about:meta])* $catalogue:ident; $($name:ident: $english:literal, $korean:literal, $chinese:literal, $croatian:literal;)+) => {
        $(#[$about])*
        #[derive(Debug)]
        #[expect(missing_docs, reason = "the English words beside each name say what it is for")]
        pub struct $catalogue {
            $(pub $name: &'static str,)+
        }

        impl $catalogue {
            const ENGLISH: Self = Self { $($name: $english,)+ };
            const KOREAN: Self = Self { $($name: $korean,)+ };
            const CHINESE: Self = Self { $($name: $chinese,)+ };
            const CROATIAN: Self = Self { $($name: $croatian,)+ };

            /// All of it in a language.
            #[must_use]
            pub const fn of(language: $crate::console::words::Language) -> &'static Self {
                use $crate::console::words::Language;
                match language {
                    Language::English => &Self::ENGLISH,
                    Language::Korean => &Self::KOREAN,
                    Language::Chinese => &Self::CHINESE,
                    Language::Croatian => &Self::CROATIAN,
                }
            }

            /// Everything, each with its name.
            #[cfg(test)]
            pub(super) fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)+]
            }
        }
    };
}

mod access;
mod card_office;
mod explain;
mod frame;
mod map;
mod own;
pub mod record_terms;
mod records;
mod refusals;
mod terms;

pub use access::AccessWords;
pub use card_office::CardOfficeWords;
pub use doorward_policy::explain::fill;
pub use frame::Words;
pub use map::MapWords;
pub use own::OwnWords;
pub use records::RecordsWords;
pub use refusals::RefusalWords;

/// A language of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Korean.
    Korean,
    /// Chinese, in simplified characters.
    Chinese,
    /// Croatian.
    Croatian,
}

impl Language {
    /// All of them, as they are offered.
    pub const ALL: [Self; 4] = [Self::English, Self::Korean, Self::Chinese, Self::Croatian];

    /// The code by which browsers know it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Korean => "ko",
            Self::Chinese => "zh",
            Self::Croatian => "hr",
        }
    }

    /// Its name, in itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Korean => "한국어",
            Self::Chinese => "中文",
            Self::Croatian => "Hrvatski",
        }
    }

    /// The language of a code.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The first language of a browser's list (`Accept-Language`) that is spoken here; browsers put what they prefer first.
    #[must_use]
    pub fn accepted(list: &str) -> Option<Self> {
        let codes = list.split(',').filter_map(|item| item.split(['-', ';']).next());
        codes.map(|code| code.trim().to_ascii_lowercase()).find_map(|code| Self::of_code(&code))
    }

    /// What is said in it.
    #[must_use]
    pub const fn words(self) -> &'static Words {
        Words::of(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Everything that is said in a language, in all catalogues.
    fn said(language: Language) -> Vec<(&'static str, &'static str)> {
        [
            Words::of(language).all(),
            AccessWords::of(language).all(),
            CardOfficeWords::of(language).all(),
            MapWords::of(language).all(),
            OwnWords::of(language).all(),
            RecordsWords::of(language).all(),
            RefusalWords::of(language).all(),
        ]
        .concat()
    }

    /// The places of a sentence.
    fn places(sentence: &str) -> BTreeSet<&str> {
        sentence.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
    }

    #[test]
    fn everything_is_said_in_every_language_with_the_same_places() {
        let english = said(Language::English);
        assert!(english.len() > 100, "{}", english.len());
        for language in Language::ALL {
            for ((key, here), (_, there)) in said(language).iter().zip(&english) {
                assert!(!here.trim().is_empty(), "{key} in {}", language.name());
                assert_eq!(places(here), places(there), "{key} in {}", language.name());
            }
        }
    }

    #[test]
    fn explanations_are_in_every_language_with_the_same_places() {
        let english = Language::English.phrases().all();
        for language in [Language::Korean, Language::Chinese, Language::Croatian] {
            for ((key, here), (_, there)) in language.phrases().all().iter().zip(&english) {
                assert_eq!(places(here), places(there), "{key} in {}", language.name());
                assert!(here != there || matches!(*key, "and" | "comma"), "{key} in {}", language.name());
            }
            assert_eq!(language.phrases().weekdays.split(' ').count(), 7);
        }
    }

    #[test]
    fn each_language_is_in_its_own_script_and_no_key_was_left_in_english() {
        let is_hangul = |c: char| ('\u{ac00}'..='\u{d7a3}').contains(&c);
        let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        for (key, said) in said(Language::Korean) {
            assert!(said.chars().any(is_hangul), "{key}: {said}");
        }
        for (key, said) in said(Language::Chinese) {
            assert!(said.chars().any(is_han) && !said.chars().any(is_hangul), "{key}: {said}");
        }
        let (english, croatian) = (said(Language::English), said(Language::Croatian));
        let same = english.iter().zip(&croatian).filter(|(one, other)| one.1 == other.1).map(|(one, _)| one.0);
        assert_eq!(same.collect::<Vec<_>>(), Vec::<&str>::new());
    }

    #[test]
    fn a_language_is_found_in_what_a_browser_prefers() {
        assert_eq!(Language::accepted("hr-HR,hr;q=0.9,en;q=0.8"), Some(Language::Croatian));
        assert_eq!(Language::accepted("fr, zh-CN;q=0.9"), Some(Language::Chinese));
        assert_eq!(Language::accepted("fr"), None);
    }
}
