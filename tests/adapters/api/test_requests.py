"""What is sent: pictures without metadata, settings, keys; what is refused before anything is."""

import base64
import io
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import PIL.Image
import PIL.ImageCms
import pytest

import mmbench
from mmbench.adapters.api.adapter import from_spec
from mmbench.adapters.api.spec import parse
from mmbench.harness.errors import Unavailable, UsageError
from tests.adapters.api.fake import Say, chat, failure

OPENING = dict(device="auto", dtype="auto", offline=False)


def shown(url):
    head, _, data = url.partition(",")
    return head, PIL.Image.open(io.BytesIO(base64.b64decode(data)))


def photo(path: Path, size=(3000, 1000), **more: object) -> None:
    """Save a photograph with all that cameras and programs write beside pixels."""
    exif = PIL.Image.Exif()
    exif[0x010F] = "SecretCameraMaker"
    exif[0x9286] = "SecretUserComment"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    image = PIL.Image.radial_gradient("L").resize(size).convert("RGB")
    image.save(path, exif=exif, icc_profile=profile, comment=b"SecretComment", **more)


@pytest.mark.parametrize("form", ["png", "jpeg"])
def test_pictures_are_sent_without_anything_but_pixels(tmp_path, serve, ask, questions, form):
    task = questions(1, pictures=1)
    photo(tmp_path / "photo.jpg")
    (tmp_path / "questions.jsonl").write_text(json.dumps({"image": "photo.jpg", "question": "Is it?", "target": "yes"}))
    server = serve()
    assert ask(server.spec(f",max_side=600,format={form}"), task).exit_code == 0
    (url,) = server.asked[0].pictures
    head, image = shown(url)
    assert head == f"data:image/{form};base64"
    assert (image.format.lower(), image.size, image.mode) == (form, (600, 200), "RGB")
    assert not image.getexif() and not {"icc_profile", "comment", "exif", "xmp"} & image.info.keys()
    assert b"Secret" not in base64.b64decode(url.partition(",")[2])


def test_png_keeps_every_pixel(tmp_path, serve, ask, questions):
    server = serve()
    ask(server.spec(), questions(1, pictures=1))
    _, image = shown(server.asked[0].pictures[0])
    assert image.tobytes() == PIL.Image.open(tmp_path / "0.png").tobytes()


def test_several_pictures_stand_in_order_before_the_question():
    model = from_spec("m@http://127.0.0.1:1/v1,detail=low", **OPENING)
    pictures = [PIL.Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    bodies = []

    def post(path, body, headers, seconds):
        bodies.append(json.loads(body))
        from mmbench.adapters.api.wire import Response

        return Response(200, {}, json.dumps(chat()).encode())

    model._wire.post = post
    settings = mmbench.harness.Generation(max_tokens=7, temperature=0.5, stop=("\n",))
    assert model.generate([([model.prepare_image(each) for each in pictures], "Which?"), ([], "Why?")], settings) == [
        "yes",
        "yes",
    ]
    content = bodies[0]["messages"][0]["content"]
    colours = [shown(part["image_url"]["url"])[1].getpixel((3, 3)) for part in content[:3]]
    assert colours == [(255, 0, 0), (0, 128, 0), (0, 0, 255)]
    assert content[0]["image_url"]["detail"] == "low"
    assert content[3] == {"type": "text", "text": "Which?"}
    assert bodies[1] == {
        "model": "m",
        "messages": [{"role": "user", "content": "Why?"}],
        "max_tokens": 7,
        "temperature": 0.5,
        "stop": ["\n"],
    }


def test_parameters_that_are_left_out_are_told_in_the_record(serve, ask, questions):
    server = serve()
    made = ask(server.spec(",without=temperature,seed=3,thinking=100,reasoning_effort=low"), questions(2))
    body = {name: value for name, value in server.asked[0].body.items() if name != "messages"}
    assert body == {"model": "fake", "max_tokens": 116, "seed": 3, "reasoning_effort": "low"}
    assert made.records[0].notes[1:] == ("asked without temperature, which the service was not sent",)


def test_the_fingerprint_is_of_what_is_sent_and_nothing_else():
    def of(spec):
        return from_spec(spec, **OPENING).fingerprint

    same = of("m@http://127.0.0.1:1/v1")
    for more in (
        "m@http://127.0.0.1:2/v1",
        "m@https://host/v1,key_env=K",
        "m",
        "m,concurrency=2",
        "m,price_in=1,price_out=1",
        "m,timeout=3",
    ):
        assert of(more) == same
    others = ["n", "m,max_side=100", "m,format=jpeg", "m,quality=80", "m,detail=low", "m,seed=1", "m,snapshot=m-1"]
    others += ["m,thinking=10", "m,without=seed", "m,reasoning_effort=low"]
    assert len({same, *map(of, others)}) == len(others) + 1


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "@http://127.0.0.1/v1",
        "m@http://u:hunter2@127.0.0.1/v1",
        "m@http://hunter2@127.0.0.1/v1",
        "m@http://127.0.0.1/v1?key=hunter2",
        "m@http://127.0.0.1/v1#hunter2",
        "m@http://127.0.0.1:99999/v1",
        "m@http://",
        "m@http://a b/v1",
        "m@ftp://host",
        "m@localhost:8000/v1",
        "m@10.0.0.1:8000",
        "m,concurrency=0",
        "m,concurrency=many",
        "m,concurency=3",
        "m,rpm=-1",
        "m,quality=80,format=png",
        "m,format=gif",
        "m,key_env=sk-hunter2",
        "m,price_in=1",
        "m,prices=nowhere.toml",
        "m,seed=1,seed=2",
        "m,without=messages",
        "m,timeout=nan",
        "m,likelihood=chat",
        "m,concurrency=3@http://127.0.0.1/v1",
    ],
)
def test_specs_that_cannot_be_meant(spec):
    with pytest.raises(UsageError) as told:
        from_spec(spec, **OPENING)
    assert "hunter2" not in str(told.value) and "\n" not in str(told.value)


