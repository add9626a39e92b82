// SPDX-License-Identifier: BSD-2-Clause
//! Every value by its name, as `cxlctl` shows them.
//!
//! ```
//! use cxlmalloc::ctl;
//! ctl::set("conf", "cxl.limit=64m")?;
//! assert_eq!(ctl::number("tier.cxl.limit")?, 64 << 20);
//! assert_eq!(ctl::string("policy")?, "priority");
//! # Ok::<(), std::io::Error>(())
//! ```
use std::ffi::CString;
use std::io;
use std::mem;
use std::ptr;

use crate::info::{result, text};
use crate::sys;

const ERANGE: i32 = 34;
const ENOENT: i32 = 2;

/// A number.
pub fn number(name: &str) -> io::Result<u64> {
    let name = CString::new(name)?;
    let (mut value, mut len) = (0u64, mem::size_of::<u64>());
    // SAFETY: value has that many bytes.
    result(unsafe {
        let old: *mut u64 = &mut value;
        sys::cxlm_ctl(name.as_ptr(), old.cast(), &mut len, ptr::null(), 0)
    })?;
    Ok(value)
}

/// A string.
pub fn string(name: &str) -> io::Result<String> {
    let name = CString::new(name)?;
    let mut value = vec![0u8; 64];
    loop {
        let mut len = value.len();
        // SAFETY: value has that many bytes.
        let said = result(unsafe {
            let old = value.as_mut_ptr();
            sys::cxlm_ctl(name.as_ptr(), old.cast(), &mut len, ptr::null(), 0)
        });
        match said {
            // It may have grown between two calls.
            Err(e) if e.raw_os_error() == Some(ERANGE) && len > value.len() => {
                value.resize(len, 0);
            }
            Err(e) => return Err(e),
            Ok(_) => {
                value.truncate(len.saturating_sub(1));
                return Ok(String::from_utf8_lossy(&value).into_owned());
            }
        }
    }
}

/// Writes a string: `set("conf", "policy=interleave,interleave=3:1")`.
pub fn set(name: &str, value: &str) -> io::Result<()> {
    let name = CString::new(name)?;
    // SAFETY: value has that many bytes.
    result(unsafe {
        let new = value.as_ptr();
        let none = ptr::null_mut();
        sys::cxlm_ctl(
            name.as_ptr(),
            none,
            ptr::null_mut(),
            new.cast(),
            value.len(),
        )
    })
    .map(drop)
}

/// Writes a number.
pub fn set_number(name: &str, value: u64) -> io::Result<()> {
    let name = CString::new(name)?;
    // SAFETY: value has that many bytes.
    result(unsafe {
        let new: *const u64 = &value;
        let none = ptr::null_mut();
        let len = mem::size_of::<u64>();
        sys::cxlm_ctl(name.as_ptr(), none, ptr::null_mut(), new.cast(), len)
    })
    .map(drop)
}

/// All names there are, and whether they may be written.
pub fn names() -> io::Result<Vec<(String, bool)>> {
    let mut all = Vec::new();
    loop {
        // SAFETY: integers and characters may be zero; the size is the structure's.
        let said = unsafe {
            let mut info: sys::cxlm_ctl_info = mem::zeroed();
            info.size = mem::size_of_val(&info);
            result(sys::cxlm_ctl_name(all.len() as u32, &mut info)).map(|_| info)
        };
        match said {
            Ok(info) => all.push((text(&info.name), info.writable != 0)),
            Err(e) if e.raw_os_error() == Some(ENOENT) => return Ok(all),
            Err(e) => return Err(e),
        }
    }
}
