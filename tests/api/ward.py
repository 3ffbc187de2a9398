"""A patient whom the organization's practitioner has no part in: what the tests of break-glass ask for."""

from typing import Any

import httpx2
from api.people import PASSWORD, Client, sign_in, writing
from api.practice import Practice, at
from api.second_factor import code_of, enrolled, forget_codes

GLASS = "/api/v1/break-glass"
VISITS = "/api/v1/appointments"
AUTHORIZATIONS = "/api/v1/authorizations"
WHY = "CANARY words: covers for a colleague who fell ill this morning"


class Ward:
    """Pat's visit with Ana, which the organization's practitioner has no part in, and an admin with a second factor."""

    def __init__(self, practice: Practice, client: Client, visit: str, secret: str) -> None:
        self.practice, self.client, self.visit, self.secret = practice, client, visit, secret
        self.organization, self.application = practice.organization, practice.application
        self.patient = practice.made["pat"]
        self.authorization = practice.made["authorization"]

    def by(self, role: str) -> httpx2.AsyncClient:
        return self.client(self.organization.tokens[role])

    async def ask(self, role: str = "practitioner", **more: Any) -> httpx2.Response:
        body = {"patient_id": self.patient, "minutes": 60, "justification": WHY} | more
        async with self.by(role) as user:
            return await user.post(GLASS, json=body)

    async def requested(self, role: str = "practitioner", **more: Any) -> Any:
        answer = await self.ask(role, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def approve(self, glass: Any, role: str = "admin", **headers: str) -> httpx2.Response:
        await forget_codes(self.application, self.organization)
        async with self.by(role) as user:
            body = {"totp": code_of(self.secret)}
            return await user.post(f"{GLASS}/{glass['id']}/approve", json=body, headers=headers)

    async def opened(self, **more: Any) -> Any:
        glass = await self.requested(**more)
        answer = await self.approve(glass)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def hire(self) -> None:
        """Ben gets a login, and is to Pat what the organization's practitioner is."""
        made = await self.practice.admin.post("/api/v1/users", json={
            "email": "colleague@juniper.example", "password": PASSWORD, "role": "practitioner",
            "practitioner_id": self.practice.made["ben"],
        })  # fmt: skip
        assert made.status_code == 201, made.text
        pair = await sign_in(self.client, "colleague@juniper.example")
        self.organization.tokens["colleague"] = pair["access_token"]

    async def revoke(self, glass: Any, role: str) -> httpx2.Response:
        async with self.by(role) as user:
            return await user.post(f"{GLASS}/{glass['id']}/revoke")

    async def let_pass(self, glass: Any, minutes: int) -> None:
        """As if it had been approved so much earlier."""
        async with writing(self.application, self.organization.id) as connection:
            await connection.execute(
                "update break_glass_requests set approved_at = approved_at - $3::integer * interval '1 minute'"
                " where organization_id = $1 and id = $2", self.organization.id, glass["id"], minutes,
            )  # fmt: skip

    async def sees(self, role: str = "practitioner") -> bool:
        """Whether the role reads Pat's visit as a whole and Pat's authorization; both or neither."""
        async with self.by(role) as user:
            visit = (await user.get(f"{VISITS}/{self.visit}")).json()
            units = await user.get(f"{AUTHORIZATIONS}/{self.authorization}")
        assert (visit["patient_id"] is not None) == (units.status_code == 200)
        return units.status_code == 200

    async def uses(self, glass: Any, role: str = "auditor") -> list[Any]:
        async with self.by(role) as user:
            answer = await user.get(f"{GLASS}/{glass['id']}/uses")
        assert answer.status_code == 200, answer.text
        items: list[Any] = answer.json()["items"]
        return items


async def make_ward(practice: Practice, client: Client) -> Ward:
    visit = await practice.book(at(9))
    secret = await enrolled(client, practice.organization.tokens["admin"])
    return Ward(practice, client, visit["id"], secret)


def said(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")
