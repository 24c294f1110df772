"""Comparison and gate tables in 80 columns, with remarks on single rows and a conclusion."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from mmbench.harness.compare.by_fact import FactRow, shown_levels
from mmbench.harness.compare.rows import CompareRow, Comparison, Overall
from mmbench.harness.gate.rows import Checked, CheckRow, Pooled
from mmbench.harness.render.figures import count, markdown, number, percent, probability, signed, span
from mmbench.harness.render.plain import markdown_text, plain
from mmbench.harness.scores.breakdown import level_text
from mmbench.harness.statistics.estimate import Estimate
from mmbench.harness.terminal.tables import NameTable, empty_table

WIDE = 110
"""Columns from which metrics and numbers of items are shown too."""

_LONGEST = 80
"""Characters of a value of a fact."""

_MOST = 10
"""Lines of one kind under a table; JSON has them all."""

_COLOURS = {
    "better": "green",
    "improved": "green",
    "worse": "red",
    "regressed": "red",
    "over_budget": "red",
    "inconclusive": "yellow",
    "tied": "dim",
    "held": "dim",
}


def comparison_tables(made: Comparison, width: int) -> Group:
    """Return a table for each model after the first, with what is to be said under it."""
    parts: list[RenderableType] = []
    for model in made.models[1:]:
        parts += [Text()] if parts else []
        parts += _compared(made, model, width)
    parts += [Text(made.shared, style="dim")] if made.shared else []
    return Group(*parts)


def _compared(made: Comparison, model: str, width: int) -> Iterator[RenderableType]:
    rows = made.of(model)
    if rows:
        wide = _comparison_table(made, rows, wide=True)
        yield wide if width >= WIDE and wide.fits(width) else _comparison_table(made, rows, wide=False)
    yield from _facts(made, model, width)
    if len(rows) > 1:
        said = f"interval and p: adjusted over the {count(len(rows), 'task')} (Holm); --format json has each alone too"
        yield Text(said, style="dim")
    yield from _lines(_flips(row) for row in rows if row.verdict != "tied" and row.flips)
    yield from _lines(_odd(row.reference, _marks(row)) for row in rows)
    left = [each for each in made.incomparable if each.model == model]
    yield from _lines(_said("not comparable", "yellow", f"{each.task}: {each.reason}") for each in left)
    for overall in made.overall:
        if overall.model == model:
            yield Text(_overall(overall, made.alpha), style="dim")
    yield Text(made.conclusion(model), style="bold")


def _comparison_table(made: Comparison, rows: Sequence[CompareRow], *, wide: bool) -> NameTable:
    title = f"A: {rows[0].against}   B: {rows[0].model}"
    numbers = ["A", "B", "B - A", f"{percent(1 - made.alpha)} interval", "p"]
    table = _compact(title, ["task", "metric"] if wide else ["task"], numbers)
    if wide:
        for header in ("items", "detectable", "B up", "B down"):
            table.add_column(header, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for row in rows:
        cells = [_name(row, rows, wide=wide), *([row.metric] if wide else [])]
        cells += [number(row.a), number(row.b), *_change(_adjusted(row))]
        cells.append(probability(row.p_adjusted))
        if wide:
            cells += [f"{row.n:,}", "-" if row.detectable is None else number(row.detectable)]
            cells += [*("-" if each is None else f"{each:,}" for each in (row.gained, row.lost))]
        table.add_row(*cells, _verdict(row.verdict, marked=bool(_marks(row))))
    return table


def _facts(made: Comparison, model: str, width: int) -> Iterator[RenderableType]:
    """Return a table of the differences by a fact for each task and metric, and how they were adjusted."""
    rows = [row for row in made.by_fact if row.model == model]
    for task, metric in dict.fromkeys((row.reference, row.metric) for row in rows):
        mine = [row for row in rows if (row.reference, row.metric) == (task, metric)]
        wide = _fact_table(made, mine, wide=True)
        yield Text()
        yield wide if wide.fits(width) else _fact_table(made, mine, wide=False)
    if rows:
        values = sum(row.apart is None for row in rows)
        said = f"by {made.by}: interval and p adjusted over all {count(values, 'row')} (Holm)"
        said += "; worst, gap and ratio apart" * (len(rows) > values)
        few = "; *: few clusters, the interval may be too narrow" if any(row.few_clusters for row in rows) else ""
        without = [row.reference for row in made.of(model) if row.reference not in {each.reference for each in rows}]
        told = f"; not by {made.by}: {', '.join(without)}" if without else ""
        yield Text(said + few + told, style="dim")


def _fact_table(made: Comparison, rows: Sequence[FactRow], *, wide: bool) -> NameTable:
    title = f"{rows[0].reference} {rows[0].metric} by {made.by}"
    numbers = ["A", "B", "B - A", f"{percent(1 - made.alpha)} interval", "p", *(["items"] if wide else [])]
    table = _compact(title, [str(made.by)], numbers)
    table.add_column("verdict", no_wrap=True)
    for row, level in zip(rows, shown_levels(rows), strict=True):
        cells = [number(row.a), number(row.b), *_change(row.together), probability(row.p_adjusted)]
        cells += [f"{row.n:,}"] if wide else []
        table.add_row(plain(level, _LONGEST), *cells, _verdict(row.verdict, marked=row.few_clusters))
    return table


def _compact(title: str, *columns: Sequence[str]) -> NameTable:
    """Return an empty table without edges, which leaves 80 columns room for the names."""
    table = empty_table(title, *columns)
    table.show_edge = False
    return table


def _adjusted(row: CompareRow | CheckRow) -> Estimate:
    """Return the difference with the interval that its adjusted p and its verdict stand on."""
    if row.low_adjusted is None and row.high_adjusted is None:
        return row.difference
    return Estimate(row.difference.value, row.low_adjusted, row.high_adjusted)


def _change(made: Estimate) -> tuple[str, str]:
    return signed(made.value), span(made.low, made.high)


def _name(row: CompareRow | CheckRow, rows: Sequence[CompareRow | CheckRow], *, wide: bool) -> str:
    """Return the task's name, with its version where another one stands in the table, and likewise its metric."""
    name = row.task if len({other.version for other in rows if other.task == row.task}) == 1 else row.reference
    alone = [other.reference for other in rows].count(row.reference) == 1
    return name if alone or wide else f"{name} {row.metric}"  # which has a column of its own in a wide one


