//! The grammar of filters and paths (RFC 7644, sections 3.4.2.2 and 3.5.2): text in, a tree out.
//!
//! Deliberately without knowing which attributes there are. Text comes from clients: its length and its depth are bounded.

use serde_json::Value;

/// Longest text in bytes.
pub const BYTES_MAX: usize = 4_096;

/// How deep parentheses and brackets go.
const DEPTH_MAX: usize = 16;

/// A condition on a resource or on one of its values.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All of them hold.
    And(Vec<Self>),
    /// One of them holds.
    Or(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// There is a value.
    Present(Path),
    /// A value compares like this.
    Compare(Path, Operator, Value),
    /// Of one of the values of an attribute, this holds.
    Any(Path, Box<Self>),
}

/// How values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Equal,
    /// Not equal.
    NotEqual,
    /// Contains.
    Contains,
    /// Starts with.
    StartsWith,
    /// Ends with.
    EndsWith,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
    /// Less.
    Less,
    /// Less or equal.
    LessOrEqual,
}

/// Names an attribute, or one below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The schema's URN, where it stands before the name.
    pub schema: Option<String>,
    /// The name.
    pub name: String,
    /// The name of one below it.
    pub below: Option<String>,
}

/// What an operation of a PATCH is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The attribute.
    pub path: Path,
    /// Which of its values.
    pub filter: Option<Filter>,
}

impl Path {
    fn of(text: &str) -> Option<Self> {
        let (schema, rest) = match text.rsplit_once(':') {
            Some((schema, rest)) => (Some(schema.to_owned()), rest),
            None => (None, text),
        };
        let (name, below) = match rest.split_once('.') {
            Some((name, below)) => (name, Some(below)),
            None => (rest, None),
        };
        let is_urn = |urn: &String| urn.to_ascii_lowercase().starts_with("urn:");
        let is_good = is_name(name) && below.is_none_or(is_name) && schema.as_ref().is_none_or(is_urn);
        is_good.then(|| Self { schema, name: name.to_owned(), below: below.map(str::to_owned) })
    }
}

/// `$ref` is the only name that begins with a sign.
fn is_name(text: &str) -> bool {
    let rest = text.strip_prefix('$').unwrap_or(text);
    let mut letters = rest.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_')
}

/// Reads a filter.
///
/// # Errors
/// What is wrong, and where.
pub fn parse_filter(text: &str) -> Result<Filter, String> {
    let mut reader = Reader::new(text)?;
    let filter = reader.disjunction(0)?;
    reader.expect_end()?;
    Ok(filter)
}

