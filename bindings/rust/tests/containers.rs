// SPDX-License-Identifier: BSD-2-Clause
//! Boxes, vectors and raw blocks.
use std::alloc::Layout;
use std::collections::HashSet;
use std::io::Write;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use cxlmalloc::{alloc, dealloc, realloc, tier_of, AllocError, On, Tier, TierBox, TierVec};

const TIERS: [Tier; 2] = [Tier::Ddr, Tier::Cxl];

#[repr(align(4096))]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Page(u8);

fn is_send<T: Send>() {}
fn is_sync<T: Sync>() {}

#[test]
fn send_and_sync_are_those_of_the_values() {
    is_send::<TierBox<u8>>();
    is_sync::<TierBox<u8>>();
    is_send::<TierVec<String>>();
    is_sync::<TierVec<String>>();
    // The other direction: an ambiguity if Rc made them Send or Sync.
    trait Ambiguous<A> {
        fn some() {}
    }
    impl<T: ?Sized> Ambiguous<()> for T {}
    struct IfSend;
    impl<T: ?Sized + Send> Ambiguous<IfSend> for T {}
    let _ = <TierVec<Rc<u8>> as Ambiguous<_>>::some;
    let _ = <TierBox<Rc<u8>> as Ambiguous<_>>::some;
    let _ = <cxlmalloc::Scope as Ambiguous<_>>::some;
}

#[test]
fn boxes_are_on_their_tier() {
    for tier in TIERS {
        let mut b = TierBox::new(tier, [1u64; 1000]);
        b[999] = 5;
        assert_eq!(tier_of(&*b), Some(tier));
        assert_eq!(b.iter().sum::<u64>(), 1004);
        let strict = TierBox::try_new(tier.strict(), String::from("text")).unwrap();
        assert_eq!((tier_of(&*strict), strict.as_str()), (Some(tier), "text"));
        assert_eq!(TierBox::into_inner(strict), "text");
        let raw = TierBox::into_raw(b);
        let back = unsafe { TierBox::<[u64; 1000]>::from_raw(raw) };
        assert_eq!(back[999], 5);
        let leaked: &'static mut u32 = TierBox::leak(TierBox::new(tier, 7));
        assert_eq!(*leaked, 7);
        unsafe { drop(TierBox::<u32>::from_raw(leaked)) };
    }
}

