"""CI outputs of a regression gate: JUnit XML, and a Markdown job summary."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as Xml

from mmbench.harness.errors import UsageError
from mmbench.harness.gate.rows import Checked, CheckRow, Pooled
from mmbench.harness.records.files import append_whole, write_whole
from mmbench.harness.render.figures import markdown, number, signed, span
from mmbench.harness.render.plain import markdown_text, plain

_MARKS = {"regressed": "❌", "over_budget": "❌", "inconclusive": "❔", "held": "✅", "improved": "✅"}

_FINE = ("held", "improved")


def write_junit(checked: Checked, path: Path) -> None:
    """Write a test case for each task of the baseline.

    What regressed or is over budget is a failure; so is what is inconclusive, by a strict gate, which is skipped by
    another. What could not be compared or read is an error. Raises UsageError where the file cannot be written.
    """
    cases = [_case(row, checked) for row in checked.rows]
    if checked.pooled is not None:
        cases.append(_judged(_empty("mean over tasks", checked.candidate), checked.pooled, checked))
    cases += [_error(each.task, each.reason, checked.candidate) for each in checked.incomparable]
    named = {each.reason for each in checked.incomparable}
    cases += [_error("records", error, checked.candidate) for error in checked.errors if error not in named]
    counts = {
        "tests": str(len(cases)),
        "failures": _count(cases, "failure"),
        "errors": _count(cases, "error"),
        "skipped": _count(cases, "skipped"),
        "time": f"{sum(row.seconds for row in checked.rows):.3f}",
    }
    name = plain(f"mmbench check: {checked.candidate} against {checked.baseline}")
    suites = Xml.Element("testsuites", {"name": "mmbench", **counts})
    suite = Xml.SubElement(suites, "testsuite", {"name": name, **counts})
    suite.extend(cases)
    Xml.indent(suites)
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    _write(path, head + Xml.tostring(suites, encoding="unicode") + "\n", write_whole)


def append_summary(checked: Checked, path: Path) -> None:
    """Append the result as Markdown, for `GITHUB_STEP_SUMMARY`. Raises UsageError if the file cannot be written."""
    _write(path, summary(checked), append_whole)


def summary(checked: Checked) -> str:
    """Return the result as Markdown: its conclusion, then a table with failures first."""
    header = ["", "task", "metric", checked.baseline, checked.candidate, "change", f"{checked.confidence} interval"]
    rows = [
        [
            _MARKS[row.verdict],
            row.reference,
            row.metric,
            number(row.baseline),
            number(row.candidate),
            signed(row.difference.value),
            span(row.difference.low, row.difference.high),
            f"{row.margin:g}",
            row.verdict.replace("_", " "),
        ]
        for row in checked.by_gravity()
    ]
    if checked.pooled is not None:
        mean = checked.pooled
        cells = [_MARKS[mean.verdict], "mean over tasks", "chance-corrected", "", "", signed(mean.difference.value)]
        cells += [span(mean.difference.low, mean.difference.high), f"{mean.margin:.3g}", mean.verdict]
        rows.append(cells)
    parts = [f"### mmbench check\n\n{markdown_text(checked.conclusion)}"]
    if rows:
        parts.append(markdown([*header, "margin", "verdict"], rows))
    told = [(row.reference, row.reason) for row in checked.by_gravity() if row.verdict not in _FINE]
    told += [(each.task, f"is not comparable: {each.reason}") for each in checked.incomparable]
    told += [("", error) for error in checked.errors]
    told += [(name, "is new") for name in checked.new]
    parts += ["\n".join(f"- {_line(*each)}" for each in told)] if told else []
    return "\n\n".join(parts) + "\n\n"


def _line(name: str, said: str) -> str:
    return f"**{markdown_text(name)}** {markdown_text(said)}" if name else markdown_text(said)


def _case(row: CheckRow, checked: Checked) -> Xml.Element:
    case = _empty(f"{row.reference} {row.metric}", checked.candidate)
    case.set("time", f"{row.seconds:.3f}")
    if row.reference in checked.cut and row.verdict not in ("regressed", "over_budget"):
        said = f"partial, the first {row.n:,} items only; --allow-partial lets it pass"
        Xml.SubElement(case, "failure", {"message": said, "type": "partial"}).text = said
        return case
    return _judged(case, row, checked)


def _judged(case: Xml.Element, row: CheckRow | Pooled, checked: Checked) -> Xml.Element:
    case.attrib.setdefault("time", "0")
    message = {"message": plain(row.reason), "type": row.verdict}
    if row.verdict in ("regressed", "over_budget") or (checked.strict and row.verdict == "inconclusive"):
        Xml.SubElement(case, "failure", message).text = message["message"]
    elif row.verdict == "inconclusive":
        Xml.SubElement(case, "skipped", {"message": message["message"]})
    return case


def _error(task: str, reason: str, model: str) -> Xml.Element:
    case = _empty(task, model)
    case.set("time", "0")
    Xml.SubElement(case, "error", {"message": plain(reason), "type": "not_comparable"}).text = plain(reason)
    return case


def _empty(name: str, model: str) -> Xml.Element:
    return Xml.Element("testcase", {"classname": plain(f"mmbench.{model}"), "name": plain(name)})


def _count(cases: list[Xml.Element], tag: str) -> str:
    return str(sum(case.find(tag) is not None for case in cases))


def _write(path: Path, text: str, writer: Callable[[Path, str], None]) -> None:
    try:
        writer(path, text)
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"{path} cannot be written ({reason}); name a file in an existing folder") from error
