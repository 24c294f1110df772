"""CoCa's captioner against open_clip's own forward pass, plain loops and exhaustive enumeration."""

import itertools
import json
import math
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from unittest.mock import patch

import numpy as np
import PIL.Image
import pytest

from mmbench.adapters.contract.check import check_adapter
from mmbench.adapters.open_clip.adapter import OpenClip, from_spec
from mmbench.adapters.open_clip.coca.cache import Cache
from mmbench.adapters.open_clip.coca.decoder import Decoder, seated
from mmbench.adapters.open_clip.coca.likelihood import packs
from mmbench.adapters.open_clip.coca.search import Page, beam_search, by_chance, likeliest, write
from mmbench.benchmarks.scenes.rows import rows
from mmbench.harness.errors import TooLong, Unsupported, UsageError
from mmbench.harness.models.abilities import Generation, abilities
from tests.lazy import open_clip, torch

VISION = {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16}
POOLED = {**VISION, "attentional_pool": True, "attn_pooler_heads": 2, "output_tokens": True}
TEXT = {"context_length": 76, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}
CONFIG = {
    "embed_dim": 32,
    "custom_text": True,
    "vision_cfg": POOLED,
    "text_cfg": {**TEXT, "embed_cls": True, "output_tokens": True},
    "multimodal_cfg": {**TEXT, "attn_pooler_heads": 2},
}
PROMPTS = ["", "a photo of", "what colour is the large bird that sits on the old wooden fence?"]
TEXTS = ["a cat", "", "a dog on a chair beside the window", "wow!! !x", "cat " * 100, "no", "東京 café"]


def first(few, every):
    """Seeds, of which all but the first few are left to the long run."""
    return [seed if seed < few else pytest.param(seed, marks=pytest.mark.long) for seed in range(every)]


@cache
def english():
    """The tokenizer of English words."""
    return open_clip.SimpleTokenizer(context_length=76)


class Letters:
    """A tokenizer of a handful of letters, with ids of its own for start and end."""

    sot_token_id, eot_token_id, context_length = 5, 3, 9

    def encode(self, text):
        return ["abc".index(letter) for letter in text if letter in "abc"]

    def decode(self, tokens):
        return "".join("abc*de"[token] for token in tokens)


def enlivened(model, seed):
    """Random weights of a size at which a reply depends on the picture and on each word."""
    with torch.no_grad():
        generator = torch.Generator().manual_seed(seed)
        for weight in (model.text.token_embedding.weight, model.text_decoder.text_projection):
            weight.normal_(std=0.7, generator=generator)
    return model.eval()


def coca(seed, tokenizer=None, **text):
    torch.manual_seed(seed)
    text = {**TEXT, **text}
    config = {"text_cfg": {**text, "embed_cls": True, "output_tokens": True}, "multimodal_cfg": text}
    model = enlivened(open_clip.coca_model.CoCa(embed_dim=32, vision_cfg=POOLED, **config), seed)
    return lambda **options: OpenClip(
        model, open_clip.image_transform(32, is_train=False), tokenizer or english(), **options
    )


def letters(seed, context=9):
    return coca(seed, Letters(), vocab_size=6, context_length=context)


def pictures(n=4):
    noise = np.random.default_rng(0)
    return [PIL.Image.fromarray(noise.integers(0, 256, (40, 32, 3), dtype=np.uint8)) for _ in range(n)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("coca"), CONFIG)


def saved(folder, config):
    preprocess = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": preprocess}))
    torch.manual_seed(7)
    model = open_clip.create_model(f"local-dir:{folder}")
    state = enlivened(model, 7).state_dict() if "multimodal_cfg" in config else model.state_dict()
    torch.save(state, folder / "open_clip_pytorch_model.bin")
    return folder


def load(rest, dtype="fp32"):
    return from_spec(rest, device="cpu", dtype=dtype, offline=True)


