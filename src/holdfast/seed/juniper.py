"""Juniper Therapy Group: the demo's first organization, two clinics in two time zones (practice.md tells why each
of its stories is there). All names are invented. Data only; `load.py` makes it real.
"""

from datetime import timedelta
from typing import Any

from holdfast.commands.save import Document
from holdfast.seed import fates, plan
from holdfast.seed.chance import Chance
from holdfast.seed.plan import Offer, Week
from holdfast.seed.world import Absence, Login, Planned, World
from holdfast.slot import local_date, wall

_DAY = (("08:00", "12:00"), ("12:45", "17:00"))
_SATURDAY = (("08:00", "13:00"),)
_WEEKDAYS = range(5)
_FILL = 0.78
_MISSED = 0.04
_PAST_DAYS, _AHEAD_DAYS = 14, 20


class _Juniper:
    """Building it step by step; each step uses what the ones before made."""

    def __init__(self, number: int, now: int) -> None:
        self.world = World(
            Chance("juniper", number), now, "Juniper Therapy Group", "juniper.example", "America/Phoenix"
        )
        self.today = self.world.today()
        self.staff: dict[str, Document] = {}
        self.services: dict[str, Document] = {}
        self.payers: list[str] = []
        self.people: dict[str, list[str]] = {}

    def day(self, days: int) -> str:
        return (self.today + timedelta(days=days)).isoformat()

    # Places

    def places(self) -> None:
        hours = [{"weekday": day, "start": "07:30", "end": "18:30"} for day in _WEEKDAYS]
        hours.append({"weekday": 5, "start": "08:00", "end": "13:00"})
        add = self.world.add
        self.phoenix = add(
            "clinic", name="Juniper Phoenix", time_zone="America/Phoenix", opening_hours=hours
        )["id"]
        self.albuquerque = add(
            "clinic", name="Juniper Albuquerque", time_zone="America/Denver", opening_hours=hours,
            allow_unassigned=True,
        )["id"]  # fmt: skip
        rollable = ["step-free", "wheelchair"]
        self._rooms(self.phoenix, [
            ("101", "Therapy 1", "therapy", 3, {"accessibility": rollable}),
            ("102", "Therapy 2", "therapy", 3, {}),
            ("103", "Playroom", "playroom", 12, {
                "concurrent_visits_max": 4, "equipment": ["swing", "observation window"],
                "accessibility": ["step-free"], "cleaning_minutes": 5}),
            ("104", "PT Gym", "physiotherapy", 10, {
                "concurrent_visits_max": 4, "equipment": ["bars", "plinth"], "accessibility": rollable}),
            ("105", "Consult", "consult", 4, {
                "equipment": ["hearing loop"], "accessibility": [*rollable, "hearing loop"]}),
            ("106", "Telehealth office", "telehealth", 2, {"equipment": ["camera"]}),
        ])  # fmt: skip
        treatment = {"equipment": ["plinth"], "accessibility": rollable}
        self._rooms(self.albuquerque, [
            ("201", "Treatment 1", "physiotherapy", 3, treatment),
            ("202", "Treatment 2", "physiotherapy", 3, treatment),
            ("203", "Speech", "speech", 3, {"equipment": ["mirror", "tablet"], "cleaning_minutes": 5}),
            ("204", "Family room", "family", 6, {"accessibility": ["step-free"], "cleaning_minutes": 5}),
        ])  # fmt: skip

    def _rooms(self, clinic: str, rows: list[tuple[str, str, str, int, dict[str, Any]]]) -> None:
        for order, (number, name, kind, capacity, more) in enumerate(rows):
            self.world.add(
                "room", clinic_id=clinic, number=number, name=name, room_type=kind, capacity=capacity,
                display_order=order, **more,
            )  # fmt: skip

    # What is given, and who pays

    def offers(self) -> None:
        """Service names are our own: the descriptions that belong to the codes are somebody's property. What nobody
        needs an authorization for is given by several people in several rooms of the first clinic."""
        rows: list[tuple[str, str, int, list[str], dict[str, Any]]] = [
            ("97153", "Behaviour session", 120, ["therapy", "playroom", "family"], {
                "locations": ["on_site", "home", "school"], "capacity": 2,
                "required_credentials": ["RBT", "BCBA"]}),
            ("97155", "Session with plan changes", 60, ["therapy", "playroom", "family"], {
                "capacity": 2, "required_credentials": ["BCBA"]}),
            ("97156", "Caregiver guidance", 60, ["consult", "family"], {
                "locations": ["on_site", "telehealth"], "attendance": "caregiver",
                "required_credentials": ["BCBA"]}),
            ("97151", "Behaviour assessment", 120, ["therapy", "consult", "family"], {
                "capacity": 3, "required_credentials": ["BCBA"]}),
            ("97161", "Physiotherapy evaluation", 60, ["physiotherapy", "therapy", "consult"], {
                "required_credentials": ["PT"], "unit_basis": "visit"}),
            ("97110", "Physiotherapy", 45, ["physiotherapy"], {
                "required_credentials": ["PT", "PTA"], "unit_basis": "visit"}),
            ("92507", "Speech therapy", 45, ["speech"], {
                "equipment": ["mirror"], "required_credentials": ["CCC-SLP"], "unit_basis": "day"}),
            ("90834", "Counselling", 50, ["consult", "family"], {
                "locations": ["on_site", "telehealth"], "required_credentials": ["LPC"], "unit_basis": "visit"}),
        ]  # fmt: skip
        for code, name, minutes, room_types, more in rows:
            self.services[code] = self.world.add(
                "service", code=code, name=name, duration_minutes=minutes, room_types=room_types,
                authorization_required=True, **more,
            )  # fmt: skip
        self.services["MASSAGE60"] = self.world.add(
            "service", code="MASSAGE60", name="Massage 60 (self-pay)", duration_minutes=60,
            room_types=["therapy", "consult"], required_credentials=["LMT"],
        )  # fmt: skip
        self.services["INTAKE30"] = self.world.add(
            "service", code="INTAKE30", name="First conversation (self-pay)", duration_minutes=30,
            room_types=["therapy", "consult", "family"],
        )  # fmt: skip
        for fields in (
            {"name": "Saguaro Health Plan", "concurrent_policy": "allow", "concurrent_pairs": [["97153", "97155"]]},
            {"name": "Rio Mutual", "concurrent_policy": "deny"},
            {"name": "Mesa Federal", "rounding": "cms_8_minute", "rounding_scope": "day"},
            {"name": "Copper State Children's Plan", "over_units": "warn", "codes_needing_authorization": ["97153"]},
            {"name": "Self-pay", "over_units": "allow"},
        ):  # fmt: skip
            self.payers.append(self.world.add("payer", **fields)["id"])

    # Who works

    def people_at_work(self) -> None:
        both, soon = [self.phoenix, self.albuquerque], self.day(40)
        rows: list[tuple[str, list[str], list[tuple[str, str | None]], bool]] = [
            ("bcba1", [self.phoenix], [("BCBA", self.day(500))], False),
            ("bcba2", [self.albuquerque], [("BCBA", self.day(700))], False),
            ("rbt1", [self.phoenix], [("RBT", self.day(300))], True),
            ("rbt2", [self.phoenix], [("RBT", soon)], False),
            ("rbt3", [self.phoenix], [("RBT", self.day(210)), ("LMT", None)], False),
            ("rbt4", [self.albuquerque], [("RBT", self.day(340))], True),
            ("rbt5", [self.albuquerque], [("RBT", self.day(180))], False),
            ("pt1", [self.phoenix], [("PT", self.day(600)), ("LMT", None)], True),
            ("pt2", both, [("PT", self.day(420)), ("LMT", None)], False),
            ("pta", [self.phoenix], [("PTA", self.day(365)), ("LMT", None)], True),
            ("slp", [self.albuquerque], [("CCC-SLP", self.day(800))], True),
            ("lpc", both, [("LPC", self.day(250))], True),
        ]
        for key, clinics, credentials, on_saturdays in rows:
            given, family = self.world.chance.person()
            self.staff[key] = self.world.add(
                "practitioner", name=f"{given} {family}", clinic_ids=clinics,
                credentials=[
                    {"code": code, "valid_from": self.day(-700), "valid_to": until} for code, until in credentials
                ],
                working_hours=self._hours(clinics, on_saturdays),
            )  # fmt: skip

    def _hours(self, clinics: list[str], on_saturdays: bool) -> list[Document]:
        """Who works at two clinics is at the second on Tuesdays and Thursdays."""
        found = []
        for weekday in (*_WEEKDAYS, 5) if on_saturdays else _WEEKDAYS:
            clinic = clinics[-1] if weekday in {1, 3} else clinics[0]
            for start, end in _SATURDAY if weekday == 5 else _DAY:
                found.append({"clinic_id": clinic, "weekday": weekday, "start": start, "end": end})
        return found

    # Who comes

    def patients(self) -> None:
        """200: 14 children in behaviour therapy, 45 in physiotherapy, 30 in speech therapy, 30 in counselling; the
        rest evaluated, on hold or discharged."""
        groups = (("aba", 14, 3, 12), ("pt", 45, 16, 84), ("speech", 30, 3, 75), ("counselling", 30, 14, 70),
                  ("evaluated", 21, 3, 60), ("on_hold", 24, 4, 80), ("discharged", 36, 4, 85))  # fmt: skip
        for group, count, youngest, oldest in groups:
            self.people[group] = [self._patient(group, n, youngest, oldest) for n in range(count)]

    def _patient(self, group: str, n: int, youngest: int, oldest: int) -> str:
        chance = self.world.chance
        given, family = chance.person()
        more: Document = {}
        if (group, n) == ("pt", 1):
            more = {"needs": ["wheelchair"], "alerts": "Uses a power chair; allow for transfers."}
        elif (group, n) == ("speech", 0):
            more = {"needs": ["hearing loop"], "alerts": "Wears hearing aids in both ears."}
        elif chance.some(0.06):
            more = {"needs": ["step-free"]}
        elif chance.some(0.06):
            more = {
                "alerts": chance.choice(("Allergic to latex.", "Allergic to peanuts.", "May leave the room."))
            }
        return str(self.world.add(
            "patient", is_active=group != "discharged", given_name=given, family_name=family,
            birth_date=chance.birth_date(self.today, youngest, oldest), **more,
        )["id"])  # fmt: skip

    # What is approved

    def authorizations(self) -> None:
        """Half a year each, begun at different times; the first of some groups tell stories."""
        people = self.people
        for child in people["aba"]:
            self._authorize(child, ["97153", "97155", "97156"], 2200)
        for patient in people["pt"][1:]:
            self._authorize(patient, ["97110", "97161"], 80, unit_basis="visit")
        for patient in people["speech"]:
            self._authorize(patient, ["92507"], 60, unit_basis="day")
        for patient in people["counselling"]:
            self._authorize(patient, ["90834"], 60, unit_basis="visit")
        for patient in people["evaluated"]:
            self._authorize(patient, ["97151"], 96)
            self._authorize(patient, ["97161"], 8, unit_basis="visit")
        # Nearly used up: 46 of 50.
        spent = self._authorize(people["pt"][0], ["97110", "97161"], 50, unit_basis="visit")
        self.world.used_units.append((spent, 46))
        # Ends in nine days and most of it is left.
        self._authorize(people["on_hold"][0], ["97153", "97156"], 400, span=(-173, 9))
        # Ends in twelve days; the next half year is asked for.
        self._authorize(people["on_hold"][1], ["92507"], 40, span=(-170, 12), unit_basis="day")
        self._authorize(
            people["on_hold"][1], ["92507"], 48, span=(13, 195), unit_basis="day", status="pending"
        )
        exhausted = self._authorize(people["on_hold"][2], ["90834"], 12, span=(-120, 62), unit_basis="visit")
        self.world.used_units.append((exhausted, 12))
        self._authorize(people["on_hold"][3], ["97110"], 24, span=(-203, -21), unit_basis="visit")

    def _authorize(
        self, patient: str, codes: list[str], units: int, span: tuple[int, int] | None = None, **more: Any
    ) -> str:
        chance = self.world.chance
        if span is None:
            begun = chance.randint(20, 120)
            span = (-begun, 182 - begun)
        return str(self.world.add(
            "authorization", patient_id=patient, payer_id=chance.choice(self.payers[:4]), service_codes=codes,
            total_units=units, start_date=self.day(span[0]), end_date=self.day(span[1]),
            authorization_number=f"A-{chance.randint(100_000, 999_999)}", **more,
        )["id"])  # fmt: skip

    # What happens

    def calendar(self) -> None:
        week, staff, people, services = Week(self.world), self.staff, self.people, self.services

        def offer(
            code: str, whom: list[str], minutes: tuple[int, ...], weekly: int, *locations: str
        ) -> Offer:
            return Offer(
                service=services[code], patients=whom, minutes=minutes, weekly=weekly,
                locations=locations or ("on_site",),
            )  # fmt: skip

        north, south = people["aba"][9:], people["aba"][:9]
        pt_south, pt_north = people["pt"][:33], people["pt"][33:]
        sessions = (90, 120, 150, 180)
        for key in ("rbt1", "rbt2", "rbt3"):
            week.fill(staff[key], [offer("97153", south, sessions, 840)], _FILL)
        week.fill(staff["rbt4"], [offer("97153", north, sessions, 840, "on_site", "home")], _FILL)
        week.fill(staff["rbt5"], [offer("97153", north, sessions, 840, "home", "school")], _FILL)
        for key, children, evaluated in (
            ("bcba1", south, people["evaluated"][:12]), ("bcba2", north, people["evaluated"][12:])
        ):  # fmt: skip
            week.fill(staff[key], [
                offer("97155", children, (60,), 120), offer("97151", evaluated, (120,), 120),
                offer("97156", children, (60,), 180, "on_site", "telehealth"),
            ], _FILL)  # fmt: skip
        evaluations = offer("97161", people["evaluated"][:12], (60,), 60)
        week.fill(staff["pt1"], [offer("97110", pt_south, (45,), 180), evaluations], _FILL)
        week.fill(staff["pta"], [offer("97110", pt_south, (45,), 180)], _FILL)
        week.fill(staff["pt2"], [offer("97110", pt_north + pt_south, (45,), 180)], _FILL)
        week.fill(staff["slp"], [offer("92507", people["speech"][1:], (45,), 90)], _FILL)
        week.fill(
            staff["lpc"], [offer("90834", people["counselling"], (50,), 100, "on_site", "telehealth")], _FILL
        )
        self.world.visits = plan.visits(self.world, week.habits, -_PAST_DAYS, _AHEAD_DAYS, _MISSED)

    def stories(self) -> None:
        """What is to be found by clicking, beside what happens anyway."""
        fates.decide(self.world)
        self._without_a_room()
        self._off_sick()
        work = self.world
        closed = self.today + timedelta(days=25)
        work.absences.append(Absence(
            of="clinic", id=self.albuquerque, start=wall(closed, 12 * 60, "America/Denver"),
            end=wall(closed, 18 * 60 + 30, "America/Denver"), why="Everybody is at a training.",
        ))  # fmt: skip
        work.meet([self.staff[who]["id"] for who in ("slp", "lpc")], "America/Denver", "Talk about referrals")
        office = work.all("room")[5]["id"]
        mended = self.today + timedelta(days=6)
        work.absences.append(Absence(
            of="room", id=office, start=wall(mended, 12 * 60, "America/Phoenix"),
            end=wall(mended, 17 * 60, "America/Phoenix"), why="The floor is being mended.",
        ))  # fmt: skip

    def _without_a_room(self) -> None:
        """Speech with somebody who needs a hearing loop, which no room of that clinic has: booked all the same."""
        slp = self.staff["slp"]
        found = plan.gap(self.world, slp, 45, 1)
        if found is not None:
            hours, start = found
            self.world.visits.append(plan.planned_visit(plan.Habit(
                slp["id"], hours["clinic_id"], 0, 0, 45, self.people["speech"][0], self.services["92507"]["id"],
                "on_site",
            ), start))  # fmt: skip

    def _off_sick(self) -> None:
        """The physiotherapist assistant goes home today (or on the next day with so many) with four visits left."""
        pta = self.staff["pta"]["id"]
        days: dict[Any, list[Planned]] = {}
        for planned in self.world.visits:
            if (
                planned.book.first.practitioner_id == pta
                and planned.is_open
                and planned.book.start > self.world.now
            ):
                days.setdefault(local_date(planned.book.start, "America/Phoenix"), []).append(planned)
        for on, visits in sorted(days.items()):
            if len(visits) >= 4:
                left = sorted(visits, key=lambda planned: planned.book.start)[-4:]
                self.world.absences.append(Absence(
                    of="practitioner", id=pta, start=left[0].book.start,
                    end=wall(on, 18 * 60 + 30, "America/Phoenix"), why="sick",
                ))  # fmt: skip
                return

    def logins(self) -> None:
        therapist, patient = self.staff["pt1"], self.people["pt"][1]
        whom = self.world.by_id("patient")[patient]
        self.world.logins += [
            Login(role="admin", word="admin", name="Juniper Admin"),
            Login(role="scheduler", word="scheduler", name="Juniper Front Desk"),
            Login(
                role="practitioner", word="therapist", name=therapist["name"], practitioner_id=therapist["id"]
            ),
            Login(role="biller", word="biller", name="Juniper Billing"),
            Login(
                role="patient",
                word="patient",
                name=f"{whom['given_name']} {whom['family_name']}",
                patient_id=patient,
            ),
            Login(role="auditor", word="auditor", name="Juniper Auditor"),
        ]


def build(number: int, now: int) -> World:
    """The same for the same number and the same minute."""
    juniper = _Juniper(number, now)
    juniper.places()
    juniper.offers()
    juniper.people_at_work()
    juniper.patients()
    juniper.authorizations()
    juniper.calendar()
    juniper.stories()
    juniper.logins()
    return juniper.world
