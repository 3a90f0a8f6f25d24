//! A disk that loses its power: a file system on an image of its own, and what had reached the image at one instant.
//!
//! Two file systems stand on each other. The lower one holds the image of the upper one, and so its page cache plays the
//! disk's own cache: it takes writes, and only a flush of the upper file system makes them durable. Shutting down the
//! upper one loses what the operating system had not handed to the disk; shutting down the lower one loses, besides,
//! what the disk had taken and nobody had flushed, or a random part of it.
//!
//! A shutdown is one flag in the kernel, set between two instructions of whoever writes. From then on nothing more
//! reaches the image: dirty pages and the running journal transaction are thrown away, every write and every fsync is an
//! error. So the image is that of one instant, also in the middle of an fsync, and no copy can mix an earlier with a later
//! one. Deliberately not a copy of an image that is being written to: the kernel goes on writing while a program stands.

use crate::random::Random;
use crate::wait::{SOON, until_true};
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Size of the file system that programs write to; data of a few hundred cards and some thousand records.
const FILES_MIB: usize = 96;

/// Size of the one below, which holds the image and a small journal.
const BELOW_MIB: u64 = 128;

/// Mount options. Timers that write what nobody asked to be durable are put off (the default is five seconds), so that
/// they do not do the work of an fsync that is missing.
const OPTIONS: &str = "loop,noatime,commit=300";

/// How long a free loop device is waited for, and how often it is looked for one.
const LOOP_DEVICE_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Kills processes and at once asks for `EXT4_IOC_SHUTDOWN`, with the flag that keeps the journal from being written out.
/// Whoever is inside of a write or an fsync gets an error there and is dead before it can read it: SIGKILL reaches all
/// threads at once, where SIGSTOP waits for one of them to run, and meanwhile the others act on errors that a power cut
/// does not give. Of a torn cache each page is written with even odds (`sync_file_range`), once nothing comes from above
/// any more. In Perl, which every Debian has, because the house allows no unsafe code, and several commands would leave
/// time for the fsync that is to be met half-way.
const CUT: &str = r#"
    use POSIX;
    my ($cache, $seed, $files, $below, $image, @processes) = @ARGV;
    open(my $above, "<", $files) or die "$files: $!\n";
    open(my $under, "<", $below) or die "$below: $!\n";
    open(my $pages, "+<", $image) or die "$image: $!\n";
    my $without_flush = pack("L", 2);
    my $number = { x86_64 => 277, aarch64 => 84 }->{(POSIX::uname())[4]};
    kill("KILL", @processes) == @processes or die "a process is gone: $!\n";
    if ($cache ne "lost") {
        ioctl($above, 0x8004587d, $without_flush) or die "shutdown: $!\n";
    }
    if ($cache eq "torn" && defined $number) {
        srand($seed);
        for (my $at = 0; $at < -s $image; $at += 4096) {
            rand() < 0.5 or syscall($number, fileno($pages), $at, 4096, 7) == 0 or die "a page: $!\n";
        }
    }
    if ($cache ne "kept") {
        ioctl($under, 0x8004587d, $without_flush) or die "shutdown: $!\n";
    }
"#;

/// What the disk does with what it has taken and not flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// It has no cache, or one with a battery.
    Kept,
    /// It loses all of it.
    Lost,
    /// It loses some pages of it, whichever were written first; the number chooses them.
    Torn(u64),
}

impl Cache {
    /// Any of these.
    pub const fn any(random: &mut Random) -> Self {
        match random.below(3) {
            0 => Self::Kept,
            1 => Self::Lost,
            _ => Self::Torn(random.next() >> 32),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Lost => "lost",
            Self::Torn(_) => "torn",
        }
    }
}

/// See the module. Unmounted when this is dropped.
#[derive(Debug)]
pub struct PowerDisk {
    folder: TempDir,
}

