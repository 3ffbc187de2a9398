"""Juniper Therapy Group: the demo's first organization, two clinics in two time zones (practice.md tells why each
of its stories is there). All names are invented. Data only; `load.py` makes it real.
"""

from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from holdfast.commands.save import Document
from holdfast.seed import fates, plan, stories
from holdfast.seed.chance import Chance
from holdfast.seed.families import Families
from holdfast.seed.plan import Habit, Offer, Week
from holdfast.seed.world import Login, World

_DAY = (("08:00", "17:00"),)
_BETWEEN_CLINICS = (("08:00", "12:00"), ("12:45", "17:00"))
_SATURDAY = (("08:00", "13:00"),)
_WEEKDAYS = range(5)
_LUNCH = (12 * 60, 12 * 60 + 45)
_MEETING = (7 * 60 + 30, 8 * 60)
_BLOCKED_DAYS = (-14, 34)
_GROUP = (14 * 60 + 30, 16 * 60)
_GUIDANCE = (13 * 60, 14 * 60)
_FILL = 0.8
_SIBLINGS: Final = MappingProxyType({("aba", 1): ("aba", 0), ("aba", 12): ("aba", 10)})
_GROUP_OF_FOUR: Final = (0, 1, 3, 5)
# By child: more than half are with the payer who allows a supervisor beside a therapist.
_PAYERS_OF_CHILDREN: Final = (0, 0, 1, 0, 2, 0, 3)
_MORNINGS: Final = ("08:00", "12:00")
_AFTERNOONS: Final = ("12:45", "17:00")
_MISSED = 0.03
_PAST_DAYS, _AHEAD_DAYS = 14, 20


