import math

from tests.lazy import Lazy, torch

folder = Lazy("mmbench.adapters.tiny.training.folder")
losses = Lazy("mmbench.adapters.tiny.training.losses")
passes = Lazy("mmbench.adapters.tiny.training.passes")
tiny_batch = Lazy("mmbench.adapters.tiny.training.batch")
tiny_step = Lazy("mmbench.adapters.tiny.training.step")
tiny_stream = Lazy("mmbench.adapters.tiny.training.stream")


def loop(images, words, own, scale):
    similar = [[scale * float(image @ word) for word in words] for image in images]
    finds = [-math.log(math.exp(row[o]) / sum(map(math.exp, row))) for row, o in zip(similar, own, strict=True)]
    found = []
    for text in sorted(set(own)):
        column = [row[text] for row in similar]
        logs = [value - math.log(sum(map(math.exp, column))) for value in column]
        mine = [log for log, o in zip(logs, own, strict=True) if o == text]
        found.append(-sum(mine) / len(mine))
    return (sum(finds) / len(finds) + sum(found) / len(found)) / 2


def test_contrastive_loss_with_ties_and_hard_negatives():
    torch.manual_seed(0)
    images, words = (torch.nn.functional.normalize(torch.randn(n, 8), dim=1) for n in (5, 6))
    own = [0, 1, 0, 3, 1]
    found = losses.contrastive(images, words, torch.tensor(own), torch.tensor(4.0))
    assert math.isclose(float(found), loop(images, words, own, 4.0), rel_tol=1e-5)


def test_losses_of_patches_and_facts():
    torch.manual_seed(0)
    guesses, labels = torch.randn(2, 5, 3), torch.tensor([[0, 1, 0, 2, 0], [0, 0, 0, 0, 1]])
    missed = [[-float(guesses[i, j].log_softmax(0)[labels[i, j]]) for j in range(5)] for i in range(2)]
    there = [missed[i][j] for i in range(2) for j in range(5) if labels[i, j]]
    rest = [missed[i][j] for i in range(2) for j in range(5) if not labels[i, j]]
    expected = (sum(there) / 3 + sum(rest) / 7) / 2
    assert math.isclose(float(losses.dense(guesses, labels)), expected, rel_tol=1e-5)

    guesses, labels = torch.randn(2, 3), torch.tensor([[1, 0, -1], [-1, -1, 1]])
    asked = [(0, 0, 1), (0, 1, 0), (1, 2, 1)]
    right = [1 / (1 + math.exp(-float(guesses[i, j]) * (1 if held else -1))) for i, j, held in asked]
    expected = -((math.log(right[0]) + math.log(right[1])) / 2 + math.log(right[2])) / 2
    assert math.isclose(float(losses.facts(guesses, labels)), expected, rel_tol=1e-5)
    assert losses.facts(guesses, torch.full((2, 3), -1)) == 0


def test_losses_of_a_batch_are_those_of_plain_coca(tmp_path, recipe, scenes):
    torch.manual_seed(0)
    folder.begin(recipe, tiny_stream.texts(scenes, 0, 2), tmp_path)
    model = folder.fresh(tmp_path)
    rows = list(scenes(0, 0))
    batch = tiny_batch.Encoder(tmp_path)(rows).to(torch.device("cpu"))
    trainee = tiny_step.Trainee.of(model, recipe, half=False)
    with torch.inference_mode():
        found = trainee.losses(batch)
        tokens = {"caption": [], "answer": []}
        for number, row in enumerate(rows):
            for kind, name in enumerate(tokens):
                written = batch.written[number, kind]
                written = written[written != 0]
                if not len(written):
                    assert row.cells["answer"] is None
                    continue
                image = tiny_batch.fractions(batch.pixels[number : number + 1])
                logs = model(image, written[None], output_labels=False)["logits"][0].log_softmax(-1)
                first = int(batch.given[number, kind])
                tokens[name] += [-float(logs[at - 1, written[at]]) for at in range(first, len(written))]
        distinct = list(dict.fromkeys(row.cells[name] for name in ("caption", "negative") for row in rows))
        distinct = [text for text in distinct if text]
        tokenizer = __import__("open_clip").tokenizer.SimpleTokenizer(str(tmp_path / "bpe_simple_vocab.txt.gz"))
        words = model.encode_text(tokenizer(distinct, context_length=32))
        images = model.encode_image(tiny_batch.fractions(batch.pixels))
        own = [distinct.index(row.cells["caption"]) for row in rows]
        contrastive = loop(images, words, own, float(model.logit_scale.exp()))
    for name, values in tokens.items():
        assert math.isclose(float(found[name]), sum(values) / len(values), rel_tol=1e-4)
    # Answers of one word and the end token, of the six pictures that have a question.
    assert len(tokens["answer"]) == 12
    assert math.isclose(float(found["contrastive"]), contrastive, rel_tol=1e-4)
    weighed = (
        recipe.contrastive * found["contrastive"]
        + recipe.caption * found["caption"]
        + recipe.answer * found["answer"]
        + recipe.dense * sum(found[name] for name in tiny_batch.PATCHES)
        + recipe.facts * found["facts"]
    )
    torch.testing.assert_close(found["loss"], weighed)


def test_norms_biases_and_embeddings_are_not_decayed(tmp_path, recipe, scenes):
    folder.begin(recipe, tiny_stream.texts(scenes, 0, 1), tmp_path)
    model = folder.fresh(tmp_path)
    decayed, plain = tiny_step.Trainee.of(model, recipe, half=False).optimiser.param_groups
    assert (decayed["weight_decay"], plain["weight_decay"]) == (recipe.decay, 0.0)
    names = {id(p): name for name, p in model.named_parameters()}
    kept = {names.get(id(p), "head") for p in plain["params"]}
    assert {"text.cls_emb", "text.token_embedding.weight", "logit_scale", "visual.trunk.rows"} < kept
    assert "text_decoder.text_projection" in {names.get(id(p)) for p in decayed["params"]}
    assert passes.logits(model, torch.zeros(1, recipe.width)).shape == (1, model.text.vocab_size)
