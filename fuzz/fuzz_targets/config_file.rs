#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| wnm_config::fuzzing::config_file(input));
