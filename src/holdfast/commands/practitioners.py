"""A practitioner: where, when and with which credentials they work."""

from collections.abc import Iterator

from holdfast.commands import weekly
from holdfast.commands.save import Document, Noun
from holdfast.errors import FieldError


def with_clinics(fields: Document) -> Document:
    """A new practitioner's fields; clinics that are not named are those of the hours."""
    hours = fields["working_hours"] + fields["hours_exceptions"]
    return {"clinic_ids": sorted({one["clinic_id"] for one in hours}), **fields}


def _faults(practitioner: Document) -> Iterator[FieldError]:
    clinics = practitioner["clinic_ids"]
    if len(set(clinics)) < len(clinics):
        yield FieldError("clinic_ids", "invalid_value", "names a clinic twice")
    for number, one in enumerate(practitioner["credentials"]):
        if (one["valid_from"] or "") > (one["valid_to"] or "9999-12-31"):
            yield FieldError(
                f"credentials[{number}].valid_to", "invalid_value", "must not be before valid_from"
            )
    yield from weekly.faults("working_hours", practitioner["working_hours"])
    yield from _exceptions(practitioner)
    for field in ("working_hours", "hours_exceptions"):
        for number, one in enumerate(practitioner[field]):
            if one["clinic_id"] not in clinics:
                yield FieldError(f"{field}[{number}].clinic_id", "invalid_value", "must be one of clinic_ids")


def _exceptions(practitioner: Document) -> Iterator[FieldError]:
    for number, one in enumerate(practitioner["hours_exceptions"]):
        at = f"hours_exceptions[{number}]"
        if (one["start"] is None) != (one["end"] is None):
            yield FieldError(at, "invalid_value", "has a start and an end, or neither")
        elif one["start"] is not None and one["start"] >= one["end"]:
            yield FieldError(f"{at}.end", "invalid_value", "must be after the start")


PRACTITIONER = Noun("practitioner", "practitioners", faults=_faults, is_resource=True)
