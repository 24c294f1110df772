"""Console that shows texts of others as they are: no markup in them counts, and no control character gets through."""

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from mmbench.harness.render.plain import clean


class PlainConsole(Console):
    """A console for which `[red]` and `:smile:` are texts; what is to be coloured is a rich `Text`."""

    def __init__(self, stream: TextIO, width: int | None) -> None:
        super().__init__(file=stream, width=width, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render, and clean whatever is no control of rich's own."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(clean(segment.text), segment.style)
