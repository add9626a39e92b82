// SPDX-License-Identifier: BSD-2-Clause
//! A tier for what a thread allocates from here to there.
use std::ffi::CString;
use std::io;
use std::marker::PhantomData;

use crate::info::result;
use crate::{sys, Tier};

/// While it lives, this thread's allocations try a tier first: those of
/// [`Tier::Policy`], and with `libcxlmalloc.so` all of malloc's, `Box` and `Vec` among them.
///
/// ```
/// use cxlmalloc::{tier_of, Scope, Tier, TierBox};
/// let scope = Scope::enter(Tier::Cxl)?;
/// let value = TierBox::new(Tier::Policy, [0u8; 4096]);
/// assert_eq!(tier_of(&*value), Some(Tier::Cxl));
/// drop(scope);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// It stays with its thread:
///
/// ```compile_fail
/// let scope = cxlmalloc::Scope::enter(cxlmalloc::Tier::Cxl).unwrap();
/// std::thread::spawn(move || drop(scope));
/// ```
#[derive(Debug)]
#[must_use = "the scope ends where it is dropped"]
pub struct Scope {
    of_this_thread: PhantomData<*mut ()>,
}

impl Scope {
    /// Begins one. They nest, [`CXLM_SCOPES_MAX`](sys::CXLM_SCOPES_MAX) deep.
    pub fn enter(tier: Tier) -> io::Result<Scope> {
        // SAFETY: any tier is allowed.
        result(unsafe { sys::cxlm_push(tier.raw()) })?;
        Ok(Scope {
            of_this_thread: PhantomData,
        })
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        // SAFETY: it fails without a scope, and does no harm.
        unsafe { sys::cxlm_pop() };
    }
}

/// Calls a function in a scope.
///
/// ```
/// use cxlmalloc::{scope, tier_of, Tier, TierVec};
/// let v = scope(Tier::Cxl, || TierVec::from_slice(Tier::Policy, &[1, 2, 3]))?;
/// assert_eq!(tier_of(v.as_ptr()), Some(Tier::Cxl));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn scope<R>(tier: Tier, call: impl FnOnce() -> R) -> io::Result<R> {
    let _scope = Scope::enter(tier)?;
    Ok(call())
}

/// The operator's tier for data of that name (`hint=NAME:TIER`), else the one given. Ask
/// once, not for each block.
pub fn hint(name: &str, otherwise: Tier) -> Tier {
    let name = match CString::new(name) {
        Ok(name) => name,
        Err(_) => return otherwise,
    };
    // SAFETY: it is a string.
    match unsafe { sys::cxlm_hint(name.as_ptr(), otherwise.raw()) } {
        sys::CXLM_TIER_POLICY => Tier::Policy,
        raw => Tier::from_raw(raw).unwrap_or(otherwise),
    }
}
