"""Task files of the documentation for sets whose clips lie in archives read the tables as they are published."""

import re
from pathlib import Path

import pytest

from mmbench.adapters.baselines.chance import Chance
from mmbench.harness.run.run import run
from mmbench.harness.tasks.task_file import load_task
from tests.benchmarks.catalogue.oracle import Oracle
from tests.benchmarks.catalogue.shelf import clip
from tests.builders import ROOT

TABLES = {
    "msrvtt-1k-a": (
        "MSRVTT_JSFUSION_test.csv",
        "key,vid_key,video_id,sentence\n"
        "ret0,msr9770,video9770,a person is connecting something to system\n"
        'ret1,msr9771,video9771,"a little girl does gymnastics, and bows"\n',
        "videos/all",
        ("video9770", "video9771"),
    ),
    "nextqa-test": (
        "test.csv",
        "video,frame_count,width,height,question,answer,qid,type,a0,a1,a2,a3,a4\n"
        "4010069381,369,640,480,how do the two men play,0,6,CH,roll,tap feet,strum,hit,pat\n"
        "2834146886,1200,640,480,where is this,3,0,DL,road,park,forest,house,shop\n",
        "NExTVideo",
        ("4010069381", "2834146886"),
    ),
}
"""Task to its table with the columns that are published, and the folder and names of its clips."""


@pytest.mark.parametrize("name", TABLES)
def test_a_task_of_the_documentation_asks_a_folder_of_clips(name: str, tmp_path: Path) -> None:
    pytest.importorskip("av")
    docs = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")
    (body,) = re.findall(rf"```yaml\n# {name}\.yaml\n(.*?)```", docs, re.DOTALL)
    table, rows, folder, clips = TABLES[name]
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / f"{name}.yaml").write_text(body, encoding="utf-8")
    (tmp_path / table).write_text(rows, encoding="utf-8")
    for each in clips:
        (tmp_path / folder / f"{each}.mp4").write_bytes(clip())
    task = load_task(tmp_path / f"{name}.yaml")
    made = run([Oracle(task), Chance()], task=task, output=tmp_path / "results", store=tmp_path / "store.sqlite")
    assert [str(problem.error) for problem in made.problems] == []
    known, guessed = made.records
    assert (known.primary.value, known.errors, known.dataset["n"]) == (1, 0, 2)
    assert guessed.primary.value is not None and guessed.primary.value < 1
