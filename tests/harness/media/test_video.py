"""Clips decoded to the frame: each frame's pixels carry its own index, in every kind of file that people have."""

import base64
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench.harness.errors import DataError, Unreadable
from mmbench.harness.media.frame_spec import FrameSpec
from mmbench.harness.media.image import Image
from mmbench.harness.media.samplers import SAMPLERS
from mmbench.harness.media.video import Video
from tests.clips import frame, index_in

av = pytest.importorskip("av")
from tests.clips import drawn  # noqa: E402

OPEN = {"x264-params": "open-gop=1:keyint=8:bframes=3:scenecut=0:b-adapt=0"}
SLOWING = [index * 40 if index < 20 else 800 + (index - 20) * 200 for index in range(40)]
FILES: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "h264 with B-frames": (("mp4", "libx264"), {"options": {"g": "10"}}),
    "h264 open GOP": (("mp4", "libx264"), {"options": OPEN}),
    "h264 open GOP, mkv": (("matroska", "libx264"), {"options": OPEN}),
    "h264 of refreshed rows": (("mp4", "libx264"), {"options": {"x264-params": "intra-refresh=1:keyint=10:bframes=0"}}),
    "h264, transport stream": (("mpegts", "libx264"), {"options": {"g": "8"}}),
    "vp9": (("webm", "libvpx-vp9"), {"options": {"g": "10", "lag-in-frames": "8", "auto-alt-ref": "1"}}),
    "vp8, counted by decoding": (("webm", "libvpx"), {"options": {"g": "10", "auto-alt-ref": "1"}}),
    "mpeg4": (("mp4", "mpeg4"), {"options": {"bf": "2", "g": "10"}}),
    "mpeg4, avi": (("avi", "mpeg4"), {"options": {"bf": "2", "g": "10"}}),
    "gif": (("gif", "gif"), {"pixels": "rgb8"}),
    "odd size": (("mp4", "libx264"), {"size": (67, 33), "pixels": "yuv444p"}),
    "variable rate": (("mp4", "libx264"), {"times": SLOWING}),
}


@pytest.mark.parametrize("kind", FILES)
def test_each_frame_is_the_one_of_its_index_alone_and_among_others(kind: str) -> None:
    given, options = FILES[kind]
    video = Video.from_bytes(drawn(*given, **options), kind)
    assert [index_in(frame.pil()) for frame in video.frames()] == list(range(40))
    for index in (39, 0, 17, 9, 30):
        assert index_in(video.frames()[index].pil()) == index
    sparse = video.sampled(FrameSpec(sampler="linspace-floor", count=5))
    assert [index_in(frame.pil()) for frame in sparse.frames()] == list(sparse.indices)
    assert sparse.indices == ((0, 21, 27, 33, 39) if kind == "variable rate" else (0, 9, 19, 29, 39))


def test_pixels_are_turned_as_the_display_matrix_says() -> None:
    (frame, *_) = Video.from_bytes(drawn("mp4", "libx264", 3, rotation=90), "turned").sampled(FrameSpec()).frames()
    pixels = np.asarray(frame.pil())
    assert pixels.shape == (64, 32, 3)
    assert frame.changes == ("turned upright",)


