// SPDX-License-Identifier: BSD-2-Clause
//! Where blocks come from: a tier, strictly or not, or a pool.
use std::alloc::Layout;
use std::fmt;
use std::os::raw::{c_int, c_void};
use std::ptr::{self, NonNull};

use crate::sys;

/// A tier of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    /// As the operator's policy, or a [`Scope`](crate::Scope), has it.
    Policy,
    /// DDR: near memory.
    Ddr,
    /// CXL: far memory.
    Cxl,
}

impl Tier {
    /// There or nowhere, where a tier alone is a preference.
    pub const fn strict(self) -> On {
        On {
            tier: self,
            strict: true,
        }
    }

    pub(crate) const fn raw(self) -> c_int {
        match self {
            Tier::Policy => sys::CXLM_TIER_POLICY,
            Tier::Ddr => sys::CXLM_TIER_DDR,
            Tier::Cxl => sys::CXLM_TIER_CXL,
        }
    }

    pub(crate) fn from_raw(raw: c_int) -> Option<Tier> {
        match raw {
            sys::CXLM_TIER_DDR => Some(Tier::Ddr),
            sys::CXLM_TIER_CXL => Some(Tier::Cxl),
            _ => None,
        }
    }
}

/// A tier, and whether it is wanted strictly.
///
/// ```
/// use cxlmalloc::{On, Tier};
/// assert_eq!(On::from(Tier::Cxl).is_strict(), false);
/// assert_eq!(Tier::Cxl.strict().tier(), Tier::Cxl);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct On {
    pub(crate) tier: Tier,
    pub(crate) strict: bool,
}

impl On {
    /// The tier.
    pub const fn tier(self) -> Tier {
        self.tier
    }

    /// Whether nothing but the tier will do.
    pub const fn is_strict(self) -> bool {
        self.strict
    }

    pub(crate) const fn flags(self) -> c_int {
        if self.strict {
            sys::CXLM_STRICT
        } else {
            0
        }
    }
}

impl From<Tier> for On {
    fn from(tier: Tier) -> On {
        On {
            tier,
            strict: false,
        }
    }
}

/// There is no memory: a limit is reached, nodes or addresses have no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocError;

impl fmt::Display for AllocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no memory on the tier or in the pool")
    }
}

impl std::error::Error for AllocError {}

/// What blocks are allocated from: [`On`] and `&Pool`.
///
/// # Safety
///
/// A block has to be of its layout's size and alignment, belong to nobody else, and stay
/// until [`dealloc`], or as long as the type lives if that is sooner.
pub unsafe trait Place: Copy {
    /// A block, uninitialized. The layout's size must not be 0.
    fn allocate(self, layout: Layout) -> Result<NonNull<u8>, AllocError>;

    /// A block of zeros. The layout's size must not be 0.
    fn allocate_zeroed(self, layout: Layout) -> Result<NonNull<u8>, AllocError> {
        let block = self.allocate(layout)?;
        // SAFETY: it is as long as the layout says.
        unsafe { ptr::write_bytes(block.as_ptr(), 0, layout.size()) };
        Ok(block)
    }

    /// Another size for a block that is of this place; on failure it is as it was.
    ///
    /// # Safety
    ///
    /// The block was allocated with that layout here, and is not used afterwards unless
    /// this failed. `size` is not 0 and, rounded up to the alignment, not beyond
    /// `isize::MAX`.
    unsafe fn resize(
        self,
        block: NonNull<u8>,
        layout: Layout,
        size: usize,
    ) -> Result<NonNull<u8>, AllocError>;
}

/// malloc's alignment is enough for blocks whose size reaches it.
pub(crate) fn is_ordinary(layout: Layout) -> bool {
    layout.align() <= 16 && layout.align() <= layout.size()
}

pub(crate) fn checked(p: *mut c_void) -> Result<NonNull<u8>, AllocError> {
    NonNull::new(p.cast()).ok_or(AllocError)
}

