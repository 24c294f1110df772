"""Which files of a repository are the rows of a configuration's split: as its README says, or as they are called."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mmbench.benchmarks.sources.cells import some_names
from mmbench.benchmarks.sources.folder_files import is_picture
from mmbench.benchmarks.sources.hub_card import Config, matching
from mmbench.harness.errors import DataError, nearest

PARQUET = ".parquet"
TAR = ".tar"
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
_ARCHIVES = (".zip", ".rar", ".7z", ".tar.gz", ".tgz", ".gz")
_NO_TABLES = frozenset(
    ("dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json", "config.json", "package.json")
)
"""Files of tools, which hold no rows."""

PLAIN = "default"
"""Configuration of a data set that has but one."""
_SHARD = re.compile(r"(?P<split>.+?)-(?P<number>\d{5})-of-(?P<count>\d{5})(?:-[0-9a-f]+)?")
_NUMBERED = re.compile(r"(?P<split>.*?)[-_.]?\d+")
_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "dev", "val"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
"""What files of a split are called, as the `datasets` library takes them."""
_PARTIAL = "partial-"
"""The hub's conversion of a large data set ends after some gigabytes, and is called so."""


@dataclass(frozen=True, slots=True)
class Part:
    """The files of one split, of one kind."""

    config: str
    split: str
    files: tuple[str, ...]
    """In the order of their rows."""
    root: str = ""
    """Of pictures: the folder in which the class folders stand, with its slash."""

    @property
    def ending(self) -> str:
        """Of its files, in small letters: `.parquet`, `.tar`, that of a table, or that of a picture."""
        return f".{self.files[0].rpartition('.')[2].lower()}"


def readable(paths: Iterable[str], name: str = "") -> list[str]:
    """Return the files of the first kind that there is, in the order of their numbers: Parquet, tar, tables, pictures.

    Beside a program of the data set `name`, which is not run, what tables and pictures mean is not known.
    """
    visible = [path for path in sorted(paths, key=_by_number) if not any(part[0] in "._" for part in path.split("/"))]
    programmed = f"{name.rpartition('/')[2]}.py" in visible
    kinds: list[Callable[[str], bool]] = [lambda path: path.endswith(PARQUET), lambda path: path.endswith(TAR)]
    kinds += [] if programmed else [_is_table, is_picture]
    return next((found for fits in kinds if (found := [path for path in visible if fits(path)])), [])


def _is_table(path: str) -> bool:
    return path.lower().endswith(TABLES) and path.rpartition("/")[2] not in _NO_TABLES


def archives(paths: Iterable[str]) -> list[str]:
    """Return the files that are archives, which are not unpacked."""
    return sorted(path for path in paths if path.lower().endswith(_ARCHIVES))


def part_of(
    name: str, paths: Sequence[str], configs: Sequence[Config], config: str | None, split: str | None
) -> Part | None:
    """Return the files of a split, None where the configuration has none that are read.

    `paths` are those that are read, `configs` what the README says; a config or split of None stands for the only one,
    or the default. Raises DataError that names what there is.
    """
    if not paths:
        return None
    by_config = splits_by_config(paths, configs)
    chosen = one_of(config, [*by_config], [each.name for each in configs if each.default], f"{name} has", "config")
    splits = by_config[chosen]
    if not splits:
        return None
    where = f"{name} has" if chosen == PLAIN else f"{name} has in '{chosen}'"
    asked = one_of(split, [*splits], [], where, "split")
    files = splits[asked]
    if asked.startswith(_PARTIAL):
        raise DataError(f"{name}: '{asked}' is a part that the hub converted of a larger split; name a whole one")
    _check_whole(name, files)
    return Part(chosen, asked, tuple(files))


def splits_by_config(paths: Sequence[str], configs: Sequence[Config]) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Return configuration to split to files, as the README says, or where it names none as files are called."""
    return {each.name: _splits(each, paths) for each in configs} if configs else _by_name(paths)


def _splits(config: Config, paths: Sequence[str]) -> Mapping[str, Sequence[str]]:
    if config.patterns:
        found = {split: matching(patterns, paths) for split, patterns in config.patterns}
        return {split: files for split, files in found.items() if files}
    start = f"{config.folder}/" if config.folder else ""
    inner = _by_name([path.removeprefix(start) for path in paths if path.startswith(start)])
    # Where the README names the configurations, folders are none.
    joined: defaultdict[str, list[str]] = defaultdict(list)
    for splits in inner.values():
        for split, files in splits.items():
            joined[split] += [start + file for file in files]
    return joined


def one_of(asked: str | None, known: Sequence[str], preferred: Sequence[str], where: str, key: str) -> str:
    """Return the config or split that is asked, else the only or the preferred one. Raises DataError."""
    if asked is not None:
        if asked not in known:
            raise DataError(f"{where} no {key} '{asked}', only {some_names([*known])}{nearest(asked, known)}")
        return asked
    preferred = preferred or [each for each in known if each == PLAIN and key == "config"]
    if len(known) == 1 or preferred:
        return (preferred or known)[0]
    raise DataError(f"{where} several of `{key}`; name one in `source`: {some_names([*known])}")


def _by_name(paths: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """Return configuration to split to files, as they are called."""
    made: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in paths:
        *folders, file = path.split("/")
        stem = file.rpartition(".")[0]
        config, split = _named([folder for folder in folders if folder != "data"], stem)
        made[config][split].append(path)
    return {config: dict(splits) for config, splits in made.items()}


def _named(folders: list[str], stem: str) -> tuple[str, str]:
    """Return configuration and split of a file.

    >>> _named([], "test-00000-of-00002"), _named(["en", "test"], "0000"), _named(["en"], "val"), _named(["test"], "a")
    (('default', 'test'), ('en', 'test'), ('en', 'validation'), ('default', 'test'))
    """
    shard = _SHARD.fullmatch(stem)
    numbered = _NUMBERED.fullmatch(stem)
    if shard is not None:
        split = shard["split"]
    elif numbered is not None and not numbered["split"] and folders:
        return "/".join(folders[:-1]) or PLAIN, folders[-1]
    elif (word := _word(stem)) is not None:
        split = word
    elif folders and (word := _word(folders[-1])) is not None:
        return "/".join(folders[:-1]) or PLAIN, word
    else:
        split = numbered["split"] if numbered is not None and numbered["split"] else stem
    if folders and folders[-1] == split:
        folders = folders[:-1]
    return "/".join(folders) or PLAIN, split


def _word(text: str) -> str | None:
    found = {_WORDS[word] for word in re.split(r"[-._ \d]+", text) if word in _WORDS}
    return found.pop() if len(found) == 1 else None


def _check_whole(name: str, files: Sequence[str]) -> None:
    """Raise DataError where shards that count themselves are not all there: a part would be scored as the whole."""
    counted: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    for path in files:
        folder, _, file = path.rpartition("/")
        shard = _SHARD.fullmatch(file.rpartition(".")[0])
        if shard is not None:
            counted[f"{folder}/{shard['split']}", int(shard["count"])].add(int(shard["number"]))
    for (start, count), numbers in counted.items():
        missing = next((number for number in range(count) if number not in numbers), None)
        if missing is not None:
            raise DataError(f"{name} lacks shard {missing} of {count} of {start.strip('/')}; name another `revision`")


def _by_number(path: str) -> list[tuple[int, str]]:
    return [(int(digits or 0), text) for digits, text in re.findall(r"(\d+)|(\D+)", path)]