def test_addresses(monkeypatch):
    assert parse("m").address.origin == "https://api.openai.com"
    assert parse("m@http://[::1]:8000/v1/").address.loopback
    assert parse("m@http://0.0.0.0:8000/v1").address.loopback  # as servers print where they listen
    assert parse("org/m:7b@http://localhost:11434/v1/chat/completions").address.path == "/v1"
    assert not parse("m@http://127.0.0.1.nip.io/v1").address.loopback
    assert parse("a@b@http://h/v1").model == "a@b"
    monkeypatch.setenv("OPENAI_BASE_URL", " http://127.0.0.1:8000/v1\n")
    assert parse("m").address.origin == "http://127.0.0.1:8000"
    monkeypatch.setenv("OPENAI_BASE_URL", "127.0.0.1:8000/v1")
    with pytest.raises(UsageError, match="environment variable OPENAI_BASE_URL"):
        parse("m")
    azure = parse("m@https://me.openai.azure.com/openai/deployments/m?api-version=2024-10-21,rpm=3")
    assert (azure.address.path, azure.address.query) == ("/openai/deployments/m", "?api-version=2024-10-21")


def test_an_address_with_brackets_is_no_pattern_of_files(questions, ask):
    made = ask("api:m@http://[::1]:9/v1", questions(1))
    assert "nothing answers at http://[::1]:9" in str(made.problems[0].error)


def test_offline_no_other_machine_is_asked():
    with pytest.raises(UsageError, match="offline"):
        from_spec("m", device="auto", dtype="auto", offline=True)
    from_spec("m@http://127.0.0.1:1/v1", device="auto", dtype="auto", offline=True)


def test_prices_of_files(tmp_path):
    (tmp_path / "p.toml").write_text('["gpt-4o"]\ninput = 2.5\noutput = 10\n')
    (tmp_path / "p.yaml").write_text("gpt-4o: {input: 2.5, output: 10}\n")
    for name in ("p.toml", "p.yaml"):
        assert from_spec(f"gpt-4o,prices={tmp_path / name}", **OPENING).token_cost(1_000_000, 100_000) == 3.5
    with pytest.raises(UsageError, match="has no 'other'"):
        from_spec(f"other,prices={tmp_path / 'p.toml'}", **OPENING)


