#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# cxx - operator new and delete with every C++ runtime, and none for C
. "$(dirname "$0")/lib.sh"

# build_cxx OUTPUT SOURCE COMPILER [FLAG...]
build_cxx()
{
	_output=$1 _source=$2
	shift 2
	"$@" -std=c++17 -fsized-deallocation -O1 -g -fno-builtin -Wall -Wextra \
		-pthread -D_GNU_SOURCE -o "$tmp/$_output" "$src/$_source.cpp" ||
		not_ok "$_output compiles"
}

CLANGXX=${CLANGXX:-clang++}
build_cxx shared cxx_forms $CXX
build_cxx static_libstdcxx cxx_forms $CXX -static-libstdc++ -static-libgcc
build_cxx exported_static cxx_forms $CXX -static-libstdc++ -rdynamic
build_cxx plugin_shared.so cxx_plugin $CXX -fPIC -shared
build_cxx plugin_static.so cxx_plugin $CXX -fPIC -shared -static-libstdc++ \
	-static-libgcc
programs="shared static_libstdcxx exported_static"
plugins="plugin_shared.so plugin_static.so"
if command -v "$CLANGXX" >/dev/null; then
	build_cxx libcxx cxx_forms "$CLANGXX" -stdlib=libc++
	build_cxx static_libcxx cxx_forms "$CLANGXX" -stdlib=libc++ \
		-static-libstdc++ -lc++abi
	build_cxx plugin_libcxx.so cxx_plugin "$CLANGXX" -stdlib=libc++ \
		-fPIC -shared
	programs="$programs libcxx static_libcxx"
	plugins="$plugins plugin_libcxx.so"
else
	skip "the forms with libc++" "no $CLANGXX here"
fi
build cxx_host

with_plugin()
{
	tap_from "$1" "$tmp/cxx_host" "$tmp/$2"
}

# What a C program maps: our library and libc, no C++ runtime, nothing else.
c_programs_stay_c()
{
	preload "$1" cat /proc/self/maps >"$tmp/maps"
	if grep -q 'libcxlmalloc' "$tmp/maps" &&
	   ! grep -Eq 'libstdc\+\+|libc\+\+|libgcc_s|libm\.so' "$tmp/maps"; then
		ok "[$1] a C program maps our library and no C++ runtime"
	else
		not_ok "[$1] a C program maps our library and no C++ runtime" \
			"$tmp/maps"
	fi
}

preload_takes_effect
for program in $programs; do
	case $program in
	*static*)	with_configs tap_from "$tmp/$program" own-runtime ;;
	*)		with_configs tap_from "$tmp/$program" ;;
	esac
done
for plugin in $plugins; do
	echo "# $plugin"
	with_configs with_plugin $plugin
done
with_configs c_programs_stay_c
done_testing
