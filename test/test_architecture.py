"""Data flows one way: a module imports only from modules above it in ORDER, or within a package in INSIDE."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ENVIRONMENT, ROOT

import rnntag.evaluation

PACKAGE = Path(rnntag.__file__).parent
ORDER = ["errors", "compression", "files", "datasets", "corpus", "tokenisation", "vocab", "options", "features",
         "layers", "cells", "rnn", "output", "network", "committee", "optim", "hmm", "vectors", "vectorfile",
         "tagger", "adaptation", "calibration", "constraints", "evaluation", "check", "variation", "archive",
         "modelfile", "trainer", "processes", "validation", "checkpoint", "parallel", "diagnose", "inspection",
         "preparation", "api", "adapters", "cli"]
INSIDE = {"corpus": ["base", "columns", "horizontal", "jsonl", "detect"],
          "evaluation": ["scores", "significance", "curve", "grading", "breakdown", "figures", "page"]}
MODULES = sorted(PACKAGE.glob("*.py")) + sorted(PACKAGE.glob("*/*.py"))


def position(path):
    """What the file counts as: its place in ORDER; __main__ is part of the command line."""
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    name = "cli" if name == "__main__" else name
    assert name in ORDER, f"give {name}.py its place in ORDER, and in the list of rnntag/__init__.py"
    return ORDER.index(name)


def imported(path):
    """The modules of the package that a file imports anywhere in it, functions included."""
    depth = len(path.relative_to(PACKAGE).parts)  # dots that lead to the package itself
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            names = [node.module] if node.module else [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name.removeprefix("rnntag.") for name in full if name.startswith("rnntag.")]
        elif isinstance(node, ast.Import):
            names = [alias.name.removeprefix("rnntag.") for alias in node.names
                     if alias.name.startswith("rnntag.")]
        else:
            continue
        yield from (name.split(".")[0] for name in names if name != "__version__")


def siblings(path):
    """The modules of its own subpackage that a file imports anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            yield from [node.module] if node.module else [alias.name for alias in node.names]


@pytest.mark.parametrize("path", [path for path in MODULES if path != PACKAGE / "__init__.py"],
                         ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_modules_above_it(path):
    above = ORDER if position(path) == ORDER.index("cli") else ORDER[:position(path)]
    wrong = [name for name in imported(path) if name not in above]
    assert not wrong, f"{path.name} may not import {wrong}"


@pytest.mark.parametrize("package", INSIDE)
def test_a_module_of_a_subpackage_imports_only_from_those_above_it(package):
    order = INSIDE[package]
    assert {path.stem for path in (PACKAGE / package).glob("*.py")} == {"__init__", *order}
    for place, name in enumerate(order):
        wrong = set(siblings(PACKAGE / package / f"{name}.py")) - set(order[:place])
        assert not wrong, f"{package}/{name}.py may not import {sorted(wrong)}"


def test_the_lists_of_modules_are_those_of_the_order():
    summary = re.findall(r"^    (\w+) +\S", rnntag.__doc__, re.MULTILINE)
    assert summary == ORDER
    table = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("\n## The map\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)/?` \|", table, re.MULTILINE) == ORDER
    inside = re.findall(r"^    (\w+) +\S", rnntag.evaluation.__doc__, re.MULTILINE)
    assert inside == INSIDE["evaluation"]


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
    (tmp_path / "x.py").write_text(
        "from . import errors, __version__\nimport rnntag.files\ndef f():\n    from .cli.main import main\n"
        "    from rnntag import hmm\n    import numpy\n    from rnntag.vocab import V\n")
    assert sorted(imported(tmp_path / "x.py")) == ["cli", "errors", "files", "hmm", "vocab"]
