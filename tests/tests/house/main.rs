//! The house is in order: the rooms of ARCHITECTURE.md, the documents and the tidiness of every file, proven.
//!
//! Nothing here asks what the programs do; it reads sources, manifests and documents only.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod security;
#[cfg(test)]
mod source;
#[cfg(test)]
mod tidy;
