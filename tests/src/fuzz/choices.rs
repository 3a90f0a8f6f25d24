//! Turns the bytes of an input into choices, so that a byte more or less makes a different story and no nonsense.
//!
//! What is asked for behind the end is zero: a short input is a short story.

/// What is left of an input.
#[derive(Debug, Clone)]
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    /// The choices of an input.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left to choose by.
    pub const fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below a bound; 0 for an empty range.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { usize::from(self.byte()) % bound }
    }

    /// A place in something long.
    pub fn place(&mut self, length: usize) -> usize {
        let place = usize::from(u16::from_le_bytes([self.byte(), self.byte()]));
        if length == 0 { 0 } else { place % length }
    }

    /// One of the items; `None` of none.
    pub fn pick<'b, T>(&mut self, items: &'b [T]) -> Option<&'b T> {
        items.get(self.below(items.len()))
    }

    /// Up to 255 bytes, their number first.
    pub fn some(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (some, rest) = self.0.split_at(length);
        self.0 = rest;
        some
    }

    /// All that is left.
    pub const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Alters bytes in one of a few ways: flips, cuts, repeats, puts others in.
    pub fn alter(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let kind = self.byte();
        let place = self.place(bytes.len());
        match kind % 5 {
            0 | 1 => {
                let flip = self.byte().max(1);
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= flip;
                }
            }
            2 => bytes.truncate(place),
            3 => bytes.splice(place..place, self.some().iter().copied()).for_each(drop),
            _ => {
                let end = place.saturating_add(usize::from(self.byte())).min(bytes.len());
                bytes.splice(place..end, self.some().iter().copied()).for_each(drop);
            }
        }
        bytes
    }
}
