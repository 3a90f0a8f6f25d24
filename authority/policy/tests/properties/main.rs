//! What must hold for every campus: tried on the sample campuses and on random ones.

#[cfg(test)]
mod commands;
#[cfg(test)]
mod decisions;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod samples;
