"""A broken plug-in is named with its package and left out; two things of one name are an error that names both."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import PIL.Image
import pytest

from mmbench.harness import registry
from mmbench.harness.board.results import load
from mmbench.harness.compare.compare import compare
from mmbench.harness.errors import DataError, UsageError
from mmbench.harness.models.models import Loading, make_models
from mmbench.harness.run.run import run
from mmbench.harness.tasks.catalogue import find_task
from mmbench.harness.tasks.listing import list_metrics, list_models, list_suites, list_tasks
from mmbench.harness.tasks.metric import Metric
from mmbench.harness.tasks.metric_names import metric_named
from mmbench.harness.tasks.plugins import find_family, find_metric, find_source
from mmbench.harness.tasks.rows import task
from mmbench.harness.tasks.suite import find_suite

Install = Callable[..., Path]


def forget() -> None:
    registry._all_entries.cache_clear()
    registry.entries.cache_clear()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package of these entry points and files, as an installer lays it out."""
    before = set(sys.modules)

    def made(name: str, entries: str, files: Mapping[str, str] = {}) -> Path:  # noqa: B006
        site = tmp_path / name
        for file, text in {
            f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
            f"{name}-1.0.dist-info/entry_points.txt": entries,
            **files,
        }.items():
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            (site / file).write_text(dedent(text), encoding="utf-8")
        monkeypatch.syspath_prepend(site)
        forget()
        return site

    yield made
    forget()
    for module in set(sys.modules) - before:
        if module.startswith("of_a_"):
            del sys.modules[module]


def told(listing: Callable[[Callable[[str], object]], list[dict[str, Any]]]) -> tuple[list[dict[str, Any]], list[str]]:
    """What is listed, and what is warned of."""
    said: list[str] = []
    return listing(said.append), said


TEXT = "[mmbench.families]\n{}\n"

BROKEN = [
    ("family = of_a_module_that_is_not_there:Family", "cannot be loaded (ModuleNotFoundError: No module named 'of_a_m"),
    ("family = json:nothing", "cannot be loaded (AttributeError: module 'json' has no attribute 'nothing')"),
    ("family = what is this", "names nothing that can be imported, expected 'module:name'"),
    ("family = json:loads", "is a function, expected a class"),
    ("family = json", "is a module, expected a class"),
    ("family = json:JSONDecoder", "has no 'version'; see docs/plugins.md"),
    ("family = of_a_package:Exits", "cannot be loaded (SystemExit: 3)"),
    ("family = of_a_family:Other", "calls itself 'other'; a family has one name"),
    ("family = of_a_family:Bare", "has no 'Options', a model of pydantic with its own keys"),
    ("family = of_a_family:Vague", "has no 'known_metrics', a list of Metric"),
]
FAMILIES = """
    from mmbench.benchmarks.families.vqa import Vqa

    class Other(Vqa):
        name = "other"

    class Bare(Vqa):
        name = "family"
        Options = dict

    class Vague(Vqa):
        name = "family"
        known_metrics = ["accuracy"]
"""


@pytest.mark.parametrize(("entry", "reason"), BROKEN)
def test_a_broken_family_is_named_and_the_others_are_listed(install: Install, entry: str, reason: str) -> None:
    install("broken", TEXT.format(entry), {"of_a_package.py": "raise SystemExit(3)", "of_a_family.py": FAMILIES})
    with pytest.raises(UsageError) as caught:
        find_family("family")
    assert str(caught.value).startswith("family 'family' of broken 1.0 (")
    assert reason in str(caught.value)
    rows, said = told(list_metrics)
    assert {"vqa", "probe"} <= {row["family"] for row in rows}
    assert said == [str(caught.value)]
    assert find_family("vqa").name == "vqa"


SOURCES = """
    [mmbench.sources]
    mine = json:loads
    [mmbench.metrics]
    first = json:loads
    second = of_a_metric:M
    third = of_a_metric:N
    fourth = of_a_metric:O
    fifth = of_a_metric:P
    [mmbench.adapters]
    ad = json:decoder
"""
METRICS = """
    from mmbench.harness import Metric
    M = Metric("other", "Of another name.", measure=len)
    N = Metric("third", "Without a measure.")
    O = Metric("fourth", "An error.", higher_is_better=False, measure=len)
    P = Metric("fifth", "A rate.", higher_is_better=None, measure=len)
"""


