"""Prompt variants: each is a task and a protocol of its own, and no board sets it beside the benchmark's own prompt."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import mmbench
from mmbench.harness.errors import UsageError
from mmbench.harness.records.originals import original_task
from mmbench.harness.tasks.catalogue import find_task
from mmbench.harness.tasks.suite import find_suite
from mmbench.harness.tasks.task_file import load_task
from tests.builders import fails
from tests.fakes import Writer, numbered

Command = Callable[..., tuple[int, str, str]]

ASKED = "name: asked\nfamily: vqa\nsource: {kind: jsonl, path: rows.jsonl}\nmetrics: [exact_match]\n"
VARIANTS = """\
prompts:
  llava: {prompt: "{question}\\nAnswer in a word.", prompt_source: "A/B@0123456:e.py", generation: {max_tokens: 5}}
  qwen-vl: "{question} Answer:"
card: {primary: exact_match, prompt_source: the paper}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [{"id": str(i), "question": f"How many {i}?", "answers": ["two"], "image": "1.png"} for i in range(3)]
    numbered(1).save(tmp_path / "1.png")
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "asked.yaml"
    path.write_text(ASKED + VARIANTS)
    return path


def test_each_is_a_protocol_of_its_own(file: Path) -> None:
    task = load_task(file)
    made = [task, *(task.asked_by(name) for name in task.prompts)]
    assert [each.reference for each in made] == ["asked@1", "asked+llava@1", "asked+qwen-vl@1"]
    assert len({each.protocol_id("data") for each in made}) == 3
    assert [each.card.prompt_source for each in made] == ["the paper", "A/B@0123456:e.py", ""]
    file.write_text(ASKED + VARIANTS[VARIANTS.index("card:") :])
    assert load_task(file).protocol_id("data") == task.protocol_id("data")  # what else there is changes nothing


def test_names_and_suites_say_which(file: Path) -> None:
    assert find_task(f"{file}+llava").reference == "asked+llava@1"
    assert find_task("vqav2_val+qwen-vl@1").reference == "vqav2_val+qwen-vl@1"
    suite = file.parent / "suite.yaml"
    suite.write_text("name: s\ntasks: [asked.yaml+llava, asked.yaml, textvqa_val+plm]\n")
    assert [task.name for task in find_suite(str(suite)).tasks] == ["asked+llava", "asked", "textvqa_val+plm"]
    fails(lambda: find_task("vqav2_val+qwen"), "has no prompt 'qwen'; did you mean 'qwen-vl'?", kind=UsageError)
    fails(lambda: find_task("nothing+llava"), "there is no task 'nothing+llava'", kind=UsageError)


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ("{official: '{question}'}", "'official' is the key `prompt` itself"),
        ("{other: {prompt: '{question}', promt_source: x}}", "unknown key 'promt_source'"),
        ("{other: {marks: none}}", "the key 'prompts.other.prompt' is missing"),
        ("{'a b': '{question}'}", "'a b' is made of letters"),
        ("{other: 'What is it?'}", "`prompt` must have the placeholder {question}"),
        ("{other: {prompt: '{question}', generation: {max_tokens: 0}}}", "'prompts.other.generation.max_tokens'"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(file: Path, variant: str, said: str) -> None:
    file.write_text(f"{ASKED}prompts: {variant}\n")

    def opened() -> object:
        task = load_task(file)
        return [each().family for each in task.prompts.values()]

    assert str(file) in fails(opened, said)


def test_a_board_never_sets_it_beside_the_official_one(file: Path, tmp_path: Path, command: Command) -> None:
    results = tmp_path / "results"
    suite = tmp_path / "suite.yaml"
    suite.write_text("name: s\ntasks: [asked.yaml]\n")
    writer = Writer(lambda prompt: "two" if "Answer in a word" in prompt else "three")
    own = mmbench.run(writer, task=file, output=results)
    other = mmbench.run(writer, task=file, prompt="llava", output=results)
    (one,), (two,) = own.records, other.records
    assert (one.task, two.task, two.card.prompt, two.official) == ("asked", "asked+llava", "llava", "asked@1")
    assert one.protocol != two.protocol and (one.primary.value, two.primary.value) == (0.0, 1.0)
    assert "asked by the prompt 'llava': not comparable with asked" in two.notes
    found = original_task(two, [file])
    assert found is not None and found.reference == two.reference

    code, told, _ = command("leaderboard", "--output", str(results))
    assert code == 0 and "not comparable, as the prompt is not the benchmark's own: asked+llava@1 with asked@1" in told
    code, told, _ = command("leaderboard", "--output", str(results), "--suite", str(suite), "--format", "json")
    rows = json.loads(told)
    assert {row["task"]: row["standing"] is None for row in rows} == {"asked": False, "asked+llava": True}
    _, told, _ = command("leaderboard", "--output", str(results), "--suite", str(suite))
    assert "(asked by the prompt 'llava', not comparable with the benchmark's own)" in told


def test_tasks_without_it_keep_their_own(file: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.yaml"
    plain.write_text(ASKED.replace("name: asked", "name: plain"))
    writer = Writer(lambda _: "two")
    made = mmbench.run(writer, task=[file, plain], prompt="llava", output=tmp_path / "results")
    assert [record.task for record in made.records] == ["asked+llava", "plain"]
    told = fails(lambda: mmbench.run(writer, task=[file, plain], prompt="lava"), kind=UsageError)
    assert told == "no task that is asked has a prompt 'lava'; did you mean 'llava'?"
    assert mmbench.run(writer, task=file, prompt="official", output=tmp_path / "o").records[0].task == "asked"
