"""Diagnosis at the terminal: figures by what they are of, and how each is read, beside them or below."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from mmbench.harness.diagnose.diagnosis import Diagnosis
from mmbench.harness.diagnose.figures import KINDS, Figure
from mmbench.harness.render.figures import fine, fine_interval, markdown
from mmbench.harness.render.plain import markdown_text
from mmbench.harness.terminal.tables import empty_table

_WIDE = 120
"""Columns from which on there is room for how a figure is read beside it."""

_GROUPS = {
    "pairs": "Pairs of a picture and its text",
    "modalities": "Pictures against texts",
    "search": "Search across",
    "pictures": "Pictures",
    "texts": "Texts",
}
_NUMBERS = ("value", "95 % interval", "baseline", "n")
_ARROWS = {"higher": "↑", "lower": "↓", None: ""}
_PLAIN = {"higher": "(+)", "lower": "(-)", None: ""}
"""Where a terminal has no arrows."""


def diagnosis_parts(made: Diagnosis, width: int, *, ascii_only: bool = False) -> Iterator[Table | Text]:
    """Yield the table, and below it how figures are read, what is left out, and notes."""
    wide = width >= _WIDE
    marks = _PLAIN if ascii_only else _ARROWS
    table = empty_table(
        f"Embedding space of {made.model} on {made.reference}",
        ["figure"],
        _NUMBERS,
        ["what it says"] if wide else [],
        texts=["what it says"],
    )
    group = None
    for figure in made.given:
        now = KINDS[figure.name].group
        if now != group:
            if group is not None:
                table.add_section()
            table.add_row(Text(_GROUPS[now], style="bold"))
            group = now
        table.add_row(
            f"  {figure.name} {marks[figure.better]}".rstrip(), *_cells(figure), *([figure.meaning] if wide else [])
        )
    yield table
    if not wide:
        yield from (Text.assemble((figure.name, "bold"), f": {figure.meaning}") for figure in made.given)
        yield Text()
    for reason, names in made.lacking.items():
        yield Text.assemble(("without ", "yellow"), f"{_short(names)}: {reason}")
    for note in made.notes:
        yield Text.assemble(("note: ", "dim"), note)
    yield Text(made.made_of, style="dim")
    yield Text(f"{marks['higher']} higher is better, {marks['lower']} lower is better; 95 % over pictures", style="dim")


def diagnosis_markdown(made: Diagnosis) -> str:
    """Return the diagnosis as Markdown."""
    header = ["figure", *_NUMBERS, "better", "what it says"]
    rows = [[each.name, *_cells(each), each.better or "", each.meaning] for each in made.given]
    left = [f"{', '.join(names)}: {reason}" for reason, names in made.lacking.items()]
    parts = [f"**Embedding space of {markdown_text(made.model)} on {markdown_text(made.reference)}**"]
    parts += [markdown(header, rows), markdown_text(made.made_of)]
    said = [*(f"without {each}" for each in left), *made.notes]
    return "\n\n".join([*parts, *(["\n".join(f"- {markdown_text(each)}" for each in said)] if said else [])])


def _cells(figure: Figure) -> list[str]:
    return [fine(figure.value), fine_interval(figure.low, figure.high), fine(figure.baseline), f"{figure.n:,}"]


def _short(names: Sequence[str]) -> str:
    """Return names of figures; all of one group by what they are of."""
    groups = {name: [each for each, kind in KINDS.items() if kind.group == name] for name in _GROUPS}
    whole = [name for name, own in groups.items() if set(own) <= set(names)]
    loose = [name for name in names if KINDS[name].group not in whole]
    return ", ".join([*(f"all of '{_GROUPS[name]}'" for name in whole), *loose])
