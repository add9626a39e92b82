// SPDX-License-Identifier: BSD-2-Clause
//! Where pages are, as the kernel says, and putting them elsewhere.
//!
//! Ranges are slices; `TierVec`, `Vec` and arrays give one with `&v`. Contents and
//! addresses stay what they are.
//!
//! ```
//! use cxlmalloc::{pages, Tier, TierVec};
//! let v = TierVec::from_slice(Tier::Cxl, &[7u8; 1 << 20]);
//! let moved = pages::migrate(&v, Tier::Ddr)?;
//! assert!(moved >= (1 << 20) - 8192);
//! let node = pages::node_of(&v[0])?.expect("it has been written");
//! assert!(pages::resident(&v)?.on(node) > 0);
//! # Ok::<(), std::io::Error>(())
//! ```
use std::io;
use std::mem;
use std::os::raw::{c_int, c_uint, c_void};

use crate::info::result;
use crate::{nr_nodes, sys, On};

const ENOENT: i32 = 2;

fn bytes<T>(range: &[T]) -> (*mut c_void, usize) {
    (range.as_ptr() as *mut c_void, mem::size_of_val(range))
}

fn count(returned: i64) -> io::Result<u64> {
    u64::try_from(returned).map_err(|_| io::Error::last_os_error())
}

/// The node that has the page of a value's first byte; `None` where no page is yet.
pub fn node_of<T: ?Sized>(p: *const T) -> io::Result<Option<usize>> {
    // SAFETY: the kernel is asked, the address not dereferenced.
    match result(unsafe { sys::cxlm_node_of(p.cast()) }) {
        Ok(node) => Ok(Some(node as usize)),
        Err(e) if e.raw_os_error() == Some(ENOENT) => Ok(None),
        Err(e) => Err(e),
    }
}

/// How much of a range is on which node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Residency {
    /// Bytes that have pages.
    pub total: u64,
    /// Of these, on each node.
    pub nodes: Vec<u64>,
}

impl Residency {
    /// Bytes on a node.
    pub fn on(&self, node: usize) -> u64 {
        self.nodes.get(node).copied().unwrap_or(0)
    }
}

/// How much of a range is on which node.
pub fn resident<T>(range: &[T]) -> io::Result<Residency> {
    let (p, len) = bytes(range);
    let mut nodes = vec![0; nr_nodes()];
    // SAFETY: nodes has that many elements.
    let total =
        count(unsafe { sys::cxlm_resident(p, len, nodes.as_mut_ptr(), nodes.len() as c_uint) })?;
    Ok(Residency { total, nodes })
}

/// Moves the pages that lie whole in a range. Returns the bytes that are on the tier's
/// nodes now.
pub fn migrate<T>(range: &[T], to: impl Into<On>) -> io::Result<u64> {
    let ((p, len), to) = (bytes(range), to.into());
    // SAFETY: pages move, their bytes and addresses do not change.
    count(unsafe { sys::cxlm_migrate(p, len, to.tier().raw(), to.flags()) })
}

/// The same, to one node.
pub fn migrate_node<T>(range: &[T], node: usize, strict: bool) -> io::Result<u64> {
    let (p, len) = bytes(range);
    let flags = if strict { sys::CXLM_STRICT } else { 0 };
    let node = c_int::try_from(node).unwrap_or(c_int::MAX);
    // SAFETY: as above.
    count(unsafe { sys::cxlm_migrate_node(p, len, node, flags) })
}

/// Has all pages of a range now rather than at first touch.
pub fn populate<T>(range: &mut [T]) -> io::Result<()> {
    let (p, len) = bytes(range);
    // SAFETY: pages keep their contents; they may be written to.
    result(unsafe { sys::cxlm_populate(p, len) }).map(drop)
}

/// What is known of a range's use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Advice {
    /// Used often from now on.
    Hot,
    /// Seldom.
    Cold,
    /// Soon: back from swap.
    WillNeed,
}

/// Says what is known of a range's use. That pages could not be moved is no error.
pub fn advise<T>(range: &[T], advice: Advice) -> io::Result<()> {
    let (p, len) = bytes(range);
    // SAFETY: pages keep their contents.
    result(unsafe { sys::cxlm_advise(p, len, advice as c_int) }).map(drop)
}
