"""Colours of rooms on a calendar: the same for the same id everywhere, with text that can be read on them."""

import hashlib
import re
from colorsys import hls_to_rgb

CONTRAST_MIN = 4.5
_HEX = re.compile(r"#[0-9A-Fa-f]{6}")
_BLACK, _WHITE = "#000000", "#FFFFFF"


def normal(color: str) -> str:
    """The colour in its one spelling, #RRGGBB in upper case. Raises ValueError."""
    if not _HEX.fullmatch(color):
        raise ValueError("must be a colour such as #3366CC")
    return color.upper()


def automatic(room_id: str) -> str:
    """A colour of medium lightness, made of the id alone."""
    digest = hashlib.sha256(room_id.encode()).digest()
    hue = int.from_bytes(digest[:2]) / 65_536
    lightness = 0.42 + 0.16 * digest[2] / 255
    rgb = hls_to_rgb(hue, lightness, 0.55)
    return "#" + "".join(f"{round(part * 255):02X}" for part in rgb)


def text_on(color: str) -> str:
    """Black or white, whichever stands out more: one of them always does by at least 4.58 to 1."""
    return max((_BLACK, _WHITE), key=lambda text: contrast(text, color))


def contrast(one: str, two: str) -> float:
    """The contrast ratio of two colours as WCAG 2.2 defines it, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(two)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    red, green, blue = (_linear(int(color[n : n + 2], 16) / 255) for n in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
