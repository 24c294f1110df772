"""Corpus, queries and which belongs to which, three tables as retrieval sets publish them, are one task."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from mmbench.harness.tasks.task import Task
from mmbench.harness.tasks.task_file import load_task
from tests.builders import fails
from tests.fakes import numbered

TASK = """\
name: pages
family: retrieval
source:
  kind: jsonl
  path: corpus.jsonl
  join: {path: qrels.jsonl, by: {corpus-id: corpus-id}, EACH join: {path: queries.jsonl, by: {query-id: query-id}}}
fields: {id: corpus-id, captions: query}
facts: [score]
"""


def pages(folder: Path, pairs: Sequence[tuple[int, int]], each: str = "each: query-id,") -> Task:
    def put(name: str, rows: Sequence[Mapping[str, object]]) -> None:
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    for i in range(3):
        numbered(i).save(folder / f"{i}.png")
    put("corpus", [{"corpus-id": i, "image": f"{i}.png"} for i in range(3)])
    put("queries", [{"query-id": i, "query": f"question {i}"} for i in range(4)])
    put("qrels", [{"query-id": query, "corpus-id": page, "score": 1} for query, page in pairs])
    (folder / "t.yaml").write_text(TASK.replace("EACH", each))
    return load_task(folder / "t.yaml")


def test_each_page_has_its_questions(tmp_path: Path) -> None:
    samples = [*pages(tmp_path, [(0, 2), (1, 0), (3, 2), (2, 1)]).family.samples()]
    assert [(sample.id, sample.references) for sample in samples] == [
        ("0", ("question 1",)),
        ("1", ("question 2",)),
        ("2", ("question 0", "question 3")),
    ]
    assert samples[2].facts == {"score": [1, 1]}


@pytest.mark.parametrize(
    ("pairs", "each", "said"),
    [
        ([(0, 0), (0, 1), (1, 2)], "each: query-id,", "has again '0' in 'query-id', of '0' and of '1'"),
        ([(0, 0), (1, 1)], "each: query-id,", "no caption in query"),  # a page that belongs to no question
        ([(0, 0), (9, 1), (1, 2)], "each: query-id,", "no other row has this key"),
        ([(0, 0), (1, 0), (2, 1), (3, 2)], "", "again the key '0' in 'corpus-id'; name as `each` the column"),
        ([(0, 0), (1, 1), (2, 2)], "each: query,", ""),
        ([(0, 0), (1, 1), (2, 2)], "each: quer,", "the data has no column 'quer'"),
    ],
)
def test_what_does_not_belong_to_one_page_is_refused(
    tmp_path: Path, pairs: list[tuple[int, int]], each: str, said: str
) -> None:
    if said:
        fails(lambda: [*pages(tmp_path, pairs, each).family.samples()], said)
    else:
        assert len([*pages(tmp_path, pairs, each).family.samples()]) == 3