/// [`Place::resize`] by hand, for alignments that realloc does not keep.
pub(crate) unsafe fn resize_by_copy<P: Place>(
    place: P,
    block: NonNull<u8>,
    layout: Layout,
    size: usize,
) -> Result<NonNull<u8>, AllocError> {
    let other = place.allocate(Layout::from_size_align_unchecked(size, layout.align()))?;
    ptr::copy_nonoverlapping(block.as_ptr(), other.as_ptr(), layout.size().min(size));
    dealloc(block);
    Ok(other)
}

// SAFETY: cxlm_malloc's promises are the trait's.
unsafe impl Place for On {
    fn allocate(self, layout: Layout) -> Result<NonNull<u8>, AllocError> {
        let (tier, size) = (self.tier.raw(), layout.size());
        // SAFETY: any arguments are allowed.
        checked(unsafe {
            if is_ordinary(layout) {
                sys::cxlm_malloc(tier, size, self.flags())
            } else {
                sys::cxlm_aligned_alloc(tier, layout.align(), size, self.flags())
            }
        })
    }

    fn allocate_zeroed(self, layout: Layout) -> Result<NonNull<u8>, AllocError> {
        if is_ordinary(layout) {
            // SAFETY: any arguments are allowed.
            return checked(unsafe {
                sys::cxlm_calloc(self.tier.raw(), 1, layout.size(), self.flags())
            });
        }
        let block = self.allocate(layout)?;
        // SAFETY: it is as long as the layout says.
        unsafe { ptr::write_bytes(block.as_ptr(), 0, layout.size()) };
        Ok(block)
    }

    unsafe fn resize(
        self,
        block: NonNull<u8>,
        layout: Layout,
        size: usize,
    ) -> Result<NonNull<u8>, AllocError> {
        let p = block.as_ptr().cast();
        if layout.align() > 16 || layout.align() > size {
            resize_by_copy(self, block, layout, size)
        } else if self.strict {
            // realloc leaves a tier that has no room.
            checked(sys::cxlm_realloc_to(p, self.tier.raw(), size, self.flags()))
        } else {
            checked(sys::cxlm_realloc(p, size))
        }
    }
}

/// A block of a layout whose size may be 0.
///
/// ```
/// use std::alloc::Layout;
/// use cxlmalloc::{alloc, dealloc, tier_of, On, Tier};
/// let block = alloc(On::from(Tier::Cxl), Layout::new::<[u64; 1000]>())?;
/// assert_eq!(tier_of(block.as_ptr()), Some(Tier::Cxl));
/// unsafe { dealloc(block) };
/// # Ok::<(), cxlmalloc::AllocError>(())
/// ```
pub fn alloc<P: Place>(place: P, layout: Layout) -> Result<NonNull<u8>, AllocError> {
    place.allocate(if layout.size() == 0 {
        // SAFETY: alignments are powers of two, so not 0; one byte is not too much.
        unsafe { Layout::from_size_align_unchecked(1, layout.align()) }
    } else {
        layout
    })
}

/// Another size for a block; on failure it is as it was.
///
/// # Safety
///
/// The block was allocated here with that layout, and is not used afterwards unless this
/// failed. `size`, rounded up to the alignment, is not beyond `isize::MAX`.
pub unsafe fn realloc<P: Place>(
    place: P,
    block: NonNull<u8>,
    layout: Layout,
    size: usize,
) -> Result<NonNull<u8>, AllocError> {
    place.resize(block, layout, size.max(1))
}

/// Gives back a block of any tier or pool.
///
/// # Safety
///
/// It came from [`alloc`] or a [`Place`], and is not used afterwards.
pub unsafe fn dealloc(block: NonNull<u8>) {
    sys::cxlm_free(block.as_ptr().cast());
}

/// The tier whose memory an address is; `None` when it is neither's.
pub fn tier_of<T: ?Sized>(p: *const T) -> Option<Tier> {
    // SAFETY: the address is not dereferenced.
    Tier::from_raw(unsafe { sys::cxlm_tier_of(p.cast()) })
}
