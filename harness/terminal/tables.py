"""Common table of the terminal: names stay whole, numbers are never cut, and only texts are folded."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from mmbench.harness.terminal.names import folded

_TEXT = 16
"""Least width of a column of texts, where a text or a word of it is as long."""
_WORD = 40
"""A longer word of a text is folded."""
_DRAWN = 6
"""Least width of what is drawn, such as bars."""
_INDENT = 2


class NameTable(Table):
    """A table that has no room beside its numbers for its names sets them above, row by row.

    A row is then its names, below them its numbers, below these its texts, each with its header.
    """

    texts: frozenset[int] = frozenset()
    """Numbers of the columns of texts, which may be folded between words."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render as a table where that fits, else row by row."""
        if self.title:
            # Of its own: rich folds it to the width of the table.
            title = str(self.title)
            yield Text(title if cell_len(title) <= options.max_width else title.replace("   ", "\n"), style="italic")
            self.title = None
        if self.fits(options.max_width):
            self._share(options.max_width)
            yield from super().__rich_console__(console, options)
        else:
            yield from self._stacked(options.max_width, "-" if options.ascii_only else "─")
            yield from [Text()] * self.show_edge

    def fits(self, width: int) -> bool:
        """Tell whether names and numbers stand side by side in so many columns."""
        return self._gaps() + sum(self._least(i) for i in range(len(self.columns))) <= width

    def _gaps(self) -> int:
        return 2 * (len(self.columns) - 1) + 2 * self.show_edge

    def _least(self, i: int) -> int:
        column = self.columns[i]
        if any(not isinstance(cell, str | Text) for cell in column.cells):
            return _DRAWN
        natural = _natural(column)
        if i not in self.texts:
            return natural
        words = (word for text in _lines(column) for word in text.split())
        return min(natural, max(_TEXT, *(min(_WORD, cell_len(word)) for word in words), 0))

    def _share(self, width: int) -> None:
        """Give texts what room is left, those that need least first; nothing else is ever narrower than it is long."""
        room = width - self._gaps() - sum(self._least(i) for i in range(len(self.columns)))
        flexible = sorted(self.texts, key=lambda i: _natural(self.columns[i]))
        for i, column in enumerate(self.columns):
            if i not in self.texts and self._is_text(column):
                column.no_wrap = True
        for place, i in enumerate(flexible):
            least = self._least(i)
            more = min(_natural(self.columns[i]) - least, room // (len(flexible) - place))
            self.columns[i].width = least + more
            room -= more

    def _is_text(self, column: Column) -> bool:
        return all(isinstance(cell, str | Text) for cell in column.cells)

    def _stacked(self, width: int, rule: str) -> Iterator[RenderableType]:
        numbers = [i for i, column in enumerate(self.columns) if column.no_wrap and i not in self.texts and i]
        shown = [i for i, column in enumerate(self.columns) if self._is_text(column)]
        names = [i for i in shown if i not in numbers and (i == 0 or i not in self.texts)]
        blocks = self._blocks(numbers, width - _INDENT)
        widths = [_natural(column) for column in self.columns]
        heads = [_text(column.header) for column in self.columns]
        yield from _beside([heads[i] for i in names], width, "bold")
        for block in blocks:
            yield self._line(block, heads, widths, "bold")
        long = max((sum(widths[i] + 2 for i in block) for block in blocks), default=width)
        yield Text(rule * min(width, long))
        for row, held in zip(self.rows, zip(*(column.cells for column in self.columns), strict=True), strict=True):
            cells, style = list(map(_text, held)), str(row.style or "")
            yield from _beside([cells[i] for i in names], width, style)
            yield from (self._line(block, cells, widths, style) for block in blocks if any(cells[i] for i in block))
            yield from self._below(cells, sorted(self.texts - set(names)), named=any(cells[i] for i in names))
            if row.end_section and row is not self.rows[-1]:
                yield Text()

    def _below(self, cells: Sequence[Text], texts: Sequence[int], *, named: bool) -> Iterator[RenderableType]:
        """Return the texts of a row, each with its header where the row has a name."""
        for i in texts:
            if cells[i]:
                head = f"{_text(self.columns[i].header).plain}: " if named else ""
                body = cells[i].copy()
                body.plain = body.plain.replace("\n", ", ")
                yield Padding(Text.assemble((head, "dim"), body), (0, 0, 0, 2 * _INDENT))

    def _line(self, block: Sequence[int], cells: Sequence[Text], widths: Sequence[int], style: str) -> Text:
        line = Text(" " * _INDENT, style=style)
        for place, i in enumerate(block):
            cell, pad = cells[i], widths[i] - cell_len(cells[i].plain)
            right = self.columns[i].justify == "right"
            line.append("  " if place else "").append(" " * pad if right else "")
            line.append_text(cell).append("" if right else " " * pad)
        return line

    def _blocks(self, numbers: Sequence[int], room: int) -> list[list[int]]:
        """Return columns in groups that fit the room."""
        blocks: list[list[int]] = []
        used = room
        for i in numbers:
            need = _natural(self.columns[i]) + 2
            if not blocks or used + need > room + 2:
                blocks.append([])
                used = 0
            blocks[-1].append(i)
            used += need
        return blocks


def empty_table(title: str, *columns: Sequence[str], texts: Sequence[str] = ()) -> NameTable:
    """Return an empty table: columns of names, columns of numbers, columns of names again.

    `texts` are those of the first and last whose cells are texts, to be folded between words.
    """
    table = NameTable(
        title=title,
        title_justify="left",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for i, headers in enumerate(columns):
        for header in headers:
            table.add_column(header, justify="right" if i == 1 else "left", no_wrap=i == 1, overflow="fold")
    heads = [header for headers in columns for header in headers]
    table.texts = frozenset(i for i, header in enumerate(heads) if header in texts)
    return table


def _beside(cells: Sequence[Text], width: int, style: str) -> Iterator[Text]:
    """Return names in a line where they fit, and below one another where they do not."""
    line = Text(style=style)
    for cell in (each for each in cells if each.plain):
        if line.plain and cell_len(line.plain) + 2 + cell_len(cell.plain) > width:
            yield line
            line = Text(" " * _INDENT, style=style)
        elif line.plain:
            line.append("  ")
        if cell_len(line.plain) + cell_len(cell.plain) <= width:
            line.append_text(cell)
            continue
        *above, last = folded(cell.plain, width - cell_len(line.plain))
        for part in above:
            yield line.append(part, cell.style)
            line = Text(" " * _INDENT, style=style)
        line.append(last, cell.style)
    if line.plain:
        yield line


def _text(cell: RenderableType) -> Text:
    return cell.copy() if isinstance(cell, Text) else Text(cell if isinstance(cell, str) else "")


def _lines(column: Column) -> Iterator[str]:
    for cell in (column.header, *column.cells):
        yield from (cell if isinstance(cell, str) else _text(cell).plain).split("\n")


def _natural(column: Column) -> int:
    return max(map(cell_len, _lines(column)), default=0)