def test_sources_metrics_and_adapters_of_the_wrong_kind_are_named(install: Install) -> None:
    install("wrong", SOURCES, {"of_a_metric.py": METRICS})
    for find, name, reason in (
        (find_source, "mine", "kind of source 'mine' of wrong 1.0 (json:loads) is a function, expected a class"),
        (find_metric, "first", "metric 'first' of wrong 1.0 (json:loads) is a function, expected a Metric"),
        (find_metric, "second", "calls itself 'other'; a metric has one name"),
        (find_metric, "third", "has no 'measure', the function that makes it of outcomes"),
        (find_metric, "fourth", "is better where it is lower, and must say its 'best' value: 0.0, say, or None"),
        (find_metric, "fifth", "is neither better nor worse, so that its 'best' is None"),
        (lambda name: make_models([name], Loading()), "ad", "adapter 'ad' of wrong 1.0 (json:decoder) is a module"),
    ):
        with pytest.raises(UsageError) as caught:
            find(name)  # type: ignore[operator]
        assert reason in str(caught.value)


FOLDERS = """
    from pathlib import Path
    HERE = Path(__file__).parent
    TASKS, SUITES, GONE = HERE / "tasks", HERE / "suites", HERE / "gone"
"""


def test_what_is_wrong_with_a_folder_of_tasks_stops_nothing_else(install: Install) -> None:
    site = install(
        "torn",
        """\
        [mmbench.tasks]
        sound = of_a_folder:TASKS
        again = of_a_folder:TASKS
        gone = of_a_folder:GONE
        wrong = json:loads
        [mmbench.suites]
        mine = of_a_folder:SUITES
        [mmbench.aliases]
        some = json:loads
        bad = of_a_folder:gone
        """,
        {
            "of_a_folder.py": FOLDERS,
            "tasks/torn.yaml": "name: torn\nfamily: [vqa\n",
            "tasks/misnamed.yaml": "name: other\nfamily: vqa\nsource: {kind: csv, path: a.csv}\n",
            "tasks/sound.yaml": "name: sound\nfamily: zero-shot-classification\n"
            "source: {kind: builtin, path: sklearn-digits}\nfields: {label: label}\n",
            "suites/torn-suite.yaml": "name: torn-suite\ntasks: {\n",
            "suites/mine.yaml": "name: mine\ntasks: [sound]\n",
        },
    )
    tasks = site / "tasks"
    rows, said = told(list_tasks)
    assert {"sound@1", "digits@1"} <= {row["name"] for row in rows}
    assert said == [
        f"folder of tasks 'gone' of torn 1.0 (of_a_folder:GONE) is {site / 'gone'}, which is no folder",
        "folder of tasks 'wrong' of torn 1.0 (json:loads) is a function, expected the path of a folder",
        f"task 'misnamed' of torn 1.0: {tasks}/misnamed.yaml calls itself 'other'; give file and 'name' one name",
        f"task 'torn' of torn 1.0: {tasks}/torn.yaml line 3: not valid YAML (did not find expected ',' or ']')",
    ]
    with pytest.raises(DataError, match=r"^task 'torn' of torn 1\.0: .*torn\.yaml line 3: not valid YAML"):
        find_task("torn")
    with pytest.raises(
        UsageError, match=r"there is no task 'sond'; did you mean 'sound'\?; see: .*; besides, folder of"
    ):
        find_task("sond")
    assert find_task("sound").size == 1797
    assert [task.name for task in find_suite("mine").tasks] == ["sound"]
    rows, said = told(list_suites)
    assert {"mine@1", "perception@2"} <= {row["name"] for row in rows}
    assert len(said) == 1 and said[0].startswith("suite 'torn-suite' of torn 1.0: ")
    rows, said = told(list_models)
    assert {"clip-vitb32", "chance"} <= {row["name"] for row in rows}
    assert len(said) == 2 and all(" of torn 1.0 (" in each for each in said)


