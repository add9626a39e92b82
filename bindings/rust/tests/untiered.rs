// SPDX-License-Identifier: BSD-2-Clause
//! With CXLMALLOC_DISABLE=1: what works all the same, and what says why not.
use std::env;
use std::process::Command;

use cxlmalloc::{pages, tier_of, PoolOptions, Scope, Tier, TierBox, TierVec};

const ENOTSUP: i32 = 95;

/// In a process of its own, as the library reads the environment once.
#[test]
fn a_process_that_is_not_tiered() {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "in_it"])
        .env("CXLMALLOC_DISABLE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{}",
        said
    );
}

#[test]
#[ignore = "run by the other, with CXLMALLOC_DISABLE=1"]
fn in_it() {
    let mut v = TierVec::from_slice(Tier::Cxl, &[7u8; 100_000]);
    v.resize(200_000, 7);
    assert!(v.iter().all(|&x| x == 7));
    assert_eq!(tier_of(v.as_ptr()), None);
    assert_eq!(*TierBox::new(Tier::Ddr, 5), 5);
    assert!(TierBox::try_new(Tier::Cxl.strict(), 5).is_err());
    assert!(TierVec::<u8>::new(Tier::Cxl.strict()).try_push(5).is_err());
    let refused = [
        Scope::enter(Tier::Cxl).unwrap_err(),
        PoolOptions::new(Tier::Cxl).create().unwrap_err(),
    ];
    assert!(
        refused.iter().all(|e| e.raw_os_error() == Some(ENOTSUP)),
        "{:?}",
        refused
    );
    assert!(pages::resident(&v).unwrap().total > 0);
}
