"""The catalog of a migrated database obeys every law, and each law is seen red on a fault planted for it."""

from pathlib import Path
from typing import Any

import asyncpg
import partitioned
import pytest
from catalog_laws import EXCEPTIONS, LAWS, SERVICE

ROOT = Path(__file__).resolve().parents[2]


async def faults(connection: Any, law: str) -> list[str]:
    return [str(row[0]) for row in await connection.fetch(LAWS[law])]


@pytest.mark.parametrize("law", LAWS)
async def test_law_holds(database: Any, law: str) -> None:
    connection = await asyncpg.connect(database.admin_url)
    found = [fault for fault in await faults(connection, law) if fault not in EXCEPTIONS.get(law, {})]
    await connection.close()
    assert not found, "\n".join(found)


FORGED = "create policy more on rooms using (true)"
PLANTED = [
    ("every table names its organization", "create table things (id uuid primary key)"),
    ("every table names its organization", "create table things (organization_id uuid, id uuid)"),
    ("every table names its organization", "create table things (organization_id text not null, id uuid)"),
    ("every table has a primary key", "create table things (organization_id uuid not null)"),
    ("every key contains the organization", "alter table rooms add constraint rooms_x unique (id)"),
    (
        "every key contains the organization",
        "create table things (organization_id uuid not null, room uuid, id uuid primary key)",
    ),
    (
        "every key contains the organization",
        "alter table claims add constraint claims_x exclude using gist (resource_id with =, during with &&)",
    ),
    ("every unique index contains the organization", "create unique index x on users (email)"),
    ("every unique index contains the organization", "create unique index x on users (email) include (organization_id)"),
    ("every index contains the organization", "create index x on users (email)"),
    (
        "exclusion compares the organization with =",
        "alter table claims add constraint claims_x exclude using gist (resource_id with =, organization_id with <>)",
    ),
    (
        "foreign keys between tenants tie organization to organization",
        ("alter table rooms add constraint rooms_x foreign key (clinic_id, organization_id)"
        " references clinics (organization_id, id)"),
    ),
    (
        "foreign keys never set null or default",
        ("alter table claims add constraint claims_x foreign key (organization_id, appointment_id)"
        " references appointments (organization_id, id) on delete set null"),
    ),
    (
        "foreign keys never set null or default",
        ("alter table claims add constraint claims_x foreign key (organization_id, appointment_id)"
        " references appointments (organization_id, id) on update cascade"),
    ),
    (
        "global tables refer to nothing and nothing refers to them but lookups",
        ("alter table login_directory add constraint login_directory_x foreign key (organization_id)"
        " references organizations (organization_id)"),
    ),
    (
        "global tables refer to nothing and nothing refers to them but lookups",
        "alter table users add constraint users_x foreign key (email) references login_directory (email)",
    ),
    ("constraints are named after their table", "alter table rooms add constraint odd check (capacity > 0)"),
    ("row-level security is on and forced", "alter table rooms disable row level security"),
    ("row-level security is on and forced", "alter table rooms no force row level security"),
    ("one policy per table: the organization of the transaction", FORGED),
    ("one policy per table: the organization of the transaction", "drop policy rooms_organization on rooms"),
    (
        "one policy per table: the organization of the transaction",
        "alter policy rooms_organization on rooms using (true)",
    ),
    (
        "one policy per table: the organization of the transaction",
        "alter policy rooms_organization on rooms with check (true)",
    ),
    (
        "no triggers, rules or event triggers",
        ("create function f() returns trigger language plpgsql as 'begin return new; end';"
        "create trigger x before insert on rooms for each row execute function f()"),
    ),
    ("no triggers, rules or event triggers", "create rule x as on delete to rooms do instead nothing"),
    (
        "no triggers, rules or event triggers",
        ("create function f() returns event_trigger language plpgsql as 'begin end';"
        "create event trigger x on ddl_command_start execute function f()"),
    ),
    ("no sequences, no identity, no random ids", "create sequence x"),
    ("no sequences, no identity, no random ids", "create table things (id bigint generated always as identity)"),
    ("no sequences, no identity, no random ids", "create table things (id bigserial)"),
    ("no sequences, no identity, no random ids", "alter table rooms alter column id set default gen_random_uuid()"),
    ("instants carry a zone, quantities are exact", "alter table rooms add column at timestamp"),
    ("instants carry a zone, quantities are exact", "alter table rooms add column price real"),
    (
        "no advisory locks, no notifications",
        "create function f(organization uuid) returns void language sql as 'select pg_advisory_xact_lock(1)'",
    ),
    (
        "no advisory locks, no notifications",
        "create function f(organization uuid) returns void language plpgsql as 'begin notify x; end'",
    ),
    (
        "no advisory locks, no notifications",
        "create function f(organization uuid) returns void language sql begin atomic select pg_notify('a', 'b'); end",
    ),
    (
        "no function runs as its owner",
        "create function f(organization uuid) returns integer language sql security definer as 'select 1'",
    ),
    (
        "no function sets the tenant",
        ("create function f(organization uuid) returns text language sql as"
        " 'select set_config(''holdfast.organization_id'', organization::text, true)'"),
    ),
    (
        "no function sets the tenant",
        ("create function f(organization uuid) returns integer language sql set holdfast.organization_id = 'x'"
        " as 'select 1'"),
    ),
    (
        "functions take the organization first",
        "create function f(room uuid, organization uuid) returns integer language sql as 'select 1'",
    ),
    ("functions take the organization first", "create function f() returns integer language sql as 'select 1'"),
    ("views see what their reader may see", "create view x as select * from rooms"),
    ("views see what their reader may see", "create materialized view x as select * from rooms"),
    ("the service role is plain", f"create role planted bypassrls; grant {SERVICE} to planted"),
    ("the service role is plain", f"create role planted superuser; grant {SERVICE} to planted"),
    ("the service role owns nothing", f"alter table rooms owner to {SERVICE}"),
    ("the service role owns nothing", f"create role planted; grant {SERVICE} to planted; create schema x authorization planted"),
    ("the service role owns nothing", f"alter function facts_in_turn owner to {SERVICE}"),
    ("the service role makes nothing", f"grant create on schema public to {SERVICE}"),
    ("the service role makes nothing", f"grant truncate on rooms to {SERVICE}"),
    ("the service role makes nothing", "grant create on schema public to public"),
    ("append-only tables stay as written", f"grant update on events to {SERVICE}"),
    ("append-only tables stay as written", f"grant update (detail) on audit to {SERVICE}"),
    ("append-only tables stay as written", f"create role planted; grant {SERVICE} to planted; grant delete on batches to planted"),
    ("append-only tables stay as written", "drop table denials"),
    (
        "the service role reaches public and nothing else",
        f"create schema x; create table x.y (); grant usage on schema x to {SERVICE}; grant select on x.y to {SERVICE}",
    ),
    (
        "the service role reaches public and nothing else",
        f"grant insert on holdfast_meta.schema_migrations to {SERVICE}",
    ),
    ("everyone else reaches nothing", "grant select on rooms to public"),
    ("everything of a table is checked", "alter table rooms add constraint rooms_x check (capacity > 0) not valid"),
    ("everything of a table is checked", "alter table rooms add constraint rooms_x check (capacity > 0) not enforced"),
]  # fmt: skip


@pytest.mark.parametrize(("law", "fault"), PLANTED)
async def test_law_sees_a_planted_fault(database: Any, law: str, fault: str) -> None:
    """Roles are shared by every database of the engine, so the fault lives in a transaction that never commits."""
    connection = await asyncpg.connect(database.admin_url)
    planting = connection.transaction()
    await planting.start()
    before = after = await faults(connection, law)
    refused = False
    try:
        await connection.execute(fault)
        after = await faults(connection, law)
    except asyncpg.FeatureNotSupportedError:
        refused = partitioned.wanted()  # there PostgreSQL itself keeps the organization in every key
    await planting.rollback()
    await connection.close()
    assert refused or set(after) - set(before)


def test_every_exception_has_its_record() -> None:
    for law, excused in EXCEPTIONS.items():
        assert law in LAWS
        for record in excused.values():
            assert list((ROOT / "decisions").glob(f"{record}-*.md")), record


def test_every_law_has_a_planted_fault() -> None:
    assert {law for law, _ in PLANTED} == set(LAWS)
