//! Where the programs under test are: beside the test that runs, built from the sources as they are now.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The programs of one build.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// `doorward`.
    pub authority: PathBuf,
    /// `doorward-agent`.
    pub agent: PathBuf,
}

/// Where the project begins.
#[must_use]
pub fn root() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.parent().unwrap_or(folder).to_path_buf()
}

/// The programs beside this one. A test lets cargo bring them up to date first, once in each process.
///
/// # Errors
/// When they cannot be built, or are not there.
pub fn binaries() -> Result<Binaries> {
    static FOUND: OnceLock<Result<Binaries, String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| find().map_err(|error| format!("{error:#}")));
    found.clone().map_err(anyhow::Error::msg)
}

fn find() -> Result<Binaries> {
    let program = std::env::current_exe()?;
    let folder = program.parent().context("this program is in no folder")?;
    let is_test = folder.ends_with("deps");
    let profile = if is_test { folder.parent().context("deps is in no folder")? } else { folder };
    // Cargo says by this that it runs us; who starts a program by hand wants the programs that are there.
    if let Some(cargo) = std::env::var_os("CARGO").filter(|_| is_test) {
        build(Path::new(&cargo), profile)?;
    }
    let at = |name: &str| {
        let path = profile.join(name);
        if path.is_file() { Ok(path) } else { bail!("{} is missing: cargo build --workspace", path.display()) }
    };
    Ok(Binaries { authority: at("doorward")?, agent: at("doorward-agent")? })
}

fn build(cargo: &Path, profile: &Path) -> Result<()> {
    let target = profile.parent().context("the profile's folder is in no folder")?;
    let mut command = Command::new(cargo);
    command
        .args(["build", "--quiet", "--locked", "-p", "doorward", "-p", "doorward-agent", "--target-dir"])
        .arg(target);
    if profile.ends_with("release") {
        command.arg("--release");
    }
    let output = command.current_dir(root()).output().context("cargo cannot be run")?;
    if !output.status.success() {
        bail!("the programs cannot be built:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