def parts(adapter):
    return adapter._source.model, [adapter.prepare_image(picture) for picture in pictures()]


# ---- how likely a text is


def plain_log_p(model, image, prompt, text, tokenizer=None):
    """One text of one picture through open_clip's own forward pass."""
    tokenizer = tokenizer or english()
    given = tokenizer.encode(prompt)
    ids = [tokenizer.sot_token_id, *given, *tokenizer.encode(text)][: model.context_length - 1]
    tokens = torch.tensor([[*ids, tokenizer.eot_token_id]])
    with torch.inference_mode():
        made = model(image[None], tokens)
        log_p = made["logits"].double().log_softmax(-1).gather(2, made["labels"][..., None])[0, :, 0]
    return log_p[len(given) :].sum().item()


@pytest.mark.parametrize("seed", first(1, 3))
def test_likelihood_is_that_of_the_plain_forward_pass(seed):
    adapter = coca(seed)()
    model, images = parts(adapter)
    items = [([image], prompt, TEXTS) for image, prompt in itertools.product(images, PROMPTS)]
    for (seen, prompt, texts), scores in zip(items, adapter.score_texts(items), strict=True):
        assert scores == pytest.approx([plain_log_p(model, seen[0], prompt, text) for text in texts], rel=1e-5)
        assert all(isinstance(score, float) for score in scores)


def test_likelihoods_do_not_depend_on_their_batch():
    adapter = coca(0)()
    _, images = parts(adapter)
    items = [([image], prompt, TEXTS[n:]) for n, (image, prompt) in enumerate(zip(images, [*PROMPTS, ""], strict=True))]
    items += [([images[0]], "", []), ([images[0]], "", [" ".join(TEXTS[2:4])] * 3)]
    alone = [[adapter.score_texts([(i, p, [t])])[0][0] for t in texts] for i, p, texts in items]
    for one, other in zip(adapter.score_texts(items), alone, strict=True):
        assert one == pytest.approx(other, rel=1e-5)


def test_likelihood_is_the_product_of_next_token_probabilities():
    adapter = letters(1, context=6)()
    model, images = parts(adapter)
    short = ["".join(some) for n in range(3) for some in itertools.product("abc", repeat=n)]
    (log_p,) = adapter.score_texts([([images[0]], "b", short)])

    def after(*tokens):
        with torch.inference_mode():
            logits = model(images[0][None], torch.tensor([[5, 1, *tokens]]), output_labels=False)["logits"]
        return logits[0, -1].double().softmax(-1)

    for text, found in zip(short, log_p, strict=True):
        ids = ["abc".index(letter) for letter in text]
        assert after(*ids).sum().item() == pytest.approx(1)
        expected = math.prod(after(*ids[:n])[token].item() for n, token in enumerate([*ids, 3]))
        assert math.exp(found) == pytest.approx(expected, rel=1e-4)


def test_prompt_is_given_not_counted():
    adapter = coca(0)()
    _, images = parts(adapter)
    (whole,), (ahead,), (after,) = adapter.score_texts(
        [
            ([images[0]], "", ["a photo of a cat"]),
            ([images[0]], "", ["a photo of"]),
            ([images[0]], "a photo of", ["a cat"]),
        ]
    )
    (end,), (empty,) = adapter.score_texts([([images[0]], "a photo of", [""]), ([images[0]], "", [""])])
    assert whole == pytest.approx(ahead - end + after, rel=1e-5)  # chain rule; the end token stands once
    assert empty < 0 and end != empty


def test_greedy_reply_is_likelier_than_other_texts_of_its_length():
    adapter = coca(2)()
    _, images = parts(adapter)
    words = ["cat", "dog", "red", "old", "on", "the", "sky", "house", "two", "small", "green", "men"]
    noise = np.random.default_rng(0)
    for image in images:
        (reply,) = adapter.generate([([image], "")], Generation(max_tokens=6))
        texts = [reply, *(" ".join(noise.choice(words, len(english().encode(reply)))) for _ in range(20))]
        (scores,) = adapter.score_texts([([image], "", texts)])
        assert scores[0] > max(scores[1:])


