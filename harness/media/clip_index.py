"""Index of a video file: when each frame is shown, and from which key frame it is decoded."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

from mmbench.harness.errors import Unreadable

MOST_FRAMES = 1 << 20
"""Frames of a file at the most, nine hours of 30 a second."""

MOST_COUNTED = 1 << 36
"""Pixels that are decoded at the most only to count frames: some twelve minutes of 1080p at 30 a second."""

ONE_EACH = frozenset(
    (
        *("h264", "hevc", "vp9", "av1", "mpeg4", "mpeg2video", "mpeg1video", "mjpeg", "gif", "apng", "ffv1"),
        *("rawvideo", "prores", "dnxhd", "huffyuv", "utvideo"),
    )
)
"""Codecs of which a packet is a frame; frames of the others are counted by decoding."""

_DECODERS = {"libdav1d": "av1", "libaom-av1": "av1", "libvpx-vp9": "vp9"}
"""Decoders that have another name than their codec."""

_FROM_THE_START = frozenset(("gif", "apng"))
"""Codecs whose frames are painted over those before."""

_SKIPPED = frozenset(("h264",))
"""Codecs whose packets say of a frame that no other is made of it (ISO/IEC 14496-10, 7.4.1: nal_ref_idc 0), so that it
need not be decoded on the way to another."""

_OWN_CLOCK = frozenset(("mpegts", "mpeg"))
"""Containers whose clock starts anywhere, so that times are counted from the first frame."""

_NEAR = 0.02
"""Share by which the rate that a file tells of may differ from that of its frames."""

_Packet: TypeAlias = tuple[int | None, int | None, bool]
"""When it is shown, when it is decoded, and whether it is a key frame."""


@dataclass(frozen=True, slots=True)
class ClipIndex:
    """Frames of a file in the order in which they are shown."""

    times: tuple[float, ...]
    """Seconds, ascending."""
    fps: float | None
    """Frames a second; None of a single frame that tells no rate."""
    ticks: tuple[int, ...] = ()
    """Presentation time of each frame in units of the stream; none where frames were counted by decoding."""
    places: dict[int, int] = field(default_factory=dict)
    """Presentation time of each packet to its place in the file."""
    keys: tuple[tuple[int, int, int], ...] = ()
    """Of each key frame: its place, its presentation time, and the time by which it is found."""

    def __len__(self) -> int:
        return len(self.times)

    def decoded(self, container: Any, indices: Sequence[int], locator: str) -> Iterator[tuple[int, Any]]:
        """Yield the decoded frames at ascending indices. Raises Unreadable where one does not come."""
        if not self.ticks:
            yield from _counted(container, indices, locator)
            return
        stream = stream_of(container)
        run: Iterator[tuple[int, Any]] = iter(())
        at = -1  # the place of the last packet that was decoded in this run
        wanted = frozenset(self.ticks[index] for index in indices) if stream.codec_context.name in _SKIPPED else None
        for index in indices:
            tick = self.ticks[index]
            place = self.places[tick]
            starts = self._starts(tick, place)
            # Where a frame does not come so, it is looked for among all.
            among_all: list[tuple[int, frozenset[int] | None]] = [(start, None) for start in starts]
            attempts = among_all if wanted is None else [(starts[0], wanted), *among_all]
            found = None
            for attempt, (start, only) in enumerate(attempts):
                if attempt or at < 0 or start > at:
                    run, at = self._run(container, stream, start, only), start
                found, at = _forward(run, tick, at)
                if found is not None:
                    break
                at = -1
            if found is None:
                raise Unreadable(f"{locator}: frame {index} at {self.times[index]:.3f} s cannot be decoded")
            yield index, found

    def _starts(self, tick: int, place: int) -> list[int]:
        """Return the places of key frames to decode a frame from, the nearest first.

        A frame that is shown before the key frame in front of it may need frames from before that one.
        """
        before = [key[0] for key in self.keys if key[0] <= place and key[1] <= tick]
        tried = [*before[-2:][::-1], 0] if before else [0]
        return list(dict.fromkeys(tried))

    def _run(self, container: Any, stream: Any, start: int, wanted: frozenset[int] | None) -> Iterator[tuple[int, Any]]:
        """Yield each frame from a key frame on with the place of the packet after which it came.

        With `wanted` those of other times are left out that no frame is made of.
        """
        upto = self.keys[: bisect_right(self.keys, (start + 1,))][::-1]
        # Some containers go by the time of showing, and some by that of decoding, which is earlier.
        moments = [upto[0][1], *(key[2] for key in upto)] if upto else []
        tries = [*dict.fromkeys(moments), min(self.ticks[0], 0)]
        packets = None
        for number, moment in enumerate(tries, 1):
            packets = self._sought(container, stream, moment, start, last_try=number == len(tries))
            if packets is not None:
                break
        assert packets is not None  # noqa: S101 - the last try gives what there is
        at = start
        for packet in packets:
            at = max(at, self.places.get(packet.pts, at))
            stream.codec_context.skip_frame = "DEFAULT" if wanted is None or packet.pts in wanted else "NONREF"
            for frame in packet.decode():
                yield at, frame

    def _sought(self, container: Any, stream: Any, by_time: int, start: int, *, last_try: bool) -> Any:
        """Return the packets from a place on, or from one before; None where the container is led behind it."""
        container.seek(by_time, stream=stream, backward=True)
        packets = container.demux(stream)
        first = next(packets, None)
        if first is None or first.pts is None or (self.places.get(first.pts, 0) > start and not last_try):
            return None if not last_try else iter(())
        return _again(first, packets)


def _again(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _forward(run: Iterator[tuple[int, Any]], tick: int, at: int) -> tuple[Any | None, int]:
    """Return the frame of this time from a run of frames, and the place where the run is then."""
    for place, frame in run:
        at = place
        if frame.pts == tick:
            return frame, at
        if frame.pts is not None and frame.pts > tick:
            return None, at
    return None, at


def stream_of(container: Any) -> Any:
    """Return the first video of an open file; None where it has none but the picture of a cover."""
    videos = container.streams.video
    return next((each for each in videos if not each.disposition & each.disposition.attached_pic), None)


def index_of(container: Any, locator: str) -> ClipIndex | None:
    """Return the index of an open file from its packets; None where they do not tell it. Raises Unreadable."""
    stream = stream_of(container)
    name = stream.codec_context.name
    packets: list[_Packet] = []
    hidden = 0
    for packet in container.demux(stream):
        if packet.size == 0 and packet.pts is None and packet.dts is None:
            continue  # the end
        packets.append((packet.pts, packet.dts, bool(packet.is_keyframe)))
        hidden += bool(packet.is_discard)
        if len(packets) > MOST_FRAMES:
            raise Unreadable(f"{locator}: more than {MOST_FRAMES} frames")
    ticks = [pts for pts, _, _ in packets if pts is not None]
    if not packets:
        raise Unreadable(f"{locator}: there is not one frame in it")
    if _DECODERS.get(name, name) not in ONE_EACH or hidden or len(set(ticks)) < len(packets):
        return None
    if container.format.name in _OWN_CLOCK:
        packets = _from_first_key(packets)
        ticks = [pts for pts, _, _ in packets if pts is not None]
    shown = tuple(sorted(ticks))
    keys = [
        (place, int(pts or 0), min(pts or 0, pts or 0 if dts is None else dts))
        for place, (pts, dts, key) in enumerate(packets)
        if key and (not place or name not in _FROM_THE_START)
    ]
    times = _seconds(container, [Fraction(tick) * stream.time_base for tick in shown])
    places = {tick: place for place, tick in enumerate(ticks)}
    return ClipIndex(times, _rate(stream, times), shown, places, tuple(keys))


def _from_first_key(packets: list[_Packet]) -> list[_Packet]:
    """Return the packets of a recording from the first key frame on, before which nothing can be decoded.

    Who records a broadcast begins anywhere.
    """
    start = next((place for place, (_, _, key) in enumerate(packets) if key), 0)
    if not start:
        return packets
    first = packets[start][0]
    return [packet for packet in packets[start:] if first is None or packet[0] is None or packet[0] >= first]


def counted(container: Any, locator: str) -> ClipIndex:
    """Return the index of a file that was just opened by decoding all of it. Raises Unreadable."""
    stream = stream_of(container)
    times = [
        None if frame.pts is None else Fraction(frame.pts) * frame.time_base for frame in _every(container, locator)
    ]
    if not times:
        raise Unreadable(f"{locator}: not one frame of it can be decoded")
    known = [time for time in times if time is not None]
    if len(known) < len(times) or sorted(set(known)) != known:
        rate = stream.average_rate or stream.guessed_rate
        if not rate:
            raise Unreadable(f"{locator}: it tells neither the times of its frames nor their rate")
        known = [Fraction(place) / rate for place in range(len(times))]
    seconds = _seconds(container, known)
    return ClipIndex(seconds, _rate(stream, seconds))


def _every(container: Any, locator: str) -> Iterator[Any]:
    """Yield every frame of a file that was just opened. Raises Unreadable where there are too many."""
    stream = stream_of(container)
    stream.thread_type = "NONE"
    decoded = 0
    for frame in container.decode(stream):
        decoded += frame.width * frame.height
        if decoded > MOST_COUNTED:
            raise Unreadable(f"{locator}: its frames are counted by decoding, and there are too many; save it as MP4")
        yield frame


def _counted(container: Any, indices: Sequence[int], locator: str) -> Iterator[tuple[int, Any]]:
    wanted = set(indices)
    for place, frame in enumerate(_every(container, locator)):
        if place in wanted:
            wanted.remove(place)
            yield place, frame
        if not wanted:
            return
    raise Unreadable(f"{locator}: frame {min(wanted)} cannot be decoded")


def _seconds(container: Any, times: Sequence[Fraction]) -> tuple[float, ...]:
    first = times[0] if container.format.name in _OWN_CLOCK else Fraction(0)
    return tuple(float(time - first) for time in times)


def _rate(stream: Any, times: Sequence[float]) -> float | None:
    """Return frames a second: what the file tells where its frames agree, else what they are."""
    told = stream.average_rate or stream.guessed_rate
    told = float(told) if told else None
    if len(times) < 2:
        return told
    measured = (len(times) - 1) / (times[-1] - times[0])
    return told if told and abs(told - measured) <= _NEAR * measured else measured
