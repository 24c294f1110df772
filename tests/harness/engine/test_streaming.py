"""A data set several times larger than the memory of the process streams through it."""

import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells and limits the size of a process in this way"),
]

MIB = 1 << 20
TIMES = 4
"""What is read, by the memory that there is: were it all held, once would be too much."""

EXACT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "OPENBLAS_NUM_THREADS": "1",
}
"""Memory that is free is given back, so that the limit is about what is held and not about what allocators keep."""

CHILD = """
import os
import resource
import sys
from pathlib import Path

os.cpu_count = lambda: 2  # threads take memory too

import numpy as np
import pyarrow.parquet

import mmbench.harness.engine.local
from mmbench.harness.tasks.data_digest import Dataset
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.media.image import Image
from mmbench.harness.store.store import Store
from mmbench.harness.ask.subject import Subject
from mmbench.harness.tasks.task import Task
from mmbench.harness.tasks.task_file import load_task
from mmbench.harness.types import Option, Sample


class Full:
    fingerprint = "full"

    def embed_images(self, images):
        return np.stack([np.asarray(image.getpixel((0, 0)), np.float32) for image in images])

    def embed_texts(self, texts):
        return np.stack([np.random.default_rng(len(text)).standard_normal(3).astype(np.float32) for text in texts])


class Small(Full):
    fingerprint = "small"
    batch_size = 32

    def prepare_image(self, image):
        return image.crop((0, 0, 1, 1))


def size():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmData:")[1].split()[0]) << 10


def classify(subject, folder):
    samples = (Sample(path.name, (Image.from_path(path),)) for path in sorted(folder.glob("*.[pb][nm][gp]")))
    options = [Option(name, (name,)) for name in ("red", "green")]
    return [choice.status for choice in subject.choose(Dataset(samples), options)]


def search(subject, folder):
    task = load_task(folder / "task.yaml")
    return [outcome.status for outcome in task.family.outcomes(subject, Dataset(task.family.samples())).items]


what, adapter, folder, limit, queue = sys.argv[1:]
mmbench.harness.engine.queue.QUEUE_BYTES = int(queue)
made = {"full": Full, "small": Small}[adapter]()
store = Store(Path(folder) / f"{adapter}.sqlite")
engine = LocalEngine(made, workers=2)
subject = Subject("m", made, store, engine)
allowed = size() + int(limit)
resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))
try:
    bytearray(int(limit) + (64 << 20))
    raise SystemExit("the limit does not hold")
except MemoryError:
    pass
statuses = {"classify": classify, "search": search}[what](subject, Path(folder))
engine.close()
store.close()
print(len(statuses), sorted(set(statuses)))
"""


def stream(what: str, adapter: str, folder: Path, limit: int, queue: int = 64 * MIB) -> str:
    child = subprocess.run(
        [sys.executable, "-c", CHILD, what, adapter, str(folder), str(limit), str(queue)],
        capture_output=True,
        text=True,
        env={**os.environ, **EXACT},
        timeout=120,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-2000:]
    return child.stdout.strip()


def png(side: int) -> Callable[[int], bytes]:
    """Return what makes solid pictures of this size in different colours: small as files, large as pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    row = b"\0" + bytes(side // 8)
    pixels = chunk(b"IDAT", zlib.compress(row * side))
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 3, 0, 0, 0))

    def make(n: int) -> bytes:
        return head + chunk(b"PLTE", bytes([n % 256, n // 256, 99])) + pixels + chunk(b"IEND", b"")

    return make


def bmp_head(side: int) -> bytes:
    """Return the head of an uncompressed picture of `side` x `side` pixels; three bytes for each follow."""
    size = 3 * side * side
    return struct.pack("<2sIHHI", b"BM", 54 + size, 0, 0, 54) + struct.pack(
        "<IiiHHIIiiII", 40, side, side, 1, 24, 0, size, 0, 0, 0, 0
    )


@pytest.mark.parametrize(("adapter", "limit"), [("full", 320 * MIB), ("small", 220 * MIB)])
def test_pictures_that_are_large_when_decoded(tmp_path: Path, adapter: str, limit: int) -> None:
    count = TIMES * limit // (3 * 3000 * 3000)
    make = png(3000)
    for n in range(count):
        (tmp_path / f"{n:04}.png").write_bytes(make(n))
    assert stream("classify", adapter, tmp_path, limit, queue=128 * MIB) == f"{count} ['ok']"


def test_files_that_are_large(tmp_path: Path) -> None:
    limit, side = 150 * MIB, 700
    size = 54 + 3 * side * side
    count = TIMES * limit // size
    head = bmp_head(side)
    for n in range(count):
        with (tmp_path / f"{n:04}.bmp").open("wb") as file:
            file.write(head + struct.pack("<I", n))
            file.truncate(size)  # zeros that take no disk
    assert stream("classify", "small", tmp_path, limit, queue=32 * MIB) == f"{count} ['ok']"


def test_pictures_inside_a_data_file(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    limit, side = 250 * MIB, 400
    head = bmp_head(side)
    rest = bytes(3 * side * side - 4)
    count = TIMES * limit // len(head + rest)
    schema = pa.schema([("image", pa.binary()), ("captions", pa.string())])
    with pq.ParquetWriter(tmp_path / "data.parquet", schema, use_dictionary=False) as file:
        for start in range(0, count, 64):
            numbers = range(start, min(start + 64, count))
            pictures = [head + struct.pack("<I", n) + rest for n in numbers]
            file.write_table(pa.table({"image": pictures, "captions": [str(n) for n in numbers]}, schema))
    (tmp_path / "task.yaml").write_text("name: big\nfamily: retrieval\nsource: {kind: parquet, path: data.parquet}\n")
    assert stream("search", "small", tmp_path, limit) == f"{2 * count} ['ok']"
