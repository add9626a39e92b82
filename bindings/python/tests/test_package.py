# SPDX-License-Identifier: BSD-2-Clause
"""The package itself: hints, documents, what is said when something is missing."""

import importlib.util
import inspect
import os
import pathlib
import re
import shutil
import subprocess
import sys
import typing
import warnings

import cxlmalloc
import pytest
from cxlmalloc import _block, _buffer, _ctl, _events, _handler, _info, _lib, _place
from cxlmalloc import _pool, _scope

HERE = pathlib.Path(__file__).resolve().parent.parent
MODULES = [_block, _buffer, _ctl, _events, _handler, _info, _lib, _place, _pool, _scope]


def run(script, env=None, preload=True, python=sys.executable):
    env = {**os.environ, **(env or {})}
    if not preload:
        env.pop("LD_PRELOAD", None)
    return subprocess.run(
        [python, "-c", script], env=env, text=True, capture_output=True, timeout=120
    )


def test_names():
    for name in cxlmalloc.__all__:
        assert getattr(cxlmalloc, name) is not None


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_hints_are_types(module):
    classes = {"Pool": _pool.Pool, "Scope": _scope.Scope}
    for _, item in inspect.getmembers(module):
        if getattr(item, "__module__", "") != module.__name__:
            continue
        functions = [item] if inspect.isfunction(item) else []
        if inspect.isclass(item):
            functions = [f for _, f in inspect.getmembers(item, inspect.isfunction)]
        for function in functions:
            if not function.__module__.startswith("cxlmalloc"):
                continue
            hints = typing.get_type_hints(
                function, {**vars(sys.modules[function.__module__]), **classes}
            )
            names = set(inspect.signature(function).parameters) - {"self"}
            if not function.__name__.startswith("<"):
                assert names <= set(hints), function


def test_typed_marker_is_installed():
    assert (pathlib.Path(cxlmalloc.__file__).parent / "py.typed").exists()


@pytest.mark.needs("libcxlmem", "extension")
@pytest.mark.skipif(not importlib.util.find_spec("mypy"), reason="no mypy")
def test_mypy(tmp_path):
    """What is installed, and what users see."""
    user = tmp_path / "user.py"
    user.write_text(
        "import cxlmalloc\n"
        "b: cxlmalloc.Buffer = cxlmalloc.Buffer(10, 'cxl', strict=True)\n"
        "moved: int = b.migrate('ddr')\n"
        "counts: dict[int, int] = cxlmalloc.residency(b)\n"
        "with cxlmalloc.tier('cxl') as scope:\n"
        "    view: memoryview = b.view()\n"
    )
    env = {**os.environ, "MYPY_CACHE_DIR": str(tmp_path / "cache")}
    env.pop("LD_PRELOAD", None)
    site = pathlib.Path(cxlmalloc.__file__).parent
    command = [sys.executable, "-m", "mypy", "--strict", "--no-warn-unused-ignores"]
    command += ["--no-error-summary"]
    checked = subprocess.run(
        [*command, str(site), str(site.parent / "py_smdk"), str(user)],
        env=env, text=True, capture_output=True, cwd=tmp_path,
    )  # fmt: skip
    assert not checked.stdout and checked.returncode == 0, checked.stdout
    user.write_text("import cxlmalloc\ncxlmalloc.Buffer('ten')\n")
    wrong = subprocess.run(
        [*command, str(user)], env=env, text=True, capture_output=True, cwd=tmp_path
    )
    assert "arg-type" in wrong.stdout, wrong


def blocks():
    """README.md's Python code; what a comment promises is checked."""
    text = (HERE / "README.md").read_text()
    return re.findall(r"```python\n(.*?)```", text, re.S)


def test_readme_begins_with_five_lines():
    text = (HERE / "README.md").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("<!--")]
    assert lines[0] == "```python" and lines[6] == "```"


