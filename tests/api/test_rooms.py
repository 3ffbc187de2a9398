"""/rooms: turnover by type, seats, colours."""

from typing import Any

import httpx2
import pytest
from api.people import Client, Organization, writing

from holdfast import ids
from holdfast.api import room_colors
from holdfast.app import Application

ROOMS = "/api/v1/rooms"


async def a_clinic(admin: httpx2.AsyncClient, name: str = "Main") -> str:
    answer = await admin.post("/api/v1/clinics", json={"name": name, "time_zone": "America/Phoenix"})
    made: str = answer.json()["id"]
    return made


async def a_room(admin: httpx2.AsyncClient, **fields: Any) -> dict[str, Any]:
    body = {"clinic_id": await a_clinic(admin), "number": "1", "room_type": "therapy"} | fields
    answer = await admin.post(ROOMS, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


@pytest.mark.parametrize(
    ("room_type", "minutes"),
    [
        ("talk", 0),
        ("telehealth", 0),
        ("therapy", 5),
        ("physiotherapy", 10),
        ("procedure", 15),
        ("playroom", 15),
    ],
)
async def test_turnover_follows_the_type_unless_said(
    client: Client, organization: Organization, room_type: str, minutes: int
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        room = await a_room(admin, room_type=room_type)
        assert room["cleaning_minutes"] == minutes
        said = await admin.post(
            ROOMS,
            json={
                "clinic_id": room["clinic_id"],
                "number": "2",
                "room_type": room_type,
                "cleaning_minutes": 7,
            },
        )
        assert said.json()["cleaning_minutes"] == 7


async def test_numbers_are_unique_in_a_clinic(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as admin:
        room = await a_room(admin)
        body = {"clinic_id": room["clinic_id"], "number": "1", "room_type": "therapy"}
        twice = await admin.post(ROOMS, json=body)
        assert (twice.status_code, twice.json()["code"], twice.json()["field"]) == (
            409,
            "already_exists",
            "number",
        )
        elsewhere = await admin.post(ROOMS, json=body | {"clinic_id": await a_clinic(admin, "Other")})
        assert elsewhere.status_code == 201
        nowhere = await admin.post(ROOMS, json=body | {"clinic_id": ids.new(), "number": "3"})
        assert (nowhere.status_code, nowhere.json()["field"]) == (404, "clinic_id")


async def test_lists_by_clinic_type_and_words(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as admin:
        room = await a_room(admin, name="Blue Gym", is_available=False)

        async def found(**filters: Any) -> int:
            total: int = (await admin.get(ROOMS, params=filters)).json()["total"]
            return total

        assert await found(clinic_id=room["clinic_id"], room_type="therapy", q="blue") == 1
        assert await found(is_available="true") == 0
        assert await found(clinic_id=ids.new()) == 0
        assert await found(q="red") == 0


async def seats(application: Application, organization: Organization, room: str) -> list[int]:
    async with writing(application, organization.id) as connection:
        return [
            row["seat"]
            for row in await connection.fetch(
                "select seat from resource_seats where organization_id = $1 and resource_id = $2 order by seat",
                organization.id, room,
            )
        ]  # fmt: skip


async def test_seats_follow_the_maximum(
    application: Application, client: Client, organization: Organization
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        room = await a_room(admin, concurrent_visits_max=2)
        assert await seats(application, organization, room["id"]) == [0, 1]
        path = f"{ROOMS}/{room['id']}"
        await admin.patch(path, json={"concurrent_visits_max": 4})
        assert await seats(application, organization, room["id"]) == [0, 1, 2, 3]
        await admin.patch(path, json={"concurrent_visits_max": 1})
        assert await seats(application, organization, room["id"]) == [0]


async def test_a_seat_that_is_taken_stays(
    application: Application, client: Client, organization: Organization
) -> None:
    async with client(organization.tokens["admin"]) as admin:
        room = await a_room(admin, concurrent_visits_max=3)
        async with writing(application, organization.id) as connection:
            await connection.execute(
                "with block as (insert into blocks (organization_id, id, kind, room_id, starts_at, ends_at, created_at,"
                " updated_at) select $1, $3, 'meeting', $2, t, t + interval '1 h', now(), now()"
                " from (select now() + interval '1 day') x(t) returning *)"
                " insert into claims (organization_id, resource_id, seat, starts_at, ends_at, kind, block_id)"
                " select organization_id, room_id, 1, starts_at, ends_at, 'block', id from block",
                organization.id, room["id"], ids.new(),
            )  # fmt: skip
        path = f"{ROOMS}/{room['id']}"
        refused = await admin.patch(path, json={"concurrent_visits_max": 1})
        assert (refused.status_code, refused.json()["code"]) == (409, "seat_in_use")
        assert await seats(application, organization, room["id"]) == [0, 1, 2]
        assert (await admin.get(path)).json()["version"] == 1
        assert (await admin.patch(path, json={"concurrent_visits_max": 2})).status_code == 200


async def test_the_colour_is_chosen_or_made_of_the_id(client: Client, organization: Organization) -> None:
    async with client(organization.tokens["admin"]) as admin:
        room = await a_room(admin)
        path = f"{ROOMS}/{room['id']}/display-config"
        first = await admin.get(path)
        auto = room_colors.automatic(room["id"])
        assert first.json() == {
            "room_id": room["id"], "color": auto, "source": "auto", "auto_color": auto,
            "text_color": room_colors.text_on(auto), "display_order": 0,
        }  # fmt: skip
        chosen = await admin.put(path, json={"color": "#ff00aa", "display_order": 3})
        assert (chosen.json()["color"], chosen.json()["source"]) == ("#FF00AA", "custom")
        assert chosen.json()["display_order"] == 3
        assert chosen.headers["etag"] == '"2"'
        stale = await admin.put(path, json={"color": None}, headers={"If-Match": '"1"'})
        assert stale.status_code == 412
        reset = await admin.put(path, json={"color": None})
        assert (reset.json()["source"], reset.json()["color"]) == ("auto", auto)
        assert reset.json()["display_order"] == 3
        for wrong in ("red", "#12345", "#1234567", "#GGGGGG", "", "#FFFFFF\n"):
            answer = await admin.put(path, json={"color": wrong})
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_color"), wrong
            assert answer.json()["errors"][0]["field"] == "color"
        assert (
            await admin.put(f"{ROOMS}/{ids.new()}/display-config", json={"color": None})
        ).status_code == 404


def test_text_can_always_be_read() -> None:
    step = range(0, 256, 15)
    colors = [f"#{r:02X}{g:02X}{b:02X}" for r in step for g in step for b in step]
    colors += [room_colors.automatic(ids.new()) for _ in range(500)]
    assert all(
        room_colors.contrast(color, room_colors.text_on(color)) >= room_colors.CONTRAST_MIN
        for color in colors
    )
    assert room_colors.contrast("#000000", "#FFFFFF") == pytest.approx(21)
