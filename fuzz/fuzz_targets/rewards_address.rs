#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| wnm_core::fuzzing::rewards_address(input));
