#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| wnm_systemd::fuzzing::unit_file(input));
