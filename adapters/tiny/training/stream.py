"""Batch stream: worker processes draw the embedded scenes ahead of the training steps."""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from torch.utils.data import DataLoader, Dataset

from mmbench.adapters.tiny.training.batch import Batch, Encoder
from mmbench.harness import registry
from mmbench.harness.errors import DataError
from mmbench.harness.tasks.source import Row

OpenBlock: TypeAlias = Callable[[int, int], Iterable[Row]]
"""Seed and number of a block to its rows; a function of a module, so that worker processes find it."""

WRITTEN = ("caption", "negative", "description", "question", "answer")
"""Cells that hold texts."""
_AHEAD = 2


def scenes(seed: int, block: int) -> Iterable[Row]:
    """Return one block of rows of the embedded training scenes. Raises UsageError and DataError."""
    source = registry.find(registry.SOURCES, "builtin", "data source")
    rows: Iterable[Row] = source("scenes-training", f"{seed}:{block}")
    return rows


def texts(open_block: OpenBlock, seed: int, blocks: int) -> Iterator[str]:
    """Yield the texts of the first blocks; no picture is drawn."""
    for block in range(blocks):
        for row in open_block(seed, block):
            for name in WRITTEN:
                text = row.cells.get(name)
                if text is not None:
                    yield str(text)


@dataclass(frozen=True, slots=True)
class Stream:
    """The batches of a training run: a function of seed and step alone, whoever makes them."""

    open_block: OpenBlock
    """Source of the rows."""
    encoder: Encoder
    """What becomes of them."""
    seed: int
    """Random seed of the scenes."""
    batch: int
    """Consecutive rows of a step; twins among them stay together."""
    workers: int
    """Processes that make batches, each on one thread; 0 makes them in this one."""

    def batches(self, first: int) -> Generator[Batch]:
        """Yield the batches from step number `first` on, without end. Raises DataError."""
        rows = sum(1 for _ in self.open_block(self.seed, 0))
        start, skipped = divmod(first, max(1, rows // self.batch))
        loader = DataLoader(
            _Blocks(self, start),
            batch_size=None,
            num_workers=self.workers,
            prefetch_factor=_AHEAD if self.workers else None,
            multiprocessing_context="spawn" if self.workers else None,
        )
        for block in loader:
            yield from block[skipped:]
            skipped = 0


@dataclass(frozen=True)
class _Blocks(Dataset[list[Batch]]):
    """The blocks of scenes from a first one on, each as a list of batches."""

    stream: Stream
    start: int

    def __len__(self) -> int:
        return 1 << 40

    def __getitem__(self, number: int) -> list[Batch]:
        stream = self.stream
        rows = list(stream.open_block(stream.seed, self.start + number))
        if not rows or len(rows) % stream.batch:
            raise DataError(f"a block has {len(rows)} rows, which batches of {stream.batch} do not divide")
        return [stream.encoder(rows[at : at + stream.batch]) for at in range(0, len(rows), stream.batch)]
