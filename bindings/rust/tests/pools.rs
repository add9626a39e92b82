// SPDX-License-Identifier: BSD-2-Clause
//! Pools: their limits, their blocks, their end.
use std::alloc::Layout;
use std::sync::Arc;
use std::thread;

use cxlmalloc::{
    alloc, dealloc, node_info, nr_nodes, pages, tier_of, Pool, PoolBox, PoolOptions, PoolPolicy,
    Tier, TierBox,
};

fn pool(tier: Tier) -> Pool {
    PoolOptions::new(tier).create().unwrap()
}

fn in_use(pool: &Pool) -> u64 {
    pool.usage().unwrap().in_use
}

/// Bytes in blocks. Freed ones that the pool keeps for the next come out when it has to
/// refuse one.
fn left_in(pool: &Pool) -> u64 {
    let limit = pool.usage().unwrap().limit;
    pool.set_limit(Some(1 << 18)).unwrap();
    assert!(pool.vec::<u8>().try_reserve(64 << 20).is_err());
    pool.set_limit(limit).unwrap();
    in_use(pool)
}

#[test]
fn a_pool_is_as_it_was_asked_for() {
    let options = PoolOptions::new(Tier::Cxl).limit(8 << 20).name("rust");
    let pool = options.create().unwrap();
    let usage = pool.usage().unwrap();
    assert_eq!(
        (usage.limit, usage.name.as_str(), usage.in_use),
        (Some(8 << 20), "rust", 0)
    );
    assert_eq!(usage.tier, Some(Tier::Cxl));
    pool.set_limit(None).unwrap();
    assert_eq!(pool.usage().unwrap().limit, None);
}

#[test]
fn what_it_holds_is_counted_and_given_back() {
    let pool = pool(Tier::Cxl);
    {
        let b = pool.boxed([7u8; 10_000]).unwrap();
        let mut v = pool.vec();
        for i in 0..100_000u64 {
            v.push(i);
        }
        assert!(pool.owns(&*b) && pool.owns(v.as_ptr()) && pool.owns(&v[99_999]));
        assert_eq!(tier_of(v.as_ptr()), Some(Tier::Cxl));
        assert!(in_use(&pool) >= 800_000);
        let copy = v.clone();
        assert!(pool.owns(copy.as_ptr()) && copy == v);
        assert_eq!(copy.into_iter().next_back(), Some(99_999));
    }
    assert_eq!(left_in(&pool), 0);
    let elsewhere = TierBox::new(Tier::Cxl, 1);
    assert!(!pool.owns(&*elsewhere));
}

#[test]
fn its_limit_is_an_error() {
    let pool = PoolOptions::new(Tier::Cxl).limit(1 << 18).create().unwrap();
    let mut v = pool.vec::<u8>();
    let mut pushed = 0usize;
    while pushed < 1 << 20 && v.try_push(7).is_ok() {
        pushed += 1;
    }
    assert!(pushed > 0 && pushed < 1 << 18);
    assert_eq!(v.len(), pushed);
    assert!(v.iter().all(|&b| b == 7));
    assert!(pool.boxed([0u8; 1 << 18]).is_err());
    drop(v);
    assert_eq!(left_in(&pool), 0);
    let usage = pool.usage().unwrap();
    assert!(usage.peak <= 1 << 18);
}

#[test]
fn a_reset_ends_what_was_leaked() {
    let mut pool = pool(Tier::Ddr);
    let leaked: &mut [u8; 100_000] = PoolBox::leak(pool.boxed([1; 100_000]).unwrap());
    leaked[5] = 2;
    std::mem::forget(pool.vec::<u8>());
    let raw = alloc(&pool, Layout::new::<[u8; 5000]>()).unwrap();
    assert!(pool.owns(raw.as_ptr()) && in_use(&pool) >= 105_000);
    pool.reset().unwrap();
    assert_eq!(in_use(&pool), 0);
    let again = alloc(&pool, Layout::from_size_align(100, 8192).unwrap()).unwrap();
    assert!(pool.owns(again.as_ptr()) && again.as_ptr() as usize % 8192 == 0);
    unsafe { dealloc(again) };
}

#[test]
fn pools_come_and_go() {
    for i in 0..600 {
        let pool = pool(if i % 2 == 0 { Tier::Cxl } else { Tier::Ddr });
        let mut v = pool.vec();
        v.resize(1000, i);
        assert!(v.iter().all(|&x| x == i));
    }
}

#[test]
fn threads_share_one() {
    let pool = Arc::new(pool(Tier::Cxl));
    let handles: Vec<_> = (0..4)
        .map(|t| {
            let pool = pool.clone();
            thread::spawn(move || {
                for i in 0..200 {
                    let mut v = pool.vec();
                    v.resize(i * 10 + 1, t);
                    assert!(v.iter().all(|&x| x == t) && pool.owns(v.as_ptr()));
                }
            })
        })
        .collect();
    for handle in handles {
        handle.join().unwrap();
    }
    assert_eq!(left_in(&pool), 0);
}

#[test]
fn pools_on_nodes() {
    let node = (0..nr_nodes()).find(|&n| node_info(n).is_ok()).unwrap();
    let pool = PoolOptions::on_nodes(&[node])
        .policy(PoolPolicy::Preferred)
        .create()
        .unwrap();
    let mut v = pool.vec();
    v.resize(100_000, 1u8);
    assert_eq!(pages::node_of(&v[50_000]).unwrap(), Some(node));
}

#[test]
fn errors_are_those_of_c() {
    let einval = |options: PoolOptions| options.create().unwrap_err().raw_os_error() == Some(22);
    assert!(einval(PoolOptions::on_nodes(&[1000])));
    assert!(einval(PoolOptions::on_nodes(&[])));
    assert!(einval(PoolOptions::new(Tier::Cxl).name(&"long".repeat(10))));
    assert!(PoolOptions::new(Tier::Cxl).name("a\0b").create().is_err());
}