/// Reads the path of an operation.
///
/// # Errors
/// What is wrong, and where.
pub fn parse_target(text: &str) -> Result<Target, String> {
    let mut reader = Reader::new(text)?;
    let mut path = reader.path()?;
    let mut filter = None;
    if reader.take_sign('[') {
        filter = Some(reader.disjunction(1)?);
        reader.expect_sign(']')?;
        if reader.take_sign('.') {
            let below = reader.word();
            if !is_name(below) || path.below.is_some() {
                return Err(reader.error("the name of an attribute below the one before"));
            }
            path.below = Some(below.to_owned());
        }
    }
    reader.expect_end()?;
    Ok(Target { path, filter })
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("has {} bytes; at most {BYTES_MAX} are read", text.len()));
        }
        Ok(Self { text, rest: text })
    }

    fn error(&self, expected: &str) -> String {
        let at = self.text.len().saturating_sub(self.rest.len()).saturating_add(1);
        format!("expects {expected} at character {at}")
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn take_sign(&mut self, sign: char) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect_sign(&mut self, sign: char) -> Result<(), String> {
        self.skip_spaces();
        if self.take_sign(sign) { Ok(()) } else { Err(self.error(&format!("`{sign}`"))) }
    }

    fn expect_end(&mut self) -> Result<(), String> {
        self.skip_spaces();
        if self.rest.is_empty() { Ok(()) } else { Err(self.error("the end")) }
    }

    /// Everything up to the next sign that ends a word.
    fn word(&mut self) -> &'a str {
        let end = self.rest.find([' ', '(', ')', '[', ']', '"']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }

    /// Takes a word if it is this one.
    fn take_word(&mut self, expected: &str) -> bool {
        let before = self.rest;
        self.skip_spaces();
        if self.word().eq_ignore_ascii_case(expected) {
            return true;
        }
        self.rest = before;
        false
    }

    fn disjunction(&mut self, depth: usize) -> Result<Filter, String> {
        let first = self.conjunction(depth)?;
        let mut all = vec![first];
        while self.take_word("or") {
            all.push(self.conjunction(depth)?);
        }
        Ok(if all.len() > 1 { Filter::Or(all) } else { all.pop().ok_or_else(|| self.error("a condition"))? })
    }

    fn conjunction(&mut self, depth: usize) -> Result<Filter, String> {
        let first = self.condition(depth)?;
        let mut all = vec![first];
        while self.take_word("and") {
            all.push(self.condition(depth)?);
        }
        Ok(if all.len() > 1 { Filter::And(all) } else { all.pop().ok_or_else(|| self.error("a condition"))? })
    }

    fn condition(&mut self, depth: usize) -> Result<Filter, String> {
        if depth > DEPTH_MAX {
            return Err(format!("goes deeper than {DEPTH_MAX} parentheses"));
        }
        self.skip_spaces();
        let is_negated = self.rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("not"))
            && self.rest.get(3..).is_some_and(|rest| rest.trim_start_matches(' ').starts_with('('));
        if is_negated {
            self.take_word("not");
            self.skip_spaces();
        }
        if self.take_sign('(') {
            let inner = self.disjunction(depth.saturating_add(1))?;
            self.expect_sign(')')?;
            return Ok(if is_negated { Filter::Not(Box::new(inner)) } else { inner });
        }
        let path = self.path()?;
        if self.take_sign('[') {
            let inner = self.disjunction(depth.saturating_add(1))?;
            self.expect_sign(']')?;
            return Ok(Filter::Any(path, Box::new(inner)));
        }
        self.comparison(path)
    }

    fn path(&mut self) -> Result<Path, String> {
        self.skip_spaces();
        let before = self.rest;
        Path::of(self.word()).ok_or_else(|| {
            self.rest = before;
            self.error("the name of an attribute")
        })
    }

    fn comparison(&mut self, path: Path) -> Result<Filter, String> {
        self.skip_spaces();
        let before = self.rest;
        let operator = match self.word().to_ascii_lowercase().as_str() {
            "pr" => return Ok(Filter::Present(path)),
            "eq" => Operator::Equal,
            "ne" => Operator::NotEqual,
            "co" => Operator::Contains,
            "sw" => Operator::StartsWith,
            "ew" => Operator::EndsWith,
            "gt" => Operator::Greater,
            "ge" => Operator::GreaterOrEqual,
            "lt" => Operator::Less,
            "le" => Operator::LessOrEqual,
            _ => {
                self.rest = before;
                return Err(self.error("eq, ne, co, sw, ew, gt, ge, lt, le or pr"));
            }
        };
        let value = self.value()?;
        let is_text_or_number = value.is_string() || value.is_number();
        if !is_text_or_number && !matches!(operator, Operator::Equal | Operator::NotEqual) {
            return Err(self.error("a text or a number with that operator"));
        }
        Ok(Filter::Compare(path, operator, value))
    }

    fn value(&mut self) -> Result<Value, String> {
        self.skip_spaces();
        let end = if self.rest.starts_with('"') { self.end_of_text() } else { self.end_of_word() };
        let (text, rest) = end.and_then(|end| self.rest.split_at_checked(end)).ok_or_else(|| self.error("a value"))?;
        let value: Value =
            serde_json::from_str(text).map_err(|_| self.error("a text in quotes, a number, true, false or null"))?;
        self.rest = rest;
        Ok(value)
    }

    fn end_of_word(&self) -> Option<usize> {
        Some(self.rest.find([' ', ')', ']']).unwrap_or(self.rest.len())).filter(|end| *end > 0)
    }

    fn end_of_text(&self) -> Option<usize> {
        let mut is_escaped = false;
        for (at, sign) in self.rest.char_indices().skip(1) {
            match sign {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                '"' => return at.checked_add(1),
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(text: &str) -> Path {
        Path::of(text).unwrap()
    }

    fn equals(name: &str, value: Value) -> Filter {
        Filter::Compare(path(name), Operator::Equal, value)
    }

    #[test]
    fn and_binds_closer_than_or_and_parentheses_closer_than_both() {
        let (a, b, c) = (equals("a", json!(1)), equals("b", json!("x y)")), Filter::Present(path("c.d")));
        let text = r#"a eq 1 or b EQ "x y)" AND c.d pr"#;
        let expected = Filter::Or(vec![a.clone(), Filter::And(vec![b.clone(), c.clone()])]);
        assert_eq!(parse_filter(text), Ok(expected));
        let text = r#"(a eq 1 or b eq "x y)") and not (c.d pr)"#;
        let expected = Filter::And(vec![Filter::Or(vec![a, b]), Filter::Not(Box::new(c))]);
        assert_eq!(parse_filter(text), Ok(expected));
    }

    #[test]
    fn an_attribute_of_a_schema_and_the_values_of_many_are_named() {
        let text = r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "eng""#;
        let Ok(Filter::Compare(department, ..)) = parse_filter(text) else { panic!("{text}") };
        assert_eq!(department.schema.as_deref(), Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"));
        assert_eq!((department.name.as_str(), department.below), ("department", None));
        let any = Filter::Any(path("members"), Box::new(equals("value", json!("1"))));
        assert_eq!(parse_filter(r#"members[value eq "1"]"#), Ok(any));
        let target = parse_target(r#"affiliations[unit eq "eng"].until"#).unwrap();
        assert_eq!((target.path, target.filter), (path("affiliations.until"), Some(equals("unit", json!("eng")))));
        assert_eq!(parse_target("members.$ref").unwrap().path, path("members.$ref"));
    }

    #[test]
    fn an_attribute_may_be_called_like_a_word_of_the_grammar() {
        assert_eq!(parse_filter("not eq 1"), Ok(equals("not", json!(1))));
        assert_eq!(
            parse_filter("notes pr and or eq 1"),
            Ok(Filter::And(vec![Filter::Present(path("notes")), equals("or", json!(1))]))
        );
    }

    #[test]
    fn what_is_no_filter_is_refused_with_the_place() {
        for (text, expected) in [
            ("", "expects the name of an attribute at character 1"),
            ("userName", "expects eq, ne, co, sw, ew, gt, ge, lt, le or pr at character 9"),
            ("userName is \"x\"", "at character 10"),
            ("userName eq x", "expects a text in quotes, a number, true, false or null at character 13"),
            ("userName eq \"x", "expects a value at character 13"),
            ("(userName pr", "expects `)` at character 13"),
            ("userName pr)", "expects the end at character 12"),
            ("active gt true", "with that operator"),
            ("members[value eq 1", "expects `]`"),
            ("1a pr", "at character 1"),
            ("http://x:a pr", "at character 1"),
        ] {
            let error = parse_filter(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(parse_target("a[b pr].c.d").is_err() && parse_target("a.b[c pr].d").is_err());
    }

    #[test]
    fn no_filter_is_too_long_or_too_deep_to_be_refused() {
        let deep = format!("{}a pr{}", "(".repeat(2_000), ")".repeat(2_000));
        assert!(parse_filter(&deep).unwrap_err().contains("deeper than 16"));
        let nested = format!("{}a pr{}", "a[".repeat(1_000), "]".repeat(1_000));
        assert!(parse_filter(&nested).unwrap_err().contains("deeper than 16"));
        assert!(parse_filter(&"a pr ".repeat(1_000)).unwrap_err().contains("at most 4096"));
        let wide = vec!["a pr"; 500].join(" or ");
        assert!(matches!(parse_filter(&wide), Ok(Filter::Or(all)) if all.len() == 500));
        for end in 0..=wide.len().min(200) {
            let _whole_or_not = parse_filter(wide.get(..end).unwrap_or_default());
        }
    }
}
