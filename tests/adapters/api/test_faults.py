"""Faults of services: what is tried again, is the item's error, is the model's refusal, or ends the run."""

import email.utils
import gzip
import json
import socket
import struct
import time

import PIL.Image
import pytest

from mmbench.adapters.api import answers, failures
from mmbench.adapters.api.wire import Response
from mmbench.harness.models.reply import Reply
from mmbench.harness.records import outcomes as files
from tests.adapters.api.fake import Say, chat, failure


def once(said):
    """Fail the first request for each question after the first, then answer."""
    seen = set()

    def script(asked):
        if asked.number == 0 or asked.text in seen:
            return chat()
        seen.add(asked.text)
        return said

    return script


def hang(connection):
    while connection.recv(1000):  # until the client has given up
        pass


def drip(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    for _ in range(4000):
        connection.sendall(b" ")
        time.sleep(0.05)


def drip_head(connection):
    for _ in range(4000):
        connection.sendall(b"H")
        time.sleep(0.05)


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def flood(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(40):
        connection.sendall(b" " * (1 << 20))


AGAIN = {
    "429": Say(failure("slow down"), 429),
    "429 with seconds": Say(failure("slow down"), 429, {"Retry-After": "0"}),
    "429 with a date": Say(failure("slow down"), 429, {"Retry-After": email.utils.formatdate(usegmt=True)}),
    "429 with nonsense": Say(failure("slow down"), 429, {"Retry-After": "soon"}),
    "500": Say(failure("oops"), 500),
    "503 in HTML": Say(None, 503, raw=b"<html>busy</html>"),
    "an error with 200": Say(failure("upstream", code=502)),
    "an error with 200 and no code": Say({"error": "overloaded"}),
    "an error with 200 and a code in words": Say({"error": {"code": "rate_limit_exceeded", "message": "slow"}}),
    "an end in error": chat("ye", "error"),
    "an end of DeepSeek's": chat("no", "insufficient_system_resource"),
    "an end of Zhipu's": chat("no", "network_error"),
    "an abortion": chat("no", "abort"),
    "a model that was loaded": chat("", "load"),
    "parts that are no text": chat([{"type": "json", "value": "no"}]),
    "a stream that is cut": Say(None, raw=b'data: {"choices": [{"delta": {"content": "no"}}]}\n\n'),
    "a cut connection": reset,
    "a body that is cut": Say(chat(), length=5000),
    "malformed JSON": Say(None, raw=b'{"choices": [{"mess'),
    "no UTF-8": Say(None, raw=b'{"choices": "\xff\xfe"}'),
    "deep JSON": Say(None, raw=b"[" * 200_000),
    "a huge number": Say(None, raw=b'{"usage":' + b"9" * 10_000 + b"}"),
    "a list": Say([1, 2]),
    "null": Say(None),
    "empty choices": {**chat(), "choices": []},
    "no choices": {"model": "fake"},
    "no message": {**chat(), "choices": [{"finish_reason": "stop"}]},
    "no text": chat(None),
    "a bomb": Say(None, headers={"Content-Encoding": "gzip"}, raw=gzip.compress(b" " * (64 << 20))),
    "unknown packing": Say(None, headers={"Content-Encoding": "zstd"}, raw=b"xx"),
    "damaged packing": Say(None, headers={"Content-Encoding": "gzip"}, raw=b"xx"),
    "a hang": hang,
    "a body by drops": drip,
    "a head by drops": drip_head,
    "a flood": flood,
    "no HTTP": lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"),
}


ENDLESS = (hang, drip, drip_head)


@pytest.mark.parametrize("fault", AGAIN)
def test_what_may_pass_is_tried_again(serve, questions, ask, fault):
    server = serve(once(AGAIN[fault]))
    seconds = 2 if AGAIN[fault] in ENDLESS else 60  # in which the others are answered, however busy the machine is
    made = ask(server.spec(f",timeout={seconds},concurrency=2"), questions(3))
    assert made.exit_code == 0, (made.problems, made.records[0].first_error)
    assert made.records[0].primary.value == 1.0
    assert len(server.asked) == 5
    assert made.records[0].tokens == {"input": 300, "output": 15}  # each answer once, however often it was tried


@pytest.mark.parametrize("fault", ["500", "malformed JSON", "empty choices", "a cut connection", "429"])
def test_what_never_passes_is_an_error_and_no_wrong_answer(serve, questions, ask, fault):
    server = serve(lambda asked: AGAIN[fault] if "Is 2" in asked.text else chat())
    made = ask(server.spec(",retries=2,concurrency=2"), questions(4))
    record = made.records[0]
    assert (made.exit_code, record.errors, record.primary.value, record.primary.n) == (1, 1, 1.0, 3)
    assert "no answer in 3 tries" in record.first_error
    assert sum("Is 2" in asked.text for asked in server.asked) == 3
    # The others are remembered, and only this one is asked again.
    server.script = lambda asked: chat()
    before = len(server.asked)
    assert ask(server.spec(",retries=2"), questions(4)).exit_code == 0
    assert len(server.asked) == before + 1


def test_a_server_is_given_the_time_that_it_asks_for(serve, questions, ask):
    times = []

    def script(asked):
        times.append(time.monotonic())
        return Say(failure("wait"), 429, {"Retry-After": "1"}) if asked.number == 0 else chat()

    assert ask(serve(script).spec(",concurrency=4"), questions(6)).exit_code == 0
    assert times[1] - times[0] >= 1.0


def test_a_wait_of_hours_ends_the_run(serve, questions, ask):
    server = serve(lambda asked: Say(failure("daily limit"), 429, {"Retry-After": "36000"}))
    made = ask(server.spec(), questions(4))
    assert (made.exit_code, len(server.asked)) == (1, 1)
    assert "600 minutes" in str(made.problems[0].error)


ENDS = {
    "401": (Say(failure("Incorrect API key provided"), 401), "401: Incorrect API key"),
    "403": (Say(failure("no access from your country"), 403), "403: no access"),
    "402": (Say(failure("no credit"), 402), "402: no credit"),
    "404": (Say(failure("The model `fake` does not exist", code="model_not_found"), 404), "does not exist"),
    "400 for the model": (Say({"detail": "model fake not found"}, 400), "not found"),
    "a quota": (Say(failure("You exceeded your quota", code="insufficient_quota"), 429), "quota"),
    "a redirect": (Say(None, 307, {"Location": "http://u:p@elsewhere.example/v1"}), "(http://elsewhere.example)"),
    "a balance": (Say(failure("Your credit balance is too low to access the API."), 400), "credit balance"),
    "a balance of Moonshot's": (Say(failure("recharge", type="exceeded_current_quota_error"), 429), "recharge"),
    "a key with 200": (Say({"error": {"code": "invalid_api_key", "message": "wrong key"}}), "401: wrong key"),
    "a place with 200": (Say({"error": "Unexpected endpoint or method. (POST /chat/completions)"}), "404: Unexpected"),
    "a page with 200": (Say(None, raw=b"<!doctype html><title>Chat</title>"), "with a web page"),
    "a page": (Say(None, 405, raw=b"<html><head><title>405 Not Allowed</title>"), "405: a web page, '405 Not Allowed'"),
    "another interface": (Say({"message": {"content": "yes"}, "done": True}), "another form than that of chat"),
    "a temperature": (
        Say(failure("Unsupported value: 'temperature'", param="temperature"), 400),
        ",without=temperature",
    ),
}


@pytest.mark.parametrize("fault", ENDS)
def test_what_is_wrong_with_all_is_told_by_one(serve, questions, ask, fault):
    said, words = ENDS[fault]
    server = serve(lambda asked: said)
    made = ask(server.spec(",concurrency=16"), questions(40))
    assert (made.exit_code, len(server.asked), made.records) == (1, 1, [])
    assert words in str(made.problems[0].error)


def test_a_key_that_expires_stops_at_once_and_keeps_what_was_answered(serve, questions, ask, tmp_path):
    server = serve(lambda asked: chat() if asked.number < 20 else Say(failure("expired"), 401))
    made = ask(server.spec(",concurrency=4"), questions(100))
    assert made.exit_code == 1 and made.records == []
    assert 21 <= len(server.asked) <= 24  # one that fails, beside what was under way
    server.script = lambda asked: chat()
    before = len(server.asked)
    made = ask(server.spec(",concurrency=4"), questions(100))
    assert (made.exit_code, len(server.asked) - before) == (0, 80)
    assert made.records[0].tokens == {"input": 10_000, "output": 500}
    assert made.records[0].spent["input"] == 8_000


REFUSED = {
    "a refusal": chat(None, message={"refusal": "I cannot help with that."}),
    "a content filter": chat("Well, ", "content_filter"),
    "an empty content filter": chat(None, "content_filter"),
    "a filter of Gemini's": {**chat(), "choices": [{"finish_reason": "content_filter: PROHIBITED_CONTENT"}]},
    "a recitation": chat("yes", "RECITATION"),
    "an inspection": Say(failure("Input data may be unfit", code="data_inspection_failed"), 400),
    "a policy": Say(failure("flagged as potentially violating our usage policy", code="invalid_prompt"), 400),
    "a filter before it": Say(failure("The prompt was filtered", code="content_filter"), 400),
    "a moderation": Say(failure("Content violates usage guidelines."), 403),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_refusals_are_refused(serve, questions, ask, fault):
    server = serve(lambda asked: REFUSED[fault] if "Is 1" in asked.text else chat())
    for _ in range(2):  # the second time as remembered
        made = ask(server.spec(",concurrency=1"), questions(4))
        record = made.records[0]
        assert (made.exit_code, record.errors, record.primary.value, record.primary.n) == (0, 0, 0.75, 4)
        assert record.primary.coverage == 0.75
        found = files.read_outcomes(made.outcomes(record))
        assert [each.status for each in found] == ["ok", "refused", "ok", "ok"]
    assert len(server.asked) == 4


ITEMS = {
    "words alone": Say({"error": "'url' field must be a base64 encoded image."}, 400),
    "a list": Say([{"error": {"code": 400, "message": "Unable to process input image."}}], 400),
    "no envelope": Say({"object": "error", "message": {"detail": [{"msg": "Input should be smaller"}]}}, 422),
    "HTML": Say(None, 413, raw=b"<html><h1>413 Request Entity Too Large</h1></html>"),
    "a picture too large": Say(failure("image too large"), 413),
    "a bad request": Say(failure("could not process image"), 400),
    "a long context": Say(failure("maximum context length is 8 tokens", code="context_length_exceeded"), 400),
    "a length of vLLM's": Say(
        failure(
            "'max_tokens' or 'max_completion_tokens' is too large: 16. This model's maximum context length is 9 "
            "tokens and your request has 8 input tokens (16 > 9 - 8).",
            param="max_tokens",
        ),
        400,
    ),
    "an account": Say(failure("Your organization was flagged as unusual"), 400),
    "a long context of vLLM's": Say(failure("maximum context length is 8 tokens", param="input_tokens"), 400),
    "a word that is a parameter too": Say(failure("cannot load image: unexpected seed of data"), 400),
    "no pictures": Say(failure("image input is not supported - you may need to provide the mmproj"), 500),
    "a tool": chat(None, "tool_calls", message={"tool_calls": [{"id": "1"}]}),
}


@pytest.mark.parametrize("fault", ITEMS)
def test_the_items_own_faults_are_its_errors_and_not_tried_again(serve, questions, ask, fault):
    server = serve(lambda asked: ITEMS[fault] if "Is 1" in asked.text else chat())
    made = ask(server.spec(",seed=1"), questions(4))
    assert (made.records[0].errors, made.records[0].primary.value) == (1, 1.0)
    assert len(server.asked) == 4 + (
        "long context" in fault or "length" in fault
    )  # whether it fits another route first


def test_the_other_name_of_the_longest_reply_is_tried_once_and_remembered(serve, questions, ask):
    def script(asked):
        if "max_tokens" in asked.body:
            return Say(failure("'max_tokens' is not supported, use 'max_completion_tokens'", param="max_tokens"), 400)
        return chat()

    server = serve(script)
    assert ask(server.spec(), questions(10)).exit_code == 0
    assert len(server.asked) == 11
    assert server.asked[-1].body["max_completion_tokens"] == 16


def test_a_server_that_is_not_there_is_told_in_a_sentence(questions, ask):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # so that nobody else takes it; it does not listen
        made = ask(f"api:fake@http://127.0.0.1:{deaf.getsockname()[1]}/v1", questions(40))
    assert made.exit_code == 1
    assert "nothing answers at http://127.0.0.1" in str(made.problems[0].error)


def test_a_server_that_is_gone_for_good_ends_the_run(serve, questions, ask):
    server = serve(lambda asked: chat() if asked.number < 5 else Say(failure("down"), 503))
    made = ask(server.spec(",retries=1,concurrency=2"), questions(200))
    assert made.exit_code == 1
    assert "16 questions in a row" in str(made.problems[0].error)
    assert len(server.asked) < 50


def test_thoughts_that_leave_no_room_for_an_answer_are_unparsed_and_noted(serve, questions, ask):
    hidden, told = chat("", "length"), chat(None, "length", message={"reasoning_content": "yes or no? " * 3})
    server = serve(lambda asked: hidden if "Is 0" in asked.text else told if "Is 1" in asked.text else chat())
    record = ask(server.spec(), questions(3)).records[0]
    assert (record.errors, round(record.primary.value, 2)) == (0, 0.33)
    assert record.notes[1:] == ("2 of the replies ended at the most tokens that a reply may have",)


def test_replies_in_parts_and_with_control_characters(serve, questions, ask, tmp_path):
    parts = [{"type": "text", "text": "y"}, {"type": "text", "text": "es\x1b[2J"}]
    made = ask(serve(lambda asked: chat(parts)).spec(), questions(2))
    assert made.records[0].primary.value == 1.0


CHUNKS = [({"role": "assistant", "content": ""}, None), ({"content": "ye"}, None), ({"content": "s"}, "stop")]
CHUNKS = [json.dumps({"model": "fake", "choices": [{"delta": delta, "finish_reason": end}]}) for delta, end in CHUNKS]
STREAMED = ": processing\n\n" + "".join(f"data: {chunk}\r\n\r\n" for chunk in CHUNKS) + "data: [DONE]\n\n"
READ = {
    "a string in parts": chat(["yes"]),
    "a part without a type": chat([{"text": "yes"}]),
    "thoughts in parts": chat([{"type": "thinking", "thinking": [{"type": "text", "text": "no"}]}, {"text": "yes"}]),
    "one part": chat({"type": "text", "text": "yes"}),
    "a byte order mark": Say(None, raw=b"\xef\xbb\xbf" + json.dumps(chat()).encode()),
    "a stream": Say(None, headers={"Content-Type": "text/event-stream"}, raw=STREAMED.encode()),
}


@pytest.mark.parametrize("form", READ)
def test_forms_of_one_reply(serve, questions, ask, form):
    server = serve(lambda asked: READ[form])
    record = ask(server.spec(), questions(2)).records[0]
    assert (record.errors, record.primary.value, len(server.asked)) == (0, 1.0, 2)


def test_thoughts_alone_of_a_reply_that_ended_are_noted(serve, questions, ask):
    server = serve(lambda asked: chat(None, message={"reasoning_content": "yes"}) if "Is 1" in asked.text else chat())
    record = ask(server.spec(), questions(3)).records[0]
    assert "1 of the replies are thoughts without an answer" in record.notes[1]


def test_a_model_of_another_name_is_noted(serve, questions, ask):
    record = ask(serve(lambda asked: chat(model="llama-3-8b")).spec(), questions(1)).records[0]
    assert record.notes[1:] == ("the service was asked for 'fake' and says that 'llama-3-8b' answered",)


def test_a_server_that_says_zero_is_given_time(serve, questions, ask):
    server = serve(lambda asked: Say(failure("slow"), 429, {"Retry-After": "0"}))
    started = time.monotonic()
    assert ask(f"api:fake@{server.url},retries=3,backoff=0.1", questions(1)).records[0].errors == 1
    assert time.monotonic() - started > 0.3


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Please try again in 1m2.5s.", 62.5),
        ("try again in 20ms", 0.02),
        ("Please retry in 34.07s.", 34.07),
        ("no", None),
    ],
)
def test_a_wait_in_words(words, seconds):
    made = failures.failure(429, {"message": words}, Response(429, {}, b""), {}, "")
    assert isinstance(made, failures.Again) and made.after == seconds


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"prompt_tokens": 21, "completion_tokens": 1, "total_tokens": 82}, (21, 61)),  # thoughts beside, as of Gemini
        ({"prompt_tokens": 21.0, "completion_tokens": 3.0}, (21, 3)),
        ({"input_tokens": 21, "output_tokens": 3, "total_tokens": 24}, (21, 3)),
        ({"prompt_tokens": None, "completion_tokens": 3}, None),
        ({"prompt_tokens": 21, "completion_tokens": None}, None),
    ],
)
def test_tokens_as_services_count_them(told, usage):
    assert answers.usage({"usage": told}) == usage


