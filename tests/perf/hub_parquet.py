"""100,000 pictures in Parquet must begin within a CPU second, in constant memory, and be decoded at 0.9 of a bare rate.

Run as `python tests/perf/hub_parquet.py`: of a file, and of a hub on loopback, whose ten shards are fetched as they are
read. The rate is that of pictures of 224 pixels, as towers take them, in the fastest of several passes;
bare is PyArrow and Pillow from bytes to RGB, while ours also digests each picture and looks for what is done to it.
Exits 1 when a claim is missed.
"""

import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
from huggingface_hub import constants
from huggingface_hub.utils import disable_progress_bars

sys.path.insert(0, str(Path(__file__).parents[2]))

from mmbench.benchmarks.sources.cells import picture
from mmbench.benchmarks.sources.hub import Hub, HubSpec
from mmbench.benchmarks.sources.parquet import ParquetFile
from mmbench.harness.tasks.source import Source
from tests.hub_server import COMMIT, hub_server

ROWS, SHARDS, DECODED = 100_000, 10, 1000
MOST_SECONDS, LEAST_RATE, MOST_GROWTH = 1.0, 0.9, 64
"""CPU seconds to the first row; rate as a share of the bare one; megabytes."""


def table(rows: int, size: int) -> pa.Table:
    """Return square pictures in JPEG: of 96 pixels about 4 KB each."""
    draw = np.random.default_rng(0)
    encoded = []
    for _ in range(100):
        file = io.BytesIO()
        coarse = PIL.Image.fromarray(draw.integers(0, 255, (size // 4, size // 4, 3), np.uint8))
        coarse.resize((size, size)).save(file, "JPEG", quality=90)
        encoded.append(file.getvalue())
    pictures = [{"bytes": encoded[n % 100], "path": f"{n}.jpg"} for n in range(rows)]
    return pa.table({"image": pictures, "label": pa.array([n % 10 for n in range(rows)], pa.int64())})


def megabytes() -> float:
    """Return what this process holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def bare(file: Path) -> Iterator[None]:
    """Decode with nothing between."""
    for batch in pq.ParquetFile(file).iter_batches(batch_size=64, columns=["image"]):
        for data in batch.column("image").field("bytes").to_pylist():
            PIL.Image.open(io.BytesIO(data)).convert("RGB")
            yield


def seconds(work: Iterable[object]) -> float:
    """Return the CPU seconds of decoding all there is."""
    started = time.process_time()
    for _ in work:
        pass
    return time.process_time() - started


def decoded(source: Source) -> Iterator[object]:
    """Decode the pictures as a run does."""
    for row in source:
        content = picture(row.cells["image"], row).read()
        yield content.digest, content.decode()


def judged(
    name: str, opened: Callable[[], Source], large: Source, plain: Callable[[], Iterator[None]], rows: int = ROWS
) -> bool:
    """Print the figures of one kind of source of so many rows; return whether they are good."""
    started = time.process_time()
    source = opened()
    next(iter(source))
    first = time.process_time() - started
    held, most = 0.0, 0.0
    for number, _ in enumerate(source):
        if number == rows // 10:
            held = most = megabytes()
        elif number % 500 == 0:
            most = max(most, megabytes())
    passes = [(seconds(plain()), seconds(decoded(large))) for _ in range(8)]
    rate = min(least for least, _ in passes) / min(ours for _, ours in passes)
    growth = most - held
    print(
        f"{name}: first row after {first:.2f} CPU s (at most {MOST_SECONDS:g}); rate {rate:.2f} of bare (at least "
        f"{LEAST_RATE:g}); {growth:.0f} MB more after {rows:,} rows than after a tenth (at most {MOST_GROWTH})"
    )
    return first < MOST_SECONDS and rate >= LEAST_RATE and growth < MOST_GROWTH


def written(rows: pa.Table) -> bytes:
    """Return a Parquet file as the hub has them, by row groups of 1,000 and without dictionaries of pictures."""
    made = io.BytesIO()
    pq.write_table(rows, made, row_group_size=1000, use_dictionary=False)
    return made.getvalue()


def main() -> int:
    """Print the figures; return the exit status."""
    with tempfile.TemporaryDirectory() as name, hub_server() as served:
        folder = Path(name)
        os.environ["MMBENCH_HOME"] = str(folder / "home")
        constants.HF_HUB_CACHE, constants.ENDPOINT, constants.HF_HUB_DISABLE_XET = str(folder / "hf"), served.url, True
        constants.HUGGINGFACE_CO_URL_TEMPLATE = served.url + "/{repo_id}/resolve/{revision}/{filename}"
        disable_progress_bars()
        small, large = folder / "small.parquet", folder / "large.parquet"
        rows = table(ROWS, 96)
        small.write_bytes(written(rows))
        large.write_bytes(written(table(DECODED, 224)))
        files = {"data/large-00000-of-00001.parquet": large.read_bytes()}
        for number in range(SHARDS):
            part = rows.slice(number * ROWS // SHARDS, ROWS // SHARDS)
            files[f"data/small-{number:05}-of-{SHARDS:05}.parquet"] = written(part)
        served.put("datasets/some/pictures", files)
        del rows, part

        def of_hub(split: str) -> Source:
            return Hub.open(HubSpec(kind="hub", id="some/pictures", revision=COMMIT), folder, split)

        good = [
            judged("parquet", lambda: ParquetFile(small, None), ParquetFile(large, None), lambda: bare(large)),
            judged("hub", lambda: of_hub("small"), of_hub("large"), lambda: bare(large)),
        ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