def test_without_consent_nothing_is_sent(serve, questions, tmp_path, command, monkeypatch):
    server = serve()
    task = str(questions(3, pictures=1))
    given = [
        "run",
        "--model",
        server.spec(),
        "--task",
        task,
        "--output",
        str(tmp_path / "r"),
        "--store",
        str(tmp_path / "s"),
    ]
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    code, out, err = command(*given)
    assert (code, out, server.asked) == (2, "", [])
    said = (
        "3 requests with 3 pictures as PNG of at most 2048 pixels a side, without EXIF or other metadata, would be sent"
    )
    assert f"{said} to http://127.0.0.1" in err and "--yes" in err
    assert command(*given, "--dry-run")[0] == 0
    assert not server.asked
    code, out, err = command(*given, "--yes", "--format", "json")
    assert (code, json.loads(out)[0]["value"], len(server.asked)) == (0, 1.0, 3)
    assert said in err
    # What is remembered is sent nowhere, and nobody is asked.
    code, out, err = command(*given)
    assert (code, len(server.asked)) == (0, 3) and "would be sent" not in err


def test_a_key_that_lacks_is_told_before_anything_is_sent(serve, questions, tmp_path, command, monkeypatch):
    server = serve()
    given = ["run", "--model", server.spec(",key_env=NOT_SET"), "--task", str(questions(3)), "--yes"]
    given += ["--output", str(tmp_path / "r"), "--store", str(tmp_path / "s")]
    assert command(*given, "--dry-run")[0] == 0
    code, _, err = command(*given)
    assert (code, server.asked) == (2, []) and "NOT_SET" in err
    monkeypatch.setenv("NOT_SET", "two words\n")
    code, _, err = command(*given)
    assert (code, server.asked) == (2, []) and "two words" not in err


KEY = "sk-proj-Zx81VerySecretKey0042"


