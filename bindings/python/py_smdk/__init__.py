# SPDX-License-Identifier: BSD-2-Clause
"""The names of SMDK's Python package, for programs that were written for it."""

from . import py_smalloc as py_smalloc
