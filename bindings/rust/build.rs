// SPDX-License-Identifier: BSD-2-Clause
//! Finds libcxlmem: in CXLMEM_LIB_DIR, else where pkg-config says, else where the
//! linker looks anyway.
use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=CXLMEM_LIB_DIR");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    println!("cargo:rustc-link-lib=dylib=cxlmem");
    if let Ok(dir) = env::var("CXLMEM_LIB_DIR") {
        println!("cargo:rustc-link-search=native={}", dir);
        return;
    }
    let pkg_config = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".into());
    let said = Command::new(pkg_config)
        .args(["--libs-only-L", "cxlmem"])
        .output();
    if let Ok(output) = said {
        for flag in String::from_utf8_lossy(&output.stdout).split_whitespace() {
            if let Some(dir) = flag.strip_prefix("-L") {
                println!("cargo:rustc-link-search=native={}", dir);
            }
        }
    }
}
