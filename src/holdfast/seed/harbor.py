"""Harbor Smiles: the demo's second organization, a dental practice with four operatories. All names are invented.
Smaller than the first and with every noun present, so that a second tenant is there to be kept apart. Data only.
"""

from datetime import timedelta

from holdfast.seed import fates, plan
from holdfast.seed.chance import Chance
from holdfast.seed.plan import Offer, Week
from holdfast.seed.world import Absence, Login, World
from holdfast.slot import wall

_ZONE = "America/New_York"
_FILL = 0.6


def build(number: int, now: int) -> World:
    """The same for the same number and the same minute."""
    world = World(Chance("harbor", number), now, "Harbor Smiles", "harbor.example", _ZONE)
    today, add, chance = world.today(), world.add, world.chance
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
    hours = [
        {"clinic_id": clinic, "weekday": day, "start": start, "end": end}
        for day in range(5)
        for start, end in (("08:00", "12:00"), ("13:00", "17:00"))
    ]
    staff = [
        add("practitioner", name="Dr " + " ".join(chance.person()), credentials=[{"code": "DDS"}],
            concurrent_visits_max=2, working_hours=hours),
        add("practitioner", name=" ".join(chance.person()), credentials=[{"code": "RDH"}], working_hours=hours),
        add("practitioner", name=" ".join(chance.person()), credentials=[{"code": "RDH"}], working_hours=hours),
    ]  # fmt: skip
    services = {
        code: add(
            "service", code=code, name=name, duration_minutes=minutes, room_types=["operatory"],
            required_credentials=credentials, unit_basis="visit", authorization_required=needs,
        )
        for code, name, minutes, credentials, needs in (
            ("D0120", "Check-up", 30, ["DDS", "RDH"], False), ("D1110", "Cleaning", 60, ["RDH", "DDS"], False),
            ("D2391", "Filling", 60, ["DDS"], False), ("D2740", "Crown", 90, ["DDS"], True),
        )
    }  # fmt: skip
    payers = [add("payer", name=name)["id"] for name in ("Lighthouse Dental", "Self-pay")]
    patients = [
        add("patient", given_name=given, family_name=family, birth_date=chance.birth_date(today, 4, 80))["id"]
        for given, family in (chance.person() for _ in range(40))
    ]
    for patient in patients[:6]:
        add(
            "authorization", patient_id=patient, payer_id=payers[0], service_codes=["D2740"], total_units=2,
            unit_basis="visit", start_date=(today - timedelta(days=30)).isoformat(),
            end_date=(today + timedelta(days=150)).isoformat(), authorization_number=f"H-{chance.randint(1000, 9999)}",
        )  # fmt: skip
    week = Week(world)
    check_up = Offer(service=services["D0120"], patients=patients, minutes=(30,), weekly=30)
    filling = Offer(service=services["D2391"], patients=patients, minutes=(60,), weekly=60)
    crown = Offer(service=services["D2740"], patients=patients[:6], minutes=(90,), weekly=90)
    cleaning = Offer(service=services["D1110"], patients=patients, minutes=(60,), weekly=60)
    week.fill(staff[0], [check_up, filling, crown], _FILL)
    for hygienist in staff[1:]:
        week.fill(hygienist, [cleaning, check_up], _FILL)
    world.visits = plan.visits(world, week.habits, -7, 13, 0.05)
    fates.decide(world)
    _absences(world, clinic, rooms[3]["id"], staff[2]["id"])
    world.meet([each["id"] for each in staff[:3]], _ZONE, "Morning huddle")
    world.logins += [
        Login(role="admin", word="admin", name="Harbor Admin"),
        Login(role="scheduler", word="scheduler", name="Harbor Front Desk"),
    ]
    return world


def _absences(world: World, clinic: str, room: str, hygienist: str) -> None:
    today = world.today()
    for of, subject, days, why in (
        ("clinic", clinic, 26, "The water is turned off."),
        ("room", room, 5, "The chair is being serviced."),
        ("practitioner", hygienist, 19, "holiday"),
    ):
        on = today + timedelta(days=days)
        world.absences.append(Absence(
            of=of, id=subject, start=wall(on, 8 * 60, _ZONE), end=wall(on, 17 * 60, _ZONE), why=why,  # type: ignore[arg-type]
        ))  # fmt: skip
