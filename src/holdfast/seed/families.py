"""People around patients: parents whom siblings share, who pays, which language is spoken. All names are invented."""

from datetime import date, timedelta

from holdfast.commands.save import Document
from holdfast.seed.world import World

_ADULT_DAYS = 18 * 365


class Families:
    """Adds contacts and says what a patient's document has of them."""

    def __init__(self, world: World, area_code: int) -> None:
        self._world = world
        self._area_code = area_code
        self._reached = 0

    def contact(self, given: str, family: str, language: str | None = None) -> str:
        """A new contact, who has agreed to be reached."""
        chance = self._world.chance
        channel = chance.choice(("sms", "email", "phone"))
        self._reached += 1
        agreed = self._world.today() - timedelta(days=chance.randint(30, 600))
        return str(self._world.add(
            "contact", name=f"{given} {family}", language=language, channel=channel, phone=self._phone(),
            email=f"{given}.{family}.{self._reached}@mail.example".lower(), consented_on=agreed.isoformat(),
        )["id"])  # fmt: skip

    def _phone(self) -> str:
        """555-01xx is nobody's anywhere in the country's plan."""
        return f"+1 {self._area_code} 555 01{self._reached % 100:02}"

    def parents(self, family: str, language: str | None) -> list[Document]:
        """One or two, as a child's document lists them; the first brings the child."""
        chance = self._world.chance
        found = [
            self._link(self.contact(chance.name()[0], family, language), "parent", may_cancel=True)
            for _ in range(chance.choice((1, 1, 2)))
        ]
        if chance.some(0.1):
            found.append(self._link(self.contact(*chance.name()), "grandparent", may_cancel=False))
        return found

    def helper(self, relationship: str) -> Document:
        """Somebody who comes along with a grown-up."""
        return self._link(self.contact(*self._world.chance.name()), relationship, may_cancel=True)

    def _link(self, contact: str, relationship: str, *, may_cancel: bool) -> Document:
        return {
            "contact_id": contact, "relationship": relationship, "may_cancel": may_cancel,
            "receives_reminders": may_cancel,
        }  # fmt: skip

    def is_child(self, birth_date: str) -> bool:
        return (self._world.today() - date.fromisoformat(birth_date)).days < _ADULT_DAYS

    def coverages(self, payers: list[str]) -> list[Document]:
        """Who pays, the first asked first."""
        chance, today = self._world.chance, self._world.today()
        return [
            {"payer_id": payer, "rank": rank, "member_number": f"M{chance.randint(10_000_000, 99_999_999)}",
             "valid_from": (today - timedelta(days=300)).isoformat(), "valid_to": None}
            for rank, payer in enumerate(payers, start=1)
        ]  # fmt: skip
