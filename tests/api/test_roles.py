"""Every route by role by whose id: role first (403), then id (404), and another organization's name nowhere.

Written over the route table, so that a call that arrives is tested by being there.
"""

import re
from typing import Any

import httpx2
import pytest
from api import world
from api.people import Client, Organization

from holdfast import app, ids
from holdfast.api import openapi
from holdfast.api.door import Route
from holdfast.states import PERMISSIONS, ROLES

DOCUMENT = openapi.describe(app.routes())
COMPONENTS = DOCUMENT["components"]["schemas"]
GUARDED = [route for route in app.routes() if route.permission is not None]
ASKED = [route for route in GUARDED if route.media_type != "text/event-stream" and "/auth/" not in route.path]
CANARY = "CANARY"

# The contract's table of roles, written out again: one character per role, in the order of ROLES
# (admin, scheduler, practitioner, biller, patient, auditor): a all, o own, - nothing.
TABLE = {
    "places.read": "aaaa-a", "places.write": "a-----", "patients.read": "aaaa-a", "patients.write": "aa----",
    "policies.read": "aaaa-a", "policies.write": "a-----", "payers.write": "a--a--", "appointments.read": "aaoaoa", "appointments.write": "aao---",
    "appointments.override": "aa----", "authorizations.read": "aaoaoa", "authorizations.write": "a--a--",
    "users.read": "a-----", "users.write": "a-----", "settings.read": "a-----", "settings.write": "a-----",
    "audit.read": "a----a", "worklists.read": "aaoa-a", "worklists.desk": "aao--a",
    "break_glass.ask": "--o---", "break_glass.read": "a-o--a", "break_glass.write": "a-o---", "break_glass.approve": "a-----",
    "sessions.read": "a-oa-a", "sessions.write": "--o---",
}  # fmt: skip


def test_the_permissions_are_the_contracts_cell_by_cell() -> None:
    letters = {"all": "a", "own": "o", None: "-"}
    found = {
        permission: "".join(letters[row.get(role)] for role in ROLES)
        for permission, row in PERMISSIONS.items()
    }
    assert found == TABLE


def test_every_noun_has_an_example() -> None:
    """A new noun with ids in its path needs one in `world.make`, or nothing here would guard it."""
    nouns = {route.path.split("/")[3] for route in ASKED if "{id}" in route.path}
    made = {
        "clinics", "rooms", "practitioners", "patients", "services", "payers", "users", "authorizations",
        "appointments", "contacts", "blocks", "groups", "holds", "policies", "room-plans", "break-glass", "series",
        "sessions",
    }  # fmt: skip
    assert nouns <= made


class Two:
    """Two organizations with one of everything in each."""

    def __init__(self, own: Organization, foreign: Organization, client: Client) -> None:
        self.own, self.foreign, self.client = own, foreign, client
        self.secrets = {CANARY, CANARY.lower(), foreign.id}


@pytest.fixture
def two(nouns: tuple[Organization, Organization], client: Client) -> Two:
    return Two(*nouns, client)


def at(route: Route[Any, Any], made: dict[str, str], other: str = "") -> str:
    """The route's path with ids of `made`, or with `other` for its id. What belongs to the noun is made beside it."""
    noun, *rest = route.path.split("/")[3:]
    beside = made.get("/".join([noun, *rest[1:2]]), "1")
    return re.sub(
        r"\{[a-z_]+\}",
        lambda found: other or made.get(noun, "1") if found[0] == "{id}" else beside,
        route.path.replace("{kind}", "unsigned_notes"),
    )


def body_of(route: Route[Any, Any], own: dict[str, str]) -> dict[str, Any] | None:
    if route.body is None:
        return None
    operation = DOCUMENT["paths"][route.path][route.method.lower()]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    body: dict[str, Any] = world.sample(schema, COMPONENTS, own)
    if (route.method, route.path) == ("PATCH", "/api/v1/appointments/{id}"):
        body["notes"] = "a move names what it changes"
    if (route.method, route.path) == ("PATCH", "/api/v1/appointments/{id}/lines/{line_no}"):
        body["billable"] = True
    if route.path.endswith("/users"):
        body["password"] = "a password that is long enough"
    if route.path.endswith("/authorizations/batch"):
        body["authorizations"][0]["payer_id"] = own["payers"]
    if route.path.endswith("/authorizations"):
        body["payer_id"] = own["payers"]
    return body


def query_of(route: Route[Any, Any], own: dict[str, str]) -> dict[str, Any]:
    parameters = DOCUMENT["paths"][route.path][route.method.lower()]["parameters"]
    return {
        each["name"]: world.sample(each["schema"], COMPONENTS, own, each["name"])
        for each in parameters
        if each.get("in") == "query" and each["required"]
    }


