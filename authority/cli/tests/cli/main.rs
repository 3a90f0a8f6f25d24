//! The binary `doorward` as a person or a program meets it: arguments in, answers, sentences and exit codes out.
//!
//! What the answers must be is proven where they are made; here is whether they arrive.

#[cfg(test)]
mod folders;
#[cfg(test)]
mod personal;
#[cfg(test)]
mod proofs;
#[cfg(test)]
mod run;
#[cfg(test)]
mod served;
#[cfg(test)]
mod usage;
