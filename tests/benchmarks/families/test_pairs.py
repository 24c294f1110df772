"""A pair is right where both comparisons are, by embeddings and by likelihood, and a tie is wrong."""

from typing import Any

import pytest

from tests import fakes

ALL = "metrics: [group_score, text_score, image_score, pairwise_accuracy]\n"
GRIDS = [
    [[0.9, 0.1], [0.5, 0.6]],  # all right
    [[0.9, 0.1], [0.7, 0.6]],  # the second picture prefers the first caption
    [[0.5, 0.1], [0.7, 0.9]],  # the first caption prefers the second picture
    [[0.5, 0.5], [0.5, 0.5]],  # ties
]
"""(pictures, captions) of four pairs."""
EXPECTED = {"group_score": [1, 0, 0, 0], "text_score": [1, 0, 1, 0], "image_score": [1, 1, 0, 0]}


def rows(bench: Any) -> list[dict[str, Any]]:
    return [
        {
            "images": [bench.picture(2 * n), bench.picture(2 * n + 1)],
            "captions": [f"{n} on b", f"b on {n}"],
            "tag": "ab"[n % 2],
        }
        for n in range(4)
    ]


def grid(n: int | None, text: str) -> float:
    assert n is not None
    return GRIDS[n // 2][n % 2][0 if text.endswith("b") else 1]


def likely() -> Any:
    return fakes.Likely(lambda n, prompt, text: grid(n, text) - 1)


def dual() -> Any:
    """Pictures are unit vectors of their own; a caption's vector holds its score for each."""

    def text(caption: str) -> list[float]:
        return [grid(n, caption) if str(n // 2) in caption else 0.0 for n in range(8)] + [caption.endswith("b")]

    return fakes.Towers(lambda n: [float(n == i) for i in range(8)] + [0.0], text)


def test_scores_of_two_pictures(bench: Any) -> None:
    made = bench.ask(likely(), bench.task("pairs", rows(bench), ALL + "facts: [tag]\n"))
    for metric, values in EXPECTED.items():
        assert [outcome.values[metric] for outcome in made.outcomes] == values
        assert made.values[metric] == sum(values) / 4
    assert [outcome.values["pairwise_accuracy"] for outcome in made.outcomes] == [1, 0.5, 1, 0]
    chances = {name: score.chance for name, score in made.scores.items()}
    assert chances == pytest.approx(
        {"group_score": 1 / 6, "text_score": 1 / 4, "image_score": 1 / 4, "pairwise_accuracy": 1 / 2}
    )
    assert {(level.level, level.score.n) for level in made.record.breakdown} == {("a", 2), ("b", 2)}
    assert made.outcomes[1].prediction == "-0.1 -0.9 / -0.3 -0.4"
    assert made.outcomes[1].target == "1 on b | b on 1"


def test_equal_pictures_in_a_pair_are_told(bench: Any) -> None:
    given = rows(bench)
    given[1]["images"][1] = f"./{given[1]['images'][0]}"
    made = bench.ask(likely(), bench.task("pairs", given, ALL))
    assert made.record.notes == ("items whose two pictures are equal, which no model can solve: 1",)
    given[0]["captions"][1] = given[0]["captions"][0]
    assert bench.failure(likely(), bench.task("pairs", given, ALL)) == (
        "items.jsonl line 1: the two captions are the same",
        2,
    )


def test_by_embeddings_cosines_are_compared(bench: Any) -> None:
    made = bench.ask(dual(), bench.task("pairs", rows(bench), ALL))
    assert made.record.route == "embed"
    values = [outcome.values["group_score"] for outcome in made.outcomes]
    assert values[0] == 1
    assert values[3] == 0
    assert [outcome.values["image_score"] for outcome in made.outcomes] == EXPECTED["image_score"]


def test_one_picture_with_a_right_and_a_wrong_caption(bench: Any) -> None:
    given = [{"images": bench.picture(n), "captions": ["0 on b", "b on 0"]} for n in range(2)]
    made = bench.ask(likely(), bench.task("pairs", given))
    assert made.values == {"pairwise_accuracy": 0.5}, "the default where the data has one picture a row"
    assert made.scores["pairwise_accuracy"].chance == 0.5
    made = bench.ask(likely(), bench.task("pairs", given, ALL))
    assert made.values == {"group_score": None, "text_score": 0.5, "image_score": None, "pairwise_accuracy": 0.5}
    assert made.scores["text_score"].chance == 0.5, "one comparison, not two"
    assert made.scores["group_score"].chance is None


def test_columns_as_winoground_has_them(bench: Any) -> None:
    given = [
        {
            "image_0": row["images"][0],
            "image_1": row["images"][1],
            "caption_0": row["captions"][0],
            "caption_1": row["captions"][1],
        }
        for row in rows(bench)
    ]
    keys = "fields: {images: [image_0, image_1], captions: [caption_0, caption_1]}\n"
    made = bench.ask(likely(), bench.task("pairs", given, keys))
    assert made.values == {"group_score": 0.25, "text_score": 0.5, "image_score": 0.5}


def test_each_picture_is_asked_about_both_captions(bench: Any) -> None:
    model = likely()
    bench.ask(model, bench.task("pairs", rows(bench)[:1], "phrasing: 'I see {answer}'\n"))
    assert model.asked == [(n, "I see", ("0 on b", "b on 0")) for n in (0, 1)]
    model = dual()
    bench.ask(model, bench.task("pairs", rows(bench)[:1], "phrasing: 'I see {answer}'\n"))
    assert model.asked == ["I see 0 on b", "I see b on 0"]


def test_pmi_takes_off_what_the_words_alone_are_worth(bench: Any) -> None:
    """A fluent caption wins by likelihood beside either picture; less its blind likelihood it does not."""
    fluent = {"a dog": -1.0, "a god": -6.0}
    gain = {(0, "a dog"): 0.5, (1, "a god"): 0.5}

    def log_probability(n: int | None, prompt: str, text: str) -> float:
        return fluent[text] + gain.get((n, text), 0.0)

    given = [{"images": [bench.picture(0), bench.picture(1)], "captions": list(fluent)}]
    by_sum = bench.ask(fakes.Likely(log_probability), bench.task("pairs", given, ALL))
    assert by_sum.values == {"group_score": 0, "text_score": 0, "image_score": 1, "pairwise_accuracy": 0.5}
    model = fakes.Likely(log_probability)
    by_pmi = bench.ask(model, bench.task("pairs", given, ALL + "likelihood: pmi\n"))
    assert set(by_pmi.values.values()) == {1.0}
    assert by_pmi.outcomes[0].prediction == "0.5 0 / 0 0.5"
    assert sorted(model.asked, key=str) == [(n, "", tuple(fluent)) for n in (0, 1, None)]
    assert by_pmi.record.protocol != by_sum.record.protocol


def test_one_of_two_pictures_cannot_be_read(bench: Any) -> None:
    for model in (likely(), dual()):
        given = rows(bench)
        given[0]["images"][1] = bench.broken()
        made = bench.ask(model, bench.task("pairs", given, ALL))
        assert made.run.exit_code == 1
        assert [outcome.status for outcome in made.outcomes] == ["error", "ok", "ok", "ok"]
        assert {score.n for score in made.scores.values()} == {3}
        assert "broken.png" in str(made.outcomes[0].message)


def test_not_in_writing(bench: Any) -> None:
    made = bench.run(fakes.Speaker(lambda n, prompt: "the first"), bench.task("pairs", rows(bench)))
    assert (made.exit_code, made.records) == (1, [])
    assert {row["value"] for row in made.rows()} == {None}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"captions": ["one"]}, "a pair has two captions, found 1"),
        ({"captions": ["one", "two", "three"]}, "a pair has two captions, found 3"),
        ({"images": []}, "a pair has one picture or two, found 0"),
        ({"images": ["0.png"] * 3}, "a pair has one picture or two, found 3"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(bench: Any, changed: dict[str, Any], expected: str) -> None:
    given = [row | (changed if n == 1 else {}) for n, row in enumerate(rows(bench))]
    message, code = bench.failure(likely(), bench.task("pairs", given))
    assert message == f"items.jsonl line 2: {expected}"
    assert code == 2


def test_one_picture_and_several_wrong_captions(bench: Any) -> None:
    """The true caption must be above each other one; equal ones cannot be told apart, and are counted."""
    given = [
        {"images": bench.picture(0), "captions": ["0 on b", "b on 0", "on 0 b", "b 0 on"]},
        {"images": bench.picture(1), "captions": ["b on 1", "1 on b", "on 1 b"]},
        {"images": bench.picture(2), "captions": ["2 on b", "2 on b", "on 2 b"]},
    ]
    likes = fakes.Likely(lambda n, prompt, text: -1.0 if text.startswith(f"{n} on") else -9.0)
    made = bench.ask(likes, bench.task("pairs", given))
    assert [outcome.values["pairwise_accuracy"] for outcome in made.outcomes] == [1.0, 0.0, 0.0]
    assert [outcome.chances["pairwise_accuracy"] for outcome in made.outcomes] == [1 / 4, 1 / 3, 0.0]
    assert {*made.record.notes} >= {
        "items whose right caption is among the wrong ones, which no model can solve: 1",
        "of up to 4 captions of a picture the first is true, the others false",
    }
