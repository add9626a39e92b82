// SPDX-License-Identifier: BSD-2-Clause
//! Pools of the program's own: nodes, a limit, a policy, an end.
use std::alloc::Layout;
use std::ffi::{CStr, CString};
use std::io;
use std::mem;
use std::os::raw::{c_int, c_ulong};
use std::ptr::{self, NonNull};

use crate::info::{limit_of, result, text};
use crate::place::{checked, is_ordinary, resize_by_copy};
use crate::{sys, AllocError, Place, PoolBox, PoolVec, Tier};

/// How a pool's pages lie on its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PoolPolicy {
    /// On the nodes or not at all.
    Bind,
    /// On others when they are full.
    Preferred,
    /// Page by page on all of them in turn.
    Interleave,
}

/// What a pool is to be: its tier's nodes, bound, without a limit, unless said otherwise.
///
/// ```
/// use cxlmalloc::{PoolOptions, Tier};
/// let pool = PoolOptions::new(Tier::Cxl).limit(64 << 20).name("index").create()?;
/// let text = pool.boxed([b'x'; 100])?;
/// assert!(pool.owns(&*text));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PoolOptions {
    tier: Tier,
    nodes: Vec<c_ulong>,
    policy: PoolPolicy,
    limit: u64,
    name: Option<Vec<u8>>,
}

impl PoolOptions {
    /// A pool on a tier's nodes, which it follows when they change.
    pub fn new(tier: Tier) -> PoolOptions {
        PoolOptions {
            tier,
            nodes: Vec::new(),
            policy: PoolPolicy::Bind,
            limit: sys::CXLM_NO_LIMIT,
            name: None,
        }
    }

    /// A pool on NUMA nodes, as the kernel numbers them.
    pub fn on_nodes(nodes: &[usize]) -> PoolOptions {
        let mut options = PoolOptions::new(Tier::Policy);
        for &node in nodes {
            let word = node / sys::WORD_BITS;
            if options.nodes.len() <= word {
                options.nodes.resize(word + 1, 0);
            }
            options.nodes[word] |= 1 << (node % sys::WORD_BITS);
        }
        options
    }

    /// How its pages lie.
    pub fn policy(mut self, policy: PoolPolicy) -> PoolOptions {
        self.policy = policy;
        self
    }

    /// How many bytes it may have.
    pub fn limit(mut self, bytes: u64) -> PoolOptions {
        self.limit = bytes;
        self
    }

    /// Its name in reports, up to 31 bytes.
    pub fn name(mut self, name: &str) -> PoolOptions {
        self.name = Some(name.into());
        self
    }

    /// Makes it.
    pub fn create(&self) -> io::Result<Pool> {
        let name = self.name.clone().map(CString::new).transpose()?;
        let attr = sys::cxlm_pool_attr {
            size: mem::size_of::<sys::cxlm_pool_attr>(),
            tier: self.tier.raw(),
            policy: self.policy as c_int,
            nodes: match self.nodes.is_empty() {
                true => ptr::null(),
                false => self.nodes.as_ptr(),
            },
            maxnode: (self.nodes.len() * sys::WORD_BITS) as c_ulong,
            limit: self.limit,
            name: name.as_deref().map_or(ptr::null(), CStr::as_ptr),
        };
        // SAFETY: what attr points to lives until it returns.
        NonNull::new(unsafe { sys::cxlm_pool_create(&attr) })
            .map(|pool| Pool { pool })
            .ok_or_else(io::Error::last_os_error)
    }
}

/// What a pool holds.
#[derive(Clone, Debug)]
pub struct PoolUsage {
    /// Bytes committed now.
    pub used: u64,
    /// What that may reach, if there is a limit.
    pub limit: Option<u64>,
    /// The highest used so far.
    pub peak: u64,
    /// Bytes in pages that hold blocks.
    pub in_use: u64,
    /// The tier whose nodes it has; none if of several.
    pub tier: Option<Tier>,
    /// Its name.
    pub name: String,
}

/// A pool. What is in it, [`PoolBox`] and [`PoolVec`], borrows it; what is left at its
/// end, leaked or raw, ends with it.
#[derive(Debug)]
pub struct Pool {
    pool: NonNull<sys::cxlm_pool>,
}

// SAFETY: every function may be called from any thread.
unsafe impl Send for Pool {}
unsafe impl Sync for Pool {}

impl Pool {
    /// A value in the pool.
    pub fn boxed<T>(&self, value: T) -> Result<PoolBox<'_, T>, AllocError> {
        PoolBox::try_new_in(self, value)
    }

    /// An empty vector in the pool.
    pub fn vec<T>(&self) -> PoolVec<'_, T> {
        PoolVec::new_in(self)
    }

    /// The end of all its blocks that were leaked, forgotten or raw; the pool stays.
    /// Others there cannot be: they would borrow it.
    pub fn reset(&mut self) -> io::Result<()> {
        // SAFETY: nothing that borrows a block is left.
        result(unsafe { sys::cxlm_pool_reset(self.as_ptr()) }).map(drop)
    }

    /// Another limit, or none. One below what is used stops it from growing.
    pub fn set_limit(&self, bytes: Option<u64>) -> io::Result<()> {
        let limit = bytes.unwrap_or(sys::CXLM_NO_LIMIT);
        // SAFETY: the pool is there.
        result(unsafe { sys::cxlm_pool_set_limit(self.as_ptr(), limit) }).map(drop)
    }

    /// What it holds.
    pub fn usage(&self) -> io::Result<PoolUsage> {
        // SAFETY: integers and characters may be zero; the size is the structure's.
        let now = unsafe {
            let mut now: sys::cxlm_pool_stat = mem::zeroed();
            now.size = mem::size_of_val(&now);
            result(sys::cxlm_pool_stat(self.as_ptr(), &mut now))?;
            now
        };
        Ok(PoolUsage {
            used: now.used,
            limit: limit_of(now.limit),
            peak: now.peak,
            in_use: now.in_use,
            tier: Tier::from_raw(now.tier),
            name: text(&now.name),
        })
    }

    /// Whether an address is one of its blocks'.
    pub fn owns<T: ?Sized>(&self, p: *const T) -> bool {
        // SAFETY: the address is not dereferenced.
        unsafe { sys::cxlm_pool_of(p.cast()) == self.as_ptr() }
    }

    /// For the functions of [`sys`].
    pub fn as_ptr(&self) -> *mut sys::cxlm_pool {
        self.pool.as_ptr()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // SAFETY: nothing that borrows it is left.
        unsafe { sys::cxlm_pool_destroy(self.as_ptr()) };
    }
}

// SAFETY: cxlm_pool_malloc's promises are the trait's; the reference keeps the pool.
unsafe impl Place for &Pool {
    fn allocate(self, layout: Layout) -> Result<NonNull<u8>, AllocError> {
        let (pool, size) = (self.as_ptr(), layout.size());
        // SAFETY: the pool is there.
        checked(unsafe {
            if is_ordinary(layout) {
                sys::cxlm_pool_malloc(pool, size)
            } else {
                sys::cxlm_pool_aligned_alloc(pool, layout.align(), size)
            }
        })
    }

    unsafe fn resize(
        self,
        block: NonNull<u8>,
        layout: Layout,
        size: usize,
    ) -> Result<NonNull<u8>, AllocError> {
        if layout.align() > 16 || layout.align() > size {
            resize_by_copy(self, block, layout, size)
        } else {
            // It does not leave the pool.
            checked(sys::cxlm_realloc(block.as_ptr().cast(), size))
        }
    }
}
