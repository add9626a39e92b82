// SPDX-License-Identifier: BSD-2-Clause
//! sys.rs against the C compiler: sizes, offsets and constants.
use std::env;
use std::fs;
use std::mem::{size_of, MaybeUninit};
use std::path::PathBuf;
use std::process::Command;

use cxlmalloc::sys::*;

macro_rules! offset {
    ($type:ty, $field:ident) => {{
        let value = MaybeUninit::<$type>::uninit();
        let base = value.as_ptr();
        // SAFETY: only addresses are taken.
        unsafe { std::ptr::addr_of!((*base).$field) as usize - base as usize }
    }};
}

/// (what C calls it, what Rust says), and the C expression for each.
macro_rules! facts {
    ($($name:ident { $($field:ident $(as $c:literal)?),* })*; $($constant:ident)*) => {
        vec![$(
            (concat!("sizeof(struct ", stringify!($name), ")").to_string(),
             size_of::<$name>() as i128),
            $((format!("offsetof(struct {}, {})", stringify!($name),
                       [$($c,)? stringify!($field)][0]),
               offset!($name, $field) as i128),)*
        )*
        $((stringify!($constant).to_string(), $constant as i128),)*]
    };
}

#[test]
fn structures_are_those_of_c() {
    let facts = facts! {
        cxlm_tier_stat { size, used, limit, peak, over, over_peak, mapped }
        cxlm_pool_attr { size, tier, policy, nodes, maxnode, limit, name }
        cxlm_pool_stat { size, used, limit, peak, in_use, tier, policy, name }
        cxlm_tier_info { size, name, binding, nodes, total, free, used, in_use, limit,
            available, resident, misplaced, read_latency, write_latency,
            read_bandwidth, write_bandwidth }
        cxlm_node_info { size, node, tier, total, free, resident, read_latency,
            write_latency, read_bandwidth, write_bandwidth }
        cxlm_ctl_info { size, name, type_ as "type", writable };
        CXLM_TIER_POLICY CXLM_TIER_DDR CXLM_TIER_CXL CXLM_INHERIT CXLM_STRICT
        CXLM_NO_LIMIT CXLM_SCOPES_MAX CXLM_POOL_BIND CXLM_POOL_PREFERRED
        CXLM_POOL_INTERLEAVE CXLM_HOT CXLM_COLD CXLM_WILLNEED CXLM_EVENT_NODES
        CXLM_EVENT_POLICY CXLM_EVENT_LIMIT CXLM_EVENT_FULL
    };
    let mut source = String::from("#include <cxlmalloc.h>\n");
    for (expression, rust) in &facts {
        source += &format!(
            "_Static_assert((__int128)({0}) == ((__int128)({1}LL) {2}), \"{0}\");\n",
            expression,
            *rust as i64,
            // What does not fit in a long long is the largest u64.
            if *rust > i64::MAX as i128 {
                "+ ((__int128)1 << 64)"
            } else {
                ""
            },
        );
    }
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = dir.join("layout.c");
    fs::write(&file, source).unwrap();
    let include = env::var_os("CXLM_INCLUDE_DIR")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../include"));
    let output = Command::new(env::var("CC").unwrap_or_else(|_| "cc".into()))
        .args(["-std=gnu11", "-c", "-o", "/dev/null", "-I"])
        .arg(include)
        .arg(&file)
        .env_remove("LD_PRELOAD")
        .output()
        .expect("a C compiler");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && facts.len() > 60, "{}", said);
}

#[test]
fn every_function_is_declared() {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let list = manifest.join("../../src/api/functions.def");
    let sys = fs::read_to_string(manifest.join("src/sys.rs")).unwrap();
    let functions = fs::read_to_string(list).unwrap();
    let names: Vec<&str> = functions
        .lines()
        .filter_map(|line| line.strip_prefix("CM_API(")?.split(',').next())
        // Near-memory processing takes the program's own call-backs: not here.
        .filter(|name| !name.starts_with("cxlm_near"))
        .collect();
    assert!(names.len() > 30);
    for name in names {
        assert!(
            sys.contains(&format!("pub fn {}(", name)),
            "{} is missing",
            name
        );
    }
}
