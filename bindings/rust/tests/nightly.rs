// SPDX-License-Identifier: BSD-2-Clause
//! Tiers and pools as std::alloc::Allocator.
#![cfg(feature = "nightly")]
#![feature(allocator_api, btreemap_alloc)]
use std::alloc::{Allocator, Layout};
use std::collections::{BTreeMap, VecDeque};

use cxlmalloc::{tier_of, CxlMalloc, PoolOptions, Tier};

#[test]
fn std_collections_are_on_their_tier() {
    let mut v = Vec::new_in(Tier::Cxl);
    v.extend(0..100_000u32);
    assert!(v.iter().copied().eq(0..100_000));
    assert_eq!(tier_of(v.as_ptr()), Some(Tier::Cxl));
    v.truncate(3);
    v.shrink_to_fit();
    assert_eq!(
        (tier_of(v.as_ptr()), &v[..]),
        (Some(Tier::Cxl), &[0, 1, 2][..])
    );
    let b = Box::new_in([7u8; 100], Tier::Ddr.strict());
    assert_eq!(tier_of(&*b), Some(Tier::Ddr));
    let mut deque = VecDeque::new_in(CxlMalloc::new(Tier::Cxl));
    let mut tree = BTreeMap::new_in(Tier::Cxl);
    for i in 0..1000 {
        deque.push_front(i);
        tree.insert(i, i);
    }
    assert_eq!(tier_of(&deque[500]), Some(Tier::Cxl));
    assert_eq!(tier_of(&tree[&500]), Some(Tier::Cxl));
}

#[test]
fn std_collections_in_a_pool() {
    let pool = PoolOptions::new(Tier::Cxl).limit(1 << 20).create().unwrap();
    let mut v = Vec::new_in(&pool);
    v.extend(0..1000u32);
    assert!(pool.owns(v.as_ptr()) && v.try_reserve(1 << 20).is_err());
    assert!(v.iter().copied().eq(0..1000));
    drop(v);
    // What it keeps for the next block comes out when it has to refuse one.
    pool.set_limit(Some(1 << 18)).unwrap();
    assert!(pool.vec::<u8>().try_reserve(64 << 20).is_err());
    assert_eq!(pool.usage().unwrap().in_use, 0);
}

#[test]
fn what_has_no_size_takes_no_memory() {
    let mut v: Vec<(), _> = Vec::new_in(Tier::Cxl);
    v.extend([(), ()]);
    let layout = Layout::from_size_align(5000, 64).unwrap();
    let zeros = Allocator::allocate_zeroed(&Tier::Cxl, layout).unwrap();
    // SAFETY: it is a block of that many bytes.
    let bytes = unsafe { zeros.as_ref() };
    assert!(v.len() == 2 && bytes.len() == 5000 && bytes.iter().all(|&z| z == 0));
    unsafe { Allocator::deallocate(&Tier::Cxl, zeros.cast(), layout) };
}
