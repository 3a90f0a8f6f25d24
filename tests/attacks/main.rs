//! Attacks, one folder each: who attacks, with what power, and what refuses it. The list is TUF's and what was added to it.
//!
//! Those against the machines are exhaustive; those over a real wire, against real processes, show what a machine cannot.

#[cfg(test)]
mod absurdly_large_state;
#[cfg(test)]
mod delta_for_another_agent;
#[cfg(test)]
mod empty_delta;
#[cfg(test)]
mod endless_data;
#[cfg(test)]
mod fast_forward;
#[cfg(test)]
mod floors;
#[cfg(test)]
mod foreign_campus;
#[cfg(test)]
mod freeze;
#[cfg(test)]
mod misspelt_frames;
#[cfg(test)]
mod mix_and_match;
#[cfg(test)]
mod records_of_another_agent;
#[cfg(test)]
mod rejected_data_on_disk;
#[cfg(test)]
mod removed_agent;
#[cfg(test)]
mod reordered_commits;
#[cfg(test)]
mod repeated_records;
#[cfg(test)]
mod replayed_commit;
#[cfg(test)]
mod restored_authority;
#[cfg(test)]
mod rewritten_records;
#[cfg(test)]
mod rollback;
#[cfg(test)]
mod second_use_of_a_token;
#[cfg(test)]
mod skipped_records;
#[cfg(test)]
mod skipped_statement;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod superseded_key;
#[cfg(test)]
mod threshold_by_repetition;
#[cfg(test)]
mod truncated_commit;
#[cfg(test)]
mod two_histories;
