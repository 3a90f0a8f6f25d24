//! Networks of a test's own: the test in one namespace of the kernel with the authority, each agent in another, cables
//! (veth) between them.
//!
//! No code of ours changes its namespace, which only unsafe code can: the test starts itself again through `unshare`, and
//! agents are started through `nsenter`. The namespaces have no names, so each ends with its last process and there is
//! nothing to clean up, whatever happens to a test; and addresses in them collide with nobody's. `ip` makes cables and changes addresses; what a
//! network does to datagrams is the work of a [`Wire`](crate::wire::Wire) at the authority's end of a cable, since tc's
//! netem is not in every kernel.

use crate::binaries::binaries;
use crate::process::tied;
use crate::wait::{SOON, until_true};
use anyhow::{Context, Result, bail, ensure};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Set in the process that is inside.
const INSIDE: &str = "DOORWARD_NETWORK";

/// With these, `unshare` makes a network: as root, or as anybody where the kernel lets everybody be root of their own.
const WAYS: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];

/// Runs a test in a network of its own, which has nothing but loopback in it; where that is not permitted, the test is
/// skipped. What the test says is said here.
///
/// # Errors
/// When the test fails.
pub fn alone<F: FnOnce()>(test: F) -> Result<()> {
    if std::env::var_os(INSIDE).is_some() {
        ip(&["link", "set", "lo", "up"])?;
        test();
        return Ok(());
    }
    let Some(way) = WAYS.into_iter().find(|way| is_permitted(way)) else {
        crate::skipped::say("it needs `ip` of iproute2, and to be root or to be let make network namespaces");
        return Ok(());
    };
    // Built here, because nothing can be fetched from inside.
    binaries()?;
    let name = name_of(&test);
    let mut command = Command::new("unshare");
    command.args(way).args(["--", "setpriv", "--pdeathsig", "KILL", "--"]).arg(std::env::current_exe()?);
    command.args(["--exact", &name, "--nocapture"]).env(INSIDE, "1").env_remove("CARGO");
    let output = command.stdin(Stdio::null()).output().context("unshare cannot be started")?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    ensure!(output.status.success() && said.contains("1 passed"), "in a network of its own, {name} fails:\n{said}");
    tell(&said);
    Ok(())
}

fn is_permitted(way: &[&str]) -> bool {
    let tried = Command::new("unshare").args(way).args(["--", "ip", "link", "set", "lo", "up"]).output();
    tried.is_ok_and(|tried| tried.status.success())
}

/// The name by which a test binary knows the test in which a closure stands.
fn name_of<F>(_test: &F) -> String {
    let name = std::any::type_name::<F>();
    let name = name.split_once("::").map_or(name, |(_, name)| name);
    name.trim_end_matches("::{{closure}}").to_owned()
}

/// Shows the lines that a test printed to be read.
#[expect(clippy::print_stdout, reason = "the test harness keeps it, as it keeps all that a test prints")]
fn tell(said: &str) {
    let own = said.lines().filter(|line| line.starts_with(TOLD));
    own.for_each(|line| println!("{line}"));
}

/// How a line begins that a test prints to be read by people.
pub const TOLD: &str = "network ";

fn ip(arguments: &[&str]) -> Result<()> {
    run(Command::new("ip").args(arguments))
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?} cannot be started"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// A machine at the other end of a cable: a namespace of its own, which ends when this is dropped.
#[derive(Debug)]
pub struct Machine {
    keeper: Child,
    number: u8,
}

impl Machine {
    /// Makes the machine of this number, with a cable to here.
    ///
    /// # Errors
    /// When a namespace or a cable cannot be made.
    pub fn start(number: u8) -> Result<Self> {
        let mut command = tied(Path::new("unshare"));
        command.args(["--net", "--", "sleep", "infinity"]);
        let keeper = command.stdin(Stdio::null()).spawn().context("no process to keep a namespace")?;
        let machine = Self { keeper, number };
        let network = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net"));
        let id = machine.keeper.id().to_string();
        until_true("a namespace is there", SOON, || Ok(network(&id)? != network("self")?))?;
        let here = format!("to{number}");
        ip(&["link", "add", &here, "type", "veth", "peer", "name", "cable"])?;
        ip(&["link", "set", "cable", "netns", &id])?;
        ip(&["address", "add", &format!("{}/24", machine.here()), "dev", &here])?;
        ip(&["link", "set", &here, "up"])?;
        machine.ip(&["link", "set", "lo", "up"])?;
        machine.ip(&["link", "set", "cable", "up"])?;
        machine.move_to(2)?;
        Ok(machine)
    }

    /// The address of this end of the cable.
    #[must_use]
    pub const fn here(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, self.number, 1)
    }

    /// The command line that takes a program there.
    #[must_use]
    pub fn way(&self) -> Vec<String> {
        vec!["nsenter".to_owned(), format!("--net=/proc/{}/ns/net", self.keeper.id()), "--".to_owned()]
    }

    /// Gives the machine another address, and takes away the one that it had: the last number of it, above 1.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn move_to(&self, last: u8) -> Result<()> {
        let address = Ipv4Addr::new(10, 77, self.number, last);
        self.ip(&["address", "flush", "dev", "cable"])?;
        self.ip(&["address", "add", &format!("{address}/24"), "dev", "cable"])?;
        self.ip(&["route", "add", "default", "via", &self.here().to_string()])
    }

    fn ip(&self, arguments: &[&str]) -> Result<()> {
        let way = self.way();
        let (first, rest) = way.split_first().context("a way has a program")?;
        run(Command::new(first).args(rest).arg("ip").args(arguments))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ended = self.keeper.kill();
        let _ended = self.keeper.wait();
    }
}

/// Gives this machine one more address, on its loopback.
///
/// # Errors
/// When `ip` refuses.
pub fn add_address(address: Ipv4Addr) -> Result<()> {
    ip(&["address", "add", &format!("{address}/32"), "dev", "lo"])
}

/// Takes an address away again.
///
/// # Errors
/// When `ip` refuses.
pub fn remove_address(address: Ipv4Addr) -> Result<()> {
    ip(&["address", "delete", &format!("{address}/32"), "dev", "lo"])
}
