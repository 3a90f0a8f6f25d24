//! The authority without agents' hardware: its core against the real machines of agents, and its API over real sockets.
//!
//! What needs whole processes of both sides is tested from the outside, in the `tests/` room.

#[cfg(test)]
mod agent;
#[cfg(test)]
mod behind;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod console;
#[cfg(test)]
mod console_access;
#[cfg(test)]
mod console_card_office;
#[cfg(test)]
mod console_map;
#[cfg(test)]
mod console_own;
#[cfg(test)]
mod console_records;
#[cfg(test)]
mod core;
#[cfg(test)]
mod holders;
#[cfg(test)]
mod http;
#[cfg(test)]
mod office;
#[cfg(test)]
mod oidc;
#[cfg(test)]
mod outbound;
#[cfg(test)]
mod provider;
#[cfg(test)]
mod running;
#[cfg(test)]
mod scim;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod support;
