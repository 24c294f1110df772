"""A model spec becomes an adapter with a distinct label, or one sentence that says what is wrong."""

from pathlib import Path

import pytest

from mmbench.harness import registry
from mmbench.harness.errors import UsageError
from mmbench.harness.models.labels import label_parts
from mmbench.harness.models.models import Loading, make_models
from mmbench.harness.models.own_file import check_adapter

GOOD = """
class Mine:
    fingerprint = "mine"
    def embed_images(self, images): ...

class Args(Mine):
    def __init__(self, size): ...

class Fails(Mine):
    def __init__(self): raise FileNotFoundError("no file\\nmodel.pt")

class Nameless:
    def embed_images(self, images): ...

class Blank(Mine):
    fingerprint = " "

class Halved(Mine):
    fingerprint = "\\ud800"

class Unable:
    fingerprint = "unable"

def build(): return Mine()
ready = Mine()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with `registry_mine.py` in it."""
    (tmp_path / "registry_mine.py").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def labels(*specs: str, name: str | None = None) -> list[str]:
    return [model.label for model in make_models(specs, Loading(), name)]


def refusal(*specs: str, name: str | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        make_models(specs, Loading(), name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_labels(folder: Path) -> None:
    assert labels("chance", "chance:3", "registry_mine.py:Mine") == ["chance", "chance-3", "Mine"]
    assert labels(str(folder / "registry_mine.py") + ":Mine") == ["Mine"]
    assert labels("untrained-tiny") == ["untrained-tiny"]
    revised = label_parts("hf:org/model@v1.2", "hf:org/model@v1.2"), label_parts("hf:org/model", "hf:org/model")
    assert revised == (["org-model-v1.2"], ["org-model"])
    assert labels("chance", name="my-run.1") == ["my-run.1"]


def test_classes_of_one_name_are_told_apart_by_their_file(folder: Path) -> None:
    (folder / "registry_other.py").write_text(GOOD)
    assert labels("registry_mine.py:Mine", "registry_other.py:Mine") == ["registry_mine-Mine", "registry_other-Mine"]


@pytest.mark.parametrize("spec", ["registry_mine.py:Mine", "registry_mine.py:build", "registry_mine.py:ready"])
def test_a_class_a_function_or_an_object(folder: Path, spec: str) -> None:
    (model,) = make_models([spec], Loading())
    assert model.adapter.fingerprint == "mine"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("registry_none.py:Mine", "there is no file registry_none.py (in --model registry_none.py:Mine)"),
        ("registry_mine.py:Mime", "registry_mine.py has no class 'Mime'; did you mean 'Mine'? (adapters there: Mine,"),
        ("registry_mine.py", "name the class that is the adapter, as in registry_mine.py:Mine"),
        ("registry_mine.py:Args", "must be constructible without arguments (Args.__init__() missing 1 required"),
        ("registry_mine.py:Fails", "registry_mine.py:Fails cannot be made (FileNotFoundError: no file model.pt)"),
        ("registry_mine.py:Nameless", "registry_mine.py:Nameless has no 'fingerprint: str'"),
        ("registry_mine.py:Blank", "registry_mine.py:Blank has no 'fingerprint: str'"),
        ("registry_mine.py:Halved", "registry_mine.py:Halved has a fingerprint with characters that cannot be written"),
        ("registry_mine.py:Unable", "registry_mine.py:Unable has none of the methods that make an adapter"),
        ("chanse", "there is no model 'chanse'; did you mean 'chance'?; see: mmbench list models"),
        ("CLIP-VITB32", "there is no model 'CLIP-VITB32'; did you mean 'clip-vitb32'?"),
        ("vllm:qwen", "'vllm' is no kind of model, and there are api, chance, hf,"),
        ("Qwen/Qwen2.5-VL-7B-Instruct", "; write qwen2.5-vl-7b or hf:Qwen/Qwen2.5-VL-7B-Instruct"),
        ("some/other", "there is no model 'some/other'; write hf:some/other"),
        ("grok-4", "; write api:grok-4@https://"),
        ("clip-vitb23", "there is no model 'clip-vitb23'; did you mean 'clip-vitb32'?"),
        ("chance:x", "chance:x: the seed is a whole number"),
        ("open_clip:ViT-B-32@*.nothing", "no file matches '*.nothing' in --model open_clip:ViT-B-32@*.nothing"),
    ],
)
def test_refusals(folder: Path, spec: str, expected: str) -> None:
    assert expected in refusal(spec)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("import not_there_at_all\n", "cannot be imported (ModuleNotFoundError: No module named 'not_there_at_all')"),
        ("class A\n", "cannot be imported (SyntaxError: expected ':'"),
        ("1 / 0\n", "cannot be imported (ZeroDivisionError: division by zero)"),
        ("x = 1\n", "has no class 'A' (no class there is an adapter)"),
    ],
)
def test_files_that_cannot_be_used(folder: Path, content: str, expected: str) -> None:
    (folder / "registry_bad.py").write_text(content)
    assert refusal("registry_bad.py:A").startswith(f"registry_bad.py {expected}")


