//! How the story is told: numbered headings, a few sentences, the commands as one would type them, and what they answer.

use anyhow::{Result, bail};
use std::io::Write;

/// Widest line of prose.
const WIDTH: usize = 100;

/// The voice of the demonstration, which also counts what it has checked.
#[derive(Debug, Default)]
pub struct Telling {
    chapters: u32,
    checks: u32,
}

impl Telling {
    /// Begins a chapter.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn chapter(&mut self, title: &str) -> Result<()> {
        self.chapters += 1;
        write(&format!("\n{}. {title}\n\n", self.chapters))
    }

    /// Says something, in lines that are not too long.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn say(&self, text: &str) -> Result<()> {
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() && line.chars().count() + word.chars().count() >= WIDTH {
                write(&format!("{line}\n"))?;
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        write(&format!("{line}\n"))
    }

    /// Shows a command as one would type it.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn command(&self, line: &str) -> Result<()> {
        write(&format!("\n  $ {line}\n"))
    }

    /// Shows lines as they are.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn show(&self, text: &str) -> Result<()> {
        text.lines().try_for_each(|line| write(&format!("{}\n", format!("  {line}").trim_end())))
    }

    /// An empty line.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn space(&self) -> Result<()> {
        write("\n")
    }

    /// Holds the story to its word.
    ///
    /// # Errors
    /// When it is not kept.
    pub fn expect(&mut self, is_so: bool, what: &str) -> Result<()> {
        if !is_so {
            bail!("this was expected, and is not so: {what}");
        }
        self.checks += 1;
        Ok(())
    }

    /// How many expectations have held.
    #[must_use]
    pub const fn checks(&self) -> u32 {
        self.checks
    }
}

fn write(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
