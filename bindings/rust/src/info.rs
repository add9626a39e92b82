// SPDX-License-Identifier: BSD-2-Clause
//! Tiers and nodes: what there is, what is used, what it is like; events.
use std::ffi::CStr;
use std::io;
use std::mem;
use std::os::raw::{c_char, c_int};
use std::os::unix::io::{AsRawFd, RawFd};

use crate::{sys, Tier};

pub use crate::sys::{
    CXLM_EVENT_FULL as EVENT_FULL, CXLM_EVENT_LIMIT as EVENT_LIMIT,
    CXLM_EVENT_NODES as EVENT_NODES, CXLM_EVENT_POLICY as EVENT_POLICY,
};

pub(crate) fn result(returned: c_int) -> io::Result<c_int> {
    match returned {
        -1 => Err(io::Error::last_os_error()),
        value => Ok(value),
    }
}

pub(crate) fn limit_of(raw: u64) -> Option<u64> {
    Some(raw).filter(|&limit| limit != sys::CXLM_NO_LIMIT)
}

pub(crate) fn text(chars: &[c_char]) -> String {
    let bytes: Vec<u8> = chars
        .iter()
        .map(|&c| c as u8)
        .take_while(|&c| c != 0)
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The version of the library.
pub fn version() -> &'static str {
    // SAFETY: a constant string.
    unsafe { CStr::from_ptr(sys::cxlm_version()) }
        .to_str()
        .unwrap_or("")
}

/// Bytes a tier holds.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Committed now: in blocks, or free but held.
    pub used: u64,
    /// What that may reach, if there is a limit.
    pub limit: Option<u64>,
    /// The highest used so far.
    pub peak: u64,
    /// Used beyond the limit now.
    pub over: u64,
    /// The highest over so far.
    pub over_peak: u64,
    /// Usable bytes of maps of the program's own.
    pub mapped: u64,
}

/// What a tier holds now: a few counters, cheap to read.
pub fn usage(tier: Tier) -> io::Result<Usage> {
    // SAFETY: integers may be zero; the size is the structure's.
    let now = unsafe {
        let mut now: sys::cxlm_tier_stat = mem::zeroed();
        now.size = mem::size_of_val(&now);
        result(sys::cxlm_tier_stat(tier.raw(), &mut now))?;
        now
    };
    Ok(Usage {
        used: now.used,
        limit: limit_of(now.limit),
        peak: now.peak,
        over: now.over,
        over_peak: now.over_peak,
        mapped: now.mapped,
    })
}

/// All that is known of a tier. "System" is everybody's, "process" this one's; latency and
/// bandwidth are 0 where the kernel does not know them.
#[derive(Clone, Debug)]
pub struct TierInfo {
    /// `ddr` or `cxl`.
    pub name: String,
    /// `strict`, `preferred`, `emulated`, `denied`, `offline` or `none`.
    pub binding: String,
    /// The nodes it uses now.
    pub nodes: Vec<usize>,
    /// System: bytes of those nodes.
    pub total: u64,
    /// System: of these, free.
    pub free: u64,
    /// Process: committed.
    pub used: u64,
    /// Process: in blocks.
    pub in_use: u64,
    /// Process: what used may reach, if there is a limit.
    pub limit: Option<u64>,
    /// Process: what it may still take.
    pub available: u64,
    /// Process: bytes of its heap's pages there.
    pub resident: u64,
    /// Process: bytes of its pages elsewhere.
    pub misplaced: u64,
    /// Nanoseconds to read from the nearest node.
    pub read_latency: u32,
    /// Nanoseconds to write to it.
    pub write_latency: u32,
    /// MB/s, the sum of its nodes.
    pub read_bandwidth: u32,
    /// MB/s, the sum of its nodes.
    pub write_bandwidth: u32,
}

/// All that is known of a tier; the kernel is asked.
pub fn info(tier: Tier) -> io::Result<TierInfo> {
    // SAFETY: integers and characters may be zero; the size is the structure's.
    let now = unsafe {
        let mut now: sys::cxlm_tier_info = mem::zeroed();
        now.size = mem::size_of_val(&now);
        result(sys::cxlm_tier_info(tier.raw(), &mut now))?;
        now
    };
    let has = |node: &usize| now.nodes[node / sys::WORD_BITS] >> (node % sys::WORD_BITS) & 1 == 1;
    Ok(TierInfo {
        name: text(&now.name),
        binding: text(&now.binding),
        nodes: (0..now.nodes.len() * sys::WORD_BITS).filter(has).collect(),
        total: now.total,
        free: now.free,
        used: now.used,
        in_use: now.in_use,
        limit: limit_of(now.limit),
        available: now.available,
        resident: now.resident,
        misplaced: now.misplaced,
        read_latency: now.read_latency,
        write_latency: now.write_latency,
        read_bandwidth: now.read_bandwidth,
        write_bandwidth: now.write_bandwidth,
    })
}

/// All that is known of a node.
#[derive(Clone, Copy, Debug)]
pub struct NodeInfo {
    /// The tier it is of, if any.
    pub tier: Option<Tier>,
    /// System: bytes.
    pub total: u64,
    /// System: of these, free.
    pub free: u64,
    /// Process: bytes of its heap's pages there.
    pub resident: u64,
    /// Nanoseconds.
    pub read_latency: u32,
    /// Nanoseconds.
    pub write_latency: u32,
    /// MB/s.
    pub read_bandwidth: u32,
    /// MB/s.
    pub write_bandwidth: u32,
}

/// One more than the highest node with memory.
pub fn nr_nodes() -> usize {
    // SAFETY: it has no arguments.
    unsafe { sys::cxlm_nr_nodes() }.max(1) as usize
}

/// All that is known of a node.
pub fn node_info(node: usize) -> io::Result<NodeInfo> {
    // SAFETY: integers may be zero; the size is the structure's.
    let now = unsafe {
        let mut now: sys::cxlm_node_info = mem::zeroed();
        now.size = mem::size_of_val(&now);
        let node = c_int::try_from(node).unwrap_or(c_int::MAX);
        result(sys::cxlm_node_info(node, &mut now))?;
        now
    };
    Ok(NodeInfo {
        tier: Tier::from_raw(now.tier),
        total: now.total,
        free: now.free,
        resident: now.resident,
        read_latency: now.read_latency,
        write_latency: now.write_latency,
        read_bandwidth: now.read_bandwidth,
        write_bandwidth: now.write_bandwidth,
    })
}

/// A file descriptor that is readable when something changed, for `poll` and the like.
#[derive(Debug)]
pub struct Events {
    fd: RawFd,
}

impl Events {
    /// Opens one; there may be 16.
    pub fn open() -> io::Result<Events> {
        // SAFETY: it has no arguments.
        result(unsafe { sys::cxlm_events_open() }).map(|fd| Events { fd })
    }

    /// Bits `EVENT_*` of what happened since the last time; never waits.
    pub fn read(&self) -> io::Result<c_int> {
        // SAFETY: any number is allowed.
        result(unsafe { sys::cxlm_events_read(self.fd) })
    }
}

impl AsRawFd for Events {
    fn as_raw_fd(&self) -> RawFd {
        self.fd
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // SAFETY: it is ours.
        unsafe { sys::cxlm_events_close(self.fd) };
    }
}
