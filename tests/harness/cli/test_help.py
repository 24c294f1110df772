"""Help says what each option takes in words, for every command."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.main import get_command

from mmbench.harness.cli.app import app

WORD = re.compile(r"[A-Z]+|[a-z-]+(\|[a-z-]+)+")


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


EVERY = dict(commands(get_command(app)))


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_what_an_option_takes(command: Callable[..., tuple[int, str, str]], path: tuple[str, ...]) -> None:
    status, out, _ = command(*path, "--help")
    assert status == 0
    assert not re.search(r"<|\bTEXT\b|\bINTEGER\b|\bPATH\b|list\[|\{", out.replace('{"id": ...,', "")), out
    for param in EVERY[path].params:
        if param.param_type_name == "argument":
            assert str(param.metavar or param.name.upper()) in out.splitlines()[0]
            continue
        (flag,) = param.opts
        (shown,) = re.findall(rf"^  {flag}(?:, \S+)?(?: (\S+))?(?:  |$)", out, re.MULTILINE)
        assert param.is_flag if not shown else WORD.fullmatch(shown), (flag, shown)


def test_names_that_readers_know(command: Callable[..., tuple[int, str, str]]) -> None:
    _, out, _ = command("run", "--help")
    for line in ("--model NAME", "--limit N", "--output FOLDER", "--store FILE", "--format table|json", "--dry-run  "):
        assert f"  {line}" in out
    assert command("compare", "--help")[1].startswith("Usage: mmbench compare [OPTIONS] A B [C]...")
    assert command("score", "--help")[1].startswith("Usage: mmbench score [OPTIONS] TASK PREDICTIONS\n")
