// SPDX-License-Identifier: BSD-2-Clause
//! A growing array on a tier or in a pool.
use std::alloc::{handle_alloc_error, Layout};
use std::borrow::{Borrow, BorrowMut};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::io;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::slice;

use crate::place::{dealloc, AllocError, Place};
use crate::{On, Pool};

/// Elements side by side, as `Vec` has them; it is a slice in all else.
///
/// ```
/// use cxlmalloc::{tier_of, Tier, TierVec};
/// let mut v = TierVec::new(Tier::Cxl);
/// v.extend(0..1000);
/// v.push(1000);
/// assert_eq!(v.iter().sum::<i32>(), 500500);
/// assert_eq!(tier_of(v.as_ptr()), Some(Tier::Cxl));
/// ```
pub struct TierVec<T, P: Place = On> {
    first: NonNull<T>,
    capacity: usize,
    len: usize,
    place: P,
    owns: PhantomData<T>,
}

/// Elements in a pool, which outlives them.
pub type PoolVec<'p, T> = TierVec<T, &'p Pool>;

// SAFETY: it owns its elements, as Vec does; blocks may be freed by any thread.
unsafe impl<T: Send, P: Place + Send> Send for TierVec<T, P> {}
unsafe impl<T: Sync, P: Place + Sync> Sync for TierVec<T, P> {}

impl<T> TierVec<T> {
    /// An empty one, which takes no memory yet.
    pub fn new(on: impl Into<On>) -> TierVec<T> {
        TierVec::new_in(on.into())
    }

    /// One with room for elements. Ends the program when there is no memory.
    pub fn with_capacity(on: impl Into<On>, capacity: usize) -> TierVec<T> {
        let mut v = TierVec::new(on);
        v.reserve_exact(capacity);
        v
    }

    /// A copy of a slice. Ends the program when there is no memory.
    pub fn from_slice(on: impl Into<On>, elements: &[T]) -> TierVec<T>
    where
        T: Clone,
    {
        let mut v = TierVec::with_capacity(on, elements.len());
        v.extend_from_slice(elements);
        v
    }

    /// Moves the elements to another tier, and to other addresses; what is added later
    /// goes there, too. (To move pages and keep addresses there is
    /// [`pages::migrate`](crate::pages::migrate).) On failure all is as it was.
    pub fn move_to(&mut self, on: impl Into<On>) -> Result<(), AllocError> {
        let mut other = TierVec::new(on);
        other.try_reserve_exact(self.len)?;
        // SAFETY: there is room for all; they are the other's from here on.
        unsafe {
            ptr::copy_nonoverlapping(self.as_ptr(), other.first.as_ptr(), self.len);
            other.len = mem::replace(&mut self.len, 0);
        }
        *self = other;
        Ok(())
    }
}

impl<T, P: Place> TierVec<T, P> {
    const ZERO_SIZED: bool = mem::size_of::<T>() == 0;

    /// An empty one, which takes no memory yet.
    pub fn new_in(place: P) -> TierVec<T, P> {
        TierVec {
            first: NonNull::dangling(),
            capacity: if Self::ZERO_SIZED { usize::MAX } else { 0 },
            len: 0,
            place,
            owns: PhantomData,
        }
    }

    /// How many elements there is room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Where its memory comes from.
    pub fn place(&self) -> P {
        self.place
    }

    fn block(&self) -> Layout {
        // SAFETY: such a block was allocated, so it is not too large.
        unsafe {
            Layout::from_size_align_unchecked(
                self.capacity * mem::size_of::<T>(),
                mem::align_of::<T>(),
            )
        }
    }

    fn set_capacity(&mut self, capacity: usize) -> Result<(), AllocError> {
        debug_assert!(!Self::ZERO_SIZED && capacity >= self.len);
        let wanted = Layout::array::<T>(capacity).map_err(|_| AllocError)?;
        if capacity == 0 {
            if self.capacity != 0 {
                // SAFETY: no element is left in it.
                unsafe { dealloc(self.first.cast()) };
                self.first = NonNull::dangling();
            }
        } else if self.capacity == 0 {
            self.first = self.place.allocate(wanted)?.cast();
        } else {
            // SAFETY: the block is ours, of that layout, and the size is not 0.
            self.first = unsafe {
                self.place
                    .resize(self.first.cast(), self.block(), wanted.size())?
                    .cast()
            };
        }
        self.capacity = capacity;
        Ok(())
    }

