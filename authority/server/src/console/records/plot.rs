//! Plots as SVG: columns over time, a distribution on a logarithmic axis, a strip of dots, and bars that stand in a table.
//!
//! Deliberately without text in the drawing: it is stretched to the width of the page, and what is written stands beside it, at
//! the size of all other text. Colours are classes of the style sheet. Whoever does not see the drawing has its numbers.

use maud::{Markup, html};

/// The size of a drawing in its own units; it is stretched to the size that the page has for it.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 100.0;
/// Steps of a logarithmic axis in each power of ten.
const STEPS: u32 = 3;
/// Powers of ten of milliseconds on an axis: to a day and some more.
const POWERS: u32 = 8;
/// Milliseconds where each power of ten begins, as it is written.
const TICKS: [&str; 9] = ["1 ms", "10 ms", "100 ms", "1 s", "10 s", "1.7 min", "17 min", "2.8 h", "28 h"];

/// What a drawing is and says, for whoever does not see it.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// An id that no other drawing of the page has.
    pub id: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// What is to be seen.
    pub about: &'a str,
}

/// One column: two parts on top of each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// The lower part.
    pub good: u64,
    /// The upper part.
    pub bad: u64,
}

/// One dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dot {
    /// Where on the axis, in milliseconds.
    pub ms: i64,
    /// How it is drawn: round and green, or square and red.
    pub is_good: bool,
}

/// Columns side by side, with some words below: the first and last of them at the ends.
pub fn columns(said: Said<'_>, columns: &[Column], ticks: &[String]) -> Markup {
    let most = columns.iter().map(|column| column.good.saturating_add(column.bad)).max().unwrap_or(0);
    let scale = HEIGHT / float(most.max(1));
    let step = WIDTH / float(count(columns.len()).max(1));
    let drawn = html! {
        @for (place, column) in (0..).zip(columns) {
            @let (x, width) = (step * float(place), step * 0.8);
            @let (good, bad) = (scale * float(column.good), scale * float(column.bad));
            @if column.good > 0 { rect.lower x=(units(x)) y=(units(HEIGHT - good)) width=(units(width)) height=(units(good)) {} }
            @if column.bad > 0 { rect.upper x=(units(x)) y=(units(HEIGHT - good - bad)) width=(units(width)) height=(units(bad)) {} }
        }
    };
    figure(said, "time", Some(most), &drawn, ticks)
}

/// How often each length of time came, on a logarithmic axis; with marks at some of them.
pub fn spread(said: Said<'_>, times_ms: &[i64], marks_ms: &[i64]) -> Markup {
    let mut steps = vec![0_u64; usize::try_from(STEPS.saturating_mul(POWERS)).unwrap_or(0)];
    for ms in times_ms {
        if let Some(step) = steps.get_mut(step_of(*ms)) {
            *step = step.saturating_add(1);
        }
    }
    let most = steps.iter().copied().max().unwrap_or(0);
    let (width, scale) = (WIDTH / float(count(steps.len()).max(1)), HEIGHT / float(most.max(1)));
    let drawn = html! {
        @for (place, step) in (0..).zip(&steps) {
            @if *step > 0 {
                @let height = scale * float(*step);
                rect.even x=(units(width * float(place))) y=(units(HEIGHT - height)) width=(units(width * 0.94)) height=(units(height)) {}
            }
        }
        @for ms in marks_ms { path.mark d={ "M" (units(place_of(*ms))) " 0V" (units(HEIGHT)) } {} }
    };
    figure(said, "log", Some(most), &drawn, &TICKS.map(str::to_owned))
}

/// Dots along a logarithmic axis, in rows so that few lie on each other.
pub fn dots(said: Said<'_>, dots: &[Dot]) -> Markup {
    const ROWS: u64 = 4;
    let drawn = html! {
        @for (place, dot) in (0_u64..).zip(dots) {
            @let y = HEIGHT * (float(place % ROWS) + 0.5) / float(ROWS);
            path.dot.away[!dot.is_good] d={ "M" (units(place_of(dot.ms))) " " (units(y)) "h0" } {}
        }
    };
    figure(said, "log", None, &drawn, &TICKS.map(str::to_owned))
}

fn figure(said: Said<'_>, axis: &str, most: Option<u64>, drawn: &Markup, ticks: &[String]) -> Markup {
    let (title, about) = (format!("{}-title", said.id), format!("{}-about", said.id));
    html! {
        figure.plot.(axis).strip[most.is_none()] {
            @if let Some(most) = most { span.most aria-hidden="true" { (most) } }
            svg role="img" aria-labelledby=(title) aria-describedby=(about) viewBox={ "0 0 " (units(WIDTH)) " " (units(HEIGHT)) }
                preserveAspectRatio="none" focusable="false"
            {
                title id=(title) { (said.title) }
                desc id=(about) { (said.about) }
                (drawn)
            }
            div.ticks aria-hidden="true" { @for tick in ticks { span { (tick) } } }
        }
    }
}

/// A bar in a row of a table, whose number stands beside it.
pub fn bar(good: u64, bad: u64, most: u64) -> Markup {
    let scale = WIDTH / float(most.max(1));
    let (good, bad) = (scale * float(good), scale * float(bad));
    html! {
        svg.bar aria-hidden="true" focusable="false" viewBox={ "0 0 " (units(WIDTH)) " 10" } preserveAspectRatio="none" {
            rect.lower x="0" y="0" width=(units(good)) height="10" {}
            rect.upper x=(units(good)) y="0" width=(units(bad)) height="10" {}
        }
    }
}

