"""A patient: a name that is searched, alerts that are sealed, and people who may be the same."""

from typing import Any

from holdfast import ids
from holdfast.commands import names
from holdfast.commands.change import Turn
from holdfast.commands.save import Document, Noun
from holdfast.db.statements import statement
from holdfast.vault import Seal


def _shown(stored: Document, seal: Seal) -> Document:
    patient = dict(stored)
    sealed = patient.pop("alerts_encrypted")
    opened = None if sealed is None else seal.open(bytes.fromhex(sealed), _context(patient)).decode()
    return patient | {"alerts": opened}


def _stored(patient: Document, seal: Seal) -> Document:
    alerts = patient["alerts"]
    name = patient["given_name"], patient["family_name"]
    return patient | {
        "alerts_hex": None if alerts is None else seal.seal(alerts.encode(), _context(patient)).hex(),
        "search_name": names.search_name(*name),
        "search_terms": names.search_terms(*name),
    }


def _context(patient: Document) -> str:
    return f"patients.alerts/{ids.canonical(patient['id'])}"


PATIENT = Noun(
    "patient", "patients", shown=_shown, stored=_stored, in_directory=False, is_resource=True,
    private=frozenset({"given_name", "family_name", "birth_date", "needs", "alerts"}),
)  # fmt: skip


def range_of(typed: str) -> tuple[str, str]:
    """The range of search terms that begin with what was typed."""
    prefix = names.folded(typed)
    return prefix, prefix + "\U0010ffff"


async def possible_duplicates(turn: Turn, patient: Document) -> Document:
    """Who may be this person already: the same name, or the same birth date and a family name like it."""
    rows: list[Any] = await turn.connection.fetch(
        statement("patients_alike"), turn.organization, patient["id"],
        names.search_name(patient["given_name"], patient["family_name"]), patient["birth_date"],
    )  # fmt: skip
    return {
        "possible_duplicates": [
            {"id": str(row["id"]), "given_name": row["given_name"], "family_name": row["family_name"],
             "birth_date": row["birth_date"] and row["birth_date"].isoformat(), "is_active": row["is_active"]}
            for row in rows
            if row["is_same_name"] or names.similar(patient["family_name"], row["family_name"])
        ][:_DUPLICATES_MAX]
    }  # fmt: skip


_DUPLICATES_MAX = 20