CLASHES = """
    [mmbench.tasks]
    mine = of_a_folder:TASKS
    [mmbench.suites]
    mine = of_a_folder:SUITES
    [mmbench.families]
    vqa = json:loads
    [mmbench.adapters]
    chance = json:loads
    [mmbench.sources]
    csv = json:loads
    [mmbench.defaults]
    suite = json:loads
    [mmbench.aliases]
    mine = of_a_folder:aliases
"""


def test_two_things_of_one_name_are_neither_used(install: Install) -> None:
    aliases = "\n    def aliases():\n        return {'clip-vitb32': Alias, 'pixels': Alias, 'own': Alias}\n"
    install(
        "clash",
        CLASHES,
        {
            "of_a_folder.py": FOLDERS + "    class Alias: spec = 'pixels:4'\n" + aliases,
            "tasks/digits.yaml": "name: digits\nfamily: vqa\nsource: {kind: csv, path: a.csv}\n",
            "suites/perception.yaml": "name: perception\ntasks: [digits]\n",
        },
    )
    both = r"(clash 1\.0 and by mmbench \S+|mmbench \S+ and by clash 1\.0), and neither is used; uninstall one of them$"
    models = lambda name: make_models([name], Loading())  # noqa: E731
    asked: list[tuple[Callable[[str], object], str, str]] = [
        (find_task, "digits", "task"),
        (find_suite, "perception", "suite"),
        (find_family, "vqa", "family"),
        (find_source, "csv", "kind of source"),
        (models, "chance", "adapter"),
        (models, "clip-vitb32", "alias"),
        (registry.default, "suite", "default"),
    ]
    for find, name, what in asked:
        with pytest.raises(UsageError, match=f"^{what} '{name}' is offered by {both}"):
            find(name)
    with pytest.raises(UsageError, match=r"^alias 'pixels' of clash 1\.0 is also the name of an adapter of mmbench"):
        models("pixels")
    assert [model.label for model in models("own")] == ["own"]
    assert models("pixels:8") and find_family("yes-no") and find_task("digits-parity").size
    for listing, names in (
        (list_tasks, {"digits-parity@1"}),
        (list_suites, {"digits@1"}),
        (list_models, {"own", "coca-vitb32"}),
    ):
        rows, said = told(listing)
        assert names <= {row["name"] for row in rows}
        assert any("neither is used" in each for each in said)


def test_two_packages_of_one_name_of_task_are_named(install: Install) -> None:
    for name in ("one", "two"):
        text = f"TASKS = {str(Path('/'))!r}\n"
        site = install(name, f"[mmbench.tasks]\nfolder = of_a_{name}:TASKS\n", {f"of_a_{name}.py": text})
        (site / f"of_a_{name}.py").write_text(f"TASKS = {str(site / 'tasks')!r}\n")
        (site / "tasks").mkdir()
        (site / "tasks" / "same.yaml").write_text("name: same\n")
    with pytest.raises(
        UsageError, match=r"^task 'same' is offered by (one 1\.0 and by two 1\.0|two 1\.0 and by one 1\.0)"
    ):
        find_task("same")


def test_entry_points_that_are_equal_are_of_two_packages(install: Install) -> None:
    for name in ("one", "two"):
        install(name, "[mmbench.families]\nsame = json:loads\n")
    with pytest.raises(
        UsageError, match=r"^family 'same' is offered by (one 1\.0 and by two|two 1\.0 and by one) 1\.0"
    ):
        find_family("same")


# Metrics of outcomes

