"""Pictures that are nearly the same: found by perceptual hashes, confirmed by small copies."""

from collections.abc import Iterator
from itertools import combinations_with_replacement, pairwise

import numpy as np
import numpy.typing as npt
import PIL.Image

Hashes = npt.NDArray[np.uint64]
Copies = npt.NDArray[np.uint8]
"""(n, SIDE * SIDE * 3) small copies of pictures."""
Places = npt.NDArray[np.intp]

MOST_BITS = 4
"""Bits of 64 in which the hashes of nearly equal pictures may differ."""

MOST_DIFFERENCE = 6.0
"""Levels of 255 by which their small copies may differ, in the mean."""

SIDE = 16
_BITS = 64
_MOST_HEADS = 50
"""Unlike pictures of one hash that others of it are compared with."""
_GREY = 32
_KEPT = 8
_BANDS = MOST_BITS + 1
"""Hashes that differ in at most MOST_BITS bits are equal in one of these many parts."""
_AT_ONCE = 2_000
_COSINES = np.cos(np.pi / _GREY * np.outer(np.arange(_KEPT), np.arange(_GREY) + 0.5))
"""(_KEPT, _GREY): the lowest frequencies of the cosine transform."""


def looks(picture: PIL.Image.Image) -> tuple[int, Copies]:
    """Return a picture's perceptual hash and its small copy, (SIDE * SIDE * 3,).

    The hash is that of pHash (Zauner 2010): of the 8 x 8 lowest frequencies of the cosine transform of a grey copy of
    32 x 32, whether each is above their median.
    """
    small = picture.resize((SIDE, SIDE), PIL.Image.Resampling.BOX, reducing_gap=2.0)
    grey = np.asarray(picture.convert("L").resize((_GREY, _GREY), PIL.Image.Resampling.BOX, reducing_gap=2.0))
    low = (_COSINES @ grey.astype(np.float64) @ _COSINES.T).ravel()
    bits = low > np.median(low[1:])
    return int(np.packbits(bits).view(">u8")[0]), np.asarray(small).ravel()


def near_pairs(hashes: Hashes, copies: Copies) -> list[tuple[int, int]]:
    """Return the pairs of places, in order, of pictures that are nearly the same; of many that are alike, a chain.

    `hashes` is (n,), `copies` is (n, SIDE * SIDE * 3). A picture whose hash another one has is compared with a few of
    these first, so that a thousand copies of a picture give a thousand pairs and not half a million.
    """
    pairs: list[tuple[int, int]] = []
    heads: list[int] = []
    order = np.argsort(hashes, kind="stable")
    ends = np.flatnonzero(np.diff(hashes[order])) + 1
    for places in np.split(order, ends) if len(order) else []:
        own: list[int] = []
        for place in places.tolist():
            known = np.flatnonzero(_alike(copies, np.array(own, np.intp), np.full(len(own), place, np.intp)))
            if len(known):
                pairs.append((own[int(known[0])], place))
            else:
                heads.append(place)
                own = [*own, place][-_MOST_HEADS:]
    held = np.array(heads, np.intp)
    for first, second in _near_hashes(hashes[held]):
        like = _alike(copies, held[first], held[second])
        pairs += zip(held[first[like]].tolist(), held[second[like]].tolist(), strict=True)
    return sorted((min(pair), max(pair)) for pair in pairs)


def _alike(copies: Copies, first: Places, second: Places) -> npt.NDArray[np.bool_]:
    """Tell of (m,) pairs of places whether the small copies are alike."""
    found = np.zeros(len(first), np.bool_)
    for start in range(0, len(first), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        apart = np.abs(copies[first[part]].astype(np.int16) - copies[second[part]].astype(np.int16))
        found[part] = apart.mean(axis=1) <= MOST_DIFFERENCE
    return found


def _near_hashes(hashes: Hashes) -> Iterator[tuple[Places, Places]]:
    """Yield the pairs of places, as two arrays, of hashes that are unlike in few bits; each pair comes once."""
    edges = np.linspace(0, _BITS, _BANDS + 1).astype(int)
    masks = [np.uint64(((1 << (stop - start)) - 1) << start) for start, stop in pairwise(edges.tolist())]
    for band, mask in enumerate(masks):
        order = np.argsort(hashes & mask, kind="stable")
        ends = np.flatnonzero(np.diff((hashes & mask)[order])) + 1
        for places in np.split(order, ends) if len(order) else []:
            for one, other in _blocks(places):
                unlike = hashes[one][:, None] ^ hashes[other][None, :]
                near = (unlike != 0) & (np.bitwise_count(unlike) <= MOST_BITS)
                for before in masks[:band]:  # they met in that part already
                    near &= (unlike & before) != 0
                if one is other:
                    near = np.triu(near, 1)
                rows, columns = np.nonzero(near)
                yield one[rows], other[columns]


def _blocks(places: Places) -> Iterator[tuple[Places, Places]]:
    if len(places) > 1:
        parts = [places[start : start + _AT_ONCE] for start in range(0, len(places), _AT_ONCE)]
        yield from combinations_with_replacement(parts, 2)
