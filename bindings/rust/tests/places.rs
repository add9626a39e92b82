// SPDX-License-Identifier: BSD-2-Clause
//! Pages, information, values by name, scopes.
use std::io::ErrorKind;
use std::os::unix::io::AsRawFd;
use std::sync::{Mutex, MutexGuard};
use std::thread;

use cxlmalloc::pages::{self, Advice};
use cxlmalloc::{
    ctl, hint, info, node_info, nr_nodes, scope, sys, tier_of, usage, version, Events, Scope, Tier,
    TierVec, EVENT_POLICY,
};

/// Settings are the process's: tests that change or depend on them go one by one.
fn alone() -> MutexGuard<'static, ()> {
    static SETTINGS: Mutex<()> = Mutex::new(());
    SETTINGS.lock().unwrap_or_else(|e| e.into_inner())
}

fn policy_tier() -> Option<Tier> {
    tier_of(TierVec::from_slice(Tier::Policy, &[0u8; 1000]).as_ptr())
}

#[test]
fn pages_are_somewhere_and_can_be_moved() {
    let mut v = TierVec::from_slice(Tier::Cxl, &[7u64; 1 << 17]);
    let bytes = 8u64 << 17;
    let node = pages::node_of(&v[1000]).unwrap().unwrap();
    assert!(node < nr_nodes());
    let resident = pages::resident(&v).unwrap();
    assert!(resident.total >= bytes && resident.on(node) > 0 && resident.on(99_999) == 0);
    assert_eq!(resident.nodes.iter().sum::<u64>(), resident.total);
    assert!(pages::migrate(&v, Tier::Ddr).unwrap() >= bytes - 8192);
    assert!(pages::migrate(&v, Tier::Cxl.strict()).unwrap() > 0);
    assert!(pages::migrate_node(&v, node, false).unwrap() > 0);
    pages::populate(&mut v).unwrap();
    for advice in [Advice::Hot, Advice::Cold, Advice::WillNeed] {
        pages::advise(&v, advice).unwrap();
    }
    assert!(v.iter().all(|&x| x == 7));
    let einval = |e: std::io::Error| e.kind() == ErrorKind::InvalidInput;
    assert!(einval(pages::migrate_node(&v, 1000, false).unwrap_err()));
    assert!(einval(pages::migrate(&v, Tier::Policy).unwrap_err()));
    assert!(pages::node_of(8 as *const u8).is_err());
}

#[test]
fn tiers_and_nodes_are_known() {
    assert!(!version().is_empty());
    let v = TierVec::from_slice(Tier::Cxl, &[1u8; 4 << 20]);
    let now = usage(Tier::Cxl).unwrap();
    assert!(now.used >= 4 << 20 && now.peak >= now.used);
    let known = info(Tier::Cxl).unwrap();
    assert!(known.name == "cxl" && known.in_use >= v.len() as u64);
    assert_eq!(info(Tier::Ddr).unwrap().name, "ddr");
    assert!(usage(Tier::Policy).is_err() && info(Tier::Policy).is_err());
    let nodes = (0..nr_nodes()).filter_map(|n| node_info(n).ok());
    assert!(nodes.map(|n| n.total).sum::<u64>() > 0);
    assert_eq!(node_info(1000).unwrap_err().raw_os_error(), Some(19));
    assert_eq!(node_info(usize::MAX).unwrap_err().raw_os_error(), Some(19));
}

#[test]
fn values_by_name_and_events() {
    let _alone = alone();
    assert!(ctl::number("tier.cxl.used").is_ok());
    assert_eq!(
        ctl::number("no.such").unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        ctl::string("no.such").unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert!(version().starts_with(&ctl::string("version").unwrap()));
    let names = ctl::names().unwrap();
    assert!(names.iter().any(|(name, _)| name == "tier.cxl.limit"));
    assert!(names
        .iter()
        .any(|(name, writable)| name == "conf" && *writable));

    let events = Events::open().unwrap();
    assert!(events.as_raw_fd() >= 0);
    events.read().unwrap();
    ctl::set("conf", "policy=interleave,interleave=3:1").unwrap();
    assert_eq!(events.read().unwrap() & EVENT_POLICY, EVENT_POLICY);
    assert_eq!(events.read().unwrap() & EVENT_POLICY, 0);
    assert_eq!(ctl::string("policy").unwrap(), "interleave");
    assert!(ctl::set("conf", "policy=no").is_err());
    ctl::set("conf", "policy=priority").unwrap();
    assert_eq!(ctl::string("policy").unwrap(), "priority");
    assert!(ctl::set_number("tier.cxl.used", 1).is_err());
}

#[test]
fn scopes_nest_and_end() {
    let _alone = alone();
    let outside = policy_tier();
    {
        let _outer = Scope::enter(Tier::Cxl).unwrap();
        assert_eq!(policy_tier(), Some(Tier::Cxl));
        assert_eq!(scope(Tier::Ddr, policy_tier).unwrap(), Some(Tier::Ddr));
        assert_eq!(policy_tier(), Some(Tier::Cxl));
        assert_eq!(thread::spawn(policy_tier).join().unwrap(), outside);
        let named = TierVec::from_slice(Tier::Ddr, &[0u8; 1000]);
        assert_eq!(tier_of(named.as_ptr()), Some(Tier::Ddr));
    }
    assert_eq!(policy_tier(), outside);
    let unwound = std::panic::catch_unwind(|| {
        let _scope = Scope::enter(Tier::Cxl).unwrap();
        panic!("on purpose");
    });
    assert!(unwound.is_err());
    assert_eq!(policy_tier(), outside);
    let mut deep = Vec::new();
    while let Ok(scope) = Scope::enter(Tier::Cxl) {
        deep.push(scope);
    }
    assert_eq!(deep.len(), sys::CXLM_SCOPES_MAX);
    drop(deep);
    assert_eq!(policy_tier(), outside);
}

#[test]
fn hints_nobody_gave() {
    assert_eq!(hint("no such name", Tier::Cxl), Tier::Cxl);
    assert_eq!(hint("no such name", Tier::Policy), Tier::Policy);
    assert_eq!(hint("nul\0", Tier::Ddr), Tier::Ddr);
}
