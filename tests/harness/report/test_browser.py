"""The report in a real browser: it loads in silence, sorts, filters and opens, by pointer and by keyboard."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmbench.harness.report import write_report
from mmbench.harness.run.predictions import score
from tests.builders import BASELINES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;"

Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    with playwright.sync_playwright() as made:
        browser = made.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def baselines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the checked-in runs."""
    to = tmp_path_factory.mktemp("report") / "report.html"
    write_report(BASELINES, to, "perception", baseline="micro-coca")
    return to


@pytest.fixture
def look(browser: "Browser") -> Iterator[Open]:
    """Opens a report; after the test nothing may have been said on the console or asked of a network."""
    said: list[str] = []
    asked: list[str] = []
    pages: list[Page] = []

    def open_(path: Path, width: int = 1280, theme: str = "light") -> "Page":
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield open_
    for page in pages:
        page.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def column(page: "Page", number: int) -> list[str]:
    rows = page.locator("#board-table tbody tr:visible")
    return [row.locator("> *").nth(number).inner_text().split("\n")[0] for row in rows.all()]


def test_the_board_sorts_by_click_and_by_key(look: Open, baselines: Path) -> None:
    page = look(baselines)
    assert column(page, 1)[0] == "tiny-coca"
    head = page.locator("#board-table thead th").nth(1)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert column(page, 1) == sorted(column(page, 1))
    head.locator("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert column(page, 1) == sorted(column(page, 1), reverse=True)
    score = page.locator("#board-table thead th").nth(2)
    score.locator("button").focus()
    page.keyboard.press("Space")
    assert score.get_attribute("aria-sort") == "descending"
    assert head.get_attribute("aria-sort") is None
    made = column(page, 2)
    assert made[-1] == "-", "what has no value stands last"
    assert [float(each) for each in made[:-1]] == sorted(map(float, made[:-1]), reverse=True)
    score.locator("button").click()
    assert column(page, 2)[-1] == "-"


def test_the_board_filters(look: Open, baselines: Path) -> None:
    page = look(baselines)
    page.fill("#board-models", "COCA")
    assert sorted(column(page, 1)) == ["micro-coca", "tiny-coca"]
    page.fill("#board-tasks", "digit")
    assert page.locator("#board-table thead th.task:visible").count() == 2
    assert page.locator("#board-count").inner_text().startswith("2 of 4 models, 2 of 31")


def test_an_item_opens_and_closes(look: Open, baselines: Path) -> None:
    page = look(baselines)
    page.select_option("#items-task", "scenes-choice@1")
    tile = page.locator("#items-wall button").first
    assert "wrong" in (tile.locator(".said").get_attribute("class") or "")
    tile.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#dialog")
    assert dialog.is_visible()
    assert dialog.locator("tbody tr").count() == 3
    shown = dialog.locator("img").first
    assert shown.evaluate("image => image.complete && image.naturalWidth") == 96
    first = dialog.inner_text()
    page.keyboard.press("ArrowRight")
    assert "2 of 40" in dialog.inner_text()
    page.keyboard.press("ArrowLeft")
    assert dialog.inner_text() == first
    following = dialog.get_by_label("next item")
    following.focus()
    for _ in range(3):
        page.keyboard.press("Enter")
    assert "4 of 40" in dialog.inner_text()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert tile.evaluate("tile => tile === document.activeElement")
    tile.click()
    dialog.locator(".close").click()
    assert not dialog.is_visible()


def test_items_are_filtered(look: Open, baselines: Path) -> None:
    page = look(baselines)
    kinds = "tiles => tiles.map(tile => tile.querySelector('.said').classList.contains('wrong'))"

    def wrong() -> list[bool]:
        made: list[bool] = page.locator("#items-wall button").evaluate_all(kinds)
        return made

    page.select_option("#items-status", "wrong")
    assert wrong() and all(wrong())
    page.select_option("#items-status", "right")
    assert wrong() and not any(wrong())
    page.select_option("#items-status", "")
    page.select_option("#items-dimension", "colour")
    assert "scenes-colour@1" in page.locator("#items-wall").inner_text()
    assert "scenes-shape@1" not in page.locator("#items-wall").inner_text()
    page.select_option("#items-dimension", "")
    page.select_option("#items-model", label="micro-coca")
    page.select_option("#items-other", label="tiny-coca")
    page.locator("#items-wall button").first.click()
    rows = page.locator("#dialog tbody tr")
    marks = {row.locator("td").first.inner_text(): row.locator(".wrong").count() for row in rows.all()}
    assert marks["micro-coca"] != marks["tiny-coca"]
    page.keyboard.press("Escape")
    page.fill("#items-text", "no such words anywhere")
    assert page.locator("#items-wall button").count() == 0


def test_more_items_take_the_focus(look: Open, baselines: Path) -> None:
    page = look(baselines)
    assert page.locator("#items-wall button").count() == 60
    page.locator("#items-more").click()
    assert page.locator("#items-wall button").count() == 120
    assert page.evaluate("document.activeElement.parentElement === document.querySelectorAll('#items-wall li')[60]")


def test_a_pair_lists_its_tasks(look: Open, baselines: Path) -> None:
    page = look(baselines)
    cell = page.locator("button.pair").first
    better, worse, tied = (int(part.split()[1]) for part in cell.locator("span").all_inner_texts())
    cell.click()
    dialog = page.locator("#dialog")
    for verdict, count in (("better", better), ("worse", worse), ("tied", tied)):
        assert dialog.locator(f"td.{verdict}").count() == count
    page.keyboard.press("Escape")
    page.locator("tbody tr:nth-child(2) button.pair").first.click()
    assert dialog.locator("td.worse").count() == better


def test_a_confusion_matrix_follows_the_choice(look: Open, baselines: Path) -> None:
    page = look(baselines)
    page.select_option("#confusion-task", label="scenes-existence@1")
    rows = page.locator("#confusion-table tbody tr")
    assert rows.locator("th").all_inner_texts() == ["no", "yes"]
    assert sum(int(text) for text in rows.locator("td").all_text_contents()) == 1000
    page.select_option("#confusion-model", label="pixels")
    assert "not asked" in page.locator("#confusion-table").inner_text()


def counted(page: "Page") -> int:
    return int(page.locator("#items-count").inner_text().split()[0])


def test_cells_open_their_items(look: Open, baselines: Path) -> None:
    page = look(baselines)
    page.get_by_label("items of micro-coca on scenes-count@1", exact=False).click()
    assert page.locator("#items-task").evaluate("task => task.selectedOptions[0].text") == "scenes-count@1"
    assert page.locator("#items-model").evaluate("model => model.selectedOptions[0].text") == "micro-coca"
    assert 0 < counted(page) <= 40
    page.locator("button.pair").first.click()
    page.locator("#dialog .opens").first.click()
    assert not page.locator("#dialog").is_visible()
    assert page.locator("#items-other").evaluate("other => other.selectedOptions[0].text") == "micro-coca"
    page.select_option("#confusion-task", label="scenes-existence@1")
    page.select_option("#confusion-model", label="micro-coca")
    page.get_by_label("no taken for yes").click()
    said = page.locator("#items-wall .said").all_inner_texts()
    assert said and set(said) == {"yes"}
    assert len(said) == counted(page)
    assert "no taken for yes" in page.locator("#items-cell").inner_text()
    page.locator("#items-cell").click()
    assert not page.locator("#items-cell").is_visible()
    assert counted(page) > len(said)
    page.locator("#since td[data-items] button").first.click()
    assert page.locator("#items-model").evaluate("model => model.selectedOptions[0].text") == "chance"


def test_the_address_keeps_what_was_chosen(look: Open, baselines: Path, browser: "Browser") -> None:
    page = look(baselines)
    page.locator("#board-table thead button").nth(1).click()
    page.fill("#board-models", "c")
    page.select_option("#confusion-task", label="scenes-existence@1")
    page.get_by_label("no taken for yes").click()
    page.locator("#theme").click()
    shown = counted(page)
    page.locator("#items-wall button").first.click()
    title = page.locator("#dialog").inner_text()
    again = browser.new_page()
    again.goto(page.url)
    assert again.locator("#dialog").inner_text() == title
    assert counted(again) == shown
    assert again.locator("#board-table thead th").nth(1).get_attribute("aria-sort") == "ascending"
    assert again.locator("#board-models").input_value() == "c"
    assert again.evaluate("document.documentElement.dataset.theme") == "light"
    again.keyboard.press("Escape")
    again.wait_for_function("!location.hash.includes('item=')")
    again.goto(page.url.partition("#")[0] + "#items?items-task=no&item=x&cell=y%0A9&sort=-no&theme=pink&pair=a%0Ab")
    again.wait_for_function("document.querySelectorAll('#items-wall button').length === 60")
    again.close()


def test_tables_are_saved_as_csv(look: Open, baselines: Path) -> None:
    import csv

    page = look(baselines)
    page.fill("#board-tasks", "colour")
    with page.expect_download() as made:
        page.locator("#board .csv").first.click()
    with Path(made.value.path()).open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert head[:5] == ["#", "model", "score", "score low", "score high"]
    assert head[-3:] == ["scenes-colour@1", "scenes-colour@1 low", "scenes-colour@1 high"]
    assert [row[1] for row in rows] == column(page, 1)
    assert float(rows[0][3]) < float(rows[0][2]) < float(rows[0][4])
    assert rows[-1][2] == ""


def test_names_of_forty_letters_stay_within_three_lines(look: Open, tmp_path: Path) -> None:
    from tests.harness.report.test_report import put

    for model in ("abcdefghijklmnopqrstuvwxyzabcdefghijklmn", "a-model-of-forty-letters-for-the-long-run"):
        put(tmp_path / "results", model, "a-task-of-forty-letters-for-the-long-run", [True, False] * 10)
    write_report(tmp_path / "results", tmp_path / "report.html")
    page = look(tmp_path / "report.html")
    lines = "names => names.map(name => name.offsetHeight / parseFloat(getComputedStyle(name).lineHeight))"
    assert max(page.locator("table .name").evaluate_all(lines)) < 3.5


def test_a_series_hides(look: Open, baselines: Path) -> None:
    page = look(baselines)
    series = page.locator("#profile g[data-series='0']")
    key = page.locator("#profile .key").first
    key.click()
    assert key.get_attribute("aria-pressed") == "false"
    assert not series.first.is_visible()
    key.click()
    assert series.first.is_visible()


def test_light_and_dark(look: Open, baselines: Path) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = (look(baselines, theme=theme) for theme in ("light", "dark"))
    bright, night = light.evaluate(ground), dark.evaluate(ground)
    assert bright != night
    light.locator("#theme").click()
    assert light.evaluate(ground) == bright
    light.locator("#theme").click()
    assert light.evaluate(ground) == night


def test_a_phone_scrolls_down_only(look: Open, baselines: Path) -> None:
    page = look(baselines, width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("#items-wall button").first.click()
    assert page.locator("#dialog").evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")


def test_nothing_runs_or_loads_that_the_page_did_not_bring(browser: "Browser", baselines: Path) -> None:
    page = browser.new_page()
    page.goto(baselines.as_uri())
    assert page.evaluate("fetch('https://example.org').then(() => 'loaded', () => 'refused')") == "refused"
    page.evaluate(
        "() => { const made = document.createElement('script'); made.textContent = 'window.ran = 1'; "
        "document.body.append(made); }"
    )
    assert page.evaluate("window.ran") is None
    page.close()


def test_hostile_texts_stay_texts(look: Open, tmp_path: Path) -> None:
    rows = [{"question": f"{EVIL} {n}?", "options": [EVIL, "no"], "target": 0, "kind": EVIL} for n in range(3)]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "evil.yaml").write_text(
        "name: evil\nfamily: multiple-choice\nsource: {kind: jsonl, path: data.jsonl}\nfacts: [kind]\n"
        f"card: {json.dumps({'title': EVIL, 'dimension': EVIL, 'notes': EVIL, 'url': 'javascript:alert(3)'})}\n"
    )
    for model, said in (("one", EVIL), ("two", "no")):
        lines = [json.dumps({"id": str(n), "prediction": said}) for n in range(3)]
        (tmp_path / f"{model}.jsonl").write_text("\n".join(lines))
        score(str(tmp_path / "evil.yaml"), tmp_path / f"{model}.jsonl", save=tmp_path / "results")
    write_report(tmp_path / "results", tmp_path / "report.html", files=[tmp_path / "evil.yaml"])
    page = look(tmp_path / "report.html", width=360)
    page.select_option("#items-dimension", label=EVIL)
    page.locator("#items-wall button").first.click()
    dialog = page.locator("#dialog")
    assert dialog.locator("h3").inner_text()[:-3] == EVIL
    assert dialog.locator("dd").filter(has_text=EVIL).count() >= 2
    page.keyboard.press("Escape")
    page.locator("details.card summary").click()
    assert EVIL in page.locator("details.card").inner_text()
    assert page.locator("details.card a").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
