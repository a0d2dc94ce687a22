"""Data flows one way: a room imports only what its first lines say, from rooms above it; no imports in a circle."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ENVIRONMENT, ROOT

import rnntag

PACKAGE = Path(rnntag.__file__).parent
ROOMS = re.findall(r"^    (\w+) +\S", rnntag.__doc__, re.MULTILINE)  # in the order in which data flows
FOLDERS = [name for name in ROOMS if (PACKAGE / name).is_dir()]
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def dotted(path):
    """The module of a file, as parts: ("corpus", "base")."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imported(path):
    """The modules of the package that a file imports anywhere in it, functions included, as parts."""
    parts = dotted(path)
    here = parts if path.name == "__init__.py" else parts[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = here[:len(here) - node.level + 1] if node.level else ()
            module = tuple(node.module.split(".")) if node.module else ()
            if not node.level:
                if module[:1] != ("rnntag",):
                    continue
                module = module[1:]
            yield from ((*base, *module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (tuple(alias.name.split("."))[1:] for alias in node.names if alias.name.startswith("rnntag."))


def room(parts):
    """The room of a module: its folder, or itself."""
    return "cli" if parts[0] == "__main__" else parts[0]


def allowed(name):
    """The rooms that a room may import, as its first lines say; a module that is no folder, any above it."""
    if name not in FOLDERS:
        return ROOMS[:ROOMS.index(name)]
    doc = ast.get_docstring(ast.parse((PACKAGE / name / "__init__.py").read_text("utf-8")))
    (said,) = re.findall(r"^May import: (.+)\.$", doc, re.MULTILINE)
    if said == "everything above":
        return ROOMS[:ROOMS.index(name)]
    return [] if said == "nothing but numpy" else said.split(", ")


def test_the_rooms_are_those_that_the_package_lists():
    assert sorted(ROOMS) == sorted({room(dotted(path)) for path in MODULES})


@pytest.mark.parametrize("name", FOLDERS)
def test_a_room_may_import_only_rooms_above_it(name):
    assert set(allowed(name)) <= set(ROOMS[:ROOMS.index(name)])


def test_the_drawing_has_the_arrows_that_the_rooms_name():
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    columns = {}  # where a line falls, and from which room
    for line in re.search(r"```text\n( +nn\n.*?)```", text, re.DOTALL)[1].splitlines():
        if name := re.search(r"[a-z]{2,}", line):
            arrows = {room for column, room in columns.items() if line[column] == "o"}
            assert arrows == set(allowed(name[0])) & set(columns.values()), name[0]
            columns[name.start()] = name[0]
    assert list(columns.values()) == [name for name in FOLDERS if name not in ("adapters", "cli")]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_what_its_room_may(path):
    name = room(dotted(path))
    others = {target[0] for target in imported(path) if target[0] not in ("__version__", name)}
    assert others <= set(allowed(name)), f"{path.relative_to(PACKAGE)} may not import {others - set(allowed(name))}"


def test_no_arrow_runs_back_within_a_room():
    modules = {dotted(path): path for path in MODULES if path.name != "__init__.py"}
    arrows = {name: {target[:k] for target in imported(path) for k in (2, 3) if target[:k] in modules and k > 1}
              for name, path in modules.items()}
    while arrows:  # take away what imports nothing that is left: a circle stays
        done = {name for name, targets in arrows.items() if not (targets - {name}) & arrows.keys()}
        assert done, f"a circle among {sorted('.'.join(name) for name in arrows)}"
        arrows = {name: targets for name, targets in arrows.items() if name not in done}


def test_nn_imports_numpy_alone():
    for path in (PACKAGE / "nn").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = ([alias.name for alias in node.names] if isinstance(node, ast.Import) else
                     [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else [])
            assert all(name.split(".")[0] in {"numpy", *sys.stdlib_module_names} for name in names)


def test_importing_the_package_imports_nothing_else_of_it_and_sets_no_threads():
    program = ("import os, sys; before = dict(os.environ); import rnntag; "
               "print([name for name in sys.modules if name.startswith(('rnntag.', 'numpy'))]); "
               "rnntag.load, rnntag.train, rnntag.save; assert 'rnntag.api' in sys.modules; "
               "assert dict(os.environ) == before and 'rnntag.cli' not in sys.modules; "
               "assert 'load' in rnntag.__all__ and not hasattr(rnntag, 'nonsense')")
    result = subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, timeout=60)
    assert (result.stdout.strip(), result.stderr) == (b"[]", b"")


def test_imports_inside_functions_and_of_every_form_are_seen(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "x.py").write_text(
        "from .. import errors, __version__\nimport rnntag.files\ndef f():\n    from ..cli.main import main\n"
        "    from . import vocab\n    import numpy\n    from rnntag.nn.cells import GRU\n")
    assert sorted(imported(tmp_path / "text" / "x.py")) == [
        ("__version__",), ("cli", "main", "main"), ("errors",), ("files",), ("nn", "cells", "GRU"), ("text", "vocab")]