async def ask(
    user: httpx2.AsyncClient, route: Route[Any, Any], path: str, own: dict[str, str]
) -> httpx2.Response:
    return await user.request(route.method, path, json=body_of(route, own), params=query_of(route, own))


def plain(answer: httpx2.Response, *spelled: str) -> str:
    """An answer without what must differ: ids that were asked for, the request's id, times."""
    text = re.sub(r'"(request_id|instance|as_of_seq|seq)":("[^"]*"|\d+)', "", answer.text)
    for each in spelled:
        text = text.replace(each, "ID")
    return f"{answer.status_code} {text}"


def leaks(two: Two, answer: httpx2.Response) -> set[str]:
    said = answer.text + str(answer.headers)
    return {secret for secret in two.secrets if secret in said}


@pytest.mark.parametrize("role", ROLES)
async def test_role_first_then_id(two: Two, role: str) -> None:
    wrong: list[str] = []
    async with two.client(two.own.tokens[role]) as user:
        for route in ASKED:
            reach = "all" if not route.permission else PERMISSIONS[route.permission].get(role)
            random = ids.new()
            noun = route.path.split("/")[3]
            has_id = "{id}" in route.path
            foreign = two.foreign.made.get(noun, "") if has_id else ""
            told = await ask(user, route, at(route, two.own.made, random), two.own.made)
            crossed = (
                await ask(user, route, at(route, two.own.made, foreign), two.own.made) if has_id else told
            )
            expected = 403 if reach is None else 404 if has_id else None
            for whose, answer in (("random", told), ("foreign", crossed)):
                if expected is not None and answer.status_code != expected:
                    wrong.append(f"{route.method} {route.path} {whose}: {answer.status_code}, not {expected}")
                if expected is None and answer.status_code in {401, 403, 404, 500}:
                    wrong.append(f"{route.method} {route.path}: {answer.status_code} {answer.text}")
                wrong += [
                    f"{route.method} {route.path} {whose} leaks {secret}" for secret in leaks(two, answer)
                ]
            if has_id and plain(told, random, random.upper()) != plain(crossed, foreign):
                wrong.append(f"{route.method} {route.path}: a foreign id answers unlike a random one")
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
async def test_ones_own_ids_are_let_in_as_far_as_the_role_reaches(two: Two, role: str) -> None:
    wrong: list[str] = []
    reads_first = sorted(ASKED, key=lambda route: route.method != "GET")
    async with two.client(two.own.tokens[role]) as user:
        for route in (route for route in reads_first if "{id}" in route.path):
            reach = "all" if not route.permission else PERMISSIONS[route.permission].get(role)
            answer = await ask(user, route, at(route, two.own.made), two.own.made)
            refused = answer.status_code == 403
            # "own": the world's visit, patient and authorization are the practitioner's and the patient's own, the
            # break-glass request is the practitioner's; no block and no group is a patient's.
            is_nobodys = role == "patient" and route.path.split("/")[3] in {"blocks", "groups"}
            if (
                (reach is None) != refused
                or answer.status_code in ({401} if is_nobodys else {401, 404})
                or answer.status_code >= 500
            ):
                wrong.append(f"{route.method} {route.path}: {answer.status_code} {answer.text[:200]}")
            wrong += [f"{route.method} {route.path} leaks {secret}" for secret in leaks(two, answer)]
    assert wrong == []


def uuid_fields(schema: dict[str, Any]) -> list[tuple[str, bool]]:
    """Names of a schema's fields that are ids, or lists of them."""
    found = []
    for name, each in schema.get("properties", {}).items():
        for kind in (each, *each.get("anyOf", [])):
            if kind.get("format") == "uuid":
                found.append((name, False))
            elif kind.get("items", {}).get("format") == "uuid":
                found.append((name, True))
    return found


async def test_a_foreign_id_in_a_body_is_like_a_random_one(two: Two) -> None:
    wrong, tried = [], 0
    async with two.client(two.own.tokens["admin"]) as admin:
        for route in (route for route in ASKED if route.body is not None):
            for name, is_list in uuid_fields(COMPONENTS[getattr(route.body, "__name__", "")]):
                random, foreign = ids.new(), two.foreign.made[world.noun_of(name)]
                answers = []
                for each in (random, foreign):
                    body = (body_of(route, two.own.made) or {}) | {name: [each] if is_list else each}
                    if name == "patient_id" and route.path.endswith("/users"):
                        body["role"] = "patient"
                    if name == "practitioner_id" and route.path.endswith("/users"):
                        body["role"] = "practitioner"
                    answers.append(await admin.request(route.method, at(route, two.own.made), json=body))
                tried += 1
                where = f"{route.method} {route.path} {name}"
                if plain(answers[0], random) != plain(answers[1], foreign):
                    wrong.append(f"{where}: {plain(answers[0], random)} is not {plain(answers[1], foreign)}")
                if answers[1].status_code < 400 or answers[1].status_code >= 500:
                    wrong.append(f"{where}: {answers[1].status_code}")
                wrong += [f"{where} leaks {secret}" for secret in leaks(two, answers[1])]
    assert wrong == []
    assert tried >= 10


