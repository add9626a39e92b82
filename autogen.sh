#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# autogen.sh - make ./configure from a git clone (autoconf, automake, libtool)
cd "$(dirname "$0")" && exec autoreconf --install --force
