//! The fuzz target `wire`; what it holds is in `tests::fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| doorward_fuzz::look::look("wire", input));
