"""How figures are written, alike on the page, in the Markdown and in sentences. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from holdfast.proof.report.model import Cell, NotApplicable, Unit

_NAMES: Final[Mapping[Unit, str]] = MappingProxyType({
    "ms": " ms", "us": " µs", "s": " s", "%": " %", "per_second": "/s", "count": "", "ratio": " times", "bytes": "",
    "mb": " MB", "points": " points", "mbit_per_second": " Mbit/s",
})  # fmt: skip
_SIZES: Final = ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB"))


def told_value(value: float, unit: Unit) -> str:
    """A number with its unit: three digits that matter, whole ones with their thousands apart."""
    if unit == "bytes":
        for size, name in _SIZES:
            if abs(value) >= size:
                return f"{number(value / size)} {name}"
        return f"{value:,.0f} B"
    return f"{number(value)}{_NAMES[unit]}"


def number(value: float) -> str:
    if value == round(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    if abs(value) >= 0.1:
        return f"{value:.2f}"
    return f"{value:.2g}"


def unit_name(unit: Unit) -> str:
    """For an axis."""
    return {"count": "number", "per_second": "a second", "ratio": "times"}.get(
        unit, _NAMES[unit].strip() or unit
    )


def told(cell: Cell) -> str:
    """A figure, or "not applicable": its reason stands beside it."""
    if isinstance(cell, NotApplicable):
        return "not applicable"
    return told_value(cell.value, cell.unit)