def _verdict(verdict: str, *, marked: bool) -> Text:
    return Text.assemble((verdict.replace("_", " "), _COLOURS[verdict]), (" *" if marked else "", "yellow"))


def _marks(row: CompareRow | CheckRow) -> list[str]:
    """Return what a reader of a row should know."""
    marks = []
    if isinstance(row, CompareRow) and row.forced:
        marks.append(f"forced, for the runs differ in {row.forced}")
    if row.partial:
        marks.append(f"partial, the {count(row.n, 'item')} that both runs were scored on")
    if row.routes[0] != row.routes[1]:
        marks.append(f"routes {row.routes[0]} and {row.routes[1]}")
    if row.few_clusters:
        marks.append("few clusters, the interval may be too narrow")
    return marks


def _odd(name: str, marks: Sequence[str]) -> Text | None:
    return _said("*", "yellow", f"{name}: {'; '.join(marks)}") if marks else None


def _flips(row: CompareRow) -> Text:
    named = ", ".join(f"{flip.id} ({flip.a:.3g} → {flip.b:.3g})" for flip in row.flips)
    return _said("changed most", "dim", f"{row.reference}: {named}")


def _overall(made: Overall, alpha: float) -> str:
    return (
        f"over {count(made.tasks, 'task')}, chance-corrected: {signed(made.difference.value)}, "
        f"{percent(1 - alpha)} interval {span(made.difference.low, made.difference.high)}, "
        f"p {probability(made.p)}: {made.verdict}"
    )


def _said(mark: str, style: str, text: str) -> Text:
    return Text.assemble((mark, style), f" {text}")


def _lines(said: Iterable[Text | None]) -> Iterator[Text]:
    held = [line for line in said if line is not None]
    yield from held[:_MOST]
    if len(held) > _MOST:
        yield Text(f"… and {len(held) - _MOST:,} more, see --format json", style="dim")