    /// Room for more elements, some in reserve, or an error and all is as it was.
    pub fn try_reserve(&mut self, additional: usize) -> Result<(), AllocError> {
        let wanted = self.len.checked_add(additional).ok_or(AllocError)?;
        if wanted <= self.capacity {
            return Ok(());
        }
        let least = match mem::size_of::<T>() {
            0..=16 => 4,
            _ => 1,
        };
        let ample = wanted.max(self.capacity.saturating_mul(2)).max(least);
        self.set_capacity(ample)
            .or_else(|AllocError| self.set_capacity(wanted))
    }

    /// Room for just so many more elements, or an error and all is as it was.
    pub fn try_reserve_exact(&mut self, additional: usize) -> Result<(), AllocError> {
        let wanted = self.len.checked_add(additional).ok_or(AllocError)?;
        if wanted <= self.capacity {
            return Ok(());
        }
        self.set_capacity(wanted)
    }

    fn or_end(&self, result: Result<(), AllocError>, additional: usize) {
        if result.is_err() {
            let wanted = self.len.checked_add(additional);
            match wanted.map(Layout::array::<T>) {
                Some(Ok(layout)) => handle_alloc_error(layout),
                _ => panic!("capacity overflow"),
            }
        }
    }

    /// Room for more elements. Ends the program when there is no memory.
    pub fn reserve(&mut self, additional: usize) {
        let result = self.try_reserve(additional);
        self.or_end(result, additional);
    }

    /// Room for just so many more. Ends the program when there is no memory.
    pub fn reserve_exact(&mut self, additional: usize) {
        let result = self.try_reserve_exact(additional);
        self.or_end(result, additional);
    }

    /// Gives back the room that is not needed, if it can.
    pub fn shrink_to_fit(&mut self) {
        if !Self::ZERO_SIZED && self.capacity > self.len {
            let _ = self.set_capacity(self.len);
        }
    }

    /// Adds an element at the end.
    pub fn push(&mut self, value: T) {
        if self.len == self.capacity {
            self.reserve(1);
        }
        // SAFETY: there is room behind the last.
        unsafe { ptr::write(self.first.as_ptr().add(self.len), value) };
        self.len += 1;
    }

    /// Adds an element at the end, or returns it when there is no memory.
    pub fn try_push(&mut self, value: T) -> Result<(), T> {
        if self.len == self.capacity && self.try_reserve(1).is_err() {
            return Err(value);
        }
        self.push(value);
        Ok(())
    }

    /// Takes the last element.
    pub fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        // SAFETY: it was the last, and is not counted any more.
        Some(unsafe { ptr::read(self.first.as_ptr().add(self.len)) })
    }

    /// Puts an element in front of another, or at the end.
    pub fn insert(&mut self, index: usize, value: T) {
        assert!(index <= self.len, "insertion index is beyond the end");
        self.push(value);
        self[index..].rotate_right(1);
    }

    /// Takes an element; those behind it move up.
    pub fn remove(&mut self, index: usize) -> T {
        self[index..].rotate_left(1);
        self.pop().expect("one is there: the index was")
    }

    /// Takes an element; the last takes its place.
    pub fn swap_remove(&mut self, index: usize) -> T {
        let last = self.len - 1;
        self.swap(index, last);
        self.pop().expect("one is there: the index was")
    }

    /// Keeps the first elements only.
    pub fn truncate(&mut self, len: usize) {
        if len < self.len {
            // SAFETY: they are not counted any more, also if a drop panics.
            unsafe {
                let rest: *mut [T] = &mut self[len..];
                self.len = len;
                ptr::drop_in_place(rest);
            }
        }
    }

    /// Drops all elements; the room stays.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Adds copies of a slice's elements.
    pub fn extend_from_slice(&mut self, elements: &[T])
    where
        T: Clone,
    {
        self.reserve(elements.len());
        elements.iter().for_each(|e| self.push(e.clone()));
    }

    /// So many elements, new ones being copies of the value.
    pub fn resize(&mut self, len: usize, value: T)
    where
        T: Clone,
    {
        self.truncate(len);
        self.reserve(len - self.len);
        while self.len < len {
            self.push(value.clone());
        }
    }

    /// The elements, for good.
    pub fn leak<'a>(self) -> &'a mut [T]
    where
        P: 'a,
    {
        let this = ManuallyDrop::new(self);
        // SAFETY: nobody else will have them.
        unsafe { slice::from_raw_parts_mut(this.first.as_ptr(), this.len) }
    }
}

impl<T, P: Place> Drop for TierVec<T, P> {
    fn drop(&mut self) {
        // The block is given back also when an element's drop panics.
        struct Block<T>(NonNull<T>, bool);
        impl<T> Drop for Block<T> {
            fn drop(&mut self) {
                if self.1 {
                    // SAFETY: the elements in it have been dropped.
                    unsafe { dealloc(self.0.cast()) }
                }
            }
        }
        let _block = Block(self.first, !Self::ZERO_SIZED && self.capacity != 0);
        self.clear();
    }
}

