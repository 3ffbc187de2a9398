"""A clinic: its own time zone and weekly hours."""

from collections.abc import Iterator

from holdfast.commands import weekly
from holdfast.commands.save import Document, Noun
from holdfast.errors import FieldError
from holdfast.slot import zone


def _faults(clinic: Document) -> Iterator[FieldError]:
    try:
        zone(clinic["time_zone"])
    except ValueError as error:
        yield FieldError("time_zone", "invalid_value", str(error))
    yield from weekly.faults("opening_hours", clinic["opening_hours"])


CLINIC = Noun("clinic", "clinics", faults=_faults, counted_by=frozenset({"time_zone"}))
