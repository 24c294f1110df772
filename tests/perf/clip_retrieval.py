"""Retrieval of 1,000 clips by 20 captions each with 12 frames: CPU time beside bare decode and encode, and memory.

Run as `python tests/perf/clip_retrieval.py [--clips N]`. Both sides decode by seeks to the same frames and embed each
frame and caption once by the same small tower, of some 3 ms a frame. Each is a process of its own; seconds are
processor seconds.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import av
import numpy as np

MOST, GROWN = 1.05, 150
"""Of the bare time; megabytes above what ten clips take."""
CAPTIONS, FRAMES, RATE, SIZE, LONG = 20, 12, 12, (320, 240), 120
WIDE = 1024
TASK = """name: found
family: retrieval
source: {kind: jsonl, path: data.jsonl}
frames: {sampler: interval-middle, count: 12}
metrics: [text_to_image/recall@1, text_to_image/median_rank]
"""


class Tower:
    """Embeds a picture of 64 x 64 by matrix products that take a few milliseconds."""

    fingerprint = "tower"
    batch_size = 64

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        self.first = random.standard_normal((64 * 64 * 3, WIDE), np.float32)
        self.deeper = [random.standard_normal((WIDE, WIDE), np.float32) / 32 for _ in range(24)]
        self.asked = 0

    def prepare_image(self, image):  # noqa: ANN001, ANN201, D102
        return np.asarray(image.resize((64, 64), 2), np.float32).reshape(-1) / 255

    def embed_images(self, images):  # noqa: ANN001, ANN201, D102
        self.asked += len(images)
        made = np.stack(images) @ self.first
        for each in self.deeper:
            made = np.tanh(made @ each)
        return made

    def embed_texts(self, texts):  # noqa: ANN001, ANN201, D102
        made = np.stack(
            [np.random.default_rng(list(text.encode())).standard_normal(WIDE, np.float32) for text in texts]
        )
        for each in self.deeper[:2]:
            made = np.tanh(made @ each)
        return made


def draw(path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    ground = random.integers(0, 256, (40, 50, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as made:
        stream = made.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "g": "24"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for index in range(LONG):
            shown = np.ascontiguousarray(ground[index % 80 : index % 80 + SIZE[1], index % 80 : index % 80 + SIZE[0]])
            made.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        made.mux(stream.encode())


def captions(number: int) -> list[str]:
    return [f"caption {each} of clip {number}" for each in range(CAPTIONS)]


def bare(folder: Path, clips: int) -> None:
    """Decode the frames by seeks, prepare and embed them, and the captions, in batches."""
    tower = Tower()
    waiting: list[np.ndarray] = []

    def flush(most: int) -> None:
        while len(waiting) > most:
            tower.embed_images(waiting[:64])
            del waiting[:64]

    for number in range(clips):
        with av.open(str(folder / f"{number}.mp4")) as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            for index in (int((place + 0.5) * LONG / FRAMES) for place in range(FRAMES)):
                at = int(index / RATE / stream.time_base)
                container.seek(at, stream=stream)
                frame = next(each for each in container.decode(stream) if each.pts >= at)
                waiting.append(tower.prepare_image(frame.to_image()))
        flush(64)
    flush(0)
    texts = [text for number in range(clips) for text in captions(number)]
    for start in range(0, len(texts), 256):
        tower.embed_texts(texts[start : start + 256])


def ours(folder: Path, clips: int) -> None:
    import mmbench

    lines = ({"video": f"{number}.mp4", "captions": captions(number)} for number in range(clips))
    (folder / "data.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "task.yaml").write_text(TASK)
    tower = Tower()
    with tempfile.TemporaryDirectory() as results:
        mmbench.run(model=tower, task=str(folder / "task.yaml"), output=results, store=Path(results) / "store.sqlite")
    assert tower.asked == clips * FRAMES, f"{tower.asked} frames were embedded, of {clips * FRAMES}"


def apart(what: str, folder: Path, clips: int) -> tuple[float, float]:
    """Return processor seconds and megabytes at the peak of a process that does this."""
    command = [sys.executable, __file__, "--only", what, "--at", str(folder), "--clips", str(clips)]
    child = os.spawnv(os.P_NOWAIT, sys.executable, command)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"{what} ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--only", choices=["bare", "ours"])
    parser.add_argument("--at", type=Path)
    given = parser.parse_args()
    if given.only:
        {"bare": bare, "ours": ours}[given.only](given.at, given.clips)
        return 0
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory(prefix="mmbench-clips-") as made:
        for number in range(given.clips):
            draw(Path(made) / f"{number}.mp4", number)
        few = {what: apart(what, Path(made), 10) for what in ("bare", "ours")}
        many = {what: apart(what, Path(made), given.clips) for what in ("bare", "ours")}
    seconds = {what: many[what][0] - few[what][0] for what in many}
    ratio, grown = seconds["ours"] / seconds["bare"], many["ours"][1] - few["ours"][1]
    print(f"{given.clips} clips: {seconds['ours']:.1f} s, bare {seconds['bare']:.1f} s: {ratio:.3f}, {MOST} allowed")
    print(f"peak {many['ours'][1]:.0f} MB, {grown:.0f} MB over that of ten clips; {GROWN} allowed")
    return int(ratio > MOST or grown > GROWN)


if __name__ == "__main__":
    sys.exit(main())
