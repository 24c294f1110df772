"""Help says what each option takes in words, for every command."""

import gc
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.main import get_command

from mmbench.harness.cli import app as application
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


Command = Callable[..., tuple[int, str, str]]


def test_a_value_that_cannot_be_is_told_in_plain_english(command: Command) -> None:
    for arguments, said in (
        (("list", "modles"), "'modles' is not one of 'models', 'tasks', 'suites', 'metrics'; did you mean 'models'?"),
        (("run", "--limit", "0"), "'--limit': it must be at least 1"),
        (("run", "--limit", "ten"), "'--limit': it must be a whole number"),
        (("run", "--max-minutes", "x"), "'--max-minutes': it must be a number"),
    ):
        status, out, err = command(*arguments)
        assert (status, out, said in err) == (2, "", True), err


@pytest.mark.parametrize("given", [("--suite", ""), ("--suite=",), ("--output", ""), ("--store", "")])
def test_an_empty_option_is_not_taken_for_the_default(command: Command, given: tuple[str, ...]) -> None:
    status, out, err = command("run", "--model", "chance", *given)
    assert (status, out) == (2, "")
    assert err == f"mmbench: {given[0].strip('=')} is given and empty; give a value, or leave it out\n"


def test_a_name_longer_than_a_folder_may_have_is_refused_by_its_option(command: Command) -> None:
    status, _, err = command("run", "--model", "chance", "--task", "digits", "--name", "x" * 201)
    assert (status, err) == (2, "mmbench: --name has 201 bytes, and a folder of results at most 200\n")


@pytest.mark.parametrize(("library", "frozen"), [("no_such_library", 1), ("typer", 0)])
def test_libraries_of_models_see_their_garbage_collected_at_the_end(
    library: str, frozen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    spared: list[None] = []
    monkeypatch.setattr(gc, "freeze", lambda: spared.append(None))
    monkeypatch.setattr(application, "_OF_MODELS", (library,))
    application._spare_garbage()
    assert len(spared) == frozen
