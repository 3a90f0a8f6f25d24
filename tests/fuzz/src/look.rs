//! What every fuzz target does with an input: looks at it through the library, and at the memory that this takes.
//!
//! Deliberately nothing else: the properties are in `tests::fuzz`, where stable Rust replays the corpus.

use allocation_counter::measure;
use tests::fuzz::Target;

/// Looks at an input of the target with this name.
///
/// # Panics
/// When a property is broken, or when it takes more memory than the target's bound.
pub fn look(name: &str, input: &[u8]) {
    let target = Target::named(name).expect("each program here is one of the targets");
    let taken = measure(|| (target.run)(input)).bytes_max;
    let max = target.bytes_max(input.len());
    assert!(taken <= max, "{taken} bytes of memory, at most {max} for an input of {} bytes", input.len());
}
