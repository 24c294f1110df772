"""The page of a report: one file, its script and style named by digest so that nothing else can run, and no network."""

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from string import Template

from mmbench.harness.digest import Json
from mmbench.harness.render.html import joined, tag
from mmbench.harness.report.contents import Contents
from mmbench.harness.report.pair_matrix import pairs_json
from mmbench.harness.report.sections import sections


def render(contents: Contents, pictures: Mapping[str, str]) -> str:
    """Return the file; `pictures` are data URIs by key."""
    style, script = _asset("report.css"), _asset("report.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    made = sections(contents)
    return Template(_asset("report.html")).substitute(
        policy=tag("meta", {"http-equiv": "Content-Security-Policy", "content": policy}),
        title=joined([contents.board.title]),
        summary=joined([_summary(contents)]),
        links=joined([tag("a", {"href": f"#{section.name}"}, section.link) for section in made]),
        sections=joined([section.markup for section in made]),
        style=style,
        script=script,
        data=_embedded(_data(contents, pictures)),
    )


def _summary(contents: Contents) -> str:
    newest = max((entry.record.created for entry in contents.board.entries), default="")
    counts = f"{_many(len(contents.board.lines), 'model')} · {_many(len(contents.tasks), 'task')}"
    return f"{contents.board.title} · {counts} · newest record {newest[:10]}"


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


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
    }


def _embedded(value: Json) -> str:
    """Return JSON that no text in it can end or escape from: the element it stands in knows no character references.

    >>> _embedded("</script><!--")
    '"\\\\u003c/script>\\\\u003c!--"'
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _asset(name: str) -> str:
    return files("mmbench.harness.report").joinpath(name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    """Return how a content security policy names what may run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode('ascii')}"