impl PowerDisk {
    /// Makes an empty disk in a folder of its own, and mounts it.
    ///
    /// # Errors
    /// When this process may not mount, or has no loop device or tool for it.
    pub fn create() -> Result<Self> {
        let disk = Self { folder: tempfile::Builder::new().prefix("doorward-power-").tempdir()? };
        for place in [disk.below(), disk.files()] {
            fs::create_dir_all(place)?;
        }
        File::create(disk.image_below())?.set_len(BELOW_MIB << 20)?;
        make_file_system(&disk.image_below(), &["-J", "size=4"])?;
        disk.mount_below()?;
        // Written in full, so that the lower file system has nothing left to decide when the image is flushed.
        let mut image = File::create(disk.image())?;
        let zeros = vec![0; 1 << 20];
        (0..FILES_MIB).try_for_each(|_| image.write_all(&zeros))?;
        image.sync_all()?;
        drop(image);
        make_file_system(&disk.image(), &[])?;
        File::open(disk.image())?.sync_all()?;
        disk.mount_files()?;
        Ok(disk)
    }

    /// Where programs write.
    #[must_use]
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    /// Cuts the power of the disk and of these processes: they end, and whatever the kernel still has to write is lost.
    ///
    /// # Errors
    /// When a process is gone, or the kernel does not do it.
    pub fn cut(&self, cache: Cache, processes: &[u32]) -> Result<()> {
        let seed = match cache {
            Cache::Kept | Cache::Lost => 0,
            Cache::Torn(seed) => seed,
        };
        let mut line: Vec<PathBuf> = ["-e", CUT, cache.name(), &seed.to_string()].map(PathBuf::from).to_vec();
        line.extend([self.files(), self.below(), self.image()]);
        line.extend(processes.iter().map(|process| PathBuf::from(process.to_string())));
        tool("perl", &line.iter().map(PathBuf::as_path).collect::<Vec<_>>())
    }

    /// Mounts what was left, which replays its journal. Processes that have files there must be gone.
    ///
    /// # Errors
    /// When it cannot be mounted, or is no whole file system: that would be a fault of the cut, not of the programs.
    pub fn restore(&self) -> Result<()> {
        unmount(&self.files())?;
        unmount(&self.below())?;
        self.mount_below()?;
        self.mount_files()?;
        unmount(&self.files())?;
        tool("e2fsck", &[Path::new("-fn"), &self.image()])?;
        self.mount_files()
    }

    fn image_below(&self) -> PathBuf {
        self.folder.path().join("below.image")
    }

    fn below(&self) -> PathBuf {
        self.folder.path().join("below")
    }

    fn image(&self) -> PathBuf {
        self.below().join("files.image")
    }

    fn mount_below(&self) -> Result<()> {
        mount(&self.image_below(), &self.below())
    }

    fn mount_files(&self) -> Result<()> {
        mount(&self.image(), &self.files())
    }
}

impl Drop for PowerDisk {
    fn drop(&mut self) {
        for place in [self.files(), self.below()] {
            // Not mounted any more when creating or restoring it went wrong.
            let _unmounted = Command::new("umount").arg("--lazy").arg(place).output();
        }
    }
}

fn make_file_system(image: &Path, further: &[&str]) -> Result<()> {
    let options = ["-q", "-F", "-b", "4096", "-m", "0", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"];
    let mut line: Vec<&Path> = options.iter().chain(further).map(Path::new).collect();
    line.push(image);
    tool("mkfs.ext4", &line)
}

fn mount(image: &Path, place: &Path) -> Result<()> {
    let line = [Path::new("-o"), Path::new(OPTIONS), image, place];
    let begin = Instant::now();
    loop {
        match tool("mount", &line) {
            // Some machines have eight of them in all, and other tests use them, too.
            Err(error) if error.to_string().contains("loop device") && begin.elapsed() < LOOP_DEVICE_WITHIN => {
                sleep(LOOK_AGAIN_AFTER);
            }
            mounted => return mounted,
        }
    }
}

fn unmount(place: &Path) -> Result<()> {
    // Whoever was killed a moment ago may still be letting go of its files.
    until_true(&format!("{} is unmounted", place.display()), SOON, || tool("umount", &[place]).map(|()| true))
}

fn tool(name: &str, arguments: &[&Path]) -> Result<()> {
    let output = Command::new(name).args(arguments).output().with_context(|| format!("{name} cannot be run"))?;
    if !output.status.success() {
        let words: Vec<_> = arguments.iter().map(|word| word.display().to_string()).collect();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        bail!("`{name} {}` failed: {}{}", words.join(" "), out.trim(), err.trim());
    }
    Ok(())
}
