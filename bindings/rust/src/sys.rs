// SPDX-License-Identifier: BSD-2-Clause
//! `cxlmalloc.h` as it is; its comments are the documentation.
//!
//! `tests/layout.rs` compares every structure with what the C compiler says.
#![allow(missing_docs, non_camel_case_types)]

use std::os::raw::{c_char, c_int, c_long, c_uint, c_ulong, c_void};

pub const CXLM_TIER_POLICY: c_int = -1;
pub const CXLM_TIER_DDR: c_int = 0;
pub const CXLM_TIER_CXL: c_int = 1;

pub const CXLM_INHERIT: c_int = 1;
pub const CXLM_STRICT: c_int = 2;
pub const CXLM_NO_LIMIT: u64 = u64::MAX;
pub const CXLM_SCOPES_MAX: usize = 32;

pub const CXLM_POOL_BIND: c_int = 0;
pub const CXLM_POOL_PREFERRED: c_int = 1;
pub const CXLM_POOL_INTERLEAVE: c_int = 2;

pub const CXLM_HOT: c_int = 0;
pub const CXLM_COLD: c_int = 1;
pub const CXLM_WILLNEED: c_int = 2;

pub const CXLM_EVENT_NODES: c_int = 1;
pub const CXLM_EVENT_POLICY: c_int = 2;
pub const CXLM_EVENT_LIMIT: c_int = 4;
pub const CXLM_EVENT_FULL: c_int = 8;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct cxlm_tier_stat {
    pub size: usize,
    pub used: u64,
    pub limit: u64,
    pub peak: u64,
    pub over: u64,
    pub over_peak: u64,
    pub mapped: u64,
}

/// Only ever behind a pointer.
#[repr(C)]
pub struct cxlm_pool {
    _private: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct cxlm_pool_attr {
    pub size: usize,
    pub tier: c_int,
    pub policy: c_int,
    pub nodes: *const c_ulong,
    pub maxnode: c_ulong,
    pub limit: u64,
    pub name: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct cxlm_pool_stat {
    pub size: usize,
    pub used: u64,
    pub limit: u64,
    pub peak: u64,
    pub in_use: u64,
    pub tier: c_int,
    pub policy: c_int,
    pub name: [c_char; 32],
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct cxlm_tier_info {
    pub size: usize,
    pub name: [c_char; 16],
    pub binding: [c_char; 16],
    pub nodes: [c_ulong; 16],
    pub total: u64,
    pub free: u64,
    pub used: u64,
    pub in_use: u64,
    pub limit: u64,
    pub available: u64,
    pub resident: u64,
    pub misplaced: u64,
    pub read_latency: u32,
    pub write_latency: u32,
    pub read_bandwidth: u32,
    pub write_bandwidth: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct cxlm_node_info {
    pub size: usize,
    pub node: c_int,
    pub tier: c_int,
    pub total: u64,
    pub free: u64,
    pub resident: u64,
    pub read_latency: u32,
    pub write_latency: u32,
    pub read_bandwidth: u32,
    pub write_bandwidth: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct cxlm_ctl_info {
    pub size: usize,
    pub name: [c_char; 64],
    pub type_: c_int,
    pub writable: c_int,
}

extern "C" {
    pub fn cxlm_version() -> *const c_char;
    pub fn cxlm_tier_of(p: *const c_void) -> c_int;
    pub fn cxlm_tier_stat(tier: c_int, stat: *mut cxlm_tier_stat) -> c_int;
    pub fn cxlm_thread_tier(tier: c_int, flags: c_int) -> c_int;

    pub fn cxlm_malloc(tier: c_int, size: usize, flags: c_int) -> *mut c_void;
    pub fn cxlm_calloc(tier: c_int, nr: usize, size: usize, flags: c_int) -> *mut c_void;
    pub fn cxlm_aligned_alloc(
        tier: c_int,
        alignment: usize,
        size: usize,
        flags: c_int,
    ) -> *mut c_void;
    pub fn cxlm_realloc(p: *mut c_void, size: usize) -> *mut c_void;
    pub fn cxlm_realloc_to(p: *mut c_void, tier: c_int, size: usize, flags: c_int) -> *mut c_void;
    pub fn cxlm_free(p: *mut c_void);
    pub fn cxlm_usable_size(p: *const c_void) -> usize;
    pub fn cxlm_malloc_node(node: c_int, size: usize, flags: c_int) -> *mut c_void;
    pub fn cxlm_malloc_nodes(
        nodes: *const c_ulong,
        maxnode: c_ulong,
        size: usize,
        flags: c_int,
    ) -> *mut c_void;

    pub fn cxlm_pool_create(attr: *const cxlm_pool_attr) -> *mut cxlm_pool;
    pub fn cxlm_pool_destroy(pool: *mut cxlm_pool) -> c_int;
    pub fn cxlm_pool_reset(pool: *mut cxlm_pool) -> c_int;
    pub fn cxlm_pool_malloc(pool: *mut cxlm_pool, size: usize) -> *mut c_void;
    pub fn cxlm_pool_calloc(pool: *mut cxlm_pool, nr: usize, size: usize) -> *mut c_void;
    pub fn cxlm_pool_aligned_alloc(
        pool: *mut cxlm_pool,
        alignment: usize,
        size: usize,
    ) -> *mut c_void;
    pub fn cxlm_pool_of(p: *const c_void) -> *mut cxlm_pool;
    pub fn cxlm_pool_stat(pool: *mut cxlm_pool, stat: *mut cxlm_pool_stat) -> c_int;
    pub fn cxlm_pool_set_limit(pool: *mut cxlm_pool, limit: u64) -> c_int;
    pub fn cxlm_node_pool(nodes: *const c_ulong, maxnode: c_ulong, flags: c_int) -> *mut cxlm_pool;

    pub fn cxlm_node_of(p: *const c_void) -> c_int;
    pub fn cxlm_resident(p: *const c_void, len: usize, bytes: *mut u64, nr: c_uint) -> i64;
    pub fn cxlm_migrate(p: *mut c_void, len: usize, tier: c_int, flags: c_int) -> i64;
    pub fn cxlm_migrate_node(p: *mut c_void, len: usize, node: c_int, flags: c_int) -> i64;
    pub fn cxlm_move(p: *mut c_void, tier: c_int, flags: c_int) -> *mut c_void;
    pub fn cxlm_populate(p: *mut c_void, len: usize) -> c_int;
    pub fn cxlm_advise(p: *mut c_void, len: usize, advice: c_int) -> c_int;

    pub fn cxlm_push(tier: c_int) -> c_int;
    pub fn cxlm_pop() -> c_int;
    pub fn cxlm_hint(name: *const c_char, tier: c_int) -> c_int;

    pub fn cxlm_tier_info(tier: c_int, info: *mut cxlm_tier_info) -> c_int;
    pub fn cxlm_nr_nodes() -> c_int;
    pub fn cxlm_node_info(node: c_int, info: *mut cxlm_node_info) -> c_int;
    pub fn cxlm_events_open() -> c_int;
    pub fn cxlm_events_read(fd: c_int) -> c_int;
    pub fn cxlm_events_close(fd: c_int) -> c_int;

    pub fn cxlm_ctl(
        name: *const c_char,
        old: *mut c_void,
        old_len: *mut usize,
        value: *const c_void,
        len: usize,
    ) -> c_int;
    pub fn cxlm_ctl_name(index: c_uint, info: *mut cxlm_ctl_info) -> c_int;
}

/// The bits of one word of a node mask.
pub(crate) const WORD_BITS: usize = 8 * std::mem::size_of::<c_long>();
