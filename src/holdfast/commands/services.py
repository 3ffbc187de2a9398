"""A service: how long, where, with whom, in which rooms, and how it is counted."""

from collections.abc import Iterator

from holdfast.commands.save import Document, Noun
from holdfast.errors import FieldError


def _faults(service: Document) -> Iterator[FieldError]:
    if len(set(service["locations"])) < len(service["locations"]):
        yield FieldError("locations", "invalid_value", "names a location twice")


SERVICE = Noun("service", "services", faults=_faults, counted_by=frozenset({"code"}))