def test_texts_are_packed_and_seated_once_each():
    lengths = [int(n) for n in np.random.default_rng(0).integers(2, 76, 300)]
    found = packs(lengths, 500)
    assert sorted(row for pack in found for row in pack) == list(range(300))
    assert all(len(pack) * max(lengths[row] for row in pack) <= 500 for pack in found)
    shown = [int(n) for n in np.random.default_rng(1).integers(0, 9, 50)]
    benches = seated(shown, 12, 23.2)
    assert sorted(row for bench in benches for row in bench) == list(range(50))
    assert all(len({shown[row] for row in bench}) == 1 for bench in benches)


def test_many_texts_are_scored_in_several_packs(monkeypatch):
    adapter = coca(0)()
    _, images = parts(adapter)
    items = [([image], prompt, TEXTS) for image in images for prompt in PROMPTS]
    expected = adapter.score_texts(items)
    monkeypatch.setattr("mmbench.adapters.open_clip.coca.likelihood._PACK", 100)
    monkeypatch.setattr("mmbench.adapters.open_clip.coca.likelihood._CHUNK", 7)
    for one, other in zip(adapter.score_texts(items), expected, strict=True):
        assert one == pytest.approx(other, rel=1e-5)


# ---- what it writes


def plain_greedy(model, image, beginning, room, end=49407):
    """The plain loop over open_clip's forward pass."""
    tokens = list(beginning)
    with torch.inference_mode():
        for _ in range(room):
            logits = model(image[None], torch.tensor([tokens]), output_labels=False)["logits"][0, -1]
            tokens.append(int(logits.argmax()))
            if tokens[-1] == end:
                break
    return tokens[len(beginning) :]


@pytest.mark.parametrize("seed", first(1, 4))
def test_greedy_is_the_plain_loop(seed):
    adapter = coca(seed)()
    model, images = parts(adapter)
    asked = [([image], prompt) for image in images for prompt in PROMPTS]
    replies = adapter.generate(asked, Generation(max_tokens=9))
    for ((image,), prompt), reply in zip(asked, replies, strict=True):
        tokens = plain_greedy(model, image, [49406, *english().encode(prompt)], 9)
        assert reply == english().decode([token for token in tokens if token < 49406]).strip()
        assert adapter.generate([([image], prompt)], Generation(max_tokens=9)) == [reply]
    assert len(set(replies)) > len(PROMPTS)


@pytest.mark.parametrize("seed", first(2, 6))
def test_greedy_ends_at_the_end_token_of_the_tokenizer(seed):
    adapter = letters(seed)()
    model, images = parts(adapter)
    replies = adapter.generate([([image], "ab") for image in images], Generation(max_tokens=99))
    for image, reply in zip(images, replies, strict=True):
        tokens = plain_greedy(model, image, [5, 0, 1], 9 - 3, end=3)
        assert reply == "".join("abc*de"[token] for token in tokens if token not in (3, 5))


def test_max_tokens_and_stop_end_a_reply():
    adapter = coca(1)()
    _, images = parts(adapter)
    (full,) = adapter.generate([([images[0]], "")], Generation(max_tokens=8))
    (cut,) = adapter.generate([([images[0]], "")], Generation(max_tokens=3))
    assert full.startswith(cut) and len(cut) < len(full)
    word = full.split()[2]
    expected = full[: full.index(word)].strip()
    for options in ({}, {"stop": ("nowhere in it",)}):
        assert adapter.generate([([images[0]], "")], Generation(max_tokens=8, **options)) == [full]
    assert adapter.generate([([images[0]], "")], Generation(max_tokens=8, stop=("zzz", word))) == [expected]
    assert adapter.generate([([images[0]], "")], Generation(max_tokens=0)) == [""]
    stopped = coca(1)(beams=3).generate([([images[0]], "")], Generation(max_tokens=8, stop=(word,)))
    assert word not in stopped[0]


