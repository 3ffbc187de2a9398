"""Harbor Smiles: the demo's second organization, a dental practice with four operatories. All names are invented.
Smaller than the first and with every noun present, so that a second tenant is there to be kept apart. Data only.
"""

from datetime import timedelta

from holdfast.commands.save import Document
from holdfast.seed import fates, plan, stories
from holdfast.seed.chance import Chance
from holdfast.seed.families import Families
from holdfast.seed.plan import Habit, Offer, Part, Week
from holdfast.seed.world import Login, World

_ZONE = "America/New_York"
_FILL = 0.6
_CHAIR_MINUTES = 75
_LUNCH = (12 * 60, 13 * 60)


def build(number: int, now: int) -> World:
    """The same for the same number and the same minute."""
    world = World(Chance("harbor", number), now, "Harbor Smiles", "harbor.example", _ZONE)
    add, chance = world.add, world.chance
    week_hours = [{"weekday": day, "start": "08:00", "end": "17:00"} for day in range(5)]
    clinic = add("clinic", name="Harbor Smiles", time_zone=_ZONE, opening_hours=week_hours)["id"]
    rooms = [
        add(
            "room", clinic_id=clinic, number=str(n), name=f"Operatory {n}", room_type="operatory", capacity=3,
            equipment=["chair", "x-ray"] if n <= 2 else ["chair"], accessibility=["step-free", "wheelchair"],
            cleaning_minutes=10, display_order=n,
        )
        for n in range(1, 5)
    ]  # fmt: skip
    staff = {
        key: add(
            "practitioner", name=title + " ".join(chance.person()), credentials=[{"code": credential}],
            concurrent_visits_max=2 if key == "dentist" else 1, languages=languages,
            working_hours=[{"clinic_id": clinic, "weekday": day, "start": "08:00", "end": "17:00"} for day in range(5)],
        )
        for key, title, credential, languages in (
            ("dentist", "Dr ", "DDS", ["en", "fr"]), ("assistant1", "", "DA", ["en"]), ("assistant2", "", "DA", ["en"]),
            ("hygienist1", "", "RDH", ["en"]), ("hygienist2", "", "RDH", ["en", "es"]),
        )
    }  # fmt: skip
    everybody = [each["id"] for each in staff.values()]
    world.block("break", "Lunch", everybody, _ZONE, range(5), _LUNCH, (-7, 34))
    world.block("meeting", "Morning huddle", everybody, _ZONE, range(5), (7 * 60 + 30, 7 * 60 + 45), (0, 20))
    services = {
        code: add(
            "service", code=code, name=name, duration_minutes=minutes, room_types=["operatory"],
            required_credentials=credentials, unit_basis="visit", authorization_required=needs,
        )
        for code, name, minutes, credentials, needs in (
            ("D0120", "Check-up", 30, ["DDS", "RDH"], False), ("D1110", "Cleaning", 60, ["RDH", "DDS"], False),
            ("D2391", "Filling", 60, ["DDS"], False), ("D2740", "Crown", 90, ["DDS"], True),
            ("CHAIR", "Chairside", 60, ["DA"], False), ("D1330", "Brushing together", 30, ["RDH"], False),
        )
    }  # fmt: skip
    payers = [
        add("payer", name="Lighthouse Dental", codes_needing_authorization=["D2740"])["id"],
        add("payer", name="Self-pay", over_units="allow")["id"],
    ]
    patients = _patients(world, payers[0])
    _crowns(world, payers[0], patients[:6])
    week = Week(world)
    for who in everybody:
        for day in range(5):
            week.block(who, day, *_LUNCH)
    _two_chairs(world, week, staff, services, patients)
    check_up = Offer(service=services["D0120"], patients=patients, minutes=(30,), weekly=30)
    cleaning = Offer(service=services["D1110"], patients=patients, minutes=(60,), weekly=60)
    for hygienist in (staff["hygienist1"], staff["hygienist2"]):
        week.fill(hygienist, [cleaning, check_up], _FILL)
    world.visits = plan.visits(world, week.habits, -7, 13, 0.05)
    fates.decide(world)
    stories.proposed(world, clinic, services["D0120"])
    assistant = staff["assistant2"]
    treated = {habit.patient_id for habit in week.habits if habit.practitioner_id == assistant["id"]}
    stories.asking(world, "assistant", next(each for each in patients if each not in treated))
    stories.held(world, staff["hygienist1"], services["D1110"], patients[6:])
    stories.taught(world, staff["hygienist1"], services["D1330"], patients[8:])
    stories.weekly(world, staff["hygienist1"], services["D1110"], patients[6])
    _absences(world, clinic, rooms[3]["id"], staff["hygienist2"]["id"])
    world.logins += [
        Login(role="admin", word="admin", name="Harbor Admin"),
        Login(role="scheduler", word="scheduler", name="Harbor Front Desk"),
        Login(role="practitioner", word="assistant", name=assistant["name"], practitioner_id=assistant["id"]),
    ]
    return world


