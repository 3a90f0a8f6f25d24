//! What must hold for every campus: tried on the sample campuses and on random ones.

#[cfg(test)]
mod samples;
