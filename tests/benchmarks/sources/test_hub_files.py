"""Which files of a repository are a split: by the README, by their names, and refused where that is not sure."""

from pathlib import Path
from typing import Any

import pytest

from mmbench.benchmarks.sources.hub_card import configs_of, label_names, metadata_of
from mmbench.benchmarks.sources.hub_files import part_of, readable
from mmbench.harness.errors import DataError


def part(paths: list[str], config: str | None = None, split: str | None = None, card: Any = None) -> Any:
    return part_of("a/b", readable(paths), configs_of({"configs": card} if card else {}), config, split)


def files(paths: list[str], config: str | None = None, split: str | None = None, card: Any = None) -> list[str]:
    return list(part(paths, config, split, card).files)


@pytest.mark.parametrize(
    ("paths", "config", "split", "found"),
    [
        (["data/test-00000-of-00001.parquet", "data/train-00000-of-00001.parquet"], None, "test", [0]),
        (
            ["data/test-00000-of-00002-0123456789abcdef.parquet", "data/test-00001-of-00002-a.parquet"],
            None,
            None,
            [0, 1],
        ),
        (["en/test-00000-of-00001.parquet", "fr/test-00000-of-00001.parquet"], "fr", None, [1]),
        (["data/en/test-00000-of-00001.parquet"], "en", "test", [0]),
        (["en/test/0000.parquet", "en/test/0001.parquet", "en/train/0000.parquet"], None, "test", [0, 1]),
        (["test.parquet", "val.parquet", "README.md"], None, "validation", [1]),
        (["data/dev.parquet"], None, "validation", [0]),
        (["test/part-1.parquet", "test/part-0.parquet", "train/part-0.parquet"], None, "test", [1, 0]),
        (["my_data-test.parquet", "my_data-train.parquet"], None, "train", [1]),
        (["test_small-00000-of-00001.parquet"], None, "test_small", [0]),
        (["test/2.tar", "test/10.tar", "train/0.tar", "classnames.txt"], None, "test", [0, 1]),
        (["data/imagenet-val-000000.tar", "data/imagenet-val-000001.tar"], None, "validation", [0, 1]),
        ([".hidden/test.parquet", "test.parquet"], None, "test", [1]),
    ],
)
def test_names_of_files(paths: list[str], config: str | None, split: str | None, found: list[int]) -> None:
    assert files(paths, config, split) == [paths[number] for number in found]


@pytest.mark.parametrize(
    ("data_files", "split", "found"),
    [
        ("x/*.parquet", "train", ["x/a.parquet", "x/b.parquet"]),
        (["x/b.parquet", "x/a.parquet"], "train", ["x/b.parquet", "x/a.parquet"]),
        ([{"split": "dev", "path": "**/b.parquet"}], "dev", ["b.parquet", "x/b.parquet", "x/y/b.parquet"]),
        ([{"split": "dev", "path": ["./x/a.*", "x/b*"]}], "dev", ["x/a.parquet", "x/b.parquet"]),
        ({"t": "x/**"}, "t", ["x/a.parquet", "x/b.parquet", "x/y/b.parquet"]),
        ([{"split": "t", "path": "x/[!a].parquet"}], "t", ["x/b.parquet"]),
    ],
)
def test_patterns_of_a_readme(data_files: Any, split: str, found: list[str]) -> None:
    paths = ["b.parquet", "x/a.parquet", "x/b.parquet", "x/y/b.parquet"]
    assert files(paths, None, split, [{"config_name": "c", "data_files": data_files}]) == found


def test_a_folder_of_a_readme() -> None:
    card = [{"config_name": "c", "data_dir": "x", "data_files": [{"split": "t", "path": "a*"}]}, {"config_name": "d"}]
    assert files(["x/a.parquet", "a.parquet"], "c", "t", card) == ["x/a.parquet"]


