"""What all tests share: no network, a home of their own, and small NumPy models that count what they are asked."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.pop("COLUMNS", None)  # workers of xdist are given one, and tables would fold
os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports huggingface_hub, which reads it once
# Arrays and towers this small gain nothing from a second thread, and tests run on every core at once.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    # The sources stay clean, yet nothing compiles all of torch anew, which takes a process 20 s: not the next run
    # either, nor the processes that share this one's work or that a test starts.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode")
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix

import numpy as np
import pytest

from mmbench.harness.ask.subject import Subject
from mmbench.harness.cli.app import main
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.media.image import Image
from mmbench.harness.store.store import Store

if TYPE_CHECKING:
    from tests.hub_server import Served


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep stores and data of all tests out of the user's own."""
    path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_HOME", str(path))
        yield path


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Python's own handler of Ctrl-C, which parallel workers of the tests ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


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


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Iterator[Served]":
    """A hub on loopback, with a cache, a home and no token of one's own."""
    from huggingface_hub import constants

    from mmbench.harness.hub import repository
    from tests.hub_server import hub_server

    for name in [name for name in os.environ if name.lower().endswith("_proxy") or name == "HF_TOKEN"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MMBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(repository, "_stand_for", {})
    for name, value in (
        ("HF_HUB_CACHE", str(tmp_path / "cache")),
        ("HF_HUB_OFFLINE", False),
        ("HF_HUB_DISABLE_XET", True),
    ):
        monkeypatch.setattr(constants, name, value)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    with hub_server() as served:
        monkeypatch.setattr(constants, "ENDPOINT", served.url)
        template = served.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield served
