"""Named lists hold what their sources hold, and a list that cannot be used says so."""

from pathlib import Path

import pytest

from mmbench.benchmarks.named import CLASSES, TEMPLATES, class_list, template_list
from tests.builders import fails

HERE = Path(__file__).parent


def test_imagenet_lists_are_those_of_open_clip() -> None:
    import open_clip

    assert class_list("imagenet", HERE) == tuple(open_clip.IMAGENET_CLASSNAMES)
    for name, known in {
        "openai-imagenet": open_clip.OPENAI_IMAGENET_TEMPLATES,
        "simple-imagenet": open_clip.SIMPLE_IMAGENET_TEMPLATES,
    }.items():
        assert template_list(name, HERE) == tuple(template("{}") for template in known)


def test_sizes() -> None:
    classes = {"imagenet": 1000, "digits": 10, "scenes-words": 40, "scenes-pairs": 100, "gtsrb": 43, "country211": 211}
    classes |= dict.fromkeys(("imagenet-zh", "imagenet-ja", "imagenet-it", "imagenet-ar"), 1000)
    assert {name: len(class_list(name, HERE)) for name in CLASSES} == classes
    sizes = {"openai-imagenet": 80, "openai-kinetics": 28, "openai-ucf101": 48, "simple-imagenet": 7, "plain": 1}
    sizes |= {"imagenet-zh": 80, "imagenet-ja": 37, "imagenet-it": 49, "imagenet-ar": 55}
    assert {name: len(template_list(name, HERE)) for name in TEMPLATES} == sizes


def test_first_and_last() -> None:
    digits = class_list("digits", HERE)
    assert (digits[0], digits[3], digits[-1]) == ("zero", "three", "nine")
    imagenet = class_list("imagenet", HERE)
    assert (imagenet[0], imagenet[-1]) == ("tench", "toilet paper")
    assert template_list("plain", HERE) == ("a photo of a {}.",)


def test_lists_of_the_task_file() -> None:
    assert class_list(["a", "b", "a"], HERE) == ("a", "b", "a")
    assert template_list(["{}", "art of {}!"], HERE) == ("{}", "art of {}!")


def test_text_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "names.txt").write_text("\ufeff# made by hand\n\n cat \r\n#1 dog\n\n", encoding="utf-8")
    assert class_list("sub/names.txt", tmp_path) == ("cat", "#1 dog")
    assert class_list(str(tmp_path / "sub" / "names.txt"), HERE) == ("cat", "#1 dog")


def test_a_known_name_wins_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("{}")
    assert template_list("plain", tmp_path) == ("a photo of a {}.",)


@pytest.mark.parametrize("make", [class_list, template_list])
def test_failures_of_both(make, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("# nothing\n\n")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 {}\n")
    fails(lambda: make("empty.txt", tmp_path), "is empty")
    fails(lambda: make([], tmp_path), "is empty")
    fails(lambda: make("", tmp_path), "neither a known name")
    fails(lambda: make("latin.txt", tmp_path), "latin.txt line 1 is not UTF-8")
    fails(lambda: make(["{}", True], tmp_path), "True", "quotes")
    fails(lambda: make(["{}", " "], tmp_path), "expected text")


def test_unknown_names(tmp_path: Path) -> None:
    fails(lambda: class_list("imagnet", tmp_path), "`classes: imagnet`", "did you mean 'imagenet'?")
    fails(lambda: template_list("openai-imagnet", tmp_path), "`templates: openai", "did you mean 'openai-imagenet'?")


@pytest.mark.parametrize("template", ["a photo", "{} and {}", "a {d}", "a {} {c}", "{{}}", "a {} }"])
def test_templates_that_cannot_be_filled(template: str) -> None:
    fails(lambda: template_list(["{}", template], HERE), f"'{template}'", "one {}")


def test_a_blank_line_among_classes_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("# mine\n\ncat\n\ndog\n\n\n")
    fails(lambda: class_list("names.txt", tmp_path), "names.txt line 4 is blank", "index")
    (tmp_path / "names.txt").write_text("# mine\n\ncat\ndog\n\n")
    assert class_list("names.txt", tmp_path) == ("cat", "dog")
    (tmp_path / "blank.txt").write_text("\ncat\n")
    fails(lambda: class_list("blank.txt", tmp_path), "blank.txt line 1 is blank")
    (tmp_path / "templates.txt").write_text("a {}.\n\nthe {}.\n")
    assert template_list("templates.txt", tmp_path) == ("a {}.", "the {}.")


def test_templates_of_clip_benchmark_name_the_class_by_a_letter() -> None:
    assert template_list(["a {c}.", "{}"], HERE) == ("a {}.", "{}")
    fails(lambda: template_list(["a {c} of {c}"], HERE), "'a {c} of {c}'", "one {}")


def test_a_file_of_templates_may_begin_and_end_with_braces(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("{} in a photo\na {}\n")
    assert template_list("t.txt", tmp_path) == ("{} in a photo", "a {}")


def test_templates_in_python_are_refused() -> None:
    fails(lambda: template_list(["lambda c: f'a photo of a {c}.',"], HERE), "is Python", "write the text alone")


def test_one_name_of_a_list_may_be_empty() -> None:
    """As the fourth of CLEVR's distances, without which every class after it would move."""
    assert class_list(["near", "", "far"], HERE) == ("near", "", "far")
    for given in (["", ""], ["near", "", ""], [""], ["near", " "]):
        assert "expected text" in fails(lambda given=given: class_list(given, HERE))  # type: ignore[misc]
