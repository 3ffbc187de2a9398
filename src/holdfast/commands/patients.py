"""A patient: a name that is searched, alerts that are sealed, contacts, coverages, and people who may be the same."""

from collections.abc import Iterator, Sequence
from typing import Any

from holdfast import ids
from holdfast.actor import Answered, Asked
from holdfast.commands import contacts, names, weekly
from holdfast.commands.change import Turn, change
from holdfast.commands.house import House
from holdfast.commands.save import Document, Noun, add, altered, answered
from holdfast.db.statements import statement
from holdfast.errors import FieldError
from holdfast.vault import Seal

_PREFERENCES = ("excluded", "preferred")
_FOREVER = "9999-12-31"


def _shown(stored: Document, seal: Seal) -> Document:
    patient = dict(stored)
    sealed = patient.pop("alerts_encrypted")
    opened = None if sealed is None else seal.open(bytes.fromhex(sealed), _context(patient)).decode()
    reached = [contacts.opened(each, each["contact_id"], seal) for each in patient["contacts"]]
    return patient | {"alerts": opened, "contacts": reached}


def _stored(patient: Document, seal: Seal) -> Document:
    alerts = patient["alerts"]
    name = patient["given_name"], patient["family_name"]
    return patient | {
        # Only who is linked and how: a contact's own fields are written by the contact's own save.
        "contacts": [{name: each[name] for name in contacts.LINKED} for each in patient["contacts"]],
        "alerts_hex": None if alerts is None else seal.seal(alerts.encode(), _context(patient)).hex(),
        "search_name": names.search_name(*name),
        "search_terms": names.search_terms(*name),
    }


def _faults(patient: Document) -> Iterator[FieldError]:
    yield from weekly.faults("availability", patient["availability"])
    yield from _faults_of_coverages(patient["coverages"])
    excluded, preferred = (patient[f"{each}_practitioner_ids"] for each in _PREFERENCES)
    for each, named in zip(_PREFERENCES, (excluded, preferred), strict=True):
        if len(set(named)) < len(named):
            yield FieldError(f"{each}_practitioner_ids", "invalid_value", "names a practitioner twice")
    if set(excluded) & set(preferred):
        yield FieldError("preferred_practitioner_ids", "invalid_value", "names one who is excluded")


def _faults_of_coverages(coverages: Sequence[Document]) -> Iterator[FieldError]:
    for number, one in enumerate(coverages):
        where = f"coverages[{number}]"
        if (one["valid_from"] or "") > (one["valid_to"] or _FOREVER):
            yield FieldError(f"{where}.valid_to", "invalid_value", "must not be before valid_from")
        for earlier, other in enumerate(coverages[:number]):
            if one["rank"] == other["rank"] and _share_a_date(one, other):
                yield FieldError(f"{where}.rank", "invalid_value", f"is that of coverages[{earlier}]")


def _share_a_date(one: Document, other: Document) -> bool:
    return (one["valid_from"] or "") <= (other["valid_to"] or _FOREVER) and (other["valid_from"] or "") <= (
        one["valid_to"] or _FOREVER
    )


def _context(patient: Document) -> str:
    return f"patients.alerts/{ids.canonical(patient['id'])}"


PATIENT = Noun(
    "patient", "patients", faults=_faults, shown=_shown, stored=_stored, in_directory=False, is_resource=True,
    private=frozenset({"given_name", "family_name", "birth_date", "needs", "alerts", "contacts", "coverages", "language",
                       "needs_interpreter", "availability", "excluded_practitioner_ids", "preferred_practitioner_ids"}),
)  # fmt: skip


async def create_patient(house: House, asked: Asked, fields: Document) -> Answered:
    """A new patient, with the contacts that are new; the answer names who may be the same person."""

    async def work(turn: Turn) -> Answered:
        saved = await add(turn, asked, PATIENT, await _resolved(turn, asked, fields))
        return answered(201, saved | await possible_duplicates(turn, saved))

    return await change(house, asked, work)


async def change_patient(house: House, asked: Asked, subject: str, fields: Document) -> Answered:
    """`save.alter`, with the contacts that are new; a list of contacts replaces the one before."""

    async def work(turn: Turn) -> Answered:
        linked = await _resolved(turn, asked, fields)
        return answered(200, await altered(turn, asked, PATIENT, subject, linked))

    return await change(house, asked, work)


async def _resolved(turn: Turn, asked: Asked, fields: Document) -> Document:
    """The fields of a request as the API shows them: contacts whole, practitioners in the order of their ids."""
    shown = dict(fields)
    for name in (f"{each}_practitioner_ids" for each in _PREFERENCES):
        if name in fields:
            shown[name] = sorted(fields[name])
    if "contacts" in fields:
        shown["contacts"] = await contacts.linked(turn, asked, fields["contacts"])
    return shown


async def possible_duplicates(turn: Turn, patient: Document) -> Document:
    """Who may be this person already, likeliest first: the same name and birth date, the same name, or the same birth
    date and a name like it."""
    name = patient["given_name"], patient["family_name"]
    rows: list[Any] = await turn.connection.fetch(
        statement("patients_alike"),
        turn.organization,
        patient["id"],
        names.search_name(*name),
        patient["birth_date"],
    )
    return {
        "possible_duplicates": [
            {"id": str(row["id"]), "given_name": row["given_name"], "family_name": row["family_name"],
             "birth_date": row["birth_date"] and row["birth_date"].isoformat(), "is_active": row["is_active"]}
            for row in rows
            if row["is_same_name"] or _is_like(name, (row["given_name"], row["family_name"]))
        ][:_DUPLICATES_MAX]
    }  # fmt: skip


def _is_like(name: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two (given, family) names of one birth date may be one: with given and family exchanged, a letter apart,
    or with a family name misspelt, shortened or joined."""
    whole = names.search_name(*other)
    return (
        whole == names.search_name(*reversed(name))
        or names.one_slip_apart(whole, names.search_name(*name))
        or names.similar(name[1], other[1])
    )


_DUPLICATES_MAX = 20
