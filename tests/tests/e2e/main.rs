//! End to end: authority and agents as real processes on loopback, driven by the commands and sockets that people have.
//!
//! Nothing here looks inside a program; what a pure room promises is tested there, in less time and more depth.

#[cfg(test)]
mod authority;
#[cfg(test)]
mod bad_days;
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
mod crashes;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod enrolment;
#[cfg(test)]
mod grants;
#[cfg(test)]
mod networks;
#[cfg(test)]
mod offices;
#[cfg(test)]
mod outbound;
#[cfg(test)]
mod power;
#[cfg(test)]
mod records;
#[cfg(test)]
mod revocation;
#[cfg(test)]
mod scim;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod sync;
#[cfg(test)]
mod tools;