def test_clips_of_the_reference_have_its_frames_times_and_sides() -> None:
    file = Path(__file__).parents[4] / "shared" / "reference" / "video_clips.json"
    if not file.is_file():
        pytest.skip("the reference is not here")
    for held in json.loads(file.read_text())["clips"]:
        wanted = held["expected"]
        video = Video.from_bytes(base64.b64decode(held["base64"]), held["name"])
        if not wanted["frames_decoded"]:
            with pytest.raises(Unreadable, match="the file is cut"):
                video.frames()
            continue
        pixels = [np.asarray(frame.pil()).astype(float).mean(axis=2) for frame in video.frames()]
        height, width = pixels[0].shape
        grey = [frame[height // 2, width // 2] for frame in pixels]
        assert grey == pytest.approx(wanted["grey_of_centre"], abs=6)
        assert video.timestamps == pytest.approx(wanted["times_s"], abs=1e-3)
        down, across = wanted["white_square_when_upright"].split("_")
        assert pixels[0][-4 if down == "bottom" else 4, -4 if across == "right" else 4] > 200


def test_whoever_reads_frames_in_any_order_decodes_each_once() -> None:
    video = Video.from_bytes(drawn("mp4", "libx264", 20), "clip")
    frames = video.frames()
    assert [index_in(frames[at].pil()) for at in (7, 3, 19, 0)] == [7, 3, 19, 0]
    assert index_in(frames[7].pil()) == 7  # once more


@pytest.mark.parametrize("container", ["mp4", "matroska", "webm", "avi", "gif"])
def test_a_cut_file_is_told_and_never_taken_for_a_shorter_one(container: str) -> None:
    codec, pixels = {"webm": ("libvpx-vp9", "yuv420p"), "gif": ("gif", "rgb8")}.get(container, ("mpeg4", "yuv420p"))
    whole = drawn(container, codec, 12, pixels=pixels)
    for part in range(1, 10):
        video = Video.from_bytes(whole[: len(whole) * part // 10], "cut")
        with pytest.raises(Unreadable):
            [frame.pil() for frame in video.frames()]


@pytest.mark.parametrize(
    ("container", "codec", "options"),
    [("mpegts", "mpeg4", {}), ("mpegts", "mpeg4", {"mpegts_m2ts_mode": "1"}), ("flv", "flv1", {})]
    + [(each, "libvpx-vp9", {"live": "1"}) for each in ("webm", "matroska")],
)
def test_a_cut_recording_without_an_index_is_told(
    container: str, codec: str, options: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "clip"
    with av.open(str(path), "w", format=container, options=options) as made:
        stream = made.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        for index in range(12):
            made.mux(stream.encode(av.VideoFrame.from_ndarray(frame(index), format="rgb24")))
        made.mux(stream.encode())
    whole = path.read_bytes()
    assert [index_in(each.pil()) for each in Video.from_bytes(whole, "whole").frames()] == list(range(12))
    for part in (5, 7, 9):
        end = len(whole) * part // 10
        with pytest.raises(Unreadable, match="the file is cut: at least"):
            Video.from_bytes(whole[: end - (end % 4 == 0)], "cut").frames()


def test_the_picture_of_a_cover_is_no_clip(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as made:
        sound = made.add_stream("aac", rate=44100)
        cover = made.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 32, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        made.mux(cover.encode(av.VideoFrame.from_ndarray(frame(7), format="rgb24")))
        silence = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        silence.rate, silence.pts = 44100, 0
        made.mux([*sound.encode(silence), *sound.encode(None)])
    with pytest.raises(Unreadable, match="there is no video in it, only the picture of a cover"):
        Video.from_path(path, "song").frames()


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", b"ffconcat version 1.0\nfile /etc/hostname\n"],
)
def test_what_is_no_video_opens_nothing_else(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    for video in (Video.from_bytes(content, "a"), Video.from_path(tmp_path / "a.mp4", "a")):
        with pytest.raises(Unreadable, match="not a readable video"):
            video.frames()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>404</html>", "it is a web page"),
        (b"", "the file is empty"),
    ],
)
def test_what_lies_in_the_place_of_a_file_is_named(content: bytes, reason: str) -> None:
    for given in (Video.from_bytes(content, "a").frames, Image.from_bytes(content, "a").pil):
        with pytest.raises(Unreadable, match=f"a: not a readable (video|picture) .*{reason}"):
            given()


def test_a_picture_is_no_clip() -> None:
    for name in ("jpeg", "png", "webp"):
        file = io.BytesIO()
        Image.from_array(frame(7), "").pil().save(file, name)
        with pytest.raises(Unreadable, match="it is a picture .*; name its column as `image`"):
            Video.from_bytes(file.getvalue(), "a.mp4").frames()


def _copied(whole: bytes, container: str, without: int, later: float = 0.0) -> bytes:
    """Return a file's packets in another container, but for so many of the first, their times moved."""
    held = io.BytesIO()
    options = {"avoid_negative_ts": "disabled"}
    with av.open(io.BytesIO(whole)) as file, av.open(held, "w", format=container, options=options) as made:
        source = file.streams.video[0]
        stream = made.add_stream_from_template(source)
        for place, packet in enumerate(file.demux(source)):
            if packet.dts is not None and place >= without:
                packet.stream = stream
                packet.pts += int(later / packet.time_base)
                packet.dts += int(later / packet.time_base)
                made.mux(packet)
    return held.getvalue()


def test_a_recording_that_begins_between_key_frames_begins_with_the_first() -> None:
    whole = drawn("mp4", "libx264", 30, options={"g": "8", "bf": "2"})
    cut = Video.from_bytes(_copied(whole, "mpegts", 5), "recorded")
    assert [index_in(each.pil()) for each in cut.frames()] == list(range(8, 30))
    assert cut.timestamps is not None
    assert cut.timestamps[:2] == (0.0, 0.04)
    with pytest.raises(Unreadable, match="frame 0 at 0.200 s cannot be decoded"):  # no recording, but damage
        [each.pil() for each in Video.from_bytes(_copied(whole, "matroska", 5), "damaged").frames()]


def test_frames_before_the_first_time_are_not_passed_over() -> None:
    whole = drawn("mp4", "libx264", 30, options={"g": "10", "bf": "2"})
    early = Video.from_bytes(_copied(whole, "matroska", 0, -0.5), "early")  # which cannot tell times below 0
    assert [index_in(each.pil()) for each in early.frames()] == list(range(30))


def test_damaged_bytes_raise_nothing_but_unreadable() -> None:
    random = np.random.default_rng(0)
    for container, codec in (("mp4", "libx264"), ("matroska", "libx264"), ("webm", "libvpx-vp9")):
        whole = drawn(container, codec, 10)
        for _ in range(25):
            made = bytearray(whole)
            for at in random.integers(0, len(made), 4):
                made[at] = random.integers(256)
            try:
                [frame.pil() for frame in Video.from_bytes(bytes(made), "damaged").frames()]
            except Unreadable as error:
                assert str(error).isprintable()  # noqa: PT017


def test_a_folder_of_frames_is_a_clip_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for index in range(12):
        Image.from_array(np.full((4, 4, 3), index * 10, np.uint8), "").pil().save(tmp_path / f"f{index}.png")
    video = Video.from_path(tmp_path).sampled(FrameSpec(sampler="fps", fps=2.0, folder_fps=4.0))
    assert [frame.pil().getpixel((0, 0))[0] for frame in video.frames()] == [0, 20, 40, 60, 80, 100]
    assert video.timestamps == (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
    alone = Image.from_path(tmp_path / "f2.png")
    assert video.frames()[1].digest == alone.digest
    with pytest.raises(Unreadable, match="give it as `folder_fps`"):
        Video.from_path(tmp_path).sampled(FrameSpec(sampler="fps")).frames()


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("img_1.jpg", "img_2.jpg", "flow_x_1.jpg"), "of several series .flow_x_# and img_#."),
        (("cover.png", "f1.png", "f2.png"), "of several series .cover and f#."),
        (("f1.png", "f2.png", "f1.jpg"), "several pictures called f1; put one into a folder of its own"),
    ],
)
def test_a_folder_of_several_series_is_no_clip(tmp_path: Path, names: tuple[str, ...], reason: str) -> None:
    for name in names:
        Image.from_array(frame(1), "").pil().save(tmp_path / name)
    with pytest.raises(Unreadable, match=reason):
        Video.from_path(tmp_path).frames()


def test_frames_in_another_order_keep_their_moments() -> None:
    pictures = [Image.from_array(np.full((2, 2, 3), level, np.uint8), str(level)) for level in range(4)]
    clip = Video.of_frames(pictures, fps=2.0)
    back = clip.arranged("reversed", lambda frames: range(len(frames) - 1, -1, -1))
    assert back.indices == (3, 2, 1, 0)
    assert back.timestamps == (0.0, 0.5, 1.0, 1.5)
    assert len({clip.digest, back.digest, clip.sampled(FrameSpec(count=2)).digest}) == 3
    assert clip.indices == (3, 2, 1, 0), "the outcome of the clip tells what was shown of it"


def test_frames_that_are_shown_again_keep_the_moments_of_their_own() -> None:
    pictures = [Image.from_array(np.full((2, 2, 3), value, np.uint8), "frame") for value in (0, 100, 200)]
    clip = Video.of_frames(pictures, "clip", fps=2.0).sampled(FrameSpec(sampler="mteb_num_frames", count=7))
    assert (clip.indices, clip.timestamps) == ((0, 1, 2, 0, 1, 2, 0), (0.0, 0.5, 1.0, 0.0, 0.5, 1.0, 0.0))
    middle = clip.arranged("middle", lambda frames: [len(frames) // 2])
    assert (middle.indices, middle.timestamps) == ((0,), (0.0,))


def test_a_rate_that_a_sampler_does_not_hear_is_refused() -> None:
    with pytest.raises(
        ValueError, match="the sampler uniform takes `count` frames whatever `fps` says.*`sampler: fps`"
    ):
        FrameSpec(fps=2.0)


def test_every_sampler_takes_frames_of_a_clip_or_says_why_not() -> None:
    pictures = [Image.from_array(np.full((2, 2, 3), level, np.uint8), str(level)) for level in range(30)]
    clip = Video.of_frames(pictures, fps=10.0)
    for sampler in SAMPLERS:
        assert clip.sampled(FrameSpec(sampler=sampler, count=4)).frames()
    assert clip.sampled(FrameSpec(sampler="first", count=2), 1.0, 2.0).indices == (10, 11)


def test_without_the_extra_a_sentence_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(DataError, match=r"pip install 'mmbench\[video\]'"):
        Video.from_bytes(b"no video", "clip").frames()
