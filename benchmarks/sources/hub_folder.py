"""Class folders of pictures in a repository of the hub, each picture fetched when its row is due."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from mmbench.benchmarks.sources.cells import cells_of
from mmbench.benchmarks.sources.classes import canonical
from mmbench.benchmarks.sources.folder import SPLIT_NAMES
from mmbench.benchmarks.sources.folder_files import is_clutter, is_picture, notes_of
from mmbench.benchmarks.sources.hub_card import Config, matching
from mmbench.benchmarks.sources.hub_files import PLAIN, Part, one_of
from mmbench.harness.errors import DataError
from mmbench.harness.hub.repository import Repository
from mmbench.harness.tasks.source import Cell, Row

_COLUMNS = ("id", "image", "label")
_ALL = "train"
"""What the one split of a data set without any is called."""


def folder_part(
    name: str, paths: Sequence[str], configs: Sequence[Config], config: str | None, split: str | None
) -> Part:
    """Return the pictures of a split: of the folder that is called so, or as the README says. Raises DataError."""
    defaults = [each.name for each in configs if each.default]
    chosen = one_of(config, [each.name for each in configs] or [PLAIN], defaults, f"{name} has", "config")
    splits, above = folder_splits(paths, configs, chosen)
    kinds = {SPLIT_NAMES.get(each.lower(), each): each for each in splits}
    asked = one_of(kinds.get(split or "", split), [*splits], [], f"{name} has", "split")
    root = _shared(splits[asked]) if above is None else [*above, asked]
    files = tuple(sorted(splits[asked], key=lambda path: path.split("/")))
    return Part(chosen, asked, files, "".join(f"{each}/" for each in root))


def folder_splits(
    paths: Sequence[str], configs: Sequence[Config], config: str
) -> tuple[dict[str, list[str]], list[str] | None]:
    """Return the pictures of each split of a configuration, and the folders above those that are splits, if any are."""
    own = next((each for each in configs if each.name == config), None)
    if own is not None:
        start = f"{own.folder}/" if own.folder else ""
        paths = [path for path in paths if path.startswith(start)]
        if own.patterns:
            found = {key: matching(patterns, paths) for key, patterns in own.patterns}
            return {key: files for key, files in found.items() if files}, None
    if not paths:
        return {}, None
    shared = _shared(paths)
    while shared and shared[-1].lower() in SPLIT_NAMES:
        shared.pop()
    by_folder: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        parts = path.split("/")
        by_folder[parts[len(shared)] if len(parts) > len(shared) + 2 else ""].append(path)
    if all(each.lower() in SPLIT_NAMES for each in by_folder):
        return dict(by_folder), shared
    return {_ALL: list(paths)}, None


def _shared(paths: Sequence[str]) -> list[str]:
    """Return the folders in which all pictures are, above their own."""
    shared = list(paths[0].split("/")[:-2])
    for path in paths:
        while shared != path.split("/")[:-2][: len(shared)]:
            shared.pop()
    return shared


class HubFolder:
    """Pictures in `[…/][SPLIT/]CLASS/**`: columns `id` (the path below the split), `image` and `label`.

    What there is the list of the commit's files says, so that nothing is fetched before its row is due. Raises
    DataError where pictures lie beside class folders: which of them they show nobody says.
    """

    def __init__(self, repository: Repository, part: Part) -> None:
        self._repository = repository
        self._files = part.files
        self._start = part.root
        self._classes = tuple(dict.fromkeys(path[len(self._start) :].partition("/")[0] for path in part.files))
        loose = next((path for path in part.files if "/" not in path[len(self._start) :]), None)
        if loose is not None:
            raise DataError(
                f"{loose} of {repository.name} is in no class folder, expected CLASS/PICTURE.jpg; download the set "
                "and write a CSV file that says what its pictures show"
            )
        listed = [path for path in repository.files if path.startswith(self._start)]
        within = [path for path in listed if path[len(self._start) :].partition("/")[0] in self._classes]
        other = Counter(
            "." + path.rpartition(".")[2].lower()
            for path in within
            if not is_picture(path) and not any(map(is_clutter, path.split("/")))
        )
        self.notes = list(notes_of(other))

    def columns(self) -> Sequence[str]:
        """Return `id`, `image` and `label`."""
        return _COLUMNS

    def values(self, column: str) -> Iterator[Cell]:
        """Yield the cells of one column; no picture is fetched."""
        return cells_of(map(self._row, self._files), column)

    def class_names(self, column: str) -> Sequence[str] | None:
        """Return the names of the class folders, sorted, for `label`; None for other columns."""
        return tuple(dict.fromkeys(map(canonical, self._classes))) if column == "label" else None

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[Row]:
        for path in self._files:
            self._repository.fetch(path)
            yield self._row(path)

    def _row(self, path: str) -> Row:
        relative = path[len(self._start) :]
        base = self._repository.snapshot / self._start
        return Row({"id": relative, "image": relative, "label": relative.partition("/")[0]}, relative, base)
