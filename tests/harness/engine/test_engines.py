"""Engines by their settings, and what a worker makes a model of; no Ray is begun."""

import importlib.util
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from mmbench.harness.engine.engines import Engines
from mmbench.harness.engine.kinds.image import IMAGE
from mmbench.harness.engine.kinds.reply import REPLY
from mmbench.harness.engine.kinds.score import SCORE
from mmbench.harness.engine.kinds.text import TEXT
from mmbench.harness.engine.kinds.tune import TUNE
from mmbench.harness.engine.local import LocalEngine
from mmbench.harness.engine.question import Question
from mmbench.harness.engine.ray.line import Line
from mmbench.harness.engine.ray.parcel import Carried, Filed, packed
from mmbench.harness.engine.settings import EngineSettings
from mmbench.harness.errors import AdapterError, Unavailable, UsageError
from mmbench.harness.media.image import Drawing, Image, Raw
from mmbench.harness.models.models import Loading, make_models
from tests.fakes import Dual, Writer


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"name": "rai"}, "there is no engine 'rai'; did you mean 'ray'?"),
        ({"workers": 2}, "add --engine ray"),
        ({"name": "ray", "workers": 0}, "a whole number from 1, not 0"),
        ({"name": "ray", "workers": True}, "a whole number from 1, not True"),
        ({"name": "ray", "gpus_per_worker": float("nan")}, "not nan"),
        ({"name": "ray", "gpus_per_worker": -1}, "not -1"),
        ({"name": "ray", "gpus_per_worker": 1.5}, "a part of one GPU or whole ones, not 1.5"),
        ({"name": "ray", "address": "ray://head:10001"}, "needs no Ray client"),
        ({"name": "ray", "address": "http://127.0.0.1:8265"}, "is where jobs are submitted; a run joins the head"),
        ({"name": "ray", "address": "head"}, "auto or HOST:PORT, not 'head'"),
        ({"name": "ray", "address": "head:70000"}, "auto or HOST:PORT"),
        ({"name": "ray", "address": ""}, "auto or HOST:PORT"),
    ],
)
def test_settings_that_no_engine_has(settings, said):
    with pytest.raises(UsageError) as refused:
        EngineSettings(**settings)
    assert said in str(refused.value)


def test_without_the_extra_one_sentence_tells_how_to_install_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'mmbench\[ray\]'"):
        Engines(EngineSettings("ray"), Loading())


def test_a_worker_has_no_gpu_by_number_and_waits_for_no_service():
    pytest.importorskip("ray")
    with pytest.raises(UsageError, match="Ray gives each worker a GPU of its own"):
        Engines(EngineSettings("ray"), Loading(device="cuda:1"))
    served = make_models(["chance"], Loading())[0]
    served.adapter.concurrency = 8
    with pytest.raises(UsageError, match="without --engine ray"):
        Engines(EngineSettings("ray"), Loading()).of(served)


def test_kinds_are_the_same_values_in_another_process():
    for kind in (IMAGE, TEXT, SCORE, REPLY, TUNE):
        assert pickle.loads(pickle.dumps(kind)) is kind


def paint(parent, **params):
    return Image.from_array(np.full((2, 2, 3), 7, np.uint8), "").pil()


def test_pictures_travel_as_what_they_are_made_of(tmp_path):
    path = tmp_path / "a.png"
    Image.from_array(np.full((2, 3), 9, np.uint8), "").pil().save(path)
    encoded = path.read_bytes()

    def sent(image, shared=True):
        (picture,) = pickle.loads(
            pickle.dumps(packed(Question(IMAGE, (image,)).read(), lambda folder: shared))
        ).pictures
        assert picture.content().digest == image.digest
        assert picture.content().decode().tobytes() == image.pil().tobytes()
        return picture

    assert isinstance(sent(Image.from_path(path)), Filed)
    for image in (Image.from_path(path), Image.from_bytes(encoded, "held")):
        assert isinstance(sent(image, shared=False), Carried)
    assert isinstance(sent(Image.from_array(np.zeros((2, 2), np.uint8), "array")).decode, Raw)
    assert isinstance(sent(Image.render(paint, {}, 1, "drawn here")).decode, Raw)  # by code that no worker may have
    from mmbench.benchmarks.sources.builtin import _digit

    drawn = Image.render(_digit, {"levels": [3] * 64}, 1, "drawn there")
    assert isinstance(sent(drawn).decode, Drawing)


@pytest.fixture
def unchanged(monkeypatch):
    """A worker's changes to its process are undone."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.chdir(Path.cwd())


def test_a_users_own_file_is_sent_with_its_neighbours(tmp_path, unchanged):
    pytest.importorskip("ray")
    from mmbench.harness.engine.ray.recipe import recipe_of

    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "__init__.py").write_text("")
    (tmp_path / "parts" / "sizes.py").write_text("WIDE = 5\n")
    own = tmp_path / "mine.py"
    own.write_text(
        "import numpy as np\nfrom parts.sizes import WIDE\n"
        "class Mine:\n    fingerprint = 'mine'\n"
        "    def embed_texts(self, texts):\n        return np.ones((len(texts), WIDE))\n"
    )
    model = make_models([f"{own}:Mine"], Loading())[0]
    recipe = recipe_of(model, Loading())
    assert recipe.make().fingerprint == model.fingerprint  # by its path
    del model
    for file in (own, tmp_path / "parts" / "sizes.py", tmp_path / "parts" / "__init__.py"):
        file.unlink()
    made = recipe.make()
    assert made.adapter.embed_texts(["a"]).shape == (1, 5)
    assert not str(tmp_path).startswith(sys.path[0])
    recipe.clear()
    assert not Path(sys.path[0]).exists()


def test_a_worker_with_other_packages_is_refused(unchanged):
    pytest.importorskip("ray")
    from dataclasses import replace

    from mmbench.harness.engine.ray.recipe import recipe_of

    recipe = recipe_of(make_models(["chance"], Loading())[0], Loading())
    with pytest.raises(Unavailable, match=r"has numpy .* and the driver 0\.1"):
        replace(recipe, versions={**recipe.versions, "numpy": "0.1"}).make()
    assert replace(recipe, versions={"numpy": f"{np.__version__}+local"}).make().fingerprint == recipe.fingerprint
    assert str(Path.cwd()) == recipe.surroundings.folder


def test_a_line_answers_each_call_and_goes_on_after_a_fault():
    engine = LocalEngine(Writer(lambda prompt: prompt.upper()), 2)
    line = Line(engine)
    for stream, prompts in ((0, "abc"), (0, "de"), (1, "a")):
        questions = [Question(REPLY, prompt=prompt).read() for prompt in prompts]
        answered, fault = line.answer(stream, questions)
        assert fault is None and [answered[q.key].value for q in questions] == list(prompts.upper())
    broken = Line(LocalEngine(Dual(), 2))
    engine.adapter.generate = lambda prompts, settings: []
    broken.engine.adapter.embed_texts = lambda texts: np.ones((1, 1, 1))
    texts = [Question(TEXT, texts=(text,)).read() for text in "ab"]
    _, fault = broken.answer(0, texts)
    assert isinstance(fault, AdapterError)
    broken.engine.adapter.embed_texts = lambda texts: np.ones((len(texts), 2))
    answered, fault = broken.answer(0, texts)
    assert fault is None and len(answered) == 2
    for each in (line, broken):
        each.close()