def test_a_lone_surrogate_is_the_same_first_and_remembered(serve, questions, ask):
    said = Say(None, raw=json.dumps(chat("yes \ud83d")).encode())
    server = serve(lambda asked: said)
    values = [ask(server.spec(), questions(2)).records[0].primary.value for _ in range(2)]
    assert values == [1.0, 1.0]


def test_a_reply_is_a_text():
    assert Reply("yes") == "yes" and str(Reply("yes")) == "yes"


@pytest.mark.parametrize("family", ["vqa", "captioning", "multiple-choice"])
def test_refusals_in_other_families(serve, ask, tmp_path, family):
    rows = [
        {"image": f"{i}.png", "question": f"Is {i}?", "answers": ["yes"], "references": [f"it is {i}"]}
        for i in range(4)
    ]
    for i, row in enumerate(rows):
        row |= {"options": ["yes", "no"], "target": "yes"}
        PIL.Image.new("RGB", (9, 9), (i, 1, 1)).save(tmp_path / f"{i}.png")
    (tmp_path / "d.jsonl").write_text("\n".join(map(json.dumps, rows)))
    held = {"name": "t", "version": 1, "family": family, "source": {"kind": "jsonl", "path": "d.jsonl"}}
    (tmp_path / "t.yaml").write_text(json.dumps({**held, "routes": ["generate"]}))
    server = serve(lambda asked: REFUSED["a refusal"] if len(server.asked) == 2 else chat("yes"))
    made = ask(server.spec(",concurrency=1"), tmp_path / "t.yaml")
    assert made.exit_code == 0, made.problems
    statuses = [each.status for each in files.read_outcomes(made.outcomes(made.records[0]))]
    assert (made.exit_code, sorted(statuses)) == (0, ["ok", "ok", "ok", "refused"])
    assert made.records[0].primary.n == 4
