# SPDX-License-Identifier: BSD-2-Clause
"""The one thing pyproject.toml cannot say: an extension that may be missing.

Without a compiler or Python.h the package is installed all the same, says so in
one line, and numpy's arrays are made in Buffers. Nothing but Python.h is needed;
numpy's headers, where they are, are checked against.
"""

import os
import sys
import sysconfig

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# Exported buffers are in the stable ABI from Python 3.11 on.
STABLE = (3, 11)
stable = sys.version_info >= STABLE and sys.implementation.name == "cpython"
stable = stable and not sysconfig.get_config_var("Py_GIL_DISABLED")
macros = [("Py_LIMITED_API", "0x030b0000")] if stable else []
include = []
try:
    import numpy

    headers = numpy.get_include()
    if os.path.exists(os.path.join(headers, "numpy", "ndarraytypes.h")):
        macros.append(("CXLMALLOC_NUMPY_HEADERS", None))
        include.append(headers)
except ImportError:
    pass


class build_optional(build_ext):
    def build_extension(self, ext):
        reason = self.missing()
        if not reason:
            try:
                return super().build_extension(ext)
            except Exception as error:
                reason = str(error).splitlines()[0]
        print(
            "cxlmalloc: no C extension: " + reason + "; numpy's own functions will "
            "follow a scope only where libcxlmalloc.so is preloaded",
            file=sys.stderr,
        )
        ext.failed = True
        path = os.path.join(self.build_lib, "cxlmalloc")
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, "_reason.py"), "w") as file:
            file.write(f"reason = {reason!r}\n")

    def missing(self):
        if os.environ.get("CXLMALLOC_NO_EXTENSION"):
            return "CXLMALLOC_NO_EXTENSION is set"
        header = os.path.join(sysconfig.get_paths()["include"], "Python.h")
        if not os.path.exists(header):
            return f"no {header} (Debian: python3-dev)"
        return ""

    def get_outputs(self):
        failed = {
            self.get_ext_fullpath(ext.name)
            for ext in self.extensions
            if getattr(ext, "failed", False)
        }
        return [path for path in super().get_outputs() if path not in failed]


setup(
    cmdclass={"build_ext": build_optional},
    ext_modules=[
        Extension(
            "cxlmalloc._native",
            ["cxlmalloc/_native.c"],
            define_macros=macros,
            include_dirs=include,
            extra_compile_args=["-std=gnu11", "-Wall", "-Wextra"],
            py_limited_api=stable,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if stable else {},
)
