// SPDX-License-Identifier: BSD-2-Clause
//! Boxes and vectors on a tier with a limit.
use cxlmalloc::{ctl, tier_of, usage, Tier, TierBox, TierVec};

const LIMIT: u64 = 32 << 20;

fn exhaust() -> usize {
    let mut boxes = Vec::new();
    while let Ok(b) = TierBox::try_new(Tier::Cxl.strict(), [7u8; 100_000]) {
        assert_eq!(tier_of(&*b), Some(Tier::Cxl));
        boxes.push(b);
        assert!(
            (boxes.len() as u64) < LIMIT / 50_000,
            "more than the limit holds"
        );
    }
    boxes.len()
}

#[test]
fn strict_is_an_error_and_preferred_goes_elsewhere() {
    ctl::set("conf", "cxl.limit=32m").unwrap();
    let first = exhaust();
    assert!(first > 100 && first as u64 * 100_000 < LIMIT, "{}", first);
    for _ in 0..30 {
        let again = exhaust();
        assert!(again * 10 >= first * 9, "{} of {}", again, first);
    }

    let mut v = TierVec::new(Tier::Cxl.strict());
    while v.len() < LIMIT as usize && v.try_push(9u32).is_ok() {}
    assert!(!v.is_empty() && v.len() < LIMIT as usize / 4 && v.iter().all(|&x| x == 9));
    assert_eq!(tier_of(v.as_ptr()), Some(Tier::Cxl));
    let len = v.len();
    v.move_to(Tier::Ddr).unwrap();
    assert_eq!((tier_of(v.as_ptr()), v.len()), (Some(Tier::Ddr), len));
    v.resize(LIMIT as usize, 9);
    assert!(v.move_to(Tier::Cxl.strict()).is_err());
    assert_eq!(
        (tier_of(v.as_ptr()), v.len()),
        (Some(Tier::Ddr), LIMIT as usize)
    );

    let gentle: Vec<_> = (0..1000)
        .map(|_| TierBox::new(Tier::Cxl, [7u8; 100_000]))
        .collect();
    let on = |tier| {
        gentle
            .iter()
            .filter(|b| tier_of(&***b) == Some(tier))
            .count()
    };
    assert!(on(Tier::Cxl) > 0 && on(Tier::Ddr) > 0);
    assert_eq!(on(Tier::Cxl) + on(Tier::Ddr), 1000);
    let now = usage(Tier::Cxl).unwrap();
    assert!(now.peak <= LIMIT, "{:?}", now);
}
