// SPDX-License-Identifier: BSD-2-Clause
//! A strict global allocator under a limit: try_reserve fails, and the program goes on.
use cxlmalloc::{ctl, tier_of, usage, CxlMalloc, Tier};

#[global_allocator]
static HEAP: CxlMalloc = CxlMalloc::strict(Tier::Cxl);

const LIMIT: u64 = 64 << 20;

fn exhaust() -> usize {
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    blocks.reserve(1000);
    loop {
        let mut block = Vec::new();
        if block.try_reserve_exact(1 << 20).is_err() {
            return blocks.len();
        }
        block.resize(1 << 20, 7);
        assert_eq!(tier_of(block.as_ptr()), Some(Tier::Cxl));
        blocks.push(block);
        assert!(blocks.len() < 128, "more than the limit holds");
    }
}

#[test]
fn a_full_tier_is_an_error_and_nothing_leaks() {
    ctl::set("conf", "cxl.limit=64m").unwrap();
    let first = exhaust();
    assert!(first > 30 && first < 64, "{}", first);
    for _ in 0..20 {
        let again = exhaust();
        assert!(again * 10 >= first * 9, "{} of {}", again, first);
    }
    let mut grows: Vec<u8> = vec![1; 1000];
    assert!(grows.try_reserve(65 << 20).is_err());
    assert!(grows.len() == 1000 && grows.iter().all(|&x| x == 1));
    let now = usage(Tier::Cxl).unwrap();
    assert!(now.peak <= LIMIT && now.limit == Some(LIMIT), "{:?}", now);
}
