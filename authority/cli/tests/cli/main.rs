//! The binary `doorward` as a person or a program meets it: arguments in, answers, sentences and exit codes out.
//!
//! What the answers must be is proven where they are made; here is whether they arrive.

#[cfg(test)]
mod folders;
#[cfg(test)]
mod oidc;
#[cfg(test)]
mod personal;
#[cfg(test)]
mod proofs;
#[cfg(test)]
#[expect(dead_code, reason = "what a false provider does is asked for by the tests of the server")]
#[path = "../../../server/tests/server/provider.rs"]
mod provider;
#[cfg(test)]
mod run;
#[cfg(test)]
mod served;
#[cfg(test)]
mod usage;
