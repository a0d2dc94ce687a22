"""Check what is built and what is installed: ``wheel FILE``, ``installed``, ``lowest SETUP_CFG``."""

from __future__ import annotations

import configparser
import re
import sys
import zipfile
from importlib import metadata

NEEDED = {"numpy", "click", "tqdm"}
TOOLS = {"pip", "setuptools", "wheel"}  # what a virtual environment begins with
COMPILED = (".so", ".pyd", ".dll", ".dylib")


def check_wheel(path: str) -> None:
    """A pure wheel that holds the package and its metadata, and nothing beside it."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    compiled = [name for name in names if name.endswith(COMPILED)]
    foreign = [name for name in names if not re.match(r"rnntag(-[^/]+\.dist-info)?/", name)]
    missing = {"rnntag/__main__.py", "rnntag/py.typed", "rnntag/cli/main.py",
               "rnntag/adapters/web/pages/annotate.js"}.difference(names)
    if not path.endswith("-py3-none-any.whl") or compiled or foreign or missing:
        sys.exit(f"{path}: not pure: {compiled}; foreign: {foreign}; missing: {sorted(missing)}")
    print(f"{path.rsplit('/', 1)[-1]}: {len(names)} files, pure Python")


def check_installed() -> None:
    """The environment has rnntag, what it needs, and nothing else."""
    found = {dist.metadata["Name"].lower(): dist.version for dist in metadata.distributions()}
    extra = found.keys() - TOOLS - NEEDED - {"rnntag"}
    missing = (NEEDED | {"rnntag"}) - found.keys()
    if extra or missing:
        sys.exit(f"pip install brought {sorted(extra)} too many, and not {sorted(missing)}")
    print(", ".join(f"{name} {found[name]}" for name in sorted(NEEDED | {"rnntag"})))


def print_lowest(setup_cfg: str) -> None:
    """The lower bounds of setup.cfg as exact requirements, one a line."""
    config = configparser.ConfigParser()
    config.read(setup_cfg, encoding="utf-8")
    print(config["options"]["install_requires"].strip().replace(">=", "=="))


if __name__ == "__main__":
    action, *arguments = sys.argv[1:]
    {"wheel": check_wheel, "installed": check_installed, "lowest": print_lowest}[action](*arguments)