def _crowns(world: World, payer: str, patients: list[str]) -> None:
    """Two crowns approved for each."""
    today, chance = world.today(), world.chance
    for patient in patients:
        world.add(
            "authorization", patient_id=patient, payer_id=payer, service_codes=["D2740"], total_units=2,
            unit_basis="visit", start_date=(today - timedelta(days=30)).isoformat(),
            end_date=(today + timedelta(days=150)).isoformat(), authorization_number=f"H-{chance.randint(1000, 9999)}",
        )  # fmt: skip


def _absences(world: World, clinic: str, room: str, hygienist: str) -> None:
    for of, subject, days, why in (
        ("clinic", clinic, 26, "The water is turned off."),
        ("room", room, 5, "The chair is being serviced."),
        ("practitioner", hygienist, 19, "holiday"),
    ):
        stories.closed(world, of, subject, days, ("08:00", "17:00"), _ZONE, why)  # type: ignore[arg-type]


def _patients(world: World, payer: str) -> list[str]:
    """Forty, two of them siblings; the last ten pay for themselves."""
    chance, families, found = world.chance, Families(world, 207), list[Document]()
    for n in range(40):
        given, family = chance.person()
        born = chance.birth_date(world.today(), 4, 80 if n > 1 else 14)
        contacts = families.parents(family, "en") if families.is_child(born) else []
        if n == 1:
            family, contacts = found[0]["family_name"], found[0]["contacts"]
        found.append(world.add(
            "patient", given_name=given, family_name=family, birth_date=born, language="en", contacts=contacts,
            coverages=families.coverages([payer] if n < 30 else []),
        ))  # fmt: skip
    return [each["id"] for each in found]


def _two_chairs(
    world: World, week: Week, staff: dict[str, Document], services: dict[str, Document], patients: list[str]
) -> None:
    """The dentist goes to and fro between two chairs: at each an assistant is there for the whole visit, the dentist for
    the half hour in its middle."""
    chance, chair, dentist = world.chance, services["CHAIR"], staff["dentist"]["id"]
    for weekday in range(5):
        for number, assistant in enumerate((staff["assistant1"]["id"], staff["assistant2"]["id"])):
            for stretch in ((8 * 60, _LUNCH[0]), (_LUNCH[1], 17 * 60)):
                for start in range(stretch[0] + 30 * number, stretch[1] - 60 + 1, _CHAIR_MINUTES):
                    # Some places stay free, as they do.
                    if chance.some(0.25):
                        continue
                    patient = chance.choice(patients[6:])
                    service = services["D2391"]
                    if start > stretch[0] + 60 and chance.some(0.2):
                        patient, service = chance.choice(patients[:6]), services["D2740"]
                    part = Part(dentist, service["id"], start + 15, start + 45)
                    week.give(Habit(
                        assistant, staff["dentist"]["working_hours"][0]["clinic_id"], weekday, start, start + 60,
                        patient, chair["id"], "on_site", (part,),
                    ), chair)  # fmt: skip
