// SPDX-License-Identifier: BSD-2-Clause
//! The whole of a test program on CXL, the test harness too, and beyond its limit on DDR.
use std::collections::{BTreeMap, HashMap};
use std::thread;

use cxlmalloc::{ctl, tier_of, usage, CxlMalloc, Tier};

#[global_allocator]
static HEAP: CxlMalloc = CxlMalloc::new(Tier::Cxl);

const LIMIT: u64 = 64 << 20;

fn limit_cxl() {
    ctl::set("conf", "cxl.limit=64m").unwrap();
    assert_eq!(usage(Tier::Cxl).unwrap().limit, Some(LIMIT));
}

#[repr(align(512))]
struct Aligned(u8);

#[test]
fn everything_is_on_cxl_and_beyond_its_limit_on_ddr() {
    let boxed = Box::new([1u8; 100]);
    assert_eq!(tier_of(&*boxed), Some(Tier::Cxl));
    let zeros = vec![0u64; 100_000];
    assert!(zeros.iter().all(|&z| z == 0) && tier_of(zeros.as_ptr()) == Some(Tier::Cxl));
    let aligned: Vec<_> = (0..50).map(|i| Box::new(Aligned(i))).collect();
    assert!(aligned.iter().all(|a| &**a as *const _ as usize % 512 == 0));
    assert!(aligned.iter().map(|a| a.0).eq(0..50));
    let mut map = HashMap::new();
    let mut tree = BTreeMap::new();
    for i in 0..10_000 {
        map.insert(i, i.to_string());
        tree.insert(i.to_string(), i);
    }
    assert!((0..10_000).all(|i| tree[&map[&i]] == i));
    let mut grown = Vec::new();
    for i in 0..1_000_000u32 {
        grown.push(i);
    }
    grown.truncate(10);
    grown.shrink_to_fit();
    assert!(grown.iter().copied().eq(0..10));
    thread::spawn(move || drop((map, tree, boxed, zeros)))
        .join()
        .unwrap();

    limit_cxl();
    let blocks: Vec<Vec<u8>> = (0..200).map(|i| vec![i as u8; 1 << 20]).collect();
    let on = |tier| {
        blocks
            .iter()
            .filter(|b| tier_of(b.as_ptr()) == Some(tier))
            .count()
    };
    assert!(on(Tier::Cxl) > 0 && on(Tier::Ddr) > 100);
    assert_eq!(on(Tier::Cxl) + on(Tier::Ddr), 200);
    assert!(blocks
        .iter()
        .enumerate()
        .all(|(i, b)| b.iter().all(|&x| x == i as u8)));
    let now = usage(Tier::Cxl).unwrap();
    assert!(now.used <= LIMIT && now.over_peak == 0, "{:?}", now);
}
