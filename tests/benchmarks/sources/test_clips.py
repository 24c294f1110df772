"""Cells that hold clips, as data of clips has them."""

from pathlib import Path

import pytest

from mmbench.benchmarks.sources.clips import clip
from mmbench.benchmarks.starting.look import source_of
from mmbench.harness.errors import DataError
from mmbench.harness.tasks.source import Row


def test_a_clip_is_found_by_the_name_that_data_calls_it(tmp_path: Path) -> None:
    row = Row({}, "row 0", tmp_path)
    for name in ("video7020.mp4", "4010069381.webm", "v_1.5s.mkv", "both.mp4", "both.avi", "plain"):
        (tmp_path / name).write_bytes(b"")
    assert clip("video7020", row).locator == "video7020.mp4"
    assert clip(4010069381, row).locator == "4010069381.webm"
    assert clip("v_1.5s", row).locator == "v_1.5s.mkv"
    assert clip("plain", row).locator == "plain", "what is there needs no end"
    assert clip("gone", row).locator == "gone", "its item has the error"
    with pytest.raises(DataError, match=r"row 0: 'both' is both.mp4 and both.avi; write which"):
        clip("both", row)


def test_questions_about_clips_are_rows_and_no_document_of_pictures(tmp_path: Path) -> None:
    file = tmp_path / "q.json"
    file.write_text('[{"video": "a.mp4", "question": "Which way?", "answer": "left"}]')
    assert source_of(file) == {"kind": "jsonl", "path": str(file)}
    file.write_text('[{"image": "a.png", "question": "Which way?", "answer": "left"}]')
    assert source_of(file)["kind"] == "vqa-json"
