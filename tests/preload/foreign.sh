#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# foreign - pointers of other allocators meet our free, realloc and
# malloc_usable_size, and the program goes on
. "$(dirname "$0")/lib.sh"

build foreign_libc
build foreign_jemalloc -ljemalloc
build foreign_plugin
build_so plugin.so plugin
build_so plugin_jemalloc.so plugin -ljemalloc
_i=0
while [ $_i -lt 40 ]; do
	cp "$tmp/plugin.so" "$tmp/tls$_i.so"
	_i=$((_i + 1))
done

preload_takes_effect
with_configs tap_from "$tmp/foreign_libc"
with_configs tap_from "$tmp/foreign_jemalloc"
# Debian's libjemalloc wants more static TLS than dlopen has to spare.
GLIBC_TUNABLES=glibc.rtld.optional_static_tls=20000
export GLIBC_TUNABLES
with_configs tap_from "$tmp/foreign_plugin" "$tmp/plugin.so" \
	"$tmp/plugin_jemalloc.so" "$tmp"
done_testing
