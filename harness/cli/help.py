"""Help texts of commands: what an option takes is said in words (`NAME`, `N`, `FILE`), not as a type of Python."""

import re
from typing import Any

from typer.core import TyperCommand

_OPTIONS = {
    "output": "FOLDER",
    "save": "FOLDER",
    "questions": "FOLDER",
    "batch_size": "N",
    "baseline": "RUN",
    "sort": "KEY",
    "by": "FACT",
    "controls": "NAMES",
    "max_minutes": "MINUTES",
}
"""What an option takes, where its type does not tell."""
_TYPES = {"str": "NAME", "text": "NAME", "int": "N", "integer": "N", "float": "X", "path": "FILE", "file": "FILE"}
_TYPE = re.compile(r"<(?:list\[)?([^<>\[\]]*)\]?>|\[([^\[\]]*)\]|\b([A-Z]+)(?: RANGE)?\b")
"""A type as Typer writes it behind an option: `<list[str]>`, `<int range>`, `[a|b]`, `TEXT`."""


class Command(TyperCommand):
    """A command whose help says what each option takes."""

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