/// A table, with a header for each column and each row.
pub fn table(headers: &[&str], rows: &[Vec<String>]) -> Markup {
    html! {
        table.numbers {
            thead { tr { @for header in headers { th scope="col" { (header) } } } }
            tbody {
                @for row in rows {
                    tr {
                        @for (place, cell) in row.iter().enumerate() {
                            @if place == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                        }
                    }
                }
            }
        }
    }
}

/// The numbers of a drawing.
pub fn numbers(summary: &str, headers: &[&str], rows: &[Vec<String>]) -> Markup {
    html! { details.behind { summary { (summary) } (table(headers, rows)) } }
}

/// The steps of a logarithmic axis in which something lies: from when on, and how often.
pub fn steps(times_ms: &[i64]) -> Vec<(i64, u64)> {
    let mut steps: Vec<(i64, u64)> = Vec::new();
    let mut sorted = times_ms.to_vec();
    sorted.sort_unstable();
    let mut last = None;
    for ms in sorted {
        let step = step_of(ms);
        match steps.last_mut().filter(|_| last == Some(step)) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => steps.push((begin_of(step), 1)),
        }
        last = Some(step);
    }
    steps
}

/// The value below or at which so many of a hundred lie, of values in their order.
pub fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

/// A length of time as people read it.
pub fn length(ms: i64) -> String {
    let tenth = |unit: i64| {
        let tenths = ms.saturating_mul(10) / unit;
        if tenths >= 100 || tenths % 10 == 0 {
            (tenths / 10).to_string()
        } else {
            format!("{}.{}", tenths / 10, tenths % 10)
        }
    };
    // The largest unit of which there is one.
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let unit = units.into_iter().find(|(unit, _)| ms >= *unit);
    unit.map_or_else(|| format!("{ms} ms"), |(unit, name)| format!("{} {name}", tenth(unit)))
}

/// Where on a logarithmic axis a length of time lies.
fn place_of(ms: i64) -> f64 {
    let powers = float(u64::try_from(ms).unwrap_or(0)).max(1.0).log10();
    (powers / f64::from(POWERS)).min(1.0) * WIDTH
}

fn step_of(ms: i64) -> usize {
    let last = STEPS.saturating_mul(POWERS).saturating_sub(1);
    // The steps are few, so that looking through them costs nothing.
    let step = (0..=last).rev().find(|step| begin_of(usize::try_from(*step).unwrap_or(0)) <= ms);
    usize::try_from(step.unwrap_or(0)).unwrap_or(0)
}

/// The first millisecond of a step: 1, 2, 5, 10 and so on.
fn begin_of(step: usize) -> i64 {
    let (power, third) = (step / 3, step % 3);
    let ten = (0..power).fold(1_i64, |ten, _| ten.saturating_mul(10));
    ten.saturating_mul(match third {
        0 => 1,
        1 => 2,
        _ => 5,
    })
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Near enough for a drawing.
fn float(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// A length in the units of a drawing.
fn units(length: f64) -> String {
    let text = format!("{length:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_fall_into_steps_of_one_two_five() {
        let times = [0, 1, 2, 4, 5, 9, 10, 1_999, 2_000, i64::MAX];
        assert_eq!(steps(&times), [(1, 2), (2, 2), (5, 2), (10, 1), (1_000, 1), (2_000, 1), (50_000_000, 1)]);
        assert_eq!(steps(&times).iter().map(|(_, count)| count).sum::<u64>(), 10);
        assert!((place_of(1_000) - 375.0).abs() < 0.001 && place_of(i64::MAX) <= WIDTH && place_of(-5) >= 0.0);
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let hundred: Vec<i64> = (1..=100).collect();
        assert_eq!([50, 99, 100].map(|percent| percentile(&hundred, percent)), [Some(50), Some(99), Some(100)]);
        assert_eq!(percentile(&[7], 99), Some(7));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn a_length_of_time_has_two_digits_or_three() {
        let read = [(0, "0 ms"), (999, "999 ms"), (1_250, "1.2 s"), (61_000, "1 min"), (5_400_000, "1.5 h")];
        read.into_iter().for_each(|(ms, text)| assert_eq!(length(ms), text));
        assert_eq!(length(10 * 86_400_000 + 1), "10 d");
    }

    #[test]
    fn a_drawing_has_a_title_a_description_and_no_style_of_its_own() {
        let said = Said { id: "p", title: "T", about: "A" };
        let drawn = columns(said, &[Column { good: 3, bad: 1 }, Column::default()], &[]).into_string();
        assert!(drawn.contains("role=\"img\"") && drawn.contains("<title id=\"p-title\">T</title>"), "{drawn}");
        assert!(drawn.contains("<desc id=\"p-about\">A</desc>") && !drawn.contains("style="), "{drawn}");
        assert_eq!(drawn.matches("<rect").count(), 2, "{drawn}");
        assert!(drawn.contains("y=\"25\"") && drawn.contains("height=\"75\""), "{drawn}");
    }
}
