import copy

import pytest

from tests.lazy import Lazy, torch

folder = Lazy("mmbench.adapters.tiny.training.folder")
passes = Lazy("mmbench.adapters.tiny.training.passes")
tiny_batch = Lazy("mmbench.adapters.tiny.training.batch")
tiny_stream = Lazy("mmbench.adapters.tiny.training.stream")


@pytest.fixture(scope="module")
def model(tmp_path_factory, recipe, scenes):
    torch.manual_seed(3)
    where = tmp_path_factory.mktemp("fresh")
    folder.begin(recipe, tiny_stream.texts(scenes, 0, 2), where)
    return folder.fresh(where).eval()


def rows(model, lengths, width):
    context = model.text.context_length
    tokens = torch.zeros(len(lengths), context, dtype=torch.long)
    for row, length in enumerate(lengths):
        tokens[row, :length] = torch.randint(1, model.text.vocab_size, (length,))
    return tokens, tokens[:, :width]


@pytest.mark.parametrize(("lengths", "width"), [((3, 9, 5), 10), ((2, 31, 7), 32), ((32, 4, 31), 32)])
def test_trimmed_class_vectors_are_those_of_encode_text(model, lengths, width):
    whole, trimmed = rows(model, lengths, width)
    with torch.inference_mode():
        wanted = model.encode_text(whole, normalize=False)
        torch.testing.assert_close(passes.class_vectors(model, trimmed), wanted, rtol=1e-4, atol=1e-5)


def test_class_vectors_learn_as_those_of_encode_text(model):
    model = copy.deepcopy(model).double()
    whole, trimmed = rows(model, (3, 9, 5), 10)
    found = []
    for vectors in (model.encode_text(whole, normalize=False), passes.class_vectors(model, trimmed)):
        model.zero_grad()
        vectors.square().sum().backward()
        found.append({name: p.grad.clone() for name, p in model.text.named_parameters()})
    torch.testing.assert_close(found[0], found[1], rtol=1e-6, atol=1e-9)


def test_decoder_states_give_the_logits_of_coca(model):
    tokens, _ = rows(model, (5, 9, 3, 0), 32)
    images = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        patches = model._encode_image(images)[1]
        pairs = tokens.view(2, 2, -1)[..., :10]
        states = passes.decoder_states(model, patches, pairs, pairs != 0)
        found = passes.logits(model, states)
        wanted = model(images.repeat_interleave(2, dim=0), tokens, output_labels=False)["logits"]
    torch.testing.assert_close(found, wanted[tokens != 0], rtol=1e-3, atol=1e-4)


def test_pixels_are_those_of_the_evaluation(model, scenes, recipe, tmp_path):
    from open_clip.transform import PreprocessCfg, image_transform_v2

    from mmbench.adapters.tiny.training.batch import fractions

    folder.begin(recipe, tiny_stream.texts(scenes, 0, 2), tmp_path)
    drawn = list(scenes(0, 0))[:4]
    transform = image_transform_v2(PreprocessCfg(size=64, mean=(0.5,) * 3, std=(0.5,) * 3), is_train=False)
    noise = [torch.randint(0, 256, (224, 224, 3), dtype=torch.uint8).numpy() for _ in drawn]
    for row, pixels in zip(drawn, noise, strict=True):
        row.cells["image"] = type(row.cells["image"]).from_array(pixels, "noise")
    wanted = torch.stack([transform(row.cells["image"].pil()) for row in drawn])
    assert torch.equal(fractions(tiny_batch.Encoder(tmp_path)(drawn).pixels), wanted)
