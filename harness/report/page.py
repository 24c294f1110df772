"""Report page: one file, no network; script and style are allowed by digest, so that no other can run."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from string import Template

from mmbench.harness.board.board import Board
from mmbench.harness.board.csv import View
from mmbench.harness.digest import Json
from mmbench.harness.render.figures import count
from mmbench.harness.render.html import joined, tag
from mmbench.harness.render.plain import clean, escaped_json
from mmbench.harness.report.contents import Contents
from mmbench.harness.report.pair_matrix import pairs_json
from mmbench.harness.report.sections import Section, board_section, sections


def render(contents: Contents, pictures: Mapping[str, str]) -> str:
    """Return the file of a report; `pictures` are data URIs by key."""
    return _page(contents.board, len(contents.tasks), sections(contents), _data(contents, pictures))


def board_html(board: Board, view: View | None = None) -> str:
    """Return a file with the board alone and what the view names (None: all of it), as the report shows it."""
    return _page(
        board, len(board.columns), [board_section(board, view)], _data(Contents(board, (), (), (), (), {}), {})
    )


def _page(board: Board, tasks: int, made: Sequence[Section], data: Json) -> str:
    style, script = asset("report.css"), asset("report.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{allowed(style)}'; script-src '{allowed(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return Template(asset("report.html")).substitute(
        policy=tag("meta", {"http-equiv": "Content-Security-Policy", "content": policy}),
        title=joined([board.title]),
        summary=joined([_summary(board, tasks)]),
        links=joined([tag("a", {"href": f"#{section.name}"}, section.link) for section in made]),
        sections=joined([section.markup for section in made]),
        style=style,
        script=script,
        data=_embedded(data),
    )


def _summary(board: Board, tasks: int) -> str:
    newest = max((entry.record.created for entry in board.entries), default="")
    counts = f"{count(len(board.lines), 'model')} · {count(tasks, 'task')}"
    partial = " · PARTIAL: first items only" if board.partial else ""
    return f"{board.title}{partial} · {counts} · newest record {newest[:10]}"


def _data(contents: Contents, pictures: Mapping[str, str]) -> Json:
    tasks: list[Json] = [
        {
            "name": task.reference,
            "dimension": task.card.dimension,
            "metric": task.metric.name,
            "items": items,
            "confusion": matrix,
        }
        for task, items, matrix in zip(contents.tasks, contents.items, contents.confusions, strict=True)
    ]
    return {
        "models": list(contents.models),
        "tasks": tasks,
        "pairs": pairs_json(contents.pairs, contents.models),
        "pictures": dict(pictures),
        "baseline": contents.since.models[0] if contents.since else None,
    }


def _embedded(value: Json) -> str:
    """Return JSON that no text in it can end or escape from: the element it stands in knows no character references.

    Nor does a text of it turn what a page shows around.

    >>> _embedded("</script><!--"), _embedded("\\u202egnp.exe")
    ('"\\\\u003c/script>\\\\u003c!--"', '"\ufffdgnp.exe"')
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return escaped_json(clean(text)).replace("<", "\\u003c")


def asset(name: str) -> str:
    """Return the text of a file of this package."""
    return files("mmbench.harness.report").joinpath(name).read_text(encoding="utf-8")


def allowed(content: str) -> str:
    """Return how a content security policy names what may run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode('ascii')}"