def test_what_is_not_read() -> None:
    assert part(["data/train.arrow", "dataset_infos.json"]) is None
    assert readable(["data/train.jsonl", "b.py"], "a/b") == []  # what a program makes of it is not known
    assert readable(["x/1.jpg", "data/train.jsonl", "a.parquet", ".cache/b.tar"]) == ["a.parquet"]
    assert readable(["x/1.jpg", "data/train.jsonl", "dataset_infos.json"]) == ["data/train.jsonl"]
    assert part(["test.parquet"], None, None, [{"config_name": "c", "data_files": "x.json"}]) is None


@pytest.mark.parametrize(
    ("paths", "config", "split", "card", "told"),
    [
        (
            ["en/test.parquet", "fr/test.parquet"],
            None,
            "test",
            None,
            "several of `config`; name one in `source`: 'en', 'fr'",
        ),
        (["test.parquet", "train.parquet"], None, None, None, "several of `split`"),
        (["test.parquet"], "ne", None, [{"config_name": "en"}], "no config 'ne', only 'en'; did you mean 'en'?"),
        (["x-00000-of-00003.parquet", "x-00002-of-00003.parquet"], None, "x", None, "lacks shard 1 of 3 of x"),
        (["c/partial-train/0000.parquet"], None, None, None, "is a part that the hub converted"),
        (["a.parquet"], None, None, [{"data_files": "hf://elsewhere/a.parquet"}], "names files elsewhere"),
        (
            ["a.parquet"],
            None,
            None,
            [{"data_files": [{"split": "x", "path": [3]}]}],
            "files of split 'x' cannot be read",
        ),
        (["a.parquet"], None, None, [{"data_files": "**/a/" * 9}], "too many `**`"),
        (["a.parquet"], None, None, ["text"], "`configs` cannot be read"),
    ],
)
def test_what_is_not_sure_is_refused(paths: list[str], config: Any, split: Any, card: Any, told: str) -> None:
    with pytest.raises(DataError) as caught:
        part(paths, config, split, card)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "readme",
    [
        b"",
        b"# No metadata\n",
        b"---\n---\n",
        b"---\n- a\n---\n",
        b"---\nnever ended: 1\n",
        b"---\ndate: 2023-01-01\n---\n",
    ],
)
def test_a_readme_may_say_nothing(tmp_path: Path, readme: bytes) -> None:
    (tmp_path / "README.md").write_bytes(readme)
    assert configs_of(metadata_of(tmp_path / "README.md")) == ()


@pytest.mark.parametrize(
    "readme",
    [
        b"---\na: [\n---\n",
        b"---\na: \xff\n---\n",
        b"---\n" + b"[" * 100_000 + b"\n---\n",
        b"---\na: !!python/object:os.system {}\n---\n",
    ],
)
def test_a_damaged_readme_is_an_error(tmp_path: Path, readme: bytes) -> None:
    (tmp_path / "README.md").write_bytes(readme)
    with pytest.raises(DataError, match="the metadata of README.md cannot be read"):
        metadata_of(tmp_path / "README.md")


@pytest.mark.parametrize(
    ("features", "names"),
    [
        ([{"name": "label", "dtype": {"class_label": {"names": {"0": "a", "1": "b"}}}}], ("a", "b")),
        ([{"name": "label", "sequence": {"class_label": {"names": {"1": "b", "0": "a"}}}}], ("a", "b")),
        ([{"name": "label", "list": {"dtype": {"class_label": {"names": {0: "a"}}}}}], ("a",)),
        ([{"name": "label", "dtype": {"class_label": {"names": {"0": "a", "2": "b"}}}}], None),
        ([{"name": "label", "dtype": "int64"}], None),
        ([{"name": "other", "dtype": {"class_label": {"names": {"0": "a"}}}}], None),
        ("text", None),
        (None, None),
    ],
)
def test_names_behind_labels(features: Any, names: Any) -> None:
    assert label_names({"dataset_info": {"features": features}}, "default", "label") == names
