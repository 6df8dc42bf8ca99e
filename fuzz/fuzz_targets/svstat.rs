#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| wnm_s6overlay::fuzzing::svstat(input));
