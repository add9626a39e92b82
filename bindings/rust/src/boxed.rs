// SPDX-License-Identifier: BSD-2-Clause
//! One value on a tier or in a pool.
use std::alloc::{handle_alloc_error, Layout};
use std::fmt;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};

use crate::place::{dealloc, AllocError, Place};
use crate::{On, Pool};

/// A value in a block of its own, as `Box` has it.
///
/// ```
/// use cxlmalloc::{tier_of, Tier, TierBox};
/// let mut table = TierBox::new(Tier::Cxl, [0u32; 4096]);
/// table[7] = 8;
/// assert_eq!(tier_of(&*table), Some(Tier::Cxl));
/// ```
///
/// A value without a size takes no memory.
pub struct TierBox<T, P: Place = On> {
    value: NonNull<T>,
    owns: PhantomData<(T, P)>,
}

/// A value in a pool's block; the pool outlives it.
pub type PoolBox<'p, T> = TierBox<T, &'p Pool>;

// SAFETY: it owns its value, as Box does; blocks may be freed by any thread.
unsafe impl<T: Send, P: Place + Send> Send for TierBox<T, P> {}
unsafe impl<T: Sync, P: Place + Sync> Sync for TierBox<T, P> {}

impl<T> TierBox<T> {
    /// The value, moved to a tier. Ends the program when there is no memory.
    pub fn new(on: impl Into<On>, value: T) -> TierBox<T> {
        TierBox::new_in(on.into(), value)
    }

    /// The value, moved to a tier, or nothing when there is no memory.
    pub fn try_new(on: impl Into<On>, value: T) -> Result<TierBox<T>, AllocError> {
        TierBox::try_new_in(on.into(), value)
    }
}

impl<T, P: Place> TierBox<T, P> {
    /// The value, moved to a place. Ends the program when there is no memory.
    pub fn new_in(place: P, value: T) -> TierBox<T, P> {
        TierBox::try_new_in(place, value)
            .unwrap_or_else(|AllocError| handle_alloc_error(Layout::new::<T>()))
    }

    /// The value, moved to a place, or nothing when there is no memory.
    pub fn try_new_in(place: P, value: T) -> Result<TierBox<T, P>, AllocError> {
        let block = match mem::size_of::<T>() {
            0 => NonNull::dangling(),
            _ => place.allocate(Layout::new::<T>())?.cast(),
        };
        // SAFETY: it is of the type's size and alignment, and nobody else's.
        unsafe { ptr::write(block.as_ptr(), value) };
        Ok(TierBox {
            value: block,
            owns: PhantomData,
        })
    }

    /// The value, moved back out.
    pub fn into_inner(this: Self) -> T {
        let this = ManuallyDrop::new(this);
        // SAFETY: the value is read once, and its block given back without it.
        unsafe {
            let value = ptr::read(this.value.as_ptr());
            Self::give_back(this.value);
            value
        }
    }

    /// The value, for good.
    pub fn leak<'a>(this: Self) -> &'a mut T
    where
        P: 'a,
    {
        // SAFETY: nobody else will have it.
        unsafe { &mut *ManuallyDrop::new(this).value.as_ptr() }
    }

    /// The pointer to the value, for C; [`from_raw`](Self::from_raw) takes it back.
    pub fn into_raw(this: Self) -> *mut T {
        ManuallyDrop::new(this).value.as_ptr()
    }

    /// What was in [`into_raw`](Self::into_raw).
    ///
    /// # Safety
    ///
    /// The pointer came from there, of the same types, and is given back once.
    pub unsafe fn from_raw(value: *mut T) -> Self {
        TierBox {
            value: NonNull::new_unchecked(value),
            owns: PhantomData,
        }
    }

    unsafe fn give_back(block: NonNull<T>) {
        if mem::size_of::<T>() != 0 {
            dealloc(block.cast());
        }
    }
}

impl<T, P: Place> Drop for TierBox<T, P> {
    fn drop(&mut self) {
        // The block is given back also when the value's drop panics.
        struct Block<T, P: Place>(NonNull<T>, PhantomData<P>);
        impl<T, P: Place> Drop for Block<T, P> {
            fn drop(&mut self) {
                // SAFETY: the value in it has been dropped.
                unsafe { TierBox::<T, P>::give_back(self.0) }
            }
        }
        let block = Block::<T, P>(self.value, PhantomData);
        // SAFETY: it is ours, and not used again.
        unsafe { ptr::drop_in_place(block.0.as_ptr()) }
    }
}

impl<T, P: Place> Deref for TierBox<T, P> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: there is a value for as long as we live.
        unsafe { self.value.as_ref() }
    }
}

impl<T, P: Place> DerefMut for TierBox<T, P> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and nobody else's.
        unsafe { self.value.as_mut() }
    }
}

impl<T: fmt::Debug, P: Place> fmt::Debug for TierBox<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display, P: Place> fmt::Display for TierBox<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: PartialEq, P: Place> PartialEq for TierBox<T, P> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq, P: Place> Eq for TierBox<T, P> {}

impl<T, P: Place> AsRef<T> for TierBox<T, P> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T, P: Place> AsMut<T> for TierBox<T, P> {
    fn as_mut(&mut self) -> &mut T {
        self
    }
}