ADDED = """
    from mmbench.harness import Metric

    def equal(outcomes):
        return [float(outcome.prediction == outcome.target) for outcome in outcomes]

    def words(outcomes):
        return [len((outcome.prediction or "").split()) for outcome in outcomes]

    def counts(outcomes):
        return [(float(outcome.prediction == outcome.target), 2.0) for outcome in outcomes]

    def ratio(statistics, weights):
        totals = weights @ statistics
        return totals[:, 0] / totals[:, 1]

    STRICT = Metric("strict", "The answer equals the target.", measure=equal)
    WORDS = Metric("words", "Words of the answer.", higher_is_better=False, best=None, proportion=False, measure=words)
    HALF = Metric("half", "Half of it.", aggregate=ratio, measure=counts)
    SHORT = Metric("short", "Too few.", measure=lambda outcomes: [1.0])
    BAD = Metric("bad", "Raises.", measure=lambda outcomes: 1 / 0)
    NAN = Metric("nan", "No number.", measure=lambda outcomes: [float("nan")] * len(outcomes))
    MUCH = Metric("much", "Above 1.", measure=lambda outcomes: [2.0] * len(outcomes))
    TEXTS = Metric("texts", "No numbers.", measure=lambda outcomes: ["a"] * len(outcomes))
    LONG = Metric("long", "Above its best.", proportion=False, measure=lambda outcomes: [2.0] * len(outcomes))

    def cheat(outcomes):
        for outcome in outcomes:
            outcome.statistics.clear()
        return [0.0 for outcome in outcomes]

    CHEAT = Metric("cheat", "Changes what it is given.", measure=cheat)
    accuracy = Metric("accuracy", "Of the name of another.", measure=equal)
"""
UPPER = ("strict", "words", "half", "short", "bad", "nan", "much", "texts", "long", "cheat")
NAMES = {**{name: name.upper() for name in UPPER}, "accuracy": "accuracy"}


@pytest.fixture
def added(install: Install) -> None:
    entries = "".join(f"{name} = of_a_metric:{held}\n" for name, held in NAMES.items())
    install("added", f"[mmbench.metrics]\n{entries}", {"of_a_metric.py": ADDED})


class Tells:
    """Sees in a picture which class it is, and of one of a level above 100 says nothing that is known."""

    fingerprint = "tells"

    def generate(self, prompts: list[Any], settings: Any) -> list[str]:
        levels = [images[0].getpixel((0, 0))[0] for images, _ in prompts]
        return ["neither" if level > 100 else ["cat", "dog"][level % 2] for level in levels]


def rows() -> list[dict[str, object]]:
    pictures = [PIL.Image.new("RGB", (4, 4), (level, 0, 0)) for level in (0, 1, 2, 3, 101)]
    return [{"image": each, "label": label} for each, label in zip(pictures, (0, 1, 1, 1, 0), strict=True)]


def made(output: Path, *metrics: str, model: object = None, **keys: object) -> Any:
    of_rows = task("zero-shot-classification", rows(), classes=["cat", "dog"], metrics=list(metrics), **keys)
    return run(model or Tells(), task=of_rows, output=output)


@pytest.mark.usefixtures("added")
def test_metrics_of_outcomes_are_scored_with_intervals(tmp_path: Path) -> None:
    done = made(tmp_path, "strict", "mean_per_class_recall", "words", "half")
    scores = {score.metric: score for score in done.records[0].scores}
    assert list(scores) == ["strict", "mean_per_class_recall", "words", "half"]
    # Right, right, wrong, right, and one that was not understood: a 0 where higher is better.
    assert (scores["strict"].value, scores["strict"].n, scores["strict"].primary) == (0.6, 5, True)
    assert scores["strict"].low is not None and 0 < scores["strict"].low < 0.6
    assert scores["strict"].bounds == (0.6, 0.8)
    # Where lower is better the function says what a failure is: no prediction has no word.
    assert scores["words"].value in (0.8, 1.0)
    assert scores["half"].value == pytest.approx(0.3)
    assert scores["half"].low is not None
    assert copy(task("vqa", [{"question": "q", "answers": ["a"]}], metrics=["strict"]).family).name == "vqa"
    with_own = made(tmp_path / "own", "mean_per_class_recall", "strict").records[0]
    without = made(tmp_path / "none", "mean_per_class_recall").records[0]
    assert with_own.protocol == without.protocol != done.records[0].protocol


