"""What others wrote reaches a terminal or a summary as text alone."""

import sys

import pytest

from mmbench.harness.cli.app import main
from mmbench.harness.render.figures import markdown
from mmbench.harness.render.plain import MOST, plain


@pytest.mark.parametrize(
    "bad", ["\x1b[2J", "\x1b[31;1m", "\x1b]0;title\x07", "\x07", "\x9b", "\u202e", "\u2066", "\x00", "\ud800"]
)
def test_what_commands_a_terminal_is_replaced(bad: str) -> None:
    assert plain(f"a{bad}b") == "a\ufffdb"
    assert "a\ufffdb" in markdown(["x"], [[f"a{bad}b"]])


@pytest.mark.parametrize("good", ["Zürich – 猫", "👩‍👩‍👧", "नमस्ते", "שלום", "a [bold] b", "e\u0301", "می\u200cخواهم"])
def test_what_people_write_stays(good: str) -> None:
    assert plain(good) == good


def test_messages_are_short_and_in_one_line() -> None:
    made = plain("head\n" + "word " * 1000 + "tail")
    assert len(made) == MOST and made.startswith("head word") and made.endswith("tail")
    assert plain("x: " + "iVBORw0KGgo" * 500 + "==") == "x: iVBORw0KGgoiVBORw0KG... (5,502 characters)"


def test_an_error_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["mmbench", "run", "--model", "chance", "--task", "a\x1b[2J\x07\nb.yaml"])
    with pytest.raises(SystemExit) as done:
        main()
    err = capsys.readouterr().err
    assert done.value.code == 2
    assert err.count("\n") == 1 and "\x1b" not in err and "\x07" not in err