def test_drawn_replies_depend_on_picture_and_prompt_alone():
    adapter = coca(3)()
    _, images = parts(adapter)
    asked = [([image], prompt) for image in images for prompt in PROMPTS[:2]]
    settings = Generation(max_tokens=5, temperature=1.5)
    together = adapter.generate(asked, settings)
    assert together == [adapter.generate([one], settings)[0] for one in asked]
    assert together != adapter.generate(asked, Generation(max_tokens=5))
    assert len(set(together)) == len(asked)


def test_tokens_are_drawn_by_their_probability():
    p = torch.tensor([0.5, 0.0, 0.3, 0.2])
    pick = by_chance(1.0, [str(seed) for seed in range(2000)])
    drawn = pick(p.log().expand(2000, 4), list(range(2000)))
    assert np.bincount(drawn, minlength=4) / 2000 == pytest.approx(p.numpy(), abs=0.04)
    sharp = by_chance(0.5, [str(seed) for seed in range(2000)])(p.log().expand(2000, 4), list(range(2000)))
    assert np.bincount(sharp, minlength=4) / 2000 == pytest.approx((p**2 / (p**2).sum()).numpy(), abs=0.04)


# ---- keys and values that are kept


def scenes(n):
    name = "scenes-single"
    return [row.cells["image"].pil() for row in itertools.islice(rows(name, "validation"), n)]


@contextmanager
def all_anew():
    """No keys and values are kept: each step reads the whole rows."""
    with patch.object(Cache, "serves", lambda model: False):
        yield


@pytest.mark.parametrize(
    ("name", "beams"),
    [
        ("micro-coca", 1),
        ("micro-coca", 3),
        pytest.param("tiny-coca", 1, marks=pytest.mark.long),
        pytest.param("tiny-coca", 3, marks=pytest.mark.long),
    ],
)
def test_kept_keys_write_what_all_anew_does(name, beams):
    adapter = from_spec(f"mmbench/{name},beams={beams}", device="cpu", dtype="fp32", offline=True)
    assert Cache.serves(adapter._source.model)
    ours = [adapter.prepare_image(picture) for picture in [*scenes(24), *pictures()]]
    asked = [([image], prompt) for image in ours for prompt in ("", "a drawing of")]
    replies = adapter.generate(asked, Generation(max_tokens=12))
    with all_anew():
        assert replies == adapter.generate(asked, Generation(max_tokens=12))
    assert len(set(replies)) > 8


@pytest.mark.parametrize(
    ("text", "tokenizer"),
    [pytest.param({}, None, marks=pytest.mark.long), ({}, Letters()), ({"ls_init_value": 0.5}, Letters())],
)
def test_logits_with_kept_keys_are_those_of_the_whole_rows(text, tokenizer):
    size = {} if tokenizer is None else {"vocab_size": 6, "context_length": 9}
    adapter = coca(5, tokenizer, **{**size, **text})()
    model, images = parts(adapter)
    decoder = Decoder(model, tokenizer or english())
    noise = np.random.default_rng(0)
    vocabulary = 6 if tokenizer else 50  # 0, the id of padding, is a word as well
    with torch.inference_mode():
        seen, numbers = decoder.look(images), [2, 0, 2, 3]
        cache = Cache(decoder, seen, numbers)
        rows = [(item, (decoder.end + 2, *range(item))) for item in range(4)] if tokenizer else []
        rows = rows or [(item, decoder.beginning(prompt)) for item, prompt in enumerate([*PROMPTS, "wow!! !x"])]
        for _ in range(5):
            found = cache.next_logits(rows)
            assert found == approx(decoder.next_logits(seen, [(numbers[item], tokens) for item, tokens in rows]))
            kept = sorted(noise.choice(len(rows), max(3, len(rows) - 1)).tolist())  # some twice, some not at all
            words = noise.permutation(vocabulary)
            rows = [(rows[at][0], (*rows[at][1], int(words[number % 6]))) for number, at in enumerate(kept)]


