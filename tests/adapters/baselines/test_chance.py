"""The chance baseline answers at chance level, and as a function of seed and input alone."""

import pickle
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest

from mmbench.adapters.baselines.chance import DIMENSION, Chance, from_spec
from mmbench.adapters.contract.check import check_adapter
from mmbench.harness.errors import UsageError
from mmbench.harness.models.abilities import ABILITIES, Generation, abilities
from tests.effort import within

CHOICES = "What is shown?\nA. a cat\nB. a dog\nC. a bird\nAnswer with the letter."


def test_keeps_the_contract():
    check_adapter(Chance, changed={"seed": lambda: Chance(1)}, lazy_spec="mmbench.adapters.baselines.chance:Chance")


def test_has_every_ability():
    assert abilities(Chance()) == set(ABILITIES)


@pytest.mark.parametrize(("rest", "seed"), [("", 0), ("0", 0), ("7", 7)])
def test_spec(rest, seed):
    chance = from_spec(rest, device="auto", dtype="auto", offline=True)
    assert chance.seed == seed
    assert chance.fingerprint == Chance(seed).fingerprint


@pytest.mark.parametrize("rest", ["x", "-1", "1.5", "1_0", "٧", " 7"])
def test_bad_seed_is_a_usage_error(rest):
    with pytest.raises(UsageError, match="whole number"):
        from_spec(rest, device="auto", dtype="auto", offline=True)


def test_size_and_mode_belong_to_a_picture():
    wide, tall = PIL.Image.new("RGB", (8, 2), "red"), PIL.Image.new("RGB", (2, 8), "red")
    assert wide.tobytes() == tall.tobytes()
    digests = [Chance().prepare_image(picture) for picture in (wide, tall, PIL.Image.new("L", (48, 1)))]
    assert len(set(digests)) == 3


def test_kinds_and_the_borders_of_parts_are_kept_apart():
    chance = Chance()
    assert not np.array_equal(chance.embed_texts(["ab"]), chance.embed_images([b"ab"]))
    assert not np.array_equal(chance.embed_videos([[b"a", b"bc"]]), chance.embed_videos([[b"ab", b"c"]]))
    assert chance.score_texts([([], "a", ["bc"])]) != chance.score_texts([([], "ab", ["c"])])


def test_vectors_are_symmetric_around_zero():
    vectors = Chance().embed_texts([str(i) for i in range(2000)])
    assert vectors.shape == (2000, DIMENSION)
    assert vectors.dtype == np.float32
    assert np.abs(vectors).max() < 1
    assert abs(vectors.mean()) < 0.01
    assert abs(vectors.var() - 1 / 3) < 0.01
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = (unit @ unit.T)[np.triu_indices(2000, 1)]
    assert abs(cosines.mean()) < 0.002
    assert abs(cosines.std() - DIMENSION**-0.5) < 0.005


def test_zero_shot_accuracy_is_chance():
    chance = Chance()
    pictures = chance.embed_images([b"%d" % i for i in range(4000)])
    classes = chance.embed_texts([f"a photo of a {i}" for i in range(10)])
    hits = (pictures @ classes.T).argmax(axis=1) == np.arange(4000) % 10
    assert abs(hits.mean() - 0.1) < 0.03


def test_scores_are_logarithms_of_uniform_numbers():
    (scores,) = Chance().score_texts([([b"x"], "a question", [str(i) for i in range(5000)])])
    assert max(scores) < 0
    assert abs(np.exp(scores).mean() - 0.5) < 0.02
    assert len(set(scores)) == 5000


@pytest.mark.parametrize(
    ("prompt", "choices"),
    [
        (CHOICES, set("ABC")),
        ("A. Warhol said\nB. nothing\n" + CHOICES + "\n", set("ABC")),
        ("Which?\n" + "\n".join(f"{i}. class {i}" for i in range(1, 31)), {str(i) for i in range(1, 31)}),
        ("Is there a dog? Answer yes or no.", {"yes", "no"}),
        ("Is it red?\nyes / no", {"yes", "no"}),
    ],
)
def test_replies_are_uniform_over_the_choices(prompt, choices):
    replies = Chance().generate([([b"%d" % i], prompt) for i in range(3000)], Generation())
    assert set(replies) == choices
    counts = np.array([replies.count(choice) for choice in choices])
    assert np.abs(counts / 3000 - 1 / len(choices)).max() < 0.04


@pytest.mark.parametrize("prompt", ["A. Warhol\nWho is this?", "What do you know about yesterday?", ""])
def test_an_open_question_gets_a_word_of_no_language(prompt):
    replies = Chance().generate([([b"%d" % i], prompt) for i in range(300)], Generation())
    assert len(set(replies)) == 300
    assert not [reply for reply in replies if set(reply) & set("aeiou") or not reply.isalpha()]


def test_tuned_prompts_follow_the_episode():
    vectors, labels = np.ones((4, 12), np.float32), np.array([0, 0, 1, 1])
    tuned = Chance().tune_prompts(["cat", "dog"], vectors, labels, {"epochs": 2.0}, 0)
    assert tuned.shape == (2, 12)
    assert np.array_equal(tuned, Chance().tune_prompts(["cat", "dog"], vectors, labels, {"epochs": 2.0}, 0))
    for other in (
        Chance().tune_prompts(["cat", "dog"], vectors, labels, {"epochs": 2.0}, 1),
        Chance().tune_prompts(["cat", "dog"], vectors, labels[::-1], {"epochs": 2.0}, 0),
        Chance(1).tune_prompts(["cat", "dog"], vectors, labels, {"epochs": 2.0}, 0),
    ):
        assert not np.array_equal(tuned, other)


def test_pinned_values():
    # Remembered answers outlive this code: a change here needs a new VERSION.
    assert Chance().fingerprint == "chance@2 seed=0"
    vector = Chance().embed_texts(["a photo of a cat"])[0]
    assert vector[:3] * 65536 == pytest.approx(PINNED)


PINNED = [-22215, 53213, 30801]


def test_same_in_another_process_and_after_pickling():
    code = "from mmbench.adapters.baselines.chance import Chance; print(Chance(3).embed_texts(['x']).tobytes().hex())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert other == Chance(3).embed_texts(["x"]).tobytes().hex()
    assert pickle.loads(pickle.dumps(Chance(3))).embed_texts(["x"]).tobytes().hex() == other


def test_fast_enough_for_a_hundred_thousand_texts():
    texts = [f"a caption of some usual length, number {i}" for i in range(10_000)]
    with within(30e-6 * len(texts)):
        Chance().embed_texts(texts)