def test_no_secret_is_written_anywhere(tmp_path, serve, questions, monkeypatch):
    home = tmp_path / "home-of-jdoe"
    work = tmp_path / "work"
    home.mkdir()
    work.mkdir()
    task = questions(6, pictures=1)
    photo(tmp_path / "0.png", (64, 64))
    told = f"Incorrect API key provided: {KEY}. Your folder is {home}/models \x1b[31m"
    words = {"Is 1": Say(failure(told), 400), "Is 2": Say(failure(told), 500), "Is 3": Say(failure(told), 413)}

    def script(asked):
        assert asked.headers["authorization"] == f"Bearer {KEY}"
        said = next((said for text, said in words.items() if text in asked.text), None)
        return said or chat(model=f"{home}/models/tiny@main")

    server = serve(script)
    surroundings = {**os.environ, "MY_KEY": KEY, "HOME": str(home), "MMBENCH_HOME": str(work / "own"), "USER": "jdoe"}
    mmbench_ = [sys.executable, "-m", "mmbench.harness.cli.app"]
    start = "from mmbench.harness.cli.app import main; main()"
    mmbench_ = [sys.executable, "-c", start]
    model = f"api:{home}/models/tiny@{server.url},key_env=MY_KEY,retries=1,backoff=0.01"
    run = [*mmbench_, "run", "--model", model, "--task", str(task), "--yes", "--debug"]
    done = subprocess.run(run, cwd=work, env=surroundings, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    shown = [*mmbench_, "report", "--to", "report.html"]
    report = subprocess.run(shown, cwd=work, env=surroundings, capture_output=True, text=True)
    assert report.returncode == 0, report.stderr
    listed = subprocess.run([*mmbench_, "store", "info"], cwd=work, env=surroundings, capture_output=True, text=True)
    everything = [part.encode() for each in (done, report, listed) for part in (each.stdout, each.stderr)]
    everything += [file.read_bytes() for file in work.rglob("*") if file.is_file()]
    (record,) = (work / "results").rglob("*.json")
    import pandas as pd

    everything.append(pd.read_parquet(record.with_suffix(".parquet")).to_csv().encode())
    with sqlite3.connect(work / "own" / "store.sqlite") as store:
        everything += [row[0] for row in store.execute("SELECT value FROM answers")]
        everything += [repr(row).encode() for row in store.execute("SELECT name, fingerprint FROM models")]
    for data in everything:
        for secret in (KEY, "jdoe", "Secret", "\x1b[31m", base64.b64encode(KEY.encode()).decode()):
            assert secret.encode() not in data, (secret, data[:2000])
    held = json.loads(record.read_text())
    assert (held["model"], held["snapshot"], held["errors"]) == ("tiny", "tiny@main", 3)


def test_a_redirect_takes_no_key_to_another_host(serve, questions, ask, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    other = serve()
    server = serve(lambda asked: Say(None, 308, {"Location": f"{other.url}/chat/completions"}))
    assert ask(server.spec(), questions(2)).exit_code == 1
    assert (len(server.asked), other.asked) == (1, [])


def test_a_proxy_is_not_used_for_this_machine(serve, questions, ask, monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://user:hunter2@127.0.0.1:9")
    assert ask(serve().spec(), questions(2)).exit_code == 0
    there = from_spec("m@http://models.example/v1", **OPENING)
    assert "through the proxy 127.0.0.1:9" in there.sends_to() and "clear text" in there.sends_to()
    assert "hunter2" not in there.sends_to()
    monkeypatch.setenv("no_proxy", "models.example")
    assert "proxy" not in from_spec("m@http://models.example/v1", **OPENING).sends_to()


def test_a_proxy_that_cannot_be_used_is_told(serve, monkeypatch):
    monkeypatch.setenv("all_proxy", "http://user:hunter2@127.0.0.1:9")
    there = from_spec("m@http://models.example/v1", **OPENING)
    with pytest.raises(Unavailable, match=r"nothing answers at the proxy 127\.0\.0\.1:9 .*NO_PROXY"):
        there.generate([([], "Why?")], mmbench.harness.Generation())
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{serve(lambda asked: Say(None, 407, raw=b'no')).port}")
    with pytest.raises(Unavailable, match="407: no"):
        from_spec("m@http://models.example/v1", **OPENING).generate([([], "Why?")], mmbench.harness.Generation())
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:9")
    with pytest.raises(UsageError, match="not of http://"):
        from_spec("m@https://models.example/v1", **OPENING).sends_to()


def test_a_server_without_tls_is_told(serve):
    model = from_spec(f"m@https://127.0.0.1:{serve().port}/v1", **OPENING)
    with pytest.raises(Unavailable, match="does not speak https; is its address one of http://"):
        model.generate([([], "Why?")], mmbench.harness.Generation())


def test_an_address_without_v1_is_told_where_it_mostly_is(serve):
    server = serve(lambda asked: Say({"detail": "Not Found"}, 404))
    with pytest.raises(Unavailable, match="404: Not Found; most have it at /v1: @http://HOST:PORT/v1"):
        from_spec(f"m@http://127.0.0.1:{server.port}", **OPENING).generate([([], "")], mmbench.harness.Generation())


KEYS = {
    "a bearer token": ("", "sk-abc", {"authorization": "Bearer sk-abc"}),
    "in quotes, with a line break": ("", '"sk-abc"\n', {"authorization": "Bearer sk-abc"}),
    "of a deployment": ("?api-version=2024-10-21", "abc", {"api-key": "abc"}),
    "a token for a deployment": ("?api-version=2024-10-21", "eyJ.x.y", {"authorization": "Bearer eyJ.x.y"}),
}


@pytest.mark.parametrize("case", KEYS)
def test_a_key_is_sent_as_the_address_wants_it(serve, monkeypatch, case):
    query, key, expected = KEYS[case]
    monkeypatch.setenv("OPENAI_API_KEY", key)
    server = serve()
    from_spec(f"m@{server.url}{query}", **OPENING).generate([([], "Why?")], mmbench.harness.Generation())
    sent = server.asked[0].headers
    assert {name: sent[name] for name in ("api-key", "authorization") if name in sent} == expected


def test_a_proxy_is_asked_for_other_hosts(serve, monkeypatch):
    """The fake stands for a proxy, which is given the whole address."""
    proxy = serve()
    monkeypatch.setenv("http_proxy", f"http://me:pw@127.0.0.1:{proxy.port}")
    model = from_spec("m@http://models.example/v1,backoff=0.01", **OPENING)
    assert model.generate([([], "Why?")], mmbench.harness.Generation()) == ["yes"]
    assert proxy.asked[0].path == "http://models.example/v1/chat/completions"
    assert proxy.asked[0].headers["proxy-authorization"] == "Basic bWU6cHc="
    assert proxy.asked[0].headers["host"] == "models.example"
