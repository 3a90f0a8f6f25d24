//! What the operating system counts of a process and of the machine: memory, processor time, bytes on loopback and disk.
//!
//! Deliberately Linux only, like the programs that are measured.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// What a process holds and has used so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Resident memory in bytes.
    pub resident_bytes: u64,
    /// The most resident memory that there ever was, in bytes.
    pub resident_bytes_max: u64,
    /// Processor time of all threads, those that have ended included.
    pub cpu: Duration,
    /// Bytes that went to the disk's cache.
    pub written_bytes: u64,
}

/// What a process holds and has used.
///
/// # Errors
/// When it is gone.
pub fn usage(process: u32) -> Result<Usage> {
    let read = |name: &str| {
        let path = format!("/proc/{process}/{name}");
        fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))
    };
    let (status, io) = (read("status")?, read("io")?);
    let kib = |name| Ok::<_, anyhow::Error>(number_after(&status, name)? * 1024);
    Ok(Usage {
        resident_bytes: kib("VmRSS:")?,
        resident_bytes_max: kib("VmHWM:")?,
        cpu: cpu(&read("stat")?)?,
        written_bytes: number_after(&io, "write_bytes:")?,
    })
}

/// Processor time of the threads that a process has now, to the microsecond rather than to the tick.
///
/// # Errors
/// When it is gone.
pub fn cpu_exact(process: u32) -> Result<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end between the two looks.
        let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        let ran = text.split_whitespace().next().context("no time in schedstat")?;
        sum += Duration::from_nanos(ran.parse()?);
    }
    Ok(sum)
}

/// How many processors this process may use.
#[must_use]
pub fn cores() -> f64 {
    std::thread::available_parallelism().map_or(1.0, |cores| crate::bench::measure::length(cores.get()))
}

/// What this process holds and has used.
///
/// # Errors
/// When the operating system does not say.
pub fn own_usage() -> Result<Usage> {
    usage(std::process::id())
}

/// Makes the most resident memory of this process start again from what is resident now.
///
/// # Errors
/// When the operating system does not allow it.
pub fn forget_resident_max() -> Result<()> {
    fs::write("/proc/self/clear_refs", "5").context("/proc/self/clear_refs cannot be written")
}

/// Processor time of the thread that asks, to the nanosecond.
///
/// # Errors
/// When the operating system does not say.
pub fn own_thread() -> Result<Duration> {
    let times = fs::read_to_string("/proc/thread-self/schedstat").context("schedstat cannot be read")?;
    on_cpu(&times)
}

/// Processor time of the threads of this process by their names, to the nanosecond; those that have ended are not there.
///
/// # Errors
/// When the operating system does not say.
pub fn threads() -> Result<BTreeMap<String, Duration>> {
    let mut threads: BTreeMap<String, Duration> = BTreeMap::new();
    for task in fs::read_dir("/proc/self/task")? {
        let task = task?.path();
        // A thread may end while it is looked at.
        let read = |name| fs::read_to_string(task.join(name));
        let (Ok(name), Ok(times)) = (read("comm"), read("schedstat")) else { continue };
        *threads.entry(name.trim().to_owned()).or_default() += on_cpu(&times)?;
    }
    Ok(threads)
}

/// The first number of `schedstat`: nanoseconds on a processor.
fn on_cpu(times: &str) -> Result<Duration> {
    let ns = times.split_whitespace().next().context("schedstat is empty")?;
    Ok(Duration::from_nanos(ns.parse()?))
}

/// Bytes that were received over loopback since the machine started, headers included.
///
/// # Errors
/// When the operating system does not say.
pub fn loopback_bytes() -> Result<u64> {
    number_after(&fs::read_to_string("/proc/net/dev")?, "lo:")
}

/// The machine in a line: processor, cores, memory, kernel.
#[must_use]
pub fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let models: Vec<&str> = processors.lines().filter_map(|line| line.strip_prefix("model name")).collect();
    let model = models.first().map_or("unknown processor", |line| line.trim_start_matches([' ', '\t', ':']));
    let kib = number_after(&read("/proc/meminfo"), "MemTotal:").unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{} x {model}, {} GiB, Linux {}", models.len(), kib / (1024 * 1024), kernel.trim())
}

/// Fields 14 and 15 of `/proc/PID/stat` (proc(5)), in ticks of a hundredth of a second.
fn cpu(stat: &str) -> Result<Duration> {
    let (_, after_name) = stat.rsplit_once(") ").context("no name in stat")?;
    let ticks = after_name.split(' ').skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}

fn number_after(text: &str, name: &str) -> Result<u64> {
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix(name));
    let number = line.and_then(|rest| rest.split_whitespace().next()).with_context(|| format!("{name} is not told"))?;
    Ok(number.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operating_system_tells_of_this_process() {
        let usage = own_usage().unwrap();
        assert!(usage.resident_bytes > 100_000 && usage.resident_bytes_max >= usage.resident_bytes);
        assert!(loopback_bytes().is_ok() && machine().contains("GiB"));
        forget_resident_max().unwrap();
        assert!(threads().unwrap().values().any(|cpu| !cpu.is_zero()) && !own_thread().unwrap().is_zero());
    }

    #[test]
    fn processor_time_is_found_behind_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 100";
        assert_eq!(cpu(stat).unwrap(), Duration::from_secs(3));
    }
}
