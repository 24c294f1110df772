"""Verification at the terminal: figures beside published ones, the knobs of a miss, and what others would need."""

from collections.abc import Sequence

from rich.table import Table

from mmbench.harness.render.figures import count, some
from mmbench.harness.terminal.tables import empty_table
from mmbench.harness.verify.verify import Line, Verified

_FEW_FIGURES = 4
"""Published figures that are named of a set that cannot be measured."""


def verified_tables(made: Verified) -> list[Table]:
    """Return the measured figures, a table of knobs for each miss, and what is not measured with what it needs."""
    judged = [line for line in made.lines if line.verdict != "not run"]
    left = [line for line in made.lines if line.verdict == "not run"]
    return [
        *([_judged(made.model, judged)] if judged else []),
        *(_knobs(line) for line in judged if line.knobs),
        *(_left(reason, [line for line in left if line.reason == reason]) for reason in _reasons(left)),
    ]


def verified_note(made: Verified) -> str:
    """Return what came of it all as one sentence."""
    counts = {verdict: sum(line.verdict == verdict for line in made.lines) for verdict in ("hit", "miss", "failed")}
    asked = sum(counts.values())
    if not asked:
        return f"nothing of {count(len(made.lines), 'published figure')} could be measured here: nothing is verified"
    parts = [f"{counts['hit']} of {asked} within their tolerance"]
    parts += [f"{counts[name]} {said}" for name, said in (("miss", "outside"), ("failed", "failed")) if counts[name]]
    left = len(made.lines) - asked
    return "; ".join(parts) + (f"; {left:,} not measured here" if left else "")


def _judged(model: str, lines: Sequence[Line]) -> Table:
    numbers = ["published", "measured", "difference", "tolerance", "n"]
    table = empty_table(f"Published figures of {model}", ["task and metric"], numbers, ["verdict"])
    task = None
    for line in lines:
        anchor = line.anchor
        if anchor.task != task:
            table.add_row(anchor.task)
            task = anchor.task
        apart = None if line.measured is None else line.measured - anchor.published
        table.add_row(
            f"  {anchor.measure or anchor.metric}",
            anchor.value,
            _exact(line.measured),
            "-" if apart is None else f"{apart:+.4f}",
            f"{anchor.allowed:g}",
            "-" if line.n is None else f"{line.n:,}",
            line.verdict if line.reason is None else f"{line.verdict}: {line.reason}",
        )
    return table


def _knobs(line: Line) -> Table:
    anchor = line.anchor
    table = empty_table(f"Why {anchor.task} {anchor.measure or anchor.metric} may differ", ["knob"], [], _SIDES)
    table.texts = frozenset({1, 2})
    said = [("protocol", anchor.protocol), ("tolerance", anchor.tolerance_note), ("source", anchor.source)]
    for knob in sorted(line.knobs, key=lambda knob: knob.verdict != "differs"):
        table.add_row(knob.name, knob.stated or "not stated", knob.here or "not known", knob.verdict)
    for name, text in said:
        if text:
            table.add_row(name, text, "", "")
    return table


def _exact(value: float | None) -> str:
    """Return a figure with the decimals that published ones have."""
    return "-" if value is None else f"{value:.4f}" if abs(value) <= 1 else f"{value:.2f}"


_SIDES = ("published", "here", "")


def _reasons(lines: Sequence[Line]) -> list[str]:
    return list(dict.fromkeys(str(line.reason) for line in lines))


def _left(reason: str, lines: Sequence[Line]) -> Table:
    """Return a row for each set of data that is not measured for one reason."""
    table = empty_table(f"Not measured here: {reason}", ["data"], [], ["published", "needs"])
    table.texts = frozenset({1, 2})
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.anchor.dataset or line.anchor.task, []).append(line)
    for data, held in groups.items():
        figures = list(dict.fromkeys(f"{line.anchor.metric} {line.anchor.value}" for line in held))
        table.add_row(data, some(figures, _FEW_FIGURES), _needs(held[0]))
    return table


def _needs(line: Line) -> str:
    """Return where the data, or a copy, are and how large, as far as this is known."""
    anchor = line.anchor
    if not anchor.data:
        return "data whose place is not known" if not anchor.task else ""
    gated = "; access is asked for there" if anchor.gated.lower().startswith(("yes", "card")) else ""
    return f"{anchor.data}, {anchor.download or 'size not known'}{gated}"
