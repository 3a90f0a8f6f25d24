//! Writes the inputs that the corpora of the fuzz targets begin with, one file each, named by what is in it.
//!
//! Deliberately no fuzzer: `tests/fuzz/run` calls this and then searches from there.

use anyhow::Result;
use clap::Parser;
use doorward_protocol::id::hash;
use std::path::PathBuf;
use tests::fuzz::{TARGETS, seeds};

/// Write the seeds of every fuzz target into a folder for each.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where the folders are; made when they are not there.
    folder: PathBuf,
}

fn main() -> Result<()> {
    let Arguments { folder } = Arguments::parse();
    for target in TARGETS {
        let folder = folder.join(target.name);
        std::fs::create_dir_all(&folder)?;
        for seed in seeds::of(target.name) {
            let name = hash("doorward tests seed", &[&seed]).to_string();
            std::fs::write(folder.join(name.get(..16).unwrap_or(&name)), seed)?;
        }
    }
    Ok(())
}