#[test]
fn values_are_dropped_once() {
    let counted = Arc::new(());
    let b = TierBox::new(Tier::Cxl, counted.clone());
    assert_eq!(Arc::strong_count(&counted), 2);
    drop(b);
    drop(TierBox::into_inner(TierBox::new(
        Tier::Ddr,
        counted.clone(),
    )));
    assert_eq!(Arc::strong_count(&counted), 1);

    let mut v = TierVec::new(Tier::Cxl);
    v.resize(100, counted.clone());
    assert_eq!(Arc::strong_count(&counted), 101);
    v.truncate(60);
    assert_eq!(Arc::strong_count(&counted), 61);
    v.remove(10);
    v.swap_remove(10);
    v.pop();
    v.insert(5, counted.clone());
    assert_eq!(Arc::strong_count(&counted), 59);
    let copy = v.clone();
    assert_eq!(Arc::strong_count(&counted), 117);
    let mut elements = copy.into_iter();
    assert_eq!(elements.len(), 58);
    elements.next();
    elements.next_back();
    assert_eq!(Arc::strong_count(&counted), 115);
    drop(elements);
    assert_eq!(Arc::strong_count(&counted), 59);
    v.move_to(Tier::Ddr).unwrap();
    assert_eq!((Arc::strong_count(&counted), v.len()), (59, 58));
    v.clear();
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[test]
fn vectors_grow_and_shrink_on_their_tier() {
    for tier in TIERS {
        let mut v = TierVec::new(tier);
        assert_eq!((v.capacity(), v.len()), (0, 0));
        for i in 0..100_000u32 {
            v.push(i);
        }
        assert!(v.iter().copied().eq(0..100_000));
        assert_eq!(tier_of(v.as_ptr()), Some(tier));
        assert_eq!(tier_of(&v[99_999]), Some(tier));
        v.truncate(3);
        v.shrink_to_fit();
        assert_eq!((v.capacity(), &v[..]), (3, &[0, 1, 2][..]));
        assert_eq!(tier_of(v.as_ptr()), Some(tier));
        v.clear();
        v.shrink_to_fit();
        assert_eq!(v.capacity(), 0);
        v.extend_from_slice(&[3, 1, 2]);
        v.extend(&[9, 8]);
        v.sort_unstable();
        assert_eq!(v, [1, 2, 3, 8, 9]);
        v.insert(0, 0);
        v.insert(6, 10);
        assert_eq!((v.remove(1), v.swap_remove(0)), (1, 0));
        assert_eq!(v, [10, 2, 3, 8, 9]);
        for x in &mut v {
            *x += 1;
        }
        assert_eq!(
            v.iter().rev().copied().collect::<Vec<_>>(),
            [10, 9, 4, 3, 11]
        );
    }
}

#[test]
fn vectors_move_to_other_tiers() {
    let mut v = TierVec::from_slice(Tier::Cxl, &[String::from("a"), String::from("b")]);
    v.move_to(Tier::Ddr).unwrap();
    assert_eq!(tier_of(v.as_ptr()), Some(Tier::Ddr));
    assert_eq!(v, ["a", "b"]);
    v.resize(10_000, String::new());
    assert_eq!(tier_of(v.as_ptr()), Some(Tier::Ddr));
    assert_eq!(v.place(), On::from(Tier::Ddr));
    v.move_to(Tier::Cxl.strict()).unwrap();
    assert_eq!((tier_of(v.as_ptr()), v.len()), (Some(Tier::Cxl), 10_000));
    assert!(v.place().is_strict());
}

#[test]
fn vectors_do_what_slices_and_vec_do() {
    let v = TierVec::from_slice(Tier::Cxl, &[1, 2, 3]);
    let mut set = HashSet::new();
    set.insert(v.clone());
    assert!(set.contains(&[1, 2, 3][..]) && set.contains(&v));
    assert_eq!(format!("{:?}", v), "[1, 2, 3]");
    assert_eq!(v, vec![1, 2, 3]);
    assert_ne!(v, [1, 2]);
    let mut text = TierVec::new(Tier::Cxl);
    write!(text, "{}-two", 1).unwrap();
    assert_eq!(text, b"1-two");
    let moved = thread::spawn(move || v.iter().sum::<i32>()).join().unwrap();
    assert_eq!(moved, 6);
}

#[test]
fn types_without_a_size_take_no_memory() {
    let mut v = TierVec::new(Tier::Cxl.strict());
    for _ in 0..1000 {
        v.push(());
    }
    assert_eq!(
        (v.len(), v.capacity(), v.pop()),
        (1000, usize::MAX, Some(()))
    );
    assert_eq!(v.into_iter().count(), 999);
    #[allow(dead_code)]
    struct Counted(Rc<()>);
    #[derive(Clone, Copy)]
    struct Nothing;
    let b = TierBox::new(Tier::Cxl, Nothing);
    let _ = *b;
    assert_eq!(tier_of(&*b), None);
    let rc = Rc::new(());
    drop(TierBox::new(Tier::Cxl, Counted(rc.clone())));
    assert_eq!(Rc::strong_count(&rc), 1);
    let mut full = TierVec::new(Tier::Cxl);
    full.shrink_to_fit();
    full.push(());
    assert_eq!(full.len(), 1);
}

#[test]
fn over_aligned_types_are_aligned() {
    for tier in TIERS {
        let b = TierBox::new(tier, Page(7));
        assert_eq!((&*b as *const Page as usize % 4096, b.0), (0, 7));
        let mut v = TierVec::new(tier);
        for i in 0..100 {
            v.push(Page(i));
            assert_eq!(v.as_ptr() as usize % 4096, 0);
        }
        assert!(v.iter().map(|p| p.0).eq(0..100));
        v.truncate(1);
        v.shrink_to_fit();
        assert_eq!((v.as_ptr() as usize % 4096, v[0]), (0, Page(0)));
        assert_eq!(tier_of(v.as_ptr()), Some(tier));
    }
}

#[test]
fn raw_blocks() {
    for align in (0..14).map(|bit| 1usize << bit) {
        for size in [0, 1, 8, 100, 5000] {
            let layout = Layout::from_size_align(size, align).unwrap();
            let p = alloc(On::from(Tier::Cxl), layout).unwrap();
            assert_eq!(p.as_ptr() as usize % align, 0);
            assert_eq!(tier_of(p.as_ptr()), Some(Tier::Cxl));
            unsafe {
                p.as_ptr().write_bytes(0x5a, size);
                let layout = Layout::from_size_align(size.max(1), align).unwrap();
                let p = realloc(On::from(Tier::Cxl), p, layout, 9000).unwrap();
                assert_eq!(p.as_ptr() as usize % align, 0);
                assert!((0..size).all(|i| *p.as_ptr().add(i) == 0x5a));
                dealloc(p);
            }
        }
    }
}

#[test]
fn too_much_is_an_error() {
    let mut v = TierVec::from_slice(Tier::Cxl, &[1u64, 2, 3]);
    assert_eq!(v.try_reserve(usize::MAX), Err(AllocError));
    assert_eq!(v.try_reserve(usize::MAX / 8), Err(AllocError));
    assert_eq!(
        v.try_reserve_exact(isize::MAX as usize / 8),
        Err(AllocError)
    );
    assert_eq!(v, [1, 2, 3]);
    let unwound = catch_unwind(AssertUnwindSafe(|| v.reserve(usize::MAX)));
    assert!(unwound.is_err());
    assert_eq!(v, [1, 2, 3]);
    assert!(AllocError.to_string().contains("memory"));
}

#[test]
fn a_drop_that_panics_leaks_nothing_else() {
    #[allow(dead_code)]
    struct Panics(Arc<()>, bool);
    impl Drop for Panics {
        fn drop(&mut self) {
            if self.1 {
                panic!("on purpose");
            }
        }
    }
    let counted = Arc::new(());
    let mut v = TierVec::new(Tier::Cxl);
    for i in 0..10 {
        v.push(Panics(counted.clone(), i == 5));
    }
    assert!(catch_unwind(AssertUnwindSafe(|| drop(v))).is_err());
    assert_eq!(Arc::strong_count(&counted), 1);
    let b = TierBox::new(Tier::Cxl, Panics(counted.clone(), true));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(b))).is_err());
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[test]
fn threads_free_what_others_allocated() {
    let handles: Vec<_> = (0..4)
        .map(|t| {
            thread::spawn(move || {
                (0..200usize)
                    .map(|i| {
                        let mut v = TierVec::new(TIERS[i % 2]);
                        v.resize(i * 10, t);
                        v
                    })
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let built: Vec<_> = handles.into_iter().map(|h| h.join().unwrap()).collect();
    for (t, vectors) in built.into_iter().enumerate() {
        thread::spawn(move || {
            for (i, v) in vectors.into_iter().enumerate() {
                assert!(v.len() == i * 10 && v.iter().all(|&x| x == t));
                assert!(i == 0 || tier_of(v.as_ptr()) == Some(TIERS[i % 2]));
            }
        })
        .join()
        .unwrap();
    }
}