def approx(logits):
    return pytest.approx(logits.numpy(), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("beams", [1, 2])
def test_items_beyond_memory_are_written_after_the_others(beams, monkeypatch):
    adapter = letters(1)(beams=beams)
    _, images = parts(adapter)
    asked = [([image], prompt) for image in images for prompt in ("", "ab", "cab")]
    hot = Generation(max_tokens=6, temperature=1.0)
    expected = adapter.generate(asked, Generation(max_tokens=6)), beams == 1 and adapter.generate(asked, hot)
    monkeypatch.setattr("mmbench.adapters.open_clip.coca.cache._MOST_BYTES", 1)
    assert expected == (adapter.generate(asked, Generation(max_tokens=6)), beams == 1 and adapter.generate(asked, hot))


def test_models_with_parts_of_their_own_are_read_whole():
    adapter = coca(0)()
    model, images = parts(adapter)
    asked = [([image], "") for image in images]
    plain = adapter.generate(asked, Generation(max_tokens=6))
    handle = model.text_decoder.resblocks[0].register_forward_hook(lambda module, given, made: made.flip(-1))
    assert not Cache.serves(model)
    assert adapter.generate(asked, Generation(max_tokens=6)) != plain
    handle.remove()
    assert Cache.serves(model) and adapter.generate(asked, Generation(max_tokens=6)) == plain
    model.text.transformer.resblocks[1].attn = type("Own", (torch.nn.MultiheadAttention,), {})(32, 2, batch_first=True)
    assert not Cache.serves(model)
    assert not Cache.serves(coca(0, qk_norm=True)()._source.model)


# ---- beam search


def table(seed, size):
    """Logits of the next token that depend on all that was written."""

    def step(rows):
        seeds = [hash((seed, item, *tokens)) % 2**31 for item, tokens in rows]
        return torch.stack([2 * torch.randn(size, generator=torch.Generator().manual_seed(s)) for s in seeds])

    return step


def enumerated(log_p_after, size, end, room):
    """The text with the highest mean of log p a token, among all there are: ended ones and those that fill the room."""
    best = (-math.inf, ())
    pending = [((), 0.0)]
    while pending:
        tokens, total = pending.pop()
        log_p = log_p_after(tokens)
        for token in range(size):
            longer, more = (*tokens, token), total + log_p[token].item()
            if token == end or len(longer) == room:
                best = max(best, (more / len(longer), longer))
            else:
                pending.append((longer, more))
    return best[1]


@pytest.mark.parametrize("seed", first(4, 20))
def test_wide_beams_find_what_enumeration_finds(seed):
    size, room, end = 4, 4, 2
    step = table(seed, size)
    pages = [Page((9, *range(item)), room - item % 2) for item in range(3)]
    found = beam_search(step, pages, lambda written: written[-1] == end, beams=size**room)
    for item, page in enumerate(pages):

        def after(tokens, item=item, page=page):
            return step([(item, page.beginning + tokens)])[0].log_softmax(-1)

        assert found[item] == enumerated(after, size, end, page.room)


def narrow(log_p_after, size, end, room, beams):
    """Beam search in so many words, without stopping early."""
    live, finished = [(0.0, ())], []
    for _ in range(room):
        continued = sorted(
            (
                (total + log_p_after(tokens)[token].item(), (*tokens, token))
                for total, tokens in live
                for token in range(size)
            ),
            reverse=True,
        )
        finished += [(total, tokens) for total, tokens in continued[:beams] if tokens[-1] == end]
        live = [(total, tokens) for total, tokens in continued[: 2 * beams] if tokens[-1] != end][:beams]
    return max((total / len(tokens), tokens) for total, tokens in finished + live)[1]


@pytest.mark.parametrize("beams", [2, 3, 6])
def test_narrow_beams_find_what_a_plain_search_finds(beams):
    for seed in range(15):
        step = table(seed, 7)
        (found,) = beam_search(step, [Page((9,), 5)], lambda written: written[-1] == 0, beams)
        assert found == narrow(lambda tokens, step=step: step([(0, (9, *tokens))])[0].log_softmax(-1), 7, 0, 5, beams)


def test_of_equal_texts_the_first_tokens_are_taken():
    step = lambda rows: torch.zeros(len(rows), 5)  # noqa: E731
    ended = lambda written: written[-1] == 4  # noqa: E731
    for beams in (2, 3):
        assert beam_search(step, [Page((9,), 3)], ended, beams) == [(0, 0, 0)]
    assert write(step, [Page((9,), 3), Page((9,), 0)], ended, likeliest) == [(0, 0, 0), ()]
    assert beam_search(step, [Page((9,), 0)], ended, 2) == [()]


@pytest.mark.parametrize("seed", first(1, 4))
def test_beams_of_the_model_find_what_enumeration_finds(seed):
    made = letters(seed, context=7)
    adapter = made(beams=600)
    model, images = parts(adapter)
    replies = adapter.generate([([image], "a") for image in images[:2]], Generation(max_tokens=4))
    for image, reply in zip(images, replies, strict=False):

        def after(tokens, image=image):
            with torch.inference_mode():
                tokens = torch.tensor([[5, 0, *tokens]])
                return model(image[None], tokens, output_labels=False)["logits"][0, -1].log_softmax(-1)

        tokens = enumerated(after, 6, 3, 4)
        assert reply == "".join("abc*de"[token] for token in tokens if token not in (3, 5))


def test_one_beam_is_greedy_and_more_do_not_depend_on_the_batch():
    made = coca(0)
    _, images = parts(made())
    asked = [([image], prompt) for image in images for prompt in PROMPTS[:2]]
    settings = Generation(max_tokens=6)
    greedy = made().generate(asked, settings)
    assert made(beams=1).generate(asked, settings) == greedy
    wide = made(beams=4)
    replies = wide.generate(asked, settings)
    assert replies == [wide.generate([one], settings)[0] for one in asked]
    assert replies != greedy


# ---- the adapter


def test_captioner_keeps_the_contract(folder, tmp_path):
    (tmp_path / "other").mkdir()
    narrow_cfg = {**CONFIG, "quick_gelu": True}
    check_adapter(
        lambda: load(str(folder)),
        changed={
            "beams": lambda: load(f"{folder},beams=3"),
            "activation": lambda: load(str(saved(tmp_path / "other", narrow_cfg))),
        },
        unchanged={"one beam": lambda: load(f"{folder},beams=1")},
    )
    check_adapter(lambda: load(f"{folder},beams=3"))


def test_only_captioners_score_and_write(folder, tmp_path):
    towers = {"embed_images", "embed_texts"}
    assert abilities(load(str(folder))) == abilities(coca(0)()) == towers | {"score_texts", "generate"}
    dual = {key: value for key, value in CONFIG.items() if key != "multimodal_cfg"}
    (tmp_path / "dual").mkdir()
    dual |= {"vision_cfg": VISION, "text_cfg": TEXT}
    adapter = load(str(saved(tmp_path / "dual", dual)))
    assert abilities(adapter) == towers | {"tune_prompts"}
    live = OpenClip(adapter._source.model, adapter._source.preprocess, english())
    assert abilities(live) == towers | {"tune_prompts"}
    with pytest.raises(UsageError, match="writes no texts"):
        load(f"{tmp_path / 'dual'},beams=2")
    # A tower that looks ahead knows the next token.
    ahead = {**CONFIG, "text_cfg": {**CONFIG["text_cfg"], "no_causal_mask": True}}
    (folder / "open_clip_config.json").replace(folder / "kept.json")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": ahead}))
    assert abilities(load(str(folder))) == towers
    (folder / "kept.json").replace(folder / "open_clip_config.json")
    assert abilities(coca(0, no_causal_mask=True)()) == towers


def test_abilities_import_nothing_heavy(folder):
    code = f"""
import sys
from mmbench.adapters.open_clip.adapter import from_spec
from mmbench.harness.models.abilities import abilities
for rest in ({str(folder)!r}, {f"{folder},beams=6"!r}):
    adapter = from_spec(rest, device="cpu", dtype="auto", offline=True)
    print(adapter.fingerprint, len(abilities(adapter)))
print(sorted({{"torch", "open_clip"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second, heavy = done.stdout.splitlines()
    assert heavy == "[]"
    assert first == f"{load(str(folder)).fingerprint} 4" and second.endswith(" 4") and first != second


@pytest.mark.parametrize("dtype", ["fp16", "bf16"])
def test_low_precision_scores_nearly_alike(folder, dtype):
    exact, half = load(str(folder)), load(str(folder), dtype)
    images = [exact.prepare_image(picture) for picture in pictures()]
    items = [([image], "", TEXTS[:4]) for image in images]
    for one, other in zip(half.score_texts(items), exact.score_texts(items), strict=True):
        assert one == pytest.approx(other, rel=0.05)
    replies = half.generate([(seen, prompt) for seen, prompt, _ in items], Generation(max_tokens=4))
    assert all(isinstance(reply, str) for reply in replies)


def test_questions_it_cannot_be_asked():
    adapter = coca(0)()
    _, images = parts(adapter)
    for seen in ([], images[:2]):
        with pytest.raises(Unsupported, match="one picture"):
            adapter.score_texts([(seen, "", ["a cat"])])
        with pytest.raises(Unsupported, match="one picture"):
            adapter.generate([(seen, "")], Generation())
    long = "cat " * 74
    with pytest.raises(TooLong, match="the prompt has 74 tokens"):
        adapter.generate([(images[:1], long)], Generation())
    with pytest.raises(TooLong, match="the prompt has 74 tokens"):
        adapter.score_texts([(images[:1], long, ["a cat"])])
    assert adapter.cuts_answer(long, "a") and adapter.cuts_answer("", long + "cat")
    assert not adapter.cuts_answer("", long) and not adapter.cuts_answer("cat", "a cat")
    fits = "cat " * 73
    assert len(adapter.generate([(images[:1], fits)], Generation())[0].split()) <= 2
    with pytest.raises(Unsupported, match="temperature 0"):
        coca(0)(beams=2).generate([(images[:1], "")], Generation(temperature=0.5))
    with pytest.raises(UsageError, match="must be 1"):
        coca(0)(beams=0)


def test_live_model_is_left_in_training_mode():
    adapter = coca(0)()
    model, images = parts(adapter)
    model.train()
    adapter.score_texts([([images[0]], "", ["a cat"])])
    adapter.generate([([images[0]], "")], Generation(max_tokens=2))
    assert model.training and model.text_decoder.training


@pytest.mark.parametrize("suffix", ["beams=", "beams=two", "beams=-1", "beams=6.0", "beams=0"])
def test_beams_that_cannot_be_used(folder, suffix):
    with pytest.raises(UsageError, match="beams"):
        load(f"{folder},{suffix}")


@pytest.mark.parametrize("route", ["likelihood", "generate"])
def test_runs_from_the_command_line(folder, tmp_path, command, route):
    code, out, err = command(
        *("run", "--model", f"open_clip:{folder}", "--task", "digits", "--limit", "2", "--route", route),
        *("--device", "cpu", "--format", "json"),
        *("--store", str(tmp_path / "s.sqlite"), "--output", str(tmp_path / "results")),
    )
    assert code == 0, err
    assert {row["route"] for row in json.loads(out)} == {route}
