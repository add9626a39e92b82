// SPDX-License-Identifier: BSD-2-Clause
//! Random operations on a TierVec and on std's Vec: the same after each, and every
//! element dropped as often.
use std::rc::Rc;

use cxlmalloc::{Place, PoolOptions, Tier, TierVec};

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

fn compare<P: Place>(mut ours: TierVec<Rc<usize>, P>, seed: u64) {
    let mut theirs: Vec<Rc<usize>> = Vec::new();
    let mut random = Random(seed);
    for step in 0..20_000 {
        let value = Rc::new(step);
        let len = theirs.len();
        match random.below(12) {
            0..=3 => {
                ours.push(value.clone());
                theirs.push(value.clone());
            }
            4 => assert_eq!(ours.pop(), theirs.pop()),
            5 => {
                let at = random.below(len + 1);
                ours.insert(at, value.clone());
                theirs.insert(at, value.clone());
            }
            6 if len > 0 => {
                let at = random.below(len);
                assert_eq!(ours.remove(at), theirs.remove(at));
            }
            7 if len > 0 => {
                let at = random.below(len);
                assert_eq!(ours.swap_remove(at), theirs.swap_remove(at));
            }
            8 => {
                let to = random.below(len + 20);
                ours.resize(to, value.clone());
                theirs.resize(to, value.clone());
            }
            9 => {
                let more: Vec<_> = (0..random.below(30)).map(|_| value.clone()).collect();
                ours.extend_from_slice(&more);
                theirs.extend(more);
            }
            10 if random.below(8) == 0 => {
                let (front, back) = (random.below(len), random.below(5));
                let mut elements = ours.clone().into_iter();
                let mut same = theirs.clone().into_iter();
                for _ in 0..front {
                    assert_eq!(elements.next(), same.next());
                }
                for _ in 0..back {
                    assert_eq!(elements.next_back(), same.next_back());
                }
                assert_eq!(elements.len(), same.len());
            }
            11 => {
                let to = random.below(len + 1);
                ours.truncate(to);
                theirs.truncate(to);
                ours.shrink_to_fit();
                assert_eq!(ours.capacity(), to);
            }
            _ => {}
        }
        assert_eq!(ours, theirs);
        if let Some(last) = theirs.last() {
            let in_theirs = theirs.iter().filter(|e| Rc::ptr_eq(e, last)).count();
            let held = usize::from(Rc::ptr_eq(last, &value));
            assert_eq!(Rc::strong_count(last), 2 * in_theirs + held);
        }
    }
}

#[test]
fn on_a_tier() {
    compare(TierVec::new(Tier::Cxl), 0x1234_5678_9abc_def1);
    compare(TierVec::new(Tier::Ddr.strict()), 0xfeed_f00d_dead_beef);
}

#[test]
fn in_a_pool() {
    let pool = PoolOptions::new(Tier::Cxl).create().unwrap();
    compare(pool.vec(), 0x0123_4567_89ab_cdef);
    // What it keeps for the next block comes out when it has to refuse one.
    pool.set_limit(Some(1 << 18)).unwrap();
    assert!(pool.vec::<u8>().try_reserve(64 << 20).is_err());
    assert_eq!(pool.usage().unwrap().in_use, 0);
}
