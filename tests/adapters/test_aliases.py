import re

import pytest

from mmbench.adapters import aliases
from mmbench.adapters.hf.spec import parse as parse_hf
from mmbench.adapters.open_clip import catalogue
from mmbench.adapters.open_clip.recipe import parse
from mmbench.adapters.open_clip.weights import HubWeights
from mmbench.harness.errors import UsageError

OF_OPEN_CLIP = {name: alias for name, alias in aliases.load().items() if alias.spec.startswith("open_clip:")}
OF_TRANSFORMERS = {name: alias for name, alias in aliases.load().items() if alias.spec.startswith("hf:")}


def test_every_alias_is_of_a_kind_that_is_tested():
    assert len(OF_OPEN_CLIP) + len(OF_TRANSFORMERS) == len(aliases.load())


@pytest.mark.parametrize(("name", "alias"), OF_TRANSFORMERS.items())
def test_alias_names_a_repository_and_a_size(name, alias):
    place, _ = parse_hf(alias.spec.removeprefix("hf:"))
    assert place.folder is None and place.repository.count("/") == 1 and place.revision is None
    assert alias.description
    told = re.search(r", (\d+) M parameters$", alias.description)
    # The files of SigLIP 2 are float32; of other repositories no size was looked up.
    assert alias.download_mb is None or abs(alias.download_mb - 4 * int(told[1])) <= 2


@pytest.mark.parametrize(
    "typed",
    ["qwen3-vl-8b", "qwen2.5-vl-7b", "siglip2-so400m", "llava-onevision-7b", "smolvlm2-2.2b", "florence-2-base"],
)
def test_models_that_people_type_have_an_alias(typed):
    assert typed in aliases.load()


@pytest.mark.parametrize(("name", "alias"), OF_OPEN_CLIP.items())
def test_alias_names_an_architecture_and_a_tag_of_open_clip(name, alias):
    kind, _, rest = alias.spec.partition(":")
    architecture, _, tag = rest.partition("/")
    assert kind == "open_clip"
    recipe = parse(rest)  # refuses unknown names and a QuickGELU that does not fit
    if name == "untrained-tiny" or architecture == "mmbench":
        assert alias.download_mb == 0
        return
    assert isinstance(recipe.weights, HubWeights)
    assert tag in catalogue.tags(architecture)
    assert catalogue.tag(architecture, tag).quick_gelu == bool(recipe.config.get("quick_gelu", False))
    assert alias.download_mb is None or 100 < alias.download_mb < 20_000
    assert alias.description


def test_openai_weights_are_never_without_quickgelu():
    rests = [alias.spec for alias in aliases.load().values() if alias.spec.endswith("/openai")]
    assert rests and all("-quickgelu/" in rest for rest in rests)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "cannot be read"),
        ("- a", "must be a table"),
        ("a: 3", "must be a table with"),
        ("a: {spce: x}", "did you mean 'spec'"),
        ("a: {spec: x, description: y}", "spec must be"),
        ("a: {spec: 'x:y', download_mb: big, description: y}", "whole number"),
        ("a: {spec: 'x:y'}", "description"),
    ],
)
def test_table_that_cannot_be_used(tmp_path, text, said):
    file = tmp_path / "models.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=said):
        aliases.load(file)