def test_a_file_imports_its_neighbours(folder: Path) -> None:
    (folder / "registry_helper.py").write_text("PRINT = 'from the helper'\n")
    (folder / "registry_uses.py").write_text("from registry_helper import PRINT\n" + GOOD.replace('"mine"', "PRINT"))
    assert make_models(["registry_uses.py:Mine"], Loading())[0].adapter.fingerprint == "from the helper"


def test_a_model_given_twice() -> None:
    assert refusal("chance", "chance") == "model 'chance' is given twice; name each model once"


def test_a_name_is_for_one_model_and_for_one_folder() -> None:
    assert refusal("chance", "chance:1", name="x") == "--name 'x' stands for one model, and 2 are to run; leave it out"
    assert refusal("chance", name="a/b") == "--name 'a/b' cannot name a folder of results; 'a-b' can"
    assert refusal("chance", name="../up") == "--name '../up' cannot name a folder of results; 'up' can"
    assert refusal("chance", name="") == "--name '' cannot name a folder of results; 'model' can"


def test_adapter_objects_are_checked() -> None:
    with pytest.raises(UsageError, match="Nothing has no 'fingerprint: str'"):
        check_adapter(object(), "Nothing")


def test_every_entry_point_loads() -> None:
    for group in (registry.ADAPTERS, registry.FAMILIES, registry.SOURCES, registry.TASKS, registry.SUITES):
        for entry in registry.entries(group).values():
            assert entry.load() is not None
    for name, family in ((name, registry.find(registry.FAMILIES, name, "family")) for name in ("retrieval",)):
        assert family.name == name


def test_unknown_names_list_what_is_known() -> None:
    with pytest.raises(UsageError, match=r"there is no family 'retrival'; did you mean 'retrieval'\? \(known: "):
        registry.find(registry.FAMILIES, "retrival", "family")


def test_checkpoints_of_a_pattern_stand_in_the_order_of_their_numbers(folder: Path) -> None:
    for name in ("epoch_10.pt", "epoch_9.pt", "epoch_1.pt"):
        (folder / name).touch()
    made = make_models([f"open_clip:ViT-B-32@{folder}/*.pt"], Loading())
    assert [model.label for model in made] == ["epoch_1", "epoch_9", "epoch_10"]
    made = make_models([f"open_clip:ViT-B-32@{folder}/epoch_?.pt,weights=ema"], Loading())
    assert [model.spec for model in made] == [f"open_clip:ViT-B-32@{folder}/epoch_{n}.pt,weights=ema" for n in (1, 9)]


def test_checkpoints_of_one_stem_are_told_apart_by_their_folder(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "last.pt").touch()
    assert labels("open_clip:ViT-B-32@a/last.pt", "open_clip:ViT-B-32@b/last.pt") == ["a-last", "b-last"]
