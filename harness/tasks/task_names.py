"""Names of tasks as people type them: names, `name@version`, YAML files, and quoted patterns of any of these."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from mmbench.harness import registry
from mmbench.harness.errors import UsageError, nearest
from mmbench.harness.patterns import is_pattern, matching
from mmbench.harness.tasks.yaml_file import read_yaml

YAML = (".yaml", ".yml")
_NAMED = 10
"""Tasks that an error names."""


def is_file(name: str) -> bool:
    """Tell whether a task is named by its file, not as in the catalogue."""
    return name.endswith(YAML)


def _is_pattern(name: str) -> bool:
    return is_pattern(name) and not Path(name).exists()  # a bracket may be part of a file's name


def expanded(names: Iterable[str]) -> list[str]:
    """Return names of which patterns are written out: files, or tasks of the catalogue. Raises UsageError for none."""
    found: list[str] = []
    for name in names:
        if not _is_pattern(name):
            found.append(name)
            continue
        if is_file(name) or "/" in name:
            matched = [path for path in matching(name) if is_file(path)]
        else:
            matched = sorted(each for each in registry.files(registry.TASKS) if fnmatchcase(each, name))
        if not matched:
            raise UsageError(
                f"no task matches '{name}'; a pattern is of YAML files, or of names in: mmbench list tasks"
            )
        found += matched
    return found


def of_records(names: Sequence[str], references: Iterable[str], whose: str) -> list[str]:
    """Return those `name@version` of records that these names mean. Raises UsageError for a name that means none.

    >>> of_records(["digits", "scenes-*"], ["digits@1", "pets@2", "scenes-word@1"], "this folder")
    ['digits@1', 'scenes-word@1']
    """
    known = list(dict.fromkeys(references))
    found: list[str] = []
    for name in names:
        files = expanded([name]) if is_file(name) else []
        wanted = [reference(file) for file in files] or [name]
        matched = [each for each in known if any(_means(one, each) for one in wanted)]
        if not matched:
            short = [each.partition("@")[0] for each in known]
            asked = wanted[0] if files else name
            near = (
                nearest(asked, short) or f"; it has {', '.join(known[:_NAMED])}{', …' if len(known) > _NAMED else ''}"
            )
            raise UsageError(f"{whose} has no task '{asked}'{near if known else ''}")
        found += matched
    return list(dict.fromkeys(found))


def _means(name: str, known: str) -> bool:
    """Tell whether a name or a pattern means a task, written with `-` or with `_`."""
    said, there = (each.replace("_", "-") for each in (name, known))
    return said == there or any(fnmatchcase(part, said) for part in (there, there.partition("@")[0]))


def reference(file: str) -> str:
    """Return `name@version` of a task file. Raises DataError where it cannot be read."""
    content, _ = read_yaml(Path(file))
    return f"{content.get('name')}@{content.get('version', 1)}"
