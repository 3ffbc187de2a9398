"""Every invariant is seen red: its fault is planted in a database whose constraints have been taken away."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from api.people import PASSWORD
from laws.conftest import Open
from laws.wire import Client
from laws.world import World, at, changed, day, make_world

from holdfast import ids
from holdfast.proof import invariants, verify
from holdfast.proof.statements import statement
from holdfast.settings import Settings

_V = "(select id from appointments where organization_id = $1 and status = 'scheduled' order by starts_at limit 1)"
_CLAIM = (
    "organization_id, resource_id, seat, starts_at, ends_at, kind, appointment_id, closure_id, time_off_id"
)
# What goes wrong, as SQL; the organization is $1. Each is followed by what must find it.
FAULTS: dict[str, tuple[str, str]] = {
    "two claims on one seat": (
        (f"insert into claims ({_CLAIM}) select organization_id, resource_id, seat, s, e, kind,"
        " appointment_id, closure_id, time_off_id from (select *, starts_at + interval '1 minute' as s, ends_at as e"
        " from claims where organization_id = $1 and kind = 'visit' limit 1) c"),
        "claims_overlap",
    ),
    "a short claim inside a long one's tail": (
        (f"insert into claims ({_CLAIM}) select organization_id, resource_id, seat, s, e, kind,"
        " appointment_id, closure_id, time_off_id from (select *, ends_at - interval '2 minutes' as s,"
        " ends_at - interval '1 minute' as e from claims where organization_id = $1 and kind = 'visit' limit 1) c"),
        "claims_overlap",
    ),
    "a patient in two visits": (
        ("update appointment_lines set starts_at = o.starts_at, ends_at = o.ends_at from (select l.starts_at, l.ends_at,"
        " l.appointment_id from appointment_lines l join appointments a on a.id = l.appointment_id"
        f" where a.patient_id = (select patient_id from appointments where id = {_V}) and a.id <> {_V}"
        f" and a.status = 'scheduled' limit 1) o where appointment_lines.appointment_id = {_V}"),
        "patient_twice",
    ),
    "a visit without its room's claim": (
        f"delete from claims where appointment_id = {_V} and kind = 'turnover'", "visits_have_their_claims"
    ),
    "a room chosen on nothing": (
        "delete from room_grounds where organization_id = $1", "decisions_have_their_grounds"
    ),
    "a caregiver who is there and whose time is not claimed": (
        "delete from claims where organization_id = $1 and resource_id in (select id from contacts)",
        "visits_have_their_claims",
    ),
    "a cancelled visit that holds time": (
        f"update appointments set status = 'cancelled', cancelled_at = now() where id = {_V}",
        "visits_have_their_claims",
    ),
    "a claim of nobody": (
        "update claims set appointment_id = null where organization_id = $1 and kind = 'turnover'", "claims_belong"
    ),
    "a claim on a seat that is not there": (
        "update claims set seat = 7 where organization_id = $1 and kind = 'turnover'", "claims_belong"
    ),
    "a range that says otherwise": (
        ("update claims set during = tstzrange(starts_at, ends_at + interval '1 hour') where organization_id = $1"
        " and kind = 'turnover'"),
        "claims_belong",
    ),
    "a block that was deleted and holds time": (
        "update blocks set deleted_at = now() where organization_id = $1", "claims_belong"
    ),
    "a block on somebody else's time": (
        "update block_attendees set practitioner_id = gen_random_uuid() where organization_id = $1", "claims_belong"
    ),
    "a block without its claim": (
        "delete from claims where organization_id = $1 and kind = 'block'", "blocks_have_their_claims"
    ),
    "a group without its practitioner's time": (
        ("delete from claims where organization_id = $1 and kind = 'group' and resource_id in"
        " (select practitioner_id from groups)"),
        "groups_have_their_claims",
    ),
    "a group that was cancelled and holds time": (
        "update blocks set deleted_at = now() where organization_id = $1 and kind = 'group' and deleted_at is null",
        "groups_have_their_claims",
    ),
    "a member without a place in the group": (
        "delete from claims where organization_id = $1 and resource_id in (select id from groups)",
        "visits_have_their_claims",
    ),
    "a member at another time than the group": (
        ("update appointment_lines l set starts_at = l.starts_at - interval '1 minute' from appointments a"
        " where a.organization_id = $1 and a.id = l.appointment_id and a.group_id is not null"),
        "members_are_with_their_group",
    ),
    "more members than a group may have": (
        "update groups set members_max = members_max - 1 where organization_id = $1", "members_are_with_their_group"
    ),
    "a group of another size than was told": (
        "update groups set members_min = members_min + 1 where organization_id = $1", invariants.REPLAY
    ),
    "a hold without its claims": (
        "delete from claims where organization_id = $1 and kind = 'hold'", "holds_have_their_claims"
    ),
    "a hold that has ended and holds time": (
        "update holds set ended_as = 'released', ended_at = now() where organization_id = $1 and ended_as is null",
        "holds_have_their_claims",
    ),
    "a hold of more time than was told": (
        "update holds set turnover_minutes = turnover_minutes + 1 where organization_id = $1 and ended_as is null",
        "events_replayed_equal_tables",
    ),
    "a block of another kind than was told": (
        "update blocks set kind = 'travel' where organization_id = $1", "events_replayed_equal_tables"
    ),
    "a block that was told away and stands": (
        "update blocks set deleted_at = null where organization_id = $1 and deleted_at is not null",
        "events_replayed_equal_tables",
    ),
    "a visit of a series that this does not name": (
        "update series set dates = dates - 0 where organization_id = $1", "series_have_their_visits"
    ),
    "a visit that a series names twice": (
        "update series set dates = dates || (dates -> 0) where organization_id = $1", "series_have_their_visits"
    ),
    "a visit of somebody else's series": (
        "update series set patient_id = gen_random_uuid() where organization_id = $1", "series_have_their_visits"
    ),
    "a date of a series that was told otherwise": (
        ("update series set dates = jsonb_set(dates, '{1,start}', '60') where organization_id = $1"),
        "events_replayed_equal_tables",
    ),
    "more units than there are": (
        "update authorizations set total_units = 1 where organization_id = $1", "units_within_total"
    ),
    "a counter that has slipped": (
        "update authorizations set scheduled_units = scheduled_units + 1 where organization_id = $1",
        "counters_equal_ledger",
    ),
    "a ledger entry that is gone": (
        "delete from authorization_entries where organization_id = $1 and entry_no = 2", "counters_equal_ledger"
    ),
    "an entry numbered otherwise": (
        "update authorization_entries set entry_no = 90 where organization_id = $1 and entry_no = 2",
        "entries_match_versions",
    ),
    "an entry that no event tells": (
        "update authorization_entries set seq = 1 where organization_id = $1 and entry_no = 2",
        "entries_match_versions",
    ),
    "a line that holds too few units": (
        ("update appointment_lines set units_reserved = units_reserved - 1 where organization_id = $1"
        " and authorization_id is not null and units_reserved > 0"),
        "lines_hold_their_units",
    ),
    "a cancelled line that holds units": (
        ("update appointment_lines l set units_reserved = 1 from appointments a where a.organization_id = $1"
        " and a.status = 'cancelled' and l.appointment_id = a.id"),
        "lines_hold_their_units",
    ),
    "a signed line that still holds units": (
        ("update appointment_lines set units_reserved = 1 where organization_id = $1 and line_status = 'signed'"),
        "lines_hold_their_units",
    ),
    "a line that has used more than was entered": (
        ("update appointment_lines set units_used = units_used + 1 where organization_id = $1"
        " and line_status = 'signed'"),
        "lines_use_what_the_ledger_says",
    ),
    "a line that left its units behind": (
        ("update authorization_entries set line_no = 9 where organization_id = $1 and kind = 'reserve'"),
        "lines_use_what_the_ledger_says",
    ),
    "a signed line without its session": (
        "delete from sessions where organization_id = $1 and signed_at is not null", "signed_lines_have_their_session"
    ),
    "a signed session of a line that is not": (
        ("update appointment_lines set line_status = 'completed' where organization_id = $1"
        " and line_status = 'signed'"),
        "signed_lines_have_their_session",
    ),
    "a signed visit that was opened again": (
        ("update appointments a set status = 'in_progress' from appointment_lines l where a.organization_id = $1"
        " and l.appointment_id = a.id and l.line_status = 'signed'"),
        "signed_lines_have_their_session",
    ),
    "what was signed first is gone": (
        "delete from session_versions where organization_id = $1 and version_no = 1",
        "versions_of_sessions_without_gap",
    ),
    "a session that was written over unsaid": (
        "update sessions set version = version + 1 where organization_id = $1", invariants.REPLAY
    ),
    "another patient's authorization": (
        ("update authorizations set patient_id = (select id from patients where organization_id = $1"
        " and id <> authorizations.patient_id limit 1) where organization_id = $1"),
        "lines_hold_their_units",
    ),
    "a visit that nothing was scheduled for": (
        "update authorizations set scheduled_units = 0, manual_units = 0 where organization_id = $1",
        "visits_make_up_scheduled",
    ),
    "an event that is missing": ("delete from events where organization_id = $1 and seq = 5", "events_without_gap"),
    "the last event gone": (
        "delete from events where organization_id = $1 and seq = (select seq from turns where organization_id = $1)",
        "events_without_gap",
    ),
    "a batch that is missing": (
        "delete from batches where organization_id = $1 and batch_no = 3", "batches_without_gap"
    ),
    "an audit row that was rewritten": (
        "update audit set action = 'nothing' where organization_id = $1 and batch_no = 2", "audit_chain"
    ),
    "an audit row that was added": (
        ("insert into audit select organization_id, 9999, position, actor_id, action, subject, subject_id, detail,"
        " request_id, created_at from audit where organization_id = $1 limit 1"),
        "audit_chain",
    ),
    "another head": ("update turns set audit_hash = '\\x00' where organization_id = $1", "audit_chain"),
    "two results of one key": (
        "insert into idempotency_keys select * from idempotency_keys where organization_id = $1",
        "keys_have_one_result",
    ),
    "a kept refusal": (
        "update idempotency_keys set status = 409 where organization_id = $1", "keys_have_one_result"
    ),
    "a room of nobody's": (
        "update rooms set clinic_id = gen_random_uuid() where organization_id = $1", "references_stay_home"
    ),
    "an exclusion that bookings do not see": (
        ("insert into patient_practitioners select p.organization_id, p.id, q.id, 'excluded' from patients p"
        " join practitioners q on q.organization_id = p.organization_id where p.organization_id = $1 limit 1"),
        "patients_carry_their_constraints",
    ),
    "two policies in force in one scope": (
        ("insert into policies select organization_id, gen_random_uuid(), version + 1, scope, scope_id, rules, status,"
        " activated_as, created_by, created_at from policies where organization_id = $1 and status = 'active'"),
        "policies_in_force",
    ),
    "a policy in force by nobody's activation": (
        "update policies set activated_as = 98 where organization_id = $1 and status = 'active'", "policies_in_force"
    ),
    "a policy that was put aside unsaid": (
        "update policies set status = 'replaced' where organization_id = $1", "policies_in_force"
    ),
    "a number of another set": (
        "update turns set policy_version = 0 where organization_id = $1", "policies_in_force"
    ),
    "an appointment that nobody was told of": (
        "update appointments set pinned = true where organization_id = $1", invariants.REPLAY
    ),
    "an event that says otherwise": (
        ("update events set body = jsonb_set(body::jsonb, '{status}', '\"completed\"')::json where organization_id = $1"
        " and kind like 'appointment.%'"),
        invariants.REPLAY,
    ),
    "an event told twice": (
        ("update events set body = (select body from events where organization_id = $1 and kind = 'appointment.booked'"
        " order by seq limit 1) where organization_id = $1 and kind = 'appointment.cancelled'"),
        invariants.REPLAY,
    ),
    "an authorization with another count": (
        ("update authorizations set used_units = 0, scheduled_units = scheduled_units + 1, total_units = total_units + 1"
        " where organization_id = $1"),
        invariants.REPLAY,
    ),
}  # fmt: skip


@pytest.fixture
async def owner(settings: Settings) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(settings.database_admin_url)
    yield connection
    await connection.close()


@pytest.fixture
async def world(open_world: Open) -> World:
    """A small history: visits with and without units, one moved, one cancelled, one with a caregiver, one signed, a series,
    groups, and a block."""
    world = await open_world(1)
    client = world.client()
    await world.authorization(0, 20)
    made = []
    for number, service in enumerate((world.funded_service, world.service, world.funded_service)):
        booking = world.booking(day(number), number % 2, number % 2, service_id=service)
        made.append((await client.post("/appointments", booking, idempotency_key=f"k{number}")).body["id"])
    await client.patch(f"/appointments/{made[1]}", {"room_id": world.rooms[0]})
    cancelled = await client.post("/appointments", world.booking(day(5), service_id=world.funded_service))
    await client.post(f"/appointments/{cancelled.body['id']}/cancel")
    times = {"start": at(day(6)), "end": at(day(6) + timedelta(hours=1))}
    block = {
        "kind": "meeting",
        "practitioner_ids": [world.practitioners[0]],
        "room_id": world.rooms[0],
        **times,
    }
    made_block = await client.post("/blocks", block)
    assert made_block.status == 201
    moved = {"start": at(day(6) + timedelta(hours=2))}
    assert (await client.patch(f"/blocks/{made_block.body['id']}", moved)).status == 200
    gone = await client.post("/blocks", block)
    assert (await client.patch(f"/blocks/{gone.body['id']}", {"kind": "admin"})).status == 200
    assert (await client.delete(f"/blocks/{gone.body['id']}")).status == 204
    held = [await client.post("/holds", world.booking(day(n), ttl_seconds=3_600)) for n in (7, 8)]
    assert [each.status for each in held] == [201, 201]
    assert (await client.delete(f"/holds/{held[0].body['hold_id']}")).status == 204
    series = await client.post("/appointments/series", world.booking(day(11), rrule="FREQ=DAILY;COUNT=3"))
    assert series.status == 201, series.content
    later = {"start": at(day(12) + timedelta(hours=1)), "from": series.body["booked"][1]["id"]}
    assert (await client.patch(f"/series/{series.body['series_id']}", later)).status == 200
    await _meet_as_a_group(world)
    await _guide_a_parent(world)
    await _sign(world)
    policy = await client.post("/policies", {"scope": "organization", "rules": []})
    assert (await client.post(f"/policies/{policy.body['id']}/activate")).status == 200
    return world


async def _meet_as_a_group(world: World) -> None:
    """A group that was moved with its member, and one that was cancelled."""
    client = world.client()
    for number in (14, 15):
        wanted = {
            "clinic_id": world.clinic, "service_id": world.service, "practitioner_id": world.practitioners[1],
            "start": at(day(number)), "members_max": 1, "members": [{"patient_id": world.patients[1]}],
        }  # fmt: skip
        made = await client.post("/groups", wanted)
        assert made.status == 201, made.content
        path = f"/groups/{made.body['id']}"
        if number == 14:
            moved = await client.patch(path, {"start": at(day(number) + timedelta(hours=1))})
        else:
            moved = await client.post(f"{path}/cancel", {})
        assert moved.status == 200, moved.content


async def _guide_a_parent(world: World) -> None:
    """A visit of two lines that follow each other: the child is at the first, a parent at both."""
    client, child = world.client(), f"/patients/{world.patients[1]}"
    parents = [{"name": "Rosa", "relationship": "parent"}]
    parent = (await client.patch(child, {"contacts": parents})).body["contacts"][0]["contact_id"]
    guidance = await client.post("/services", {
        "name": "Guidance", "code": "GUIDE", "duration_minutes": 30, "attendance": "caregiver"})  # fmt: skip
    line = {
        "practitioner_id": world.practitioners[0], "service_id": guidance.body["id"], "caregiver_id": parent,
        "start": at(day(9) + timedelta(minutes=30)), "duration_minutes": 30,
    }  # fmt: skip
    booking = world.booking(day(9), patient=1, lines=[line], caregiver_id=parent)
    assert (await client.post("/appointments", booking)).status == 201


async def _sign(world: World) -> None:
    """A session of the week before that was signed and then amended, and a draft."""
    admin, email = world.client(), f"{ids.new()}@laws.example"
    user = {"email": email, "name": "Ana", "role": "practitioner", "password": PASSWORD}
    made = await admin.post("/users", user | {"practitioner_id": world.practitioners[0]})
    assert made.status == 201, made.content
    signed_in = await Client(world.servers[0].port).post(
        "/auth/login", {"email": email, "password": PASSWORD}
    )
    ana = Client(world.servers[0].port, signed_in.body["access_token"])
    for number in (-16, -17):
        visit = await admin.post("/appointments", world.booking(day(number), service_id=world.funded_service))
        assert visit.status == 201, visit.content
        session = await ana.post("/sessions", {"appointment_id": visit.body["id"], "narrative": "Turns."})
        assert session.status == 201, session.content
        if number == -16:
            assert (await ana.post(f"/sessions/{session.body['id']}/sign")).status == 200
            amended = {"minutes_actual": 20, "reason": "Another clock"}
            assert (await ana.post(f"/sessions/{session.body['id']}/amend", amended)).status == 200


async def test_each_invariant_sees_its_fault(world: World, owner: Any, settings: Settings) -> None:
    """One after the other in a transaction that is rolled back, seen by the same session."""
    await _without_laws(owner)
    # Who sees whom is asked as the server's role, below: the owner of a cluster sees all.
    assert {found for _, found in FAULTS.values()} == set(invariants.NAMES) - {"others_are_not_seen"}
    assert not await invariants.broken(owner, world.organization)
    for fault, (planted, finder) in FAULTS.items():
        broken = await _planted(owner, world, planted)
        assert finder in broken, f"{fault} is not seen; {sorted(broken)}"


async def _planted(owner: Any, world: World, planted: str) -> dict[str, list[invariants.Row]]:
    """What is found while the fault stands; then everything is put back as it was."""
    tables = "appointments appointment_lines claims authorizations authorization_entries events batches audit turns"
    kept = [
        *tables.split(),
        "idempotency_keys",
        "rooms",
        "blocks",
        "holds",
        "series",
        "groups",
        "block_attendees",
        "patient_practitioners",
        "room_grounds",
        "policies",
        "sessions",
        "session_versions",
    ]
    for table in kept:
        await owner.execute(f"create table kept.{table} as table public.{table}")
    try:
        status = await owner.execute(planted, world.organization)
        assert int(status.split()[-1]) > 0, f"planted nothing: {planted}"
        return await invariants.broken(owner, world.organization)
    finally:
        for table in kept:
            await owner.execute(f"truncate {table}")
            await owner.execute(f"insert into {table} table kept.{table}")
            await owner.execute(f"drop table kept.{table}")


async def _without_laws(owner: Any) -> None:
    """Takes every constraint away, so that a fault can be written at all."""
    await owner.execute("create schema kept")
    found = await owner.fetch(
        "select conrelid::regclass as t, conname as name from pg_constraint c join pg_class r on r.oid = c.conrelid"
        " where c.connamespace = 'public'::regnamespace and contype in ('c', 'f', 'x', 'u', 'p') and conislocal"
        " and not r.relispartition order by contype = 'p', contype = 'u', contype <> 'f'"
    )
    for row in found:
        await owner.execute(f'alter table {row["t"]} drop constraint "{row["name"]}" cascade')
    await owner.execute("drop index policies_in_force")
    await owner.execute("alter table claims alter column during drop expression, alter during drop not null")


async def test_verify_says_what_is_broken(world: World, owner: Any, settings: Settings) -> None:
    """As the server's plain role, which sees each organization by itself."""
    told: list[str] = []
    finding = None
    connection = await asyncpg.connect(settings.database_url)
    try:
        for name in invariants.NAMES:
            finding = await verify.look(connection, name, await invariants.organizations(connection))
            told += verify.told(finding)
            assert not finding.rows
        assert len(told) == len(invariants.NAMES)
        await owner.execute("update turns set seq = seq + 1 where organization_id = $1", world.organization)
        finding = await verify.look(connection, "events_without_gap", [world.organization, ids.new()])
        assert [organization for organization, _ in finding.rows] == [world.organization]
        assert verify.told(finding)[0].startswith("✗ events_without_gap")
        assert world.organization in verify.told(finding)[1]
        await owner.execute("update turns set seq = seq - 1 where organization_id = $1", world.organization)
    finally:
        await connection.close()


