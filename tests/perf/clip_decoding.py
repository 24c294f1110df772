"""Eight frames of a minute of 720p: CPU time beside plain seeks and beside decoding all, and the memory it takes."""

import resource
import sys
import tempfile
import tracemalloc
from pathlib import Path

import av
import numpy as np
import PIL.Image

from mmbench.harness.media.frame_spec import FrameSpec
from mmbench.harness.media.video import Video

SECONDS, RATE, COUNT, SIZE = 60, 30, 8, (1280, 720)


def draw(path: Path) -> None:
    random = np.random.default_rng(0)
    ground = random.integers(0, 256, (SIZE[1] + 64, SIZE[0] + 64, 3), dtype=np.uint8)
    ground = ground.reshape(-1, 8, (SIZE[0] + 64) // 8, 8, 3)[:, :1, :, :1].repeat(8, 1).repeat(8, 3)
    ground = ground.reshape(SIZE[1] + 64, SIZE[0] + 64, 3)
    with av.open(str(path), "w") as made:
        stream = made.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "g": "60"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for index in range(SECONDS * RATE):
            at = index % 64
            shown = np.ascontiguousarray(ground[at : at + SIZE[1], at : at + SIZE[0]])
            made.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        made.mux(stream.encode())


def spent() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def ours(path: Path) -> list[PIL.Image.Image]:
    clip = Video.from_path(path).sampled(FrameSpec(sampler="uniform", count=COUNT))
    return [frame.pil() for frame in clip.frames()]


def plain(path: Path) -> list[PIL.Image.Image]:
    found = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for index in np.linspace(0, stream.frames - 1, COUNT).astype(int):
            at = int(index / RATE / stream.time_base)
            container.seek(at, stream=stream)
            found.append(next(f.to_image() for f in container.decode(stream) if f.pts >= at))
    return found


def whole(path: Path) -> int:
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "NONE"
        return sum(1 for _ in container.decode(video=0))


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        draw(path)
        taken: dict[str, list[float]] = {}
        for _ in range(3):
            for read in (ours, plain, whole):
                before = spent()
                read(path)
                taken.setdefault(read.__name__, []).append(spent() - before)
        same = all(np.array_equal(*map(np.asarray, pair)) for pair in zip(ours(path), plain(path), strict=True))
        tracemalloc.start()
        held = [np.asarray(frame) for frame in ours(path)]  # Pillow's own memory is not traced
        assert len(held) == COUNT
        peak = tracemalloc.get_traced_memory()[1] / (COUNT * SIZE[0] * SIZE[1] * 3)
    best = {name: min(times) for name, times in taken.items()}
    seeks, all_of_it = best["ours"] / best["plain"], best["whole"] / best["ours"]
    print(f"same pixels: {same}; {best}")
    print(f"{seeks:.2f} of plain seeks (at most 1.2); decoding all takes {all_of_it:.1f} times as long (at least 5)")
    print(f"peak memory {peak:.2f} of the frames kept (under 3)")
    return 0 if same and seeks <= 1.2 and all_of_it >= 5 and peak < 3 else 1


if __name__ == "__main__":
    sys.exit(main())
