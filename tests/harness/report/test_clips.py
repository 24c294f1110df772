"""A clip in the report is a strip of the frames that were shown, which play when somebody asks for it."""

import json
import re
from pathlib import Path

import pytest

import mmbench
from mmbench.harness.report import write_report


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    mmbench.run("chance", task="clips-order", limit=4, output=folder, store=folder / "store.sqlite")
    write_report(folder, folder / "report.html")
    return folder / "report.html"


def test_items_hold_their_frames_with_number_and_moment(page: Path) -> None:
    held = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.DOTALL)
    assert held is not None
    data = json.loads(held[1])
    items = data["tasks"][0]["items"]
    assert len(items) == 4
    for item in items:
        assert item["frames"] == [f"frame {n}, {n / 8:.3f} s" for n in range(8)]
        assert len(item["pictures"]) == 8 and set(item["pictures"]) <= set(data["pictures"])
    assert len(data["pictures"]) <= 4, "frames that clips share are there once"


@pytest.mark.slow
def test_a_clip_is_stepped_through_and_played_in_a_browser(page: Path) -> None:
    browsers = pytest.importorskip("tests.harness.report.test_browser")
    if browsers.CHROMIUM is None:
        pytest.skip("there is no Chromium")
    with browsers.playwright.sync_playwright() as made:
        browser = made.chromium.launch(executable_path=browsers.CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for motion in ("no-preference", "reduce"):
            said: list[str] = []
            opened = browser.new_page(reduced_motion=motion)
            opened.on("pageerror", lambda error, said=said: said.append(str(error)))
            opened.goto(page.as_uri())
            opened.locator("#items-wall button").first.click()
            dialog = opened.locator("#dialog")
            slider = dialog.locator("input[type=range]")
            assert slider.get_attribute("aria-valuetext") == "frame 0, 0.000 s", "nothing plays by itself"
            slider.focus()
            opened.keyboard.press("ArrowRight")
            assert slider.get_attribute("aria-valuetext") == "frame 1, 0.125 s"
            assert "1 of 4" in dialog.inner_text(), "the arrows step through the frames there, not through the items"
            dialog.get_by_label("play the frames").press("Enter")
            if motion == "reduce":
                assert slider.get_attribute("aria-valuetext") == "frame 2, 0.250 s"
                opened.wait_for_timeout(400)
                assert slider.get_attribute("aria-valuetext") == "frame 2, 0.250 s", "one step and no motion"
            else:
                for _ in range(60):
                    opened.wait_for_timeout(100)
                    if slider.get_attribute("aria-valuetext") == "frame 7, 0.875 s":
                        break
                assert slider.get_attribute("aria-valuetext") == "frame 7, 0.875 s"
            assert said == []
            opened.close()
        browser.close()