impl<T, P: Place> Deref for TierVec<T, P> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: so many elements are there.
        unsafe { slice::from_raw_parts(self.first.as_ptr(), self.len) }
    }
}

impl<T, P: Place> DerefMut for TierVec<T, P> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and nobody else's.
        unsafe { slice::from_raw_parts_mut(self.first.as_ptr(), self.len) }
    }
}

impl<T, P: Place> Extend<T> for TierVec<T, P> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, elements: I) {
        let elements = elements.into_iter();
        self.reserve(elements.size_hint().0);
        elements.for_each(|e| self.push(e));
    }
}

impl<'a, T: Copy + 'a, P: Place> Extend<&'a T> for TierVec<T, P> {
    fn extend<I: IntoIterator<Item = &'a T>>(&mut self, elements: I) {
        self.extend(elements.into_iter().copied());
    }
}

impl<T: Clone, P: Place> Clone for TierVec<T, P> {
    fn clone(&self) -> Self {
        let mut v = TierVec::new_in(self.place);
        v.extend_from_slice(self);
        v
    }
}

impl<T: fmt::Debug, P: Place> fmt::Debug for TierVec<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: PartialEq<U>, U, P: Place, Q: Place> PartialEq<TierVec<U, Q>> for TierVec<T, P> {
    fn eq(&self, other: &TierVec<U, Q>) -> bool {
        **self == **other
    }
}

macro_rules! equal_to {
    ($($type:ty $(, $n:ident)?;)*) => {$(
        impl<T: PartialEq<U>, U, P: Place $(, const $n: usize)?> PartialEq<$type>
            for TierVec<T, P>
        {
            fn eq(&self, other: &$type) -> bool {
                **self == other[..]
            }
        }
    )*};
}

equal_to! { [U]; &[U]; Vec<U>; [U; N], N; &[U; N], N; }

impl<T: Eq, P: Place> Eq for TierVec<T, P> {}

impl<T: Hash, P: Place> Hash for TierVec<T, P> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state)
    }
}

impl<T, P: Place> AsRef<[T]> for TierVec<T, P> {
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<T, P: Place> AsMut<[T]> for TierVec<T, P> {
    fn as_mut(&mut self) -> &mut [T] {
        self
    }
}

impl<T, P: Place> Borrow<[T]> for TierVec<T, P> {
    fn borrow(&self) -> &[T] {
        self
    }
}

impl<T, P: Place> BorrowMut<[T]> for TierVec<T, P> {
    fn borrow_mut(&mut self) -> &mut [T] {
        self
    }
}

/// Bytes are appended; no memory is an error.
impl<P: Place> io::Write for TierVec<u8, P> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.try_reserve(bytes.len())
            .map_err(|e| io::Error::new(io::ErrorKind::OutOfMemory, e))?;
        self.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The elements of a [`TierVec`], one after another.
pub struct IntoIter<T, P: Place = On> {
    // Its len is 0: what is left of the elements is ours to drop.
    block: TierVec<T, P>,
    next: usize,
    end: usize,
}

impl<T, P: Place> Iterator for IntoIter<T, P> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.next == self.end {
            return None;
        }
        self.next += 1;
        // SAFETY: each is read once.
        Some(unsafe { ptr::read(self.block.first.as_ptr().add(self.next - 1)) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.end - self.next;
        (left, Some(left))
    }
}

impl<T, P: Place> DoubleEndedIterator for IntoIter<T, P> {
    fn next_back(&mut self) -> Option<T> {
        if self.next == self.end {
            return None;
        }
        self.end -= 1;
        // SAFETY: each is read once.
        Some(unsafe { ptr::read(self.block.first.as_ptr().add(self.end)) })
    }
}

impl<T, P: Place> ExactSizeIterator for IntoIter<T, P> {}

impl<T, P: Place> Drop for IntoIter<T, P> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

impl<T, P: Place> IntoIterator for TierVec<T, P> {
    type Item = T;
    type IntoIter = IntoIter<T, P>;

    fn into_iter(mut self) -> IntoIter<T, P> {
        let end = mem::replace(&mut self.len, 0);
        IntoIter {
            block: self,
            next: 0,
            end,
        }
    }
}

impl<'a, T, P: Place> IntoIterator for &'a TierVec<T, P> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> slice::Iter<'a, T> {
        self.iter()
    }
}

impl<'a, T, P: Place> IntoIterator for &'a mut TierVec<T, P> {
    type Item = &'a mut T;
    type IntoIter = slice::IterMut<'a, T>;

    fn into_iter(self) -> slice::IterMut<'a, T> {
        self.iter_mut()
    }
}
