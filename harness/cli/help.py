"""Help and usage errors of commands: what an option takes is said in words (`NAME`, `N`, `FILE`), not as a type."""

import re
from typing import Any

import typer
from typer.core import TyperCommand

from mmbench.harness.errors import UsageError, nearest

_OPTIONS = {
    "output": "FOLDER",
    "save": "FOLDER",
    "questions": "FOLDER",
    "batch_size": "N",
    "baseline": "RUN",
    "sort": "KEY",
    "by": "FACT",
    "controls": "NAMES",
    "corruptions": "NAMES",
    "max_minutes": "MINUTES",
}
"""What an option takes, where its type does not tell."""
_TYPES = {"str": "NAME", "text": "NAME", "int": "N", "integer": "N", "float": "X", "path": "FILE", "file": "FILE"}
_TYPE = re.compile(r"<(?:list\[)?([^<>\[\]]*)\]?>|\[([^\[\]]*)\]|\b([A-Z]+)(?: RANGE)?\b")
"""A type as Typer writes it behind an option: `<list[str]>`, `<int range>`, `[a|b]`, `TEXT`."""


_SAID = (
    (re.compile(r"Value error, "), ""),
    (re.compile(r"Input should be greater than or equal to (\S+)"), r"it must be at least \1"),
    (re.compile(r"Input should be a valid integer\b.*"), "it must be a whole number"),
    (re.compile(r"Input should be a valid number\b.*"), "it must be a number"),
)
"""What Typer says of a value, by whichever program it reads values with, and how it is said here."""
_CHOICES = re.compile(r"'([^']*)' is not one of (.*?)\.?")
_MAY_BE_EMPTY = ("--controls",)


class Command(TyperCommand):
    """A command whose help and errors say what each option takes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments. Raises UsageError for an option that is given as an empty text."""
        for flag, value in zip(args, [*args[1:], "-"], strict=False):
            # A variable of the shell that is not set; the default would be taken without a word.
            if (
                re.fullmatch("--[a-z-]+" if value == "" else "--[a-z-]+=", flag)
                and flag.strip("=") not in _MAY_BE_EMPTY
            ):
                raise UsageError(f"{flag.strip('=')} is given and empty; give a value, or leave it out")
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            error.message = _reworded(error.message)
            raise

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, each with what it takes."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None:
                continue
            if param.param_type_name == "argument":
                sections["Arguments"].append((_argument(param), record[1]))
            else:
                sections["Options"].append((_option(str(param.name), record[0]), record[1]))
        for title, rows in sections.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what stands behind the command's name in the line of usage."""
        params = [param for param in self.get_params(ctx) if param.param_type_name == "argument"]
        return ["[OPTIONS]", *map(_argument, params)]


def _reworded(message: str) -> str:
    """Return an error of a value in plain English, with the nearest of the values that there are.

    >>> _reworded("Input should be greater than or equal to 1")
    'it must be at least 1'
    >>> _reworded("Value error, 'josn' is not one of 'table', 'json'.")
    "'josn' is not one of 'table', 'json'; did you mean 'json'?"
    """
    for pattern, said in _SAID:
        message = pattern.sub(said, message)
    if found := _CHOICES.fullmatch(message):
        near = nearest(found[1], re.findall("'([^']*)'", found[2]))
        return f"'{found[1]}' is not one of {found[2]}{near}"
    return message


def _argument(param: Any) -> str:
    return str(param.metavar or param.name.upper())


def _option(name: str, shown: str) -> str:
    """Return an option with what it takes, from how Typer shows it.

    >>> _option("suite", "--suite <str>"), _option("limit", "--limit <int range>"), _option("strict", "--strict")
    ('--suite NAME', '--limit N', '--strict')
    """
    flags, _, kind = shown.partition(" ")
    if not kind or kind.startswith("-"):
        return shown
    found = _TYPE.search(kind)
    taken = next(filter(None, found.groups()), "") if found else kind
    return f"{flags} {_OPTIONS.get(name) or _TYPES.get(taken.removesuffix(' range').lower(), taken)}"
