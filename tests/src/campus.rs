//! Campus folders for tests and the demonstration: copies, with dates moved so that a past year's campus is one of today.
//!
//! Deliberately not a generator of people or rights: what a campus allows stays what its offices wrote.

use crate::binaries::root;
use anyhow::{Context, Result};
use doorward_protocol::time::Day;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A sample campus of the project, by its name.
#[must_use]
pub fn sample(name: &str) -> PathBuf {
    root().join("deploy/campuses").join(name)
}

/// The smallest campus: two buildings, and rules that hold at any hour of any day.
#[must_use]
pub fn tiny() -> PathBuf {
    root().join("tests/campuses/tiny")
}

/// Copies a campus folder, each date in it moved by so many years; questions to the campus are left out.
///
/// # Errors
/// When a file cannot be read or written.
pub fn copy(from: &Path, to: &Path, years: i32) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("{} cannot be made", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("{} cannot be read", from.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_file() && !name.to_string_lossy().ends_with("taps.csv") {
            fs::write(to.join(name), move_dates(&fs::read_to_string(&path)?, years))?;
        }
    }
    Ok(())
}

/// Changes one file of a campus folder.
///
/// # Errors
/// When it cannot be read or written, or the change changes nothing.
pub fn edit(folder: &Path, name: &str, change: impl FnOnce(String) -> String) -> Result<()> {
    let path = folder.join(name);
    let before = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let after = change(before.clone());
    anyhow::ensure!(before != after, "the change of {} changes nothing", path.display());
    Ok(fs::write(path, after)?)
}

/// Every date of the text, moved; 29 February becomes 28 February where the year has none.
#[must_use]
pub fn move_dates(text: &str, years: i32) -> String {
    let mut moved = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while let Some(first) = rest.chars().next() {
        let stands_alone = !before.is_some_and(|c: char| c.is_alphanumeric() || c == '-');
        if let Some((date, after)) = rest.split_at_checked(10).filter(|_| stands_alone)
            && !after.starts_with(|c: char| c.is_alphanumeric() || c == '-')
            && let Some(other) = move_date(date, years)
        {
            moved.push_str(&other);
            rest = after;
            before = None;
            continue;
        }
        moved.push(first);
        before = Some(first);
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
    moved
}

fn move_date(date: &str, years: i32) -> Option<String> {
    Day::parse(date)?;
    let (year, rest) = date.split_at_checked(4)?;
    let moved = format!("{:04}{rest}", year.parse::<i32>().ok()? + years);
    Day::parse(&moved).map(|day| day.to_string()).or_else(|| Some(moved.replace("-02-29", "-02-28")))
}

/// By how many whole years a day must be moved to lie within the year before today.
///
/// # Errors
/// When the day or today's date is no date.
pub fn years_until_now(day: &str) -> Result<i32> {
    years_between(day, &today(0)?)
}

fn years_between(day: &str, today: &str) -> Result<i32> {
    let split = |date: &str| -> Result<(i32, String)> {
        let (year, rest) = date.split_at_checked(4).context("not a date")?;
        Ok((year.parse()?, rest.to_owned()))
    };
    let ((year, rest), (this_year, this_rest)) = (split(day)?, split(today)?);
    Ok(this_year - year - i32::from(this_rest < rest))
}

/// The date in so many days, by UTC.
///
/// # Errors
/// When the clock shows none.
pub fn today(plus_days: i32) -> Result<String> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    Ok(Day(i32::try_from(seconds / 86_400)? + plus_days).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_move_by_years_and_all_else_stays() {
        let text = "a,2023-03-02,2024-02-29\n2023-03-02T08:00,12023-03-02,2023-03-02-1,학생 2023-13-01";
        assert_eq!(move_dates(text, 3), text.replace(",2023-03-02,2024-02-29", ",2026-03-02,2027-02-28"));
        assert_eq!(move_dates("date = 2023-05-05\n", -1), "date = 2022-05-05\n");
    }

    #[test]
    fn a_year_counts_once_it_is_over() {
        assert_eq!(years_between("2023-04-03", "2026-11-22").unwrap(), 3);
        assert_eq!(years_between("2023-04-03", "2026-04-03").unwrap(), 3);
        assert_eq!(years_between("2023-04-03", "2026-04-02").unwrap(), 2);
    }
}
