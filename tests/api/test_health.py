"""/health and /metrics: what a balancer and an operator see."""

import pytest
from api.people import Client, Organization

from holdfast.app import Application
from holdfast.db import doctor


async def test_a_good_server_is_live_and_ready(client: Client) -> None:
    async with client() as nobody:
        assert (await nobody.get("/health/live")).json() == {"status": "live"}
        answer = await nobody.get("/health/ready")
        assert (answer.status_code, answer.json()) == (200, {"status": "ready"}), answer.text
        assert (await nobody.head("/health/live")).status_code == 200


async def test_weak_durability_is_not_ready(
    application: Application, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def weak(_connection: object) -> list[doctor.Problem]:
        return [doctor.Problem("weak_durability", "a sentence for the log", "a remedy")]

    monkeypatch.setattr(doctor, "durability_problems", weak)
    async with client() as nobody:
        answer = await nobody.get("/health/ready")
        assert answer.status_code == 503
        assert (answer.json()["code"], answer.json()["problems"]) == ("not_ready", ["weak_durability"])
        assert int(answer.headers["retry-after"]) > 0
        assert "sentence" not in answer.text.replace("A sentence", "")
        assert (await nobody.get("/health/live")).status_code == 200


async def test_without_its_database_it_lives_and_is_not_ready(
    application: Application, client: Client
) -> None:
    assert application.house is not None
    await application.house.database.close()
    async with client() as nobody:
        answer = await nobody.get("/health/ready")
        assert (answer.status_code, answer.json()["problems"]) == (503, ["unreachable"])
        assert (await nobody.get("/health/live")).status_code == 200


async def test_readiness_is_looked_at_once_for_many(
    application: Application, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    look = doctor.schema_problems

    async def counted(connection: object) -> list[doctor.Problem]:
        looked.append(1)
        return await look(connection)

    monkeypatch.setattr(doctor, "schema_problems", counted)
    async with client() as nobody:
        for _ in range(10):
            assert (await nobody.get("/health/ready")).status_code == 200
    assert len(looked) == 1


async def test_a_stopping_server_wants_no_work(application: Application, client: Client) -> None:
    assert application.house is not None
    application.house.readiness.is_leaving = True
    async with client() as nobody:
        assert (await nobody.get("/health/ready")).json()["problems"] == ["stopping"]


async def test_metrics_count_calls_and_name_nobody(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as admin:
        await admin.get(f"/api/v1/users/{organization.user_ids['biller']}")
        await admin.get("/api/v1/CANARY-path")
        await admin.request("CANARY", "/api/v1/users")
        answer = await admin.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'holdfast_requests_total{method="GET",route="/api/v1/users/{id}",status="200"} 1.0' in answer.text
    assert "holdfast_pool_connections" in answer.text
    for private in (organization.id, organization.user_ids["biller"], "juniper", "CANARY"):
        assert private not in answer.text
