"""What every command has: help, its options under headings with their defaults, a version."""

import re
import subprocess
import sys

import click
import pytest
from conftest import ENVIRONMENT, ROOT
from invoking import invoke

from rnntag.cli.main import COMMANDS
from rnntag.cli.main import main as umbrella


def commands():
    context = click.Context(umbrella)
    return {name: umbrella.get_command(context, name) for name in COMMANDS}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_and_version(name):
    for flag in ("-h", "--help"):
        assert invoke(umbrella, name, flag)[0].startswith("Usage: ")
    assert invoke(commands()[name], "--version")[0].startswith("rnntag, version ")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_lists_every_option_once_under_headings(name):
    text = invoke(umbrella, name, "--help")[0]
    assert "INTEGER" not in text and "9223372036854775807" not in text
    wanted = ["Options", "Input", "Network", "Training", "How corpora are read", "General"]
    headings = [line[:-1] for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == [heading for heading in wanted if heading in headings] and headings[-1] == "General"
    for option in commands()[name].params:
        if isinstance(option, click.Option):
            assert len(re.findall(rf"^  (-\w, )?{max(option.opts, key=len)}\b(?!-)", text, re.MULTILINE)) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_with_a_value_names_its_default(name):
    command = commands()[name]
    context = click.Context(command)
    for option in command.params:
        if isinstance(option, click.Option) and not option.is_flag:
            shown = option.get_help_record(context)[1]
            assert re.search(r"[(\[;] ?default: |\(default\)", shown), f"{option.name}: {shown}"


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_of_one_value_cannot_be_given_twice(name):
    for option in commands()[name].params:
        if isinstance(option, click.Option) and not option.is_flag and not option.multiple:
            flag = option.opts[-1]
            _, err = invoke(commands()[name], flag, "1", flag, "1", "a", "b", status=2)
            assert f"Error: {flag}: given twice; it has one value." in err


@pytest.mark.parametrize("script", ["train_rnn", "test_rnn"])
def test_scripts_run_from_a_checkout(script, tmp_path):
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "PYTHONPATH"}
    result = subprocess.run([sys.executable, ROOT / f"{script}.py", "-h"], cwd=tmp_path, env=environment,
                            capture_output=True, timeout=60)
    assert result.returncode == 0 and result.stdout.startswith(f"Usage: {script}.py".encode())
