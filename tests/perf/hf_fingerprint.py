"""The fingerprint of a sharded checkpoint of 10 GB in the hub's cache must take under a second; exits 1 where not.

Run as `python tests/perf/hf_fingerprint.py`. What is counted is the processor time from spec to fingerprint in a fresh
process, the import of the hub's client included.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

BYTES, SHARDS = 10 * 10**9, 4
MOST = 1.0

CODE = """
import time
from mmbench.adapters.hf.adapter import from_spec
start = time.process_time()
assert from_spec("some/model", device="cpu", dtype="fp32", offline=True).fingerprint
print(time.process_time() - start)
"""


def main() -> int:
    """Print the seconds; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="mmbench-hf-cache-") as made:
        _cache(Path(made) / "models--some--model")
        environment = {**os.environ, "HF_HUB_CACHE": made, "MMBENCH_HOME": made}
        done = subprocess.run([sys.executable, "-c", CODE], check=True, env=environment, capture_output=True, text=True)
        seconds = float(done.stdout)
    print(f"{BYTES / 1e9:.0f} GB in {SHARDS} files: {seconds:.2f} s (at most {MOST})")
    return int(seconds > MOST)


def _cache(place: Path) -> None:
    """Lay out a cache as the hub's client does; the shards are files with nothing in them, of their full size."""
    for name in ("blobs", "refs", "snapshots/abc123"):
        (place / name).mkdir(parents=True)
    (place / "refs" / "main").write_text("abc123")
    shards = [f"model-{i + 1:05}-of-{SHARDS:05}.safetensors" for i in range(SHARDS)]
    sizes = {"hidden_size": 1024, "num_hidden_layers": 24}
    texts = {
        "config.json": {"model_type": "siglip", "text_config": sizes, "vision_config": sizes},
        "preprocessor_config.json": {"image_processor_type": "SiglipImageProcessor"},
        "tokenizer.json": {},
        "model.safetensors.index.json": {"weight_map": {f"layer.{i}": name for i, name in enumerate(shards)}},
    }
    for number, name in enumerate([*texts, *shards]):
        blob = place / "blobs" / f"{number:064x}"
        if name in texts:
            blob.write_text(json.dumps(texts[name]))
        else:
            with blob.open("wb") as file:
                file.truncate(BYTES // SHARDS)
        (place / "snapshots" / "abc123" / name).symlink_to(Path("../../blobs") / blob.name)


if __name__ == "__main__":
    sys.exit(main())