def needs_of(code):
    needs = ["numpy following"] if "np." in code else []
    return needs + (["exports"] if "memoryview(" in code else [])


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, marks=pytest.mark.needs(*needs_of(code)))
        for number, code in enumerate(blocks())
    ],
)
def test_readme_code_runs(number):
    if "numpy" in blocks()[number]:
        pytest.importorskip("numpy")
    done = run(blocks()[number])
    assert done.returncode == 0, done.stderr
    wanted = re.findall(r"print\(.*?\) +# (.*)$", blocks()[number], re.M)
    got = done.stdout.splitlines()
    assert len(got) == len(wanted)
    for line, pattern in zip(got, wanted):
        assert re.fullmatch(re.escape(pattern).replace(r"\.\.\.", ".*"), line)


@pytest.mark.needs("extension")
def test_tour_runs():
    pytest.importorskip("numpy")
    tour = HERE / "examples" / "tour.py"
    done = subprocess.run(
        [sys.executable, str(tour)], text=True, capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "the end" in done.stdout.splitlines()[-1]


def test_import_error_says_what_to_do(tmp_path):
    done = run("import cxlmalloc", {"LIBCXLMEM": "/nowhere/lib.so"}, preload=False)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: cxlmalloc: libcxlmem.so.0 was not found")
    assert "/nowhere/lib.so" in last and "LIBCXLMEM" in last
    libc = "libc.so.6"
    done = run("import cxlmalloc", {"LIBCXLMEM": libc}, preload=False)
    assert "has no cxlm_malloc" in done.stderr.splitlines()[-1]


def test_a_preloaded_library_is_the_one_used():
    found = cxlmalloc.library()
    assert (found == "the process") == cxlmalloc.preloaded()
    assert cxlmalloc.preloaded() or found == os.environ["LIBCXLMEM"]


@pytest.mark.needs("libcxlmem")
def test_library_beside_the_package(tmp_path):
    path = os.environ["LIBCXLMEM"]
    package = tmp_path / "cxlmalloc"
    shutil.copytree(pathlib.Path(cxlmalloc.__file__).parent, package)
    shutil.copy(path, package / "libcxlmem.so.0")
    script = "import cxlmalloc; print(cxlmalloc.library(), cxlmalloc.Buffer(5).tier)"
    env = {"PYTHONPATH": str(tmp_path), "LIBCXLMEM": ""}
    done = run(script, env, preload=False)
    assert done.stdout.split() == [str(package / "libcxlmem.so.0"), "cxl"], done


def test_numpy_is_not_imported_for_nothing():
    done = run(
        "import sys, cxlmalloc\n"
        "with cxlmalloc.tier('cxl'): cxlmalloc.Buffer(5)\n"
        "print('numpy' in sys.modules)"
    )
    assert done.stdout.split() == ["False"], done


def test_the_end_of_the_interpreter_is_quiet():
    done = run(
        "import cxlmalloc, sys\n"
        "try: import numpy as np\n"
        "except ImportError: np = None\n"
        "cxlmalloc.tier('cxl').__enter__()\n"
        "sys.kept = [cxlmalloc.Buffer(10), cxlmalloc.Buffer(10).view()]\n"
        "sys.kept.append(np and np.ones(10))\n"
        "sys.kept.append(sys.kept)\n",
        {"PYTHONWARNINGS": "ignore"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.needs("no extension")
def test_without_the_extension_one_line_says_so():
    pytest.importorskip("numpy")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        _handler._warned = False
        for _ in range(3):
            with cxlmalloc.tier("cxl"):
                pass
    if cxlmalloc.preloaded():
        assert not seen
        return
    assert len(seen) == 1 and "extension was not built" in str(seen[0].message)
    assert seen[0].filename == __file__


@pytest.mark.needs("extension")
def test_extension_is_of_the_stable_abi():
    name = pathlib.Path(_block.native.__file__).name
    wanted = "_native.abi3.so" if sys.version_info >= (3, 11) else "_native"
    assert name.startswith(wanted)
