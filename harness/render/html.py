"""HTML elements that escape everything except `Html`, so that no text can become markup."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TypeAlias

from mmbench.harness.render.plain import clean

Attributes: TypeAlias = Mapping[str, str | int | float | bool | None]
"""True: present without a value; False or None: absent."""

_SHORT = 11
"""Characters of a name that is kept on one line."""

_VOID = frozenset({"br", "img", "input", "meta", "wbr"})


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(name: str, attributes: Attributes | None = None, *children: str) -> Html:
    """Return an element; children that are not `Html` are text.

    >>> tag("b", {"title": 'say "hi"', "hidden": True}, "1 < 2")
    '<b title="say &quot;hi&quot;" hidden>1 &lt; 2</b>'
    """
    start = "".join(_attribute(key, value) for key, value in (attributes or {}).items())
    return Html(f"<{name}{start}>" if name in _VOID else f"<{name}{start}>{joined(children)}</{name}>")


def joined(children: Sequence[str]) -> Html:
    """Return markup of several pieces in a row; those that are not `Html` are text."""
    return Html("".join(child if isinstance(child, Html) else escape(clean(child)) for child in children))


def folding(name: str) -> Html:
    """Return a name that may be folded at its marks where it is long.

    >>> folding("tiny-coca")
    '<span class="whole">tiny-coca</span>'
    >>> folding("scenes-<colour>@1")
    'scenes-<wbr>&lt;colour&gt;<wbr>@1'
    """
    if len(name) <= _SHORT:
        return tag("span", {"class": "whole"}, name)
    text = escape(clean(name))
    for mark in "-_/":
        text = text.replace(mark, f"{mark}<wbr>")
    return Html(text.replace("@", "<wbr>@"))


def name_tag(name: str) -> Html:
    """Return a name as wide as it is, up to what the style sheet leaves it, and then folded; a pointer shows it whole.

    >>> name_tag("pixels")
    '<span class="name" title="pixels"><span class="whole">pixels</span></span>'
    """
    return tag("span", {"class": "name", "title": name}, folding(name))


def link(url: str) -> Html:
    """Return a link, or the text alone where it is no web address: it may come from anyone.

    >>> link("javascript:alert(1)")
    '<span>javascript:alert(1)</span>'
    """
    if not url.startswith(("https://", "http://")):
        return tag("span", None, url)
    return tag("a", {"href": url, "rel": "noopener noreferrer", "target": "_blank"}, url)


def _attribute(key: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return f" {key}"
    return f' {key}="{escape(clean(f"{value:.6g}" if isinstance(value, float) else str(value)))}"'
