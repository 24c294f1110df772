import pytest

from tests.lazy import Lazy, timm, torch

folder = Lazy("mmbench.adapters.tiny.training.folder")
tiny_recipe = Lazy("mmbench.adapters.tiny.training.recipe")

TEXTS = [f"word{letter} is here" for letter in "abcdefghij"]


@pytest.mark.parametrize(("name", "most"), [("tiny", 3.0e6), ("micro", 1.0e6)])
def test_stock_coca_has_the_tower_and_fits(tmp_path, name, most):
    recipe = tiny_recipe.RECIPES[name]
    folder.begin(recipe, TEXTS, tmp_path)
    model = folder.fresh(tmp_path).eval()
    words = 900 - model.text.vocab_size  # the grammar's vocabulary has about 900 tokens, each with two vectors
    assert sum(p.numel() for p in model.parameters()) + 2 * words * recipe.width < most
    assert all(p.isfinite().all() and p.abs().max() < 5 for p in model.parameters())
    with torch.inference_mode():
        vectors, patches = model.visual(torch.randn(2, 3, 64, 64))
    assert vectors.shape == (2, recipe.embed_dim)
    assert patches.shape == (2, 64, recipe.width)


def test_vector_does_not_depend_on_its_batch():
    tower = timm.create_model("mmbench_micro").eval()
    images = torch.randn(5, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(tower(images)[0][2:3], tower(images[2:3])[0], rtol=1e-4, atol=1e-5)


def test_patches_know_where_they_are():
    tower = timm.create_model("mmbench_micro").eval()
    with torch.inference_mode():
        patches = tower(torch.zeros(1, 3, 64, 64))[1][0]
    assert len(patches.unique(dim=0)) == 64
