"""What all tests share: no network, a home of their own, and small NumPy models that count what they are asked."""

import atexit
import hashlib
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports huggingface_hub, which reads it once

if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    # The sources stay clean, yet no process that a test starts compiles all of torch anew, which takes it seconds.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = tempfile.mkdtemp(prefix="mmbench-bytecode-")
    atexit.register(shutil.rmtree, sys.pycache_prefix, ignore_errors=True)

import numpy as np
import PIL.Image
import pytest

from mmbench.harness.ask.subject import Subject
from mmbench.harness.cli.app import main
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.media.image import Image
from mmbench.harness.store.store import Store


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep stores and data of all tests out of the user's own."""
    path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_HOME", str(path))
        yield path


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photographs beside the repository."""
    path = Path(__file__).parents[2] / "shared" / "data" / "photos"
    if not path.is_dir():
        pytest.skip("the photographs are not here")
    return path


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs `mmbench` in this process, which has torch already; returns its exit status and both streams."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mmbench", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as done:
            main()
        assert isinstance(done.value.code, int)
        return done.value.code, *capsys.readouterr()

    return run


def vector(data: bytes, dimension: int = 8) -> np.ndarray:
    """Return a vector that depends on `data` alone."""
    seed = int.from_bytes(hashlib.sha256(data).digest()[:8], "little")
    return np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)


def picture_bytes(image: PIL.Image.Image) -> bytes:
    """Return what tells one decoded picture from another."""
    return repr(image.size).encode() + image.tobytes()


class Dual:
    """Embeds pictures and texts; counts each, and notes the sizes of batches."""

    def __init__(self, fingerprint: str = "dual") -> None:
        self.fingerprint = fingerprint
        self.images: Counter[bytes] = Counter()
        self.texts: Counter[str] = Counter()
        self.batches: list[int] = []

    def embed_images(self, images: list[PIL.Image.Image]) -> np.ndarray:
        self.batches.append(len(images))
        self.images.update(map(picture_bytes, images))
        return np.stack([vector(picture_bytes(image)) for image in images])

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        self.batches.append(len(texts))
        self.texts.update(texts)
        return np.stack([vector(text.encode()) for text in texts])

    @property
    def asked(self) -> int:
        return self.images.total() + self.texts.total()


class Scorer:
    """Knows how likely a text is, by (picture, prompt, text) alone."""

    def __init__(self, fingerprint: str = "scorer") -> None:
        self.fingerprint = fingerprint
        self.items: Counter[tuple[bytes, str, tuple[str, ...]]] = Counter()

    def log_probability(self, images: Sequence[PIL.Image.Image], prompt: str, text: str) -> float:
        seen = b"".join(map(picture_bytes, images))
        return -float(abs(vector(seen + prompt.encode() + b"\0" + text.encode())[0]))

    def score_texts(self, items: list[tuple[list[PIL.Image.Image], str, list[str]]]) -> list[list[float]]:
        self.items.update((b"".join(map(picture_bytes, i)), p, tuple(t)) for i, p, t in items)
        return [[self.log_probability(images, prompt, text) for text in texts] for images, prompt, texts in items]


class Writer:
    """Replies by a function of the prompt."""

    def __init__(self, reply: Callable[[str], str] = str.upper, fingerprint: str = "writer") -> None:
        self.fingerprint = fingerprint
        self.reply = reply
        self.prompts: Counter[str] = Counter()
        self.settings: list[object] = []

    def generate(self, prompts: list[tuple[list[PIL.Image.Image], str]], settings: object) -> list[str]:
        self.settings.append(settings)
        self.prompts.update(prompt for _, prompt in prompts)
        return [self.reply(prompt) for _, prompt in prompts]


@pytest.fixture(scope="session")
def fakes() -> SimpleNamespace:
    """The classes `Dual`, `Scorer` and `Writer`, with `vector` and `picture_bytes` by which they answer."""
    return SimpleNamespace(Dual=Dual, Scorer=Scorer, Writer=Writer, vector=vector, picture_bytes=picture_bytes)


@pytest.fixture(scope="session")
def picture() -> Callable[..., Image]:
    """Makes picture number `n`, of some side, in memory; different numbers, different pixels."""

    def make(n: int, side: int = 4) -> Image:
        pixels = np.random.default_rng(n).integers(0, 256, (side, side, 3), dtype=np.uint8)
        return Image.from_array(pixels, f"picture {n}")

    return make


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    made = Store(tmp_path / "store.sqlite")
    yield made
    made.close()


@pytest.fixture
def engine() -> Iterator[Callable[..., LocalEngine]]:
    """Makes engines, which are closed after the test."""
    made: list[LocalEngine] = []

    def make(adapter: object, **settings: int) -> LocalEngine:
        made.append(LocalEngine(adapter, **settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def subject(store: Store, engine: Callable[..., LocalEngine]) -> Callable[..., Subject]:
    """Makes subjects on one store."""

    def make(adapter: object, **settings: object) -> Subject:
        return Subject("a model", adapter, store, engine(adapter), **settings)

    return make