async def test_a_foreign_id_in_a_filter_is_like_a_random_one(two: Two) -> None:
    wrong, tried = [], 0
    async with two.client(two.own.tokens["admin"]) as admin:
        for route in (route for route in ASKED if route.method == "GET"):
            for each in DOCUMENT["paths"][route.path]["get"]["parameters"]:
                if each.get("in") != "query" or each["schema"].get("format") != "uuid":
                    continue
                random, foreign = ids.new(), two.foreign.made[world.noun_of(each["name"])]
                answers = [
                    await admin.get(
                        at(route, two.own.made), params=query_of(route, two.own.made) | {each["name"]: value}
                    )
                    for value in (random, foreign)
                ]
                tried += 1
                where = f"GET {route.path}?{each['name']}"
                if plain(answers[0], random) != plain(answers[1], foreign):
                    wrong.append(f"{where}: {plain(answers[0], random)} is not {plain(answers[1], foreign)}")
                wrong += [f"{where} leaks {secret}" for secret in leaks(two, answers[1])]
                listed = answers[1].status_code == 200 and answers[1].json().get("items")
                if listed:
                    wrong.append(f"{where}: lists {listed}")
    assert wrong == []
    assert tried >= 8


async def test_no_call_is_answered_without_signing_in(client: Client) -> None:
    async with client() as nobody:
        for route in GUARDED:
            answer = await nobody.request(route.method, at(route, {}, ids.new()))
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), route.path


# The contract's rows again, by the first word of the path: who reads and who writes. What is not as its noun's row says
# stands below with its own.
ROWS = {
    **dict.fromkeys(("clinics", "rooms", "practitioners", "services"), ("aaaa-a", "a-----")),
    **dict.fromkeys(("patients", "contacts"), ("aaaa-a", "aa----")),
    "payers": ("aaaa-a", "a--a--"),
    **dict.fromkeys(("policies", "rule-types"), ("aaaa-a", "a-----")),
    **dict.fromkeys(
        ("appointments", "series", "holds", "blocks", "groups", "availability", "calendar"), ("aaoaoa", "aao---")
    ),
    "room-plans": ("aa----", "aa----"),
    "sessions": ("a-oa-a", "--o---"),
    **dict.fromkeys(("authorizations", "utilization"), ("aaoaoa", "a--a--")),
    "users": ("a-----", "a-----"),
    "audit": ("a----a", "------"),
    "break-glass": ("a-o--a", "a-o---"),
    "worklists": ("aaoa-a", "------"),
    "organization": ("", "a-----"),
}  # fmt: skip
APART = {
    ("GET", "rooms/{id}/schedule"): "aaoaoa",
    ("PATCH", "appointments/{id}/room"): "aa----",
    ("POST", "clinics/{id}/room-plan"): "aa----",
    ("POST", "clinics/{id}/assign-unassigned"): "aa----",
    ("GET", "practitioners/{id}/absence-plan"): "aao--a",
    ("POST", "practitioners/{id}/absence-plan/apply"): "aao---",
    ("POST", "policies/evaluate"): "aao---",
    ("POST", "break-glass"): "--o---",
    ("POST", "break-glass/{id}/approve"): "a-----",
}


def test_every_call_is_in_its_row_of_the_contract() -> None:
    wrong = []
    for route in ASKED:
        path = route.path.removeprefix("/api/v1/")
        reads, writes = ROWS[path.split("/")[0]]
        row = APART.get((route.method, path), reads if route.method == "GET" else writes)
        found = TABLE[route.permission] if route.permission else ""
        if found != row:
            wrong.append(f"{route.method} {path}: {found}, not {row}")
    assert wrong == []


def test_an_auditor_and_a_patient_write_nothing() -> None:
    writing = [route for route in ASKED if route.method != "GET"]
    assert len(writing) > 40
    for route in writing:
        assert not {"auditor", "patient"} & PERMISSIONS[route.permission or ""].keys(), route.path