def test_run_answers_with_an_exit_status(settings: Settings) -> None:
    told: list[str] = []
    assert verify.run(settings, told.append) == 0
    assert told[-1] == "All hold."
    with pytest.raises(verify.VerifyError):
        verify.run(changed(settings, database_url="postgresql://nobody:x@127.0.0.1:1/x"), told.append)


async def test_a_table_that_shows_others_is_seen(world: World, owner: Any, settings: Settings) -> None:
    """Table by table, each with a row of ours in it, as the server's role of another organization."""
    tables = await owner.fetch(
        "select relname::text as name from pg_class where relrowsecurity and relkind in ('r', 'p') and not relispartition"
        " and relnamespace = 'public'::regnamespace"
    )
    stranger = await make_world(settings, world.servers)
    connection = await asyncpg.connect(settings.database_url)
    unseen = []
    for table in (row["name"] for row in tables):
        count = f"select count(*) from {table} where organization_id = $1"
        if not await owner.fetchval(count, world.organization):
            unseen.append(table)
            continue
        await owner.execute(f"alter table {table} disable row level security")
        found = await invariants.broken(connection, stranger.organization)
        assert [row["seen_in"] for row in found["others_are_not_seen"]] == [table]
        await owner.execute(f"alter table {table} enable row level security")
    assert await invariants.broken(connection, stranger.organization) == {}
    await connection.close()
    text = statement("invariants/others_are_not_seen")
    assert not [row["name"] for row in tables if f"from {row['name']} r " not in text]
    assert len(unseen) < len(tables) / 2


async def test_every_reference_of_the_catalog_is_looked_at(owner: Any) -> None:
    names = await owner.fetch(
        "select conname from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace"
        " and conparentid = 0"
    )
    text = statement("invariants/references_stay_home")
    assert not [row["conname"] for row in names if f"'{row['conname']}'" not in text]