def comparison_markdown(made: Comparison) -> str:
    """Return the comparison as Markdown."""
    header = ["task", "metric", "A", "B", "B - A", f"{percent(1 - made.alpha)} interval", "p", "items", "verdict"]
    parts: list[str] = []
    for model in made.models[1:]:
        rows = made.of(model)
        parts.append(f"**A: {markdown_text(made.models[0])}, B: {markdown_text(model)}**")
        cells = [
            [row.reference, row.metric, number(row.a), number(row.b), *_change(_adjusted(row))]
            + [probability(row.p_adjusted), f"{row.n:,}", "; ".join([row.verdict, *_marks(row)])]
            for row in rows
        ]
        parts += [markdown(header, cells)] if rows else []
        facts = [row for row in made.by_fact if row.model == model]
        if facts:
            cells = [
                [row.reference, row.metric, row.apart or level_text(row.level), number(row.a), number(row.b)]
                + [*_change(row.together), probability(row.p_adjusted), f"{row.n:,}"]
                + [row.verdict + "; few clusters" * row.few_clusters]
                for row in facts
            ]
            parts.append(markdown([*header[:2], str(made.by), *header[2:]], cells))
        mine = [each for each in made.incomparable if each.model == model]
        reasons = [f"{each.task} is not comparable: {each.reason}" for each in mine]
        parts += ["\n".join(f"- {markdown_text(reason)}" for reason in reasons)] if reasons else []
        parts += [_overall(overall, made.alpha) for overall in made.overall if overall.model == model]
        parts.append(markdown_text(made.conclusion(model)))
    parts += [markdown_text(made.shared)] if made.shared else []
    return "\n\n".join(parts)


def check_table(made: Checked, width: int) -> Group:
    """Return the judgement as a table, with what is to be said under it."""
    wide = _checked_table(made, wide=True)
    table = wide if width >= WIDE and wide.fits(width) else _checked_table(made, wide=False)
    parts: list[RenderableType] = [table] if made.rows else []
    grave = [row for row in made.by_gravity() if row.verdict not in ("held", "improved")]
    parts += _lines(
        _said(
            row.verdict.replace("_", " "),
            _COLOURS[row.verdict],
            f"{row.reference}: {row.reason}" + (f" (all at once: {_together(row)})" if len(made.rows) > 1 else ""),
        )
        for row in grave
    )
    if made.pooled is not None:
        mean = made.pooled
        ends = span(mean.difference.low, mean.difference.high)
        said = f"{mean.reason}, {made.confidence} interval {ends}, all at once {_together(mean)}"
        parts.append(_said(mean.verdict, _COLOURS[mean.verdict], said))
    parts += _lines(_odd(row.reference, _marks(row)) for row in made.rows)
    parts += _lines(_said("not comparable", "red", f"{each.task}: {each.reason}") for each in made.incomparable)
    parts += _lines(_said("new", "dim", name) for name in made.new)
    if any(row.identical and (row.difference.low is None or row.difference.low <= -row.margin) for row in made.rows):
        parts.append(Text("where both agree on every item they hold, however few there are", style="dim"))
    style = "bold red" if made.exit_code else "bold green"
    parts.append(Text(made.conclusion, style=style))
    return Group(*parts)


def _together(row: CheckRow | Pooled) -> str:
    return f"{span(row.low_adjusted, row.high_adjusted)}, p {probability(row.p_adjusted)}"


def _checked_table(made: Checked, *, wide: bool) -> NameTable:
    title = f"{made.candidate} against {made.baseline}"
    margins = {row.margin for row in made.rows}
    title += f", margin {margins.copy().pop():g}" if len(margins) == 1 else ""
    table = _compact(title, ["task", "metric"] if wide else ["task"], ["old", "new", "change"])
    headers = [f"{made.confidence} interval", *(["p", "items"] if wide else [])]
    for header in [*headers, *(["margin"] if len(margins) > 1 else []), *(["needed"] if wide else [])]:
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for row in made.rows:
        cells = [_name(row, made.rows, wide=wide), *([row.metric] if wide else [])]
        cells += [number(row.baseline), number(row.candidate), *_change(row.difference)]
        cells += [probability(row.p_adjusted), f"{row.n:,}"] if wide else []
        cells += [f"{row.margin:g}"] if len(margins) > 1 else []
        cells += ["" if row.needed_n is None else f"{row.needed_n:,}"] if wide else []
        table.add_row(*cells, _verdict(row.verdict, marked=bool(_marks(row))))
    return table
