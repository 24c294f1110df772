"""Vocabulary of scenes: each attribute and its values, in the order in which classes and labels are numbered."""

from collections.abc import Mapping
from types import MappingProxyType

SHAPES = ("circle", "square", "triangle", "star", "cross", "heart", "ring", "diamond", "crescent", "hexagon")
COLOURS: Mapping[str, tuple[int, int, int]] = MappingProxyType(
    {
        "red": (214, 40, 40),
        "orange": (245, 140, 20),
        "yellow": (240, 220, 40),
        "green": (40, 160, 60),
        "cyan": (60, 210, 220),
        "blue": (40, 80, 215),
        "purple": (130, 50, 175),
        "pink": (250, 140, 190),
        "brown": (125, 75, 30),
        "white": (245, 245, 245),
    }
)
"""Name to sRGB; a thing's own colour lies around it."""
SIZES = ("small", "large")
TEXTURES = ("plain", "striped", "dotted", "checkered")
LOCATIONS = (
    *("top left", "top", "top right"),
    *("left", "center", "right"),
    *("bottom left", "bottom", "bottom right"),
)
"""The cells of a 3 x 3 grid, row by row."""
DIRECTIONS = ("up", "down", "left", "right")
RELATIONS = ("left of", "right of", "above", "below")
LEVELS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "contrast": (0.5, 0.65, 0.8, 0.9, 0.95),
        "noise": (0.05, 0.1, 0.2, 0.3, 0.45),
        "blur": (1.0, 2.0, 4.0, 6.0, 9.0),
        "occlusion": (0.15, 0.3, 0.45, 0.6, 0.75),
        "illumination": (0.3, 0.5, 0.7, 0.85, 0.95),
        "clutter": (5.0, 10.0, 20.0, 35.0, 50.0),
    }
)
"""The rungs of each nuisance, from what is everyday to what should defeat a model."""
NUMBERS = ("one", "two", "three", "four", "five", "six")
WORDS = (
    *("cat", "dog", "sun", "cup", "hat", "bus", "car", "key", "map", "pen"),
    *("bed", "box", "fan", "jam", "leg", "net", "owl", "pig", "rat", "toy"),
    *("fish", "bird", "tree", "door", "book", "lamp", "milk", "ship", "road", "moon"),
    *("nose", "farm", "king", "rose", "sand", "wolf", "desk", "gate", "hand", "leaf"),
)


def held_out(shape: str, colour: str) -> bool:
    """Return whether a pair is kept from training: one colour of each shape, one shape of each colour.

    >>> held_out("circle", "orange"), held_out("circle", "red")
    (True, False)
    """
    return _HELD_OUT[shape] == colour


_HELD_OUT = {shape: tuple(COLOURS)[(3 * place + 1) % len(COLOURS)] for place, shape in enumerate(SHAPES)}
