"""Names of other tools are answered with the spelling that works here."""

from pathlib import Path

import pytest

from mmbench.adapters.open_clip import recipe
from mmbench.adapters.open_clip.spelling import spelled
from mmbench.adapters.shared.device import resolve
from mmbench.harness.errors import UsageError
from mmbench.harness.models.models import Loading, make_models


@pytest.mark.parametrize(
    ("typed", "spec"),
    [
        ("ViT-B-32/openai", "ViT-B-32-quickgelu/openai"),
        ("ViT-B-32:openai", "ViT-B-32-quickgelu/openai"),
        ("ViT-B-32, openai", "ViT-B-32-quickgelu/openai"),
        ("vit-b-32/opnai", "ViT-B-32-quickgelu/openai"),
        ("ViT-B-32-quickgelu/laion2b_s34b_b79k", "ViT-B-32/laion2b_s34b_b79k"),
        ("ViT-B/32", "ViT-B-32-quickgelu/openai"),
        ("ViT-L/14@336px", "ViT-L-14-336-quickgelu/openai"),
        ("openai/clip-vit-large-patch14", "ViT-L-14-quickgelu/openai"),
        ("hf:openai/clip-vit-base-patch32", "ViT-B-32-quickgelu/openai"),
        ("hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "ViT-B-32/laion2b_s34b_b79k"),
        ("https://huggingface.co/laion/CLIP-ViT-H-14-laion2B-s32B-b79K", "ViT-H-14/laion2b_s32b_b79k"),
        ("timm/ViT-B-16-SigLIP", "ViT-B-16-SigLIP/webli"),
        ("ViT-B-32@ckpt.pt", "ViT-B-32@ckpt.pt"),
    ],
)
def test_the_spelling_here(typed: str, spec: str) -> None:
    assert spelled(typed) == f"open_clip:{spec}"
    if "@ckpt" not in spec:
        recipe.parse(spec)  # it is one that works
    if not typed.startswith("hf:"):  # which are models of another adapter
        with pytest.raises(UsageError, match="there is no model"):
            make_models([typed], Loading())


@pytest.mark.parametrize(
    "typed", ["", "foo", "Qwen/Qwen2-VL-7B", "ViT-Z-99/openai", "x" * 5000, "a\0b", "ViT-B-32/" * 9]
)
def test_names_that_tell_nothing(typed: str) -> None:
    assert spelled(typed) is None


def test_what_lies_at_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.pt").write_bytes(b"")
    Path("a.py").touch()
    Path("folder").mkdir()
    Path("mine").mkdir()
    Path("mine/open_clip_config.json").touch()
    for typed, said in (
        ("a.pt", "; write open_clip:ARCH@a.pt, ARCH being the architecture"),
        ("b.pt", ", and no file of that name"),
        ("mine", "; write open_clip:mine"),
        ("folder", "; it is a folder that no kind of adapter here knows"),
        ("ViT-B-32/openai", "; write clip-vitb32 or open_clip:ViT-B-32-quickgelu/openai"),
        ("google/siglip-base", "; write hf:google/siglip-base"),
        ("ViT-B-32", "; write open_clip:ViT-B-32/TAG (TAG: openai, "),
    ):
        with pytest.raises(UsageError) as caught:
            make_models([typed], Loading())
        assert str(caught.value).startswith(f"there is no model '{typed}'{said}")


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("mps", "use --device cpu"),
        ("gpu", "did you mean 'cuda'?"),
        ("1", "did you mean 'cuda:1'?"),
        ("cuda0", "did you mean 'cuda:0'?"),
        ("CPU", "did you mean 'cpu'?"),
    ],
)
def test_devices(device: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"unknown device '{device}'") as caught:
        resolve(device, "auto")
    assert said in str(caught.value)


def test_precisions() -> None:
    for dtype, meant in (("float16", "fp16"), ("torch.bfloat16", "bf16"), ("half", "fp16"), ("float32", "fp32")):
        with pytest.raises(UsageError, match=f"did you mean '{meant}'"):
            Loading(dtype=dtype)
