// SPDX-License-Identifier: BSD-2-Clause
//! The whole of a program's heap on a tier.
use std::alloc::{GlobalAlloc, Layout};
use std::ptr::{self, NonNull};

use crate::place::{dealloc, Place};
use crate::{On, Tier};

/// A global allocator.
///
/// ```
/// use cxlmalloc::{tier_of, CxlMalloc, Tier};
///
/// #[global_allocator]
/// static HEAP: CxlMalloc = CxlMalloc::new(Tier::Cxl);
///
/// let text = "anything".repeat(1000);
/// assert_eq!(tier_of(text.as_ptr()), Some(Tier::Cxl));
/// ```
///
/// With [`Tier::Policy`] each allocation is where the operator's policy or a
/// [`Scope`](crate::Scope) puts it.
#[derive(Clone, Copy, Debug)]
pub struct CxlMalloc {
    on: On,
}

impl CxlMalloc {
    /// On a tier, and elsewhere when it is full.
    pub const fn new(tier: Tier) -> CxlMalloc {
        CxlMalloc {
            on: On {
                tier,
                strict: false,
            },
        }
    }

    /// On a tier or not at all: a program that cannot do without is ended by Rust when
    /// the tier is full.
    pub const fn strict(tier: Tier) -> CxlMalloc {
        CxlMalloc { on: tier.strict() }
    }
}

impl Default for CxlMalloc {
    fn default() -> CxlMalloc {
        CxlMalloc::new(Tier::Policy)
    }
}

fn raw(result: Result<NonNull<u8>, crate::AllocError>) -> *mut u8 {
    result.map_or(ptr::null_mut(), NonNull::as_ptr)
}

// SAFETY: nothing here unwinds; the rest is Place's promise.
unsafe impl GlobalAlloc for CxlMalloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        raw(self.on.allocate(layout))
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        raw(self.on.allocate_zeroed(layout))
    }

    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        dealloc(NonNull::new_unchecked(block));
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        raw(self.on.resize(NonNull::new_unchecked(block), layout, size))
    }
}

#[cfg(feature = "nightly")]
mod nightly {
    use super::*;
    use crate::Pool;
    use std::alloc::{AllocError, Allocator};

    fn slice(
        result: Result<NonNull<u8>, crate::AllocError>,
        size: usize,
    ) -> Result<NonNull<[u8]>, AllocError> {
        result
            .map(|block| {
                let slice = ptr::slice_from_raw_parts_mut(block.as_ptr(), size);
                // SAFETY: the block is not null.
                unsafe { NonNull::new_unchecked(slice) }
            })
            .map_err(|_| AllocError)
    }

    fn dangling(layout: Layout) -> NonNull<u8> {
        // SAFETY: an alignment is not 0.
        unsafe { NonNull::new_unchecked(ptr::null_mut::<u8>().wrapping_add(layout.align())) }
    }

    macro_rules! allocator {
        ($type:ty, $self:ident, $place:expr) => {
            // SAFETY: blocks are Place's; any clone or the same pool frees them.
            unsafe impl Allocator for $type {
                fn allocate(&$self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                    match layout.size() {
                        0 => slice(Ok(dangling(layout)), 0),
                        size => slice(Place::allocate($place, layout), size),
                    }
                }

                fn allocate_zeroed(&$self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                    match layout.size() {
                        0 => slice(Ok(dangling(layout)), 0),
                        size => slice(Place::allocate_zeroed($place, layout), size),
                    }
                }

                unsafe fn deallocate(&$self, block: NonNull<u8>, layout: Layout) {
                    if layout.size() != 0 {
                        dealloc(block);
                    }
                }

                unsafe fn grow(
                    &$self,
                    block: NonNull<u8>,
                    old: Layout,
                    new: Layout,
                ) -> Result<NonNull<[u8]>, AllocError> {
                    if old.size() == 0 {
                        return Allocator::allocate($self, new);
                    }
                    if old.align() == new.align() {
                        let block = Place::resize($place, block, old, new.size());
                        return slice(block, new.size());
                    }
                    let other = Allocator::allocate($self, new)?;
                    ptr::copy_nonoverlapping(
                        block.as_ptr(),
                        other.as_ptr().cast(),
                        old.size(),
                    );
                    dealloc(block);
                    Ok(other)
                }
            }
        };
    }

    allocator!(On, self, *self);
    allocator!(Tier, self, On::from(*self));
    allocator!(CxlMalloc, self, self.on);
    allocator!(Pool, self, self);
}
