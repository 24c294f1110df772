"""The adapter against a real service, `transformers serve` on loopback with a tiny model of random weights."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmbench.harness.records import outcomes as files
from tests.adapters.hf import tiny
from tests.lazy import Lazy, torch

transformers = Lazy("transformers")
NEEDED = ("transformers", "fastapi", "uvicorn", "openai", "accelerate")
PATIENCE = 240

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in NEEDED), reason="needs the group serving"
    ),
]

TEMPLATE = (
    "{% for message in messages %}{% if message.content is string %}{{ message.content }}{% else %}"
    "{% for part in message.content %}{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}{% endif %}{% endfor %}"
)
MARKS = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")


def qwen2_vl(folder: Path) -> Path:
    """Save a tiny Qwen2-VL."""
    torch.manual_seed(0)
    tiny.tokenizer(folder, 4096)
    words = transformers.AutoTokenizer.from_pretrained(folder)
    words.add_special_tokens({"additional_special_tokens": list(MARKS)})
    start, end, image, video = words.convert_tokens_to_ids(list(MARKS))
    text = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "vocab_size": 600,
        "max_position_embeddings": 4096,
        "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1e4},
        "bos_token_id": 1,
        "eos_token_id": 4,
        "pad_token_id": 0,
    }
    vision = {"depth": 2, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2, "patch_size": 14}
    config = transformers.Qwen2VLConfig(
        text_config=text,
        vision_config=vision,
        vision_start_token_id=start,
        vision_end_token_id=end,
        image_token_id=image,
        video_token_id=video,
    )
    transformers.Qwen2VLForConditionalGeneration(config).save_pretrained(folder)
    sizes = {"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 16}
    processor = transformers.Qwen2VLProcessor(
        transformers.Qwen2VLImageProcessor(patch_size=14, merge_size=2, size=sizes),
        words,
        transformers.Qwen2VLVideoProcessor(patch_size=14, merge_size=2, size=sizes),
        chat_template=TEMPLATE,
    )
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Start the service and give its address and the model's folder."""
    home = tmp_path_factory.mktemp("service")
    folder = qwen2_vl(home / "tiny-vl")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    surroundings = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    program = str(Path(sys.executable).with_name("transformers"))
    log = (home / "log").open("w")
    serve = [program, "serve", str(folder), "--port", str(port), "--device", "cpu"]
    process = subprocess.Popen(serve, env=surroundings, stdout=log, stderr=log, start_new_session=True)
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
                break
            except (urllib.error.URLError, OSError):
                if process.poll() is not None or time.monotonic() > until:
                    pytest.skip(f"the service did not start: {(home / 'log').read_text()[-500:]}")
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1", folder
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_real_service_answers(service, ask, questions):
    url, folder = service
    task = questions(3, pictures=1, generation={"max_tokens": 4})
    made = ask(f"api:{folder}@{url},concurrency=2,max_side=56,price_in=1,price_out=1", task)
    record = made.records[0]
    assert (made.exit_code, record.errors) == (0, 0), record.first_error
    assert record.model == "tiny-vl" and record.snapshot.startswith("tiny-vl") and "/" not in record.snapshot
    assert record.tokens["output"] == 12 and record.tokens["input"] > 12 and record.cost > 0
    first = [each.reply for each in files.read_outcomes(made.outcomes(record))]
    assert all(first)
    again = ask(f"api:{folder}@{url},max_side=56", task)  # remembered
    assert again.records[0].spent["input"] == 0
    assert [each.reply for each in files.read_outcomes(again.outcomes(again.records[0]))] == first


def test_a_real_service_is_asked_without_pictures(service, ask, questions):
    url, folder = service
    made = ask(f"api:{folder}@{url}", questions(2, name="words", generation={"max_tokens": 3}))
    assert (made.exit_code, made.records[0].errors) == (0, 0), made.records[0].first_error


def test_a_model_that_it_does_not_have_is_told_in_its_words(service, ask, questions):
    url, _ = service
    made = ask(f"api:nobody/nothing@{url},retries=0", questions(3, name="other"))
    assert made.exit_code == 1
    said = [str(problem.error) for problem in made.problems] + [str(record.first_error) for record in made.records]
    assert len(said) == 1 and "the server answered" in said[0]
    assert all(record.errors == 3 for record in made.records)


def test_likelihoods_that_it_does_not_tell_are_refused(service, ask, questions):
    url, folder = service
    task = questions(2, name="scored", routes=["likelihood"])
    made = ask(f"api:{folder}@{url},likelihood=completions,retries=0", task)
    assert made.exit_code == 1 and not any(record.primary.n for record in made.records)