class _Juniper:
    """Building it step by step; each step uses what the ones before made."""

    def __init__(self, number: int, now: int) -> None:
        self.world = World(
            Chance("juniper", number), now, "Juniper Therapy Group", "juniper.example", "America/Phoenix"
        )
        self.today = self.world.today()
        self.families = Families(self.world, 602)
        self.staff: dict[str, Document] = {}
        self.services: dict[str, Document] = {}
        self.payers: list[str] = []
        self.people: dict[str, list[str]] = {}
        self.payer_of: dict[str, str] = {}
        self.parent_of: dict[str, str] = {}
        self._made: dict[tuple[str, int], Document] = {}

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
            ("97154", "Behaviour group", 90, ["playroom"], {
                "capacity": 6, "required_credentials": ["RBT", "BCBA"], "shares_practitioner": True}),
            ("97156", "Caregiver guidance", 60, ["consult", "family"], {
                "locations": ["on_site", "telehealth"], "attendance": "caregiver",
                "required_credentials": ["BCBA"]}),
            ("97151", "Behaviour assessment", 120, ["therapy", "consult", "family"], {
                "capacity": 3, "required_credentials": ["BCBA"]}),
            ("97161", "Physiotherapy evaluation", 60, ["physiotherapy", "therapy", "consult"], {
                "required_credentials": ["PT"], "unit_basis": "visit"}),
            ("97110", "Exercise", 45, ["physiotherapy"], {"required_credentials": ["PT", "PTA"]}),
            ("97140", "Manual therapy", 15, ["physiotherapy"], {"required_credentials": ["PT", "PTA"]}),
            ("97530", "Daily activities", 15, ["physiotherapy"], {"required_credentials": ["PT", "PTA"]}),
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
        rows: list[tuple[str, list[str], list[tuple[str, str | None]], bool, list[str]]] = [
            ("bcba1", [self.phoenix], [("BCBA", self.day(500))], False, ["en", "es"]),
            ("bcba2", [self.albuquerque], [("BCBA", self.day(700))], False, ["en"]),
            ("rbt1", [self.phoenix], [("RBT", self.day(300))], True, ["en", "es"]),
            ("rbt2", [self.phoenix], [("RBT", soon)], False, ["en"]),
            ("rbt3", [self.phoenix], [("RBT", self.day(210)), ("LMT", None)], False, ["en"]),
            ("rbt4", [self.albuquerque], [("RBT", self.day(340))], True, ["en", "nv"]),
            ("rbt5", [self.albuquerque], [("RBT", self.day(180))], False, ["en", "es"]),
            ("pt1", [self.phoenix], [("PT", self.day(600)), ("LMT", None)], True, ["en", "es"]),
            ("pt2", both, [("PT", self.day(420)), ("LMT", None)], False, ["en"]),
            ("pta", [self.phoenix], [("PTA", self.day(365)), ("LMT", None)], True, ["en"]),
            ("slp", [self.albuquerque], [("CCC-SLP", self.day(800))], True, ["en", "es"]),
            ("lpc", both, [("LPC", self.day(250))], True, ["en"]),
        ]
        for key, clinics, credentials, on_saturdays, languages in rows:
            given, family = self.world.chance.person()
            self.staff[key] = self.world.add(
                "practitioner", name=f"{given} {family}", clinic_ids=clinics, languages=languages,
                credentials=[
                    {"code": code, "valid_from": self.day(-700), "valid_to": until} for code, until in credentials
                ],
                concurrent_visits_max=4 if key == "rbt1" else 1,
                working_hours=self._hours(clinics, on_saturdays),
            )  # fmt: skip
        self._blocks()

    def _hours(self, clinics: list[str], on_saturdays: bool) -> list[Document]:
        """Who works at two clinics is at the second on Tuesdays and Thursdays, and has lunch on the way."""
        found = []
        for weekday in (*_WEEKDAYS, 5) if on_saturdays else _WEEKDAYS:
            clinic = clinics[-1] if weekday in {1, 3} else clinics[0]
            day = _DAY if len(clinics) == 1 else _BETWEEN_CLINICS
            for start, end in _SATURDAY if weekday == 5 else day:
                found.append({"clinic_id": clinic, "weekday": weekday, "start": start, "end": end})
        return found

    def _blocks(self) -> None:
        """The staff of each clinic have lunch together and meet on Mondays before anybody comes."""
        block, rooms = self.world.block, {room["name"]: room["id"] for room in self.world.all("room")}
        for clinic, zone, room in (
            (self.phoenix, "America/Phoenix", rooms["Consult"]),
            (self.albuquerque, "America/Denver", rooms["Family room"]),
        ):
            here = [each["id"] for each in self.staff.values() if each["clinic_ids"] == [clinic]]
            block("break", "Lunch", here, zone, _WEEKDAYS, _LUNCH, _BLOCKED_DAYS)
            block("meeting", "Team meeting", here, zone, [0], _MEETING, _BLOCKED_DAYS, room)

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
        born = chance.birth_date(self.today, youngest, oldest)
        language = chance.choice(("en",) * 12 + ("es", "es", None))
        # Of the children in behaviour therapy each clinic has a pair of siblings.
        elder = self._made.get(_SIBLINGS.get((group, n), ("", 0)))
        contacts: list[Document] = []
        if elder is not None:
            family, language, contacts = elder["family_name"], elder["language"], elder["contacts"]
        elif self.families.is_child(born):
            contacts = self.families.parents(family, language)
        elif (group, n) == ("pt", 1):
            contacts = [self.families.helper("caregiver")]
        payers = self._payers(group, n)
        more = self._story_of(group, n) or self._circumstances(group)
        patient = self._made[group, n] = self.world.add("patient", is_active=group != "discharged", **{
            "given_name": given, "family_name": family, "birth_date": born, "language": language,
            "contacts": contacts, "coverages": self.families.coverages(payers), **more,
        })  # fmt: skip
        self.payer_of[patient["id"]] = payers[0] if payers else self.payers[-1]
        if contacts:
            self.parent_of[patient["id"]] = contacts[0]["contact_id"]
        return str(patient["id"])

    def _payers(self, group: str, n: int) -> list[str]:
        """Who covers a patient, the first asked first; some pay for themselves."""
        if group == "aba":
            return [self.payers[_PAYERS_OF_CHILDREN[n % len(_PAYERS_OF_CHILDREN)]]]
        if group == "discharged" or (group == "on_hold" and n % 6 == 5):
            return []
        first, second = self.payers[n % 4], self.payers[(n + 1) % 4]
        return [first, second] if n % 5 == 0 else [first]

    def _story_of(self, group: str, n: int) -> Document:
        """What is told of somebody in particular."""
        staff = {key: each["id"] for key, each in self.staff.items()}
        told: dict[tuple[str, int], Document] = {
            ("pt", 1): {
                "needs": ["wheelchair"], "alerts": "Uses a power chair; allow for transfers.",
                "preferred_practitioner_ids": [staff["pt1"]],
            },
            ("counselling", 0): {
                "needs": ["hearing loop"], "alerts": "Wears hearing aids in both ears.",
            },
            ("speech", 3): {"language": "vi", "needs_interpreter": True},
            ("aba", 13): {"excluded_practitioner_ids": [staff["rbt5"]]},
        }  # fmt: skip
        return told.get((group, n), {})

    def _circumstances(self, group: str) -> Document:
        chance = self.world.chance
        if group != "speech" and chance.some(0.06):
            return {"needs": ["step-free"]}
        if chance.some(0.06):
            alerts = ("Allergic to latex.", "Allergic to peanuts.", "May leave the room.")
            return {"alerts": chance.choice(alerts)}
        if group in {"speech", "counselling"} and chance.some(0.2):
            start, end = chance.choice((_MORNINGS, _AFTERNOONS))
            return {"availability": [{"weekday": day, "start": start, "end": end} for day in _WEEKDAYS]}
        if group == "pt" and chance.some(0.2):
            return {"preferred_practitioner_ids": [self.staff[chance.choice(("pt1", "pt2"))]["id"]]}
        return {}

    # What is approved

    def authorizations(self) -> None:
        """Half a year each, begun at different times; the first of some groups tell stories. A child's sessions and their
        supervision are paid from two; one child has everything grouped in one."""
        people, treatment = self.people, ["97110", "97140", "97530"]
        for child in people["aba"][:-1]:
            self._authorize(child, ["97153", "97154"], 1800)
            self._authorize(child, ["97155", "97156"], 600)
        self._authorize(people["aba"][-1], ["97153", "97154", "97155", "97156"], 2200)
        for patient in people["pt"][1:]:
            self._authorize(patient, treatment, 320)
        self._authorize(people["pt"][1], ["97161"], 4, unit_basis="visit")
        for patient in people["speech"]:
            self._authorize(patient, ["92507"], 60, unit_basis="day")
        for patient in people["counselling"]:
            self._authorize(patient, ["90834"], 60, unit_basis="visit")
        for patient in people["evaluated"]:
            self._authorize(patient, ["97151"], 96)
            self._authorize(patient, ["97161"], 8, unit_basis="visit")
        # Nearly used up: 46 of 50 before this calendar begins.
        spent = self._authorize(people["pt"][0], treatment, 50)
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
        self._authorize(people["on_hold"][3], ["97110"], 24, span=(-203, -21))

    def _authorize(
        self, patient: str, codes: list[str], units: int, span: tuple[int, int] | None = None, **more: Any
    ) -> str:
        chance = self.world.chance
        if span is None:
            begun = chance.randint(20, 120)
            span = (-begun, 182 - begun)
        return str(self.world.add(
            "authorization", patient_id=patient, payer_id=self.payer_of[patient], service_codes=codes,
            total_units=units, start_date=self.day(span[0]), end_date=self.day(span[1]),
            authorization_number=f"A-{chance.randint(100_000, 999_999)}", **more,
        )["id"])  # fmt: skip

    # What happens

    def calendar(self) -> None:
        """What has a story to tell is given its time first; the rest fills what is left."""
        week = Week(self.world)
        for block in self.world.blocks:
            for practitioner in block.practitioner_ids if block.kind == "break" else ():
                for weekday in _WEEKDAYS:
                    week.block(practitioner, weekday, *_LUNCH)
        north, south = self.people["aba"][9:], self.people["aba"][:9]
        self._group(week)
        self._guidance(week, north[0])
        self._therapy(week, south, north)
        self._supervision(week, south, north)
        self._other_services(week)
        self.world.visits = plan.visits(self.world, week.habits, -_PAST_DAYS, _AHEAD_DAYS, _MISSED)
        stories.gathered(self.world, self.services["97154"], 3, 6)

    def _offer(
        self, code: str, whom: list[str], minutes: tuple[int, ...], weekly: int, *locations: str
    ) -> Offer:
        return Offer(
            service=self.services[code], patients=whom, minutes=minutes, weekly=weekly,
            locations=locations or ("on_site",), caregivers=self.parent_of if code == "97156" else {},
        )  # fmt: skip

    def _group(self, week: Week) -> None:
        """Four children at once, siblings among them: a group with a therapist in the playroom, and room for two more."""
        service = self.services["97154"]
        for n, number in enumerate(_GROUP_OF_FOUR):
            habit = Habit(
                self.staff["rbt1"]["id"], self.phoenix, 2, *_GROUP, self.people["aba"][number], service["id"],
                "on_site", is_kept=True,
            )  # fmt: skip
            week.give(habit, service, shares_practitioner=n > 0)

    def _guidance(self, week: Week, child: str) -> None:
        """A parent comes without the child, to the only room for talking in Albuquerque, while the counsellor has time
        there: the story of the visit without a room needs both."""
        service = self.services["97156"]
        habit = Habit(
            self.staff["bcba2"]["id"], self.albuquerque, 3, *_GUIDANCE, child, service["id"], "on_site",
            caregiver_id=self.parent_of[child], is_kept=True,
        )  # fmt: skip
        week.give(habit, service)
        week.block(self.staff["lpc"]["id"], 3, *_GUIDANCE)

    def _therapy(self, week: Week, south: list[str], north: list[str]) -> None:
        staff, sessions, long = self.staff, (120, 120, 150, 180), (150, 180, 180)
        for key in ("rbt1", "rbt2", "rbt3"):
            week.fill(staff[key], [self._offer("97153", south, sessions, 750)], _FILL)
        # First who is out all day, since their ways leave little choice.
        week.fill(staff["rbt5"], [self._offer("97153", north, long, 840, "home", "school")], _FILL)
        week.fill(
            staff["rbt4"], [self._offer("97153", north, (120, 120, 120, 150), 840, "on_site", "home")], _FILL
        )

    def _supervision(self, week: Week, south: list[str], north: list[str]) -> None:
        """The supervisor joins a session where the payer allows it, and else comes at a time of their own."""
        evaluated = self.people["evaluated"]
        for key, children, others in (("bcba1", south, evaluated[:12]), ("bcba2", north, evaluated[12:])):
            joined = [child for child in children if self.payer_of[child] == self.payers[0]]
            for child in joined:
                week.supervise(self.staff[key], self.services["97155"], self.services["97153"], child)
            alone = [child for child in children if child not in joined]
            week.fill(self.staff[key], [
                self._offer("97155", alone, (60,), 120), self._offer("97151", others, (120,), 120),
                self._offer("97156", children, (60,), 180, "on_site", "telehealth"),
            ], _FILL)  # fmt: skip

    def _other_services(self, week: Week) -> None:
        staff, people, pt = self.staff, self.people, self.people["pt"]
        exercise, manual, daily = (self.services[code] for code in ("97110", "97140", "97530"))
        sittings = (
            ((exercise, 45),), ((exercise, 30), (manual, 15)), ((exercise, 15), (manual, 15), (daily, 15)),
        )  # fmt: skip

        def treatment(whom: list[str]) -> Offer:
            return Offer(service=exercise, patients=whom, weekly=180, sittings=sittings)

        evaluations = self._offer("97161", people["evaluated"][:12], (60,), 60)
        week.fill(staff["pt1"], [treatment(pt[:33]), evaluations], _FILL)
        week.fill(staff["pta"], [self._offer("97110", pt[:33], (45,), 180)], _FILL)
        week.fill(staff["pt2"], [treatment(pt)], _FILL)
        week.fill(staff["slp"], [self._offer("92507", people["speech"], (45,), 90)], _FILL)
        telling = self._offer("90834", people["counselling"], (50,), 100, "on_site", "telehealth")
        week.fill(staff["lpc"], [telling], _FILL)

    def stories(self) -> None:
        """What is to be found by clicking, beside what happens anyway."""
        work, staff = self.world, self.staff
        fates.decide(work)
        stories.without_a_room(
            work, staff["lpc"], self.services["90834"], self.people["counselling"], self.albuquerque
        )
        stories.off_sick(work, staff["pta"]["id"], "America/Phoenix")
        stories.proposed(work, self.phoenix, self.services["97161"])
        stories.weekly(work, staff["slp"], self.services["92507"], self.people["speech"][4])
        stories.held(work, staff["slp"], self.services["92507"], self.people["speech"][4:])
        stories.closed(
            work, "clinic", self.albuquerque, 25, ("12:00", "18:30"), "America/Denver",
            "Everybody is at a training.",
        )  # fmt: skip
        stories.closed(
            work, "room", work.all("room")[5]["id"], 6, ("12:00", "17:00"), "America/Phoenix",
            "The floor is being mended.",
        )  # fmt: skip

    def logins(self) -> None:
        therapist, patient = self.staff["pt1"], self.people["pt"][1]
        stories.asking(self.world, "therapist", self.people["aba"][0])
        whom, child = self.world.by_id("patient")[patient], self.people["aba"][0]
        parent = self.world.by_id("contact")[self.parent_of[child]]
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
            Login(role="patient", word="parent", name=parent["name"], contact_id=parent["id"]),
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
