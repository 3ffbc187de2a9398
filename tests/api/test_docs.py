"""/openapi.json is the truth about every call, and /docs shows it with nothing from outside."""

import re
from typing import Any

import pytest
import schemathesis
from api.people import Client

from holdfast import app
from holdfast.api import openapi, viewer
from holdfast.api.door import NoFields
from holdfast.api.problems import STATUS

DOCUMENT = openapi.describe(app.routes())
OPERATIONS = [
    (route, DOCUMENT["paths"][route.path][route.method.lower()]) for route in app.routes()
]  # fmt: skip


def test_every_call_is_described_and_no_other() -> None:
    described = {(path, method.upper()) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert described == {(route.path, route.method) for route in app.routes()}
    ids = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))


def test_every_reference_leads_somewhere() -> None:
    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                at: Any = DOCUMENT
                for step in value["$ref"].removeprefix("#/").split("/"):
                    at = at[step]
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)

    walk(DOCUMENT)


def test_every_call_says_what_it_takes_and_what_it_may_answer() -> None:
    for route, operation in OPERATIONS:
        names = [one.get("name") for one in operation["parameters"]]
        for name in re.findall(r"\{([a-z_]+)\}", route.path):
            assert name in names, route.path
        assert ("requestBody" in operation) == (route.body is not None)
        statuses = {int(status) for status in operation["responses"]}
        assert {route.status, 413, 500} <= statuses
        asks_who = route.permission is not None or "invalid_token" in route.refusals
        assert (401 in statuses) == (asks_who or "/auth/" in route.path)
        by_cookie = route.permission is not None and route.method != "GET"  # and so with a csrf token
        # Outside /auth an admin may have to enrol a second factor first.
        is_guarded = route.permission is not None and "/auth/" not in route.path
        assert (403 in statuses) == (is_guarded or by_cookie)
        assert all(STATUS[code] in statuses for code in route.refusals)
        if route.query is not NoFields:
            assert 422 in statuses
        assert operation["summary"], route.path


def test_repeatable_parameters_are_arrays() -> None:
    status = next(
        one
        for one in DOCUMENT["paths"]["/api/v1/appointments"]["get"]["parameters"]
        if one.get("name") == "status"
    )
    assert status["schema"]["type"] == "array"
    assert status["explode"] is True


def test_schemathesis_understands_the_description() -> None:
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    results = list(schema.get_all_operations())
    assert [result for result in results if not hasattr(result, "ok")] == []
    assert len(results) == len(OPERATIONS)


async def test_the_description_is_served_to_everyone(client: Client) -> None:
    async with client() as nobody:
        answer = await nobody.get("/openapi.json")
        assert answer.status_code == 200
        assert answer.json()["openapi"] == "3.1.0"
        assert answer.json().keys() == DOCUMENT.keys()
        simpler = (await nobody.get("/docs/openapi.json")).json()
    assert simpler["openapi"] == "3.0.3"
    assert simpler["paths"].keys() == DOCUMENT["paths"].keys()
    assert "null" not in {kind.get("type") for kind in _schemas(simpler)}


def _schemas(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        inner = [one for each in value.values() for one in _schemas(each)]
        return [value, *inner] if isinstance(value.get("type"), str) else inner
    return [one for each in value for one in _schemas(each)] if isinstance(value, list) else []


async def test_the_page_loads_nothing_from_outside(client: Client) -> None:
    async with client() as nobody:
        page = await nobody.get("/docs")
        assert page.headers["content-type"].startswith("text/html")
        policy = page.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy.split("style-src")[0]
        assert "http" not in page.text.replace("http-equiv", "")
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=", page.text)
        for asset in re.findall(r'(?:src|href)="([^"]+)"', page.text):
            answer = await nobody.get(asset)
            assert answer.status_code == 200, asset
            assert len(answer.content) > 100
            assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", [
    "index.html", "swagger-initializer.js", "oauth2-redirect.html", "..", "../__init__.py", "%2e%2e%2f__init__.py",
    "swagger-ui-bundle.js.map", "swagger-ui.css%00", "nothing",
])  # fmt: skip
async def test_no_other_file_is_served(client: Client, name: str) -> None:
    async with client() as nobody:
        assert (await nobody.get(f"/docs/{name}")).status_code == 404


def test_the_viewers_spelling_keeps_what_matters() -> None:
    spelled = viewer.readable({"info": {}, "a": {
        "anyOf": [{"type": "string"}, {"type": "null"}], "examples": ["x"]}, "b": {"const": 1},
        "c": {"exclusiveMinimum": 0}, "d": {"anyOf": [{"$ref": "#/x"}, {"type": "null"}]}})  # fmt: skip
    assert spelled == {
        "info": {}, "openapi": "3.0.3", "a": {"type": "string", "nullable": True, "example": "x"},
        "b": {"enum": [1]}, "c": {"minimum": 0, "exclusiveMinimum": True},
        "d": {"anyOf": [{"$ref": "#/x"}], "nullable": True},
    }  # fmt: skip
