//! What a campus is and who may open which door, as pure functions: folder, directory, commands, compile, explain.
//!
//! No runtime, socket, file or clock; the shell reads files and passes their bytes and the time in.

pub mod application;
pub mod command;
pub mod compile;
pub mod desk;
pub mod difference;
pub mod directory;
pub mod effect;
pub mod erasure;
pub mod explain;
pub mod feed;
pub mod folder;
pub mod gains;
pub mod model;
pub mod number;
pub mod office;
pub mod parts;
pub mod photo;
pub mod plan;
pub mod production;
pub mod reference;
pub mod removal;
pub mod retention;
pub mod taps;
#[cfg(test)]
mod testing;
pub mod touched;
pub mod zone;
