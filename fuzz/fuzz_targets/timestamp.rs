#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fairhold_fuzz::timestamp(bytes));
