#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# build.sh [DIRECTORY] - cxlmalloc.jar and libcxlmalloc-jni.so into a directory
#
# DIRECTORY      ./out unless given; nothing is written elsewhere
# JAVA_HOME      a JDK, 11 or later; else the one javac is of
# CC, CFLAGS     the C compiler
# CXLMEM_CFLAGS, CXLMEM_LIBS   where libcxlmem is; else pkg-config says
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-out}
mkdir -p "$out/classes" "$out/include"
if [ -z "${JAVA_HOME-}" ]; then
	JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
fi
if [ -z "${CXLMEM_LIBS-}" ]; then
	CXLMEM_CFLAGS=$(pkg-config --cflags cxlmem)
	CXLMEM_LIBS=$(pkg-config --libs cxlmem)
fi

"$JAVA_HOME/bin/javac" -Xlint:all -Werror --release 11 -encoding UTF-8 \
	-h "$out/include" -d "$out/classes" "$here"/src/io/cxlmalloc/*.java
echo 'Automatic-Module-Name: io.cxlmalloc' >"$out/manifest"
"$JAVA_HOME/bin/jar" --create --file "$out/cxlmalloc.jar" \
	--manifest "$out/manifest" -C "$out/classes" .

# The libraries' flags are lists of words.
# shellcheck disable=SC2086
${CC:-cc} -std=c11 -D_POSIX_C_SOURCE=200809L ${CFLAGS--O2 -g} \
	-Wall -Wextra -fPIC -fvisibility=hidden -shared \
	-I"$JAVA_HOME/include" -I"$JAVA_HOME/include/linux" -I"$out/include" \
	${CXLMEM_CFLAGS-} -o "$out/libcxlmalloc-jni.so" \
	"$here"/jni/*.c -Wl,-z,defs ${CXLMEM_LIBS} -lc