@pytest.mark.usefixtures("added")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("short", "metric 'short' of added 1.0 made 1 values of 4 outcomes"),
        ("bad", "metric 'bad' of added 1.0 failed (ZeroDivisionError: division by zero)"),
        ("nan", "metric 'nan' of added 1.0 made nan of the outcome '0'"),
        ("much", "metric 'much' of added 1.0 made 2.0 of the outcome '0', and a proportion lies in 0..1"),
        (
            "long",
            "metric 'long' of added 1.0 made 2.0 of the outcome '0', above its 'best' of 1.0; say best=None where",
        ),
        ("texts", "metric 'texts' of added 1.0 made no numbers"),
    ],
)
def test_a_metric_that_fails_is_the_error_of_its_task_alone(tmp_path: Path, name: str, reason: str) -> None:
    wrong = task("zero-shot-classification", rows(), classes=["cat", "dog"], metrics=[name], name="wrong")
    sound = task("zero-shot-classification", rows(), classes=["cat", "dog"], name="sound")
    done = run(Tells(), task=[wrong, sound], output=tmp_path)
    assert [record.task for record in done.records] == ["sound"]
    assert reason in str(done.problems[0].error)
    assert done.exit_code == 1


@pytest.mark.usefixtures("added")
def test_a_metric_changes_no_outcome(tmp_path: Path) -> None:
    scores = {score.metric: score.value for score in made(tmp_path, "mean_per_class_recall", "cheat").records[0].scores}
    assert scores == {"mean_per_class_recall": pytest.approx(7 / 12), "cheat": 0.0}


@pytest.mark.usefixtures("added")
def test_a_metric_of_the_name_of_a_familys_own_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"'accuracy' is one of family 'zero-shot-classification' of mmbench \S+ and one"
    ):
        task("zero-shot-classification", rows(), classes=["cat", "dog"], metrics=["accuracy"])


def test_a_primary_metric_of_a_package_that_is_gone_is_not_ranked(install: Install, tmp_path: Path) -> None:
    entries = "".join(f"{name} = of_a_metric:{held}\n" for name, held in NAMES.items())
    site = install("added", f"[mmbench.metrics]\n{entries}", {"of_a_metric.py": ADDED})
    out = tmp_path / "results"
    for name in ("a", "b"):
        of_rows = task("zero-shot-classification", rows(), classes=["cat", "dog"], metrics=["words"])
        run("chance" if name == "a" else Tells(), task=of_rows, output=out, name=name, route="generate")
    assert metric_named("zero-shot-classification", "words").higher_is_better is False
    assert len(compare("a", "b", output=out).rows) == 1
    (site / "added-1.0.dist-info/entry_points.txt").write_text("")
    sys.path_importer_cache.clear()
    forget()
    with pytest.raises(UsageError, match="'words' is no metric of family 'zero-shot-classification' or of a package"):
        metric_named("zero-shot-classification", "words")
    left = compare("a", "b", output=out)
    assert not left.rows and "install the package that it is of" in left.incomparable[0].reason
    results = load(out)
    assert [line.rank for line in results.board().lines] == [None, None] or results.errors


def test_a_metric_says_what_it_is_made_of() -> None:
    assert Metric("x", "y", measure=lambda outcomes: np.ones(len(outcomes)).tolist()).version == 1


def test_a_package_whose_entry_points_cannot_be_read_hides_no_other(install: Install) -> None:
    install("added", "[mmbench.metrics]\nwords = of_a_metric:WORDS\n")
    damaged = install("damaged", "")
    (damaged / "damaged-1.0.dist-info/entry_points.txt").write_bytes(b"\xff\xfe[mmbench.metrics]\nx = y\n")
    for _ in range(2):
        found = registry.entries(registry.METRICS)
        assert found.package("words") == "added 1.0"
        assert [*found.lost] == [found.besides.removeprefix("; besides, ")]
        assert "the entry points of damaged 1.0 cannot be read (UnicodeDecodeError" in found.besides
    path = os.pathsep.join(str(damaged.with_name(name)) for name in ("damaged", "added"))
    command = [sys.executable, "-m", "mmbench", "list", "suites", "--format", "json"]
    said = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert "perception" in said.stdout
