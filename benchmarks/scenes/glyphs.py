"""Glyphs: a 5 x 7 font of digits and capitals, so that drawn text needs no font file."""

from functools import cache

import numpy as np
import numpy.typing as npt

HEIGHT = 7
WIDTH = 5

# Seven rows of five dots each, the highest bit on the left, two hexadecimal digits a row.
_ROWS = {
    **{"0": "0e11131519110e", "1": "040c040404040e", "2": "0e11010204081f", "3": "1f02040201110e"},
    **{"4": "02060a121f0202", "5": "1f101e0101110e", "6": "0608101e11110e", "7": "1f010204080808"},
    **{"8": "0e11110e11110e", "9": "0e11110f01020c", "a": "0e11111f111111", "b": "1e11111e11111e"},
    **{"c": "0e11101010110e", "d": "1e11111111111e", "e": "1f10101e10101f", "f": "1f10101e101010"},
    **{"g": "0e11101711110e", "h": "1111111f111111", "i": "0e04040404040e", "j": "0702020202120c"},
    **{"k": "11121418141211", "l": "1010101010101f", "m": "111b1515111111", "n": "11191513111111"},
    **{"o": "0e11111111110e", "p": "1e11111e101010", "q": "0e11111115120d", "r": "1e11111e141211"},
    **{"s": "0f10100e01011e", "t": "1f040404040404", "u": "1111111111110e", "v": "11111111110a04"},
    **{"w": "1111111515150a", "x": "11110a040a1111", "y": "11110a04040404", "z": "1f01020408101f"},
}


def line(text: str) -> npt.NDArray[np.float32]:
    """Return (7, 6 n - 1) dots, 1 where there is a stroke, of n lower-case letters or digits.

    >>> line("i").astype(int)[:2].tolist()
    [[0, 1, 1, 1, 0], [0, 0, 1, 0, 0]]
    """
    gap = np.zeros((HEIGHT, 1), np.float32)
    parts = [part for letter in text for part in (_glyph(letter), gap)]
    return np.concatenate(parts[:-1], axis=1)


@cache
def _glyph(letter: str) -> npt.NDArray[np.float32]:
    rows = bytes.fromhex(_ROWS[letter])
    return np.array([[row >> (WIDTH - 1 - column) & 1 for column in range(WIDTH)] for row in rows], np.float32)
