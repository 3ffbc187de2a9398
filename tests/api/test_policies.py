"""Policies: rules of a scope as documents that are saved whole, put into force, and rolled back."""

from typing import Any

import asyncpg
import httpx2
import pytest
from api import world
from api.people import Client, Organization, writing
from api.practice import API, Practice, at

from holdfast import ids
from holdfast.app import Application

POLICIES = f"{API}/policies"


def prefers(*rooms: str, name: str = "Ana's rooms", **more: Any) -> dict[str, Any]:
    return {
        "name": name, "kind": "soft", "type": "practitioner_room_preference", "preferred_rooms": list(rooms), **more,
    }  # fmt: skip


async def saved(admin: httpx2.AsyncClient, *rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = await admin.post(POLICIES, json={"scope": "organization", "rules": rules} | fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def done(admin: httpx2.AsyncClient, policy: dict[str, Any], call: str) -> dict[str, Any]:
    answer = await admin.post(f"{POLICIES}/{policy['id']}/{call}")
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


async def in_force(admin: httpx2.AsyncClient, **query: str) -> tuple[int, dict[str, Any]]:
    """The version, and the document that each rule comes from by its name; those that are shipped left out."""
    answer = await admin.get(f"{POLICIES}/active", params=query)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return found["version"], {
        each["name"]: each["policy_id"] for each in found["rules"] if each["scope"] != "global"
    }


async def test_a_document_is_saved_whole_and_is_not_in_force(practice: Practice) -> None:
    rule = prefers(practice.made["room 1"], score_modifier=20)
    made = await saved(practice.admin, rule, scope="clinic", scope_id=practice.made["clinic"])
    assert made["rules"] == [rule]
    shown = {
        name: made[name] for name in ("version", "status", "scope", "scope_id", "activated_at", "ended_at")
    }
    assert shown == {
        "version": 1, "status": "validated", "scope": "clinic", "scope_id": practice.made["clinic"],
        "activated_at": None, "ended_at": None,
    }  # fmt: skip
    got = await practice.admin.get(f"{POLICIES}/{made['id']}")
    assert (got.json(), got.headers["etag"]) == (made, '"1"')
    assert int(got.headers["as-of-seq"]) > 0
    assert await in_force(practice.admin, clinic_id=practice.made["clinic"]) == (0, {})


async def test_what_is_shipped_is_read_only(practice: Practice) -> None:
    answer = await practice.admin.post(POLICIES, json={"scope": "global", "rules": []})
    problem = Practice.problem(answer, 403)
    assert problem["code"] == "forbidden"
    assert "shipped" in problem["detail"]
    assert "read-only" in problem["detail"]
    shipped = (await practice.admin.get(f"{POLICIES}/active")).json()
    assert shipped["version"] == 0
    assert shipped["rules"]
    assert {(each["scope"], each["scope_id"], each["policy_id"]) for each in shipped["rules"]} == {
        ("global", None, None)
    }


async def test_rubbish_is_refused_by_rule_and_field(practice: Practice) -> None:
    """Nothing that is invalid is ever stored; the message names the rule, the field says where it stands."""
    good = prefers(practice.made["room 1"], name="Good")
    for wrong, field in (
        (prefers(name="Bad", score_modifier=1001), "rules[1].score_modifier"),
        (prefers(name="Bad", score_modifier="10"), "rules[1].score_modifier"),
        (prefers(name="Bad") | {"type": "no_such_type"}, "rules[1].type"),
        (prefers(name="Bad") | {"type": ["capacity"]}, "rules[1].type"),
        (prefers(ids.new(), name="Bad"), "rules[1].preferred_rooms"),
        (prefers(name="Bad", unheard_of=1), "rules[1].unheard_of"),
        (prefers(name="Good"), "rules[1].name"),
    ):
        answer = await practice.admin.post(POLICIES, json={"scope": "organization", "rules": [good, wrong]})
        problem = Practice.problem(answer, 422)
        assert problem["code"] == "invalid_request"
        assert field in {each["field"] for each in problem["errors"]}, (field, problem["errors"])
        assert wrong["name"] in problem["errors"][0]["message"]
    assert (await practice.admin.get(POLICIES)).json()["total"] == 0
    for body, field in (
        ({"scope": "planet", "rules": []}, "scope"),
        ({"scope": "clinic", "rules": []}, "scope_id"),
        ({"scope": "organization", "scope_id": practice.made["clinic"], "rules": []}, "scope_id"),
        ({"scope": "organization"}, "rules"),
        ({"scope": "organization", "rules": [], "status": "active"}, "status"),
        ({"scope": "organization", "rules": ["rule"]}, "rules[0]"),
        ({"scope": "organization", "rules": [prefers()] * 201}, "rules"),
    ):
        problem = Practice.problem(await practice.admin.post(POLICIES, json=body), 422)
        assert [each["field"] for each in problem["errors"]] == [field], problem["errors"]


async def test_the_narrowest_scope_counts(practice: Practice) -> None:
    """By name: a rule of the organization gives way to the clinic's, that to the service's, that to the practitioner's."""
    admin, rooms, made = practice.admin, (practice.made["room 1"], practice.made["room 2"]), practice.made
    wide = await saved(admin, prefers(rooms[0]), prefers(rooms[0], name="Wide"))
    narrow = {
        scope: await saved(admin, prefers(rooms[1], score_modifier=number), scope=scope, scope_id=made[named])
        for number, (scope, named) in enumerate((("clinic", "clinic"), ("service", "talk"), ("practitioner", "ana")))
    }  # fmt: skip
    other = await saved(admin, prefers(rooms[0]), scope="service", scope_id=made["funded"])
    for policy in (wide, other, *narrow.values()):
        await done(admin, policy, "activate")
    at_clinic = {"clinic_id": made["clinic"]}
    for query, expected in (
        ({}, wide), (at_clinic, narrow["clinic"]), (at_clinic | {"service_id": made["talk"]}, narrow["service"]),
        ({"practitioner_id": made["ben"], "service_id": made["funded"]}, other),
        (at_clinic | {"service_id": made["talk"], "practitioner_id": made["ana"]}, narrow["practitioner"]),
        ({"clinic_id": ids.new()}, wide),
    ):  # fmt: skip
        _, found = await in_force(admin, **query)
        assert found == {"Ana's rooms": expected["id"], "Wide": wide["id"]}, query
    answer = (await admin.get(f"{POLICIES}/active", params=at_clinic)).json()
    rule = next(each for each in answer["rules"] if each["name"] == "Ana's rooms")
    assert rule.items() >= (narrow["clinic"]["rules"][0] | {
        "scope": "clinic", "scope_id": made["clinic"], "policy_id": narrow["clinic"]["id"], "enabled": True,
    }).items()  # fmt: skip


async def test_activation_replaces_the_scopes_own_and_rollback_goes_back_step_by_step(
    practice: Practice,
) -> None:
    admin = practice.admin
    first, second, third = [await saved(admin, prefers(name=name)) for name in ("One", "Two", "Three")]
    assert [each["version"] for each in (first, second, third)] == [1, 2, 3]
    for policy in (first, second, third):
        changed = await done(admin, policy, "activate")
        assert (changed["status"], changed["policy_version"], changed["in_force_id"]) == (
            "active", policy["version"], policy["id"],
        )  # fmt: skip
        assert (await in_force(admin))[0] == changed["version"] == policy["version"]
    assert await statuses(admin, first, second, third) == ["replaced", "replaced", "active"]
    for policy, before in ((third, second), (second, first)):
        changed = await done(admin, policy, "rollback")
        assert (changed["status"], changed["policy_version"], changed["in_force_id"]) == (
            "rolled_back", before["version"], before["id"],
        )  # fmt: skip
        assert changed["ended_at"]
    assert await in_force(admin) == (1, {"One": first["id"]})
    changed = await done(admin, first, "rollback")
    assert (changed["policy_version"], changed["in_force_id"]) == (0, None)
    assert await in_force(admin) == (0, {})
    for policy in (first, second, third):
        answer = await admin.post(f"{POLICIES}/{policy['id']}/rollback")
        assert Practice.problem(answer, 409)["code"] == "policy_not_active"


async def test_what_was_rolled_back_is_activated_under_a_new_number(practice: Practice) -> None:
    admin = practice.admin
    policy = await saved(admin, prefers())
    assert (await done(admin, policy, "activate"))["version"] == 1
    await done(admin, policy, "rollback")
    again = await done(admin, policy, "activate")
    assert (again["version"], again["policy_version"]) == (2, 2)
    assert (await in_force(admin))[0] == 2


async def test_rollback_ends_though_a_document_was_in_force_twice(practice: Practice) -> None:
    """A, B, A again: the way back is B, then A, then none; not round and round."""
    admin = practice.admin
    a, b = await saved(admin, prefers(name="A")), await saved(admin, prefers(name="B"))
    for policy in (a, b, a):
        await done(admin, policy, "activate")
    assert (await done(admin, a, "rollback"))["in_force_id"] == b["id"]
    assert (await done(admin, b, "rollback"))["in_force_id"] == a["id"]
    assert (await done(admin, a, "rollback"))["in_force_id"] is None
    assert await in_force(admin) == (0, {})


async def test_an_older_document_is_activated_under_the_newest_number(practice: Practice) -> None:
    """Numbers order the activations, not the savings."""
    admin = practice.admin
    older = await saved(admin, prefers(name="Older"))
    newer = await saved(admin, prefers(name="Newer"), scope="clinic", scope_id=practice.made["clinic"])
    assert (await done(admin, newer, "activate"))["version"] == 2
    assert (await done(admin, older, "activate"))["version"] == 3
    assert (await saved(admin, prefers()))["version"] == 4


async def test_rolling_back_below_another_scope_is_a_new_set(practice: Practice) -> None:
    """What was never in force like that has a number of its own; the other scope stays."""
    admin, made = practice.admin, practice.made
    wide = await saved(admin, prefers(name="Wide"))
    narrow = await saved(admin, prefers(name="Narrow"), scope="clinic", scope_id=made["clinic"])
    for policy in (wide, narrow):
        await done(admin, policy, "activate")
    changed = await done(admin, wide, "rollback")
    assert (changed["policy_version"], changed["in_force_id"]) == (3, None)
    assert await in_force(admin, clinic_id=made["clinic"]) == (3, {"Narrow": narrow["id"]})


async def test_activating_what_is_active_does_nothing(practice: Practice) -> None:
    policy = await saved(practice.admin, prefers())
    first = await done(practice.admin, policy, "activate")
    seq = await practice.stored("select seq, policy_version from turns where organization_id = $1")
    assert await done(practice.admin, policy, "activate") == first
    assert await practice.stored("select seq, policy_version from turns where organization_id = $1") == seq


async def test_an_equal_key_has_one_effect(practice: Practice) -> None:
    admin, key = practice.admin, {"Idempotency-Key": "once"}
    body = {"scope": "organization", "rules": [prefers()]}
    first, second = [await admin.post(POLICIES, json=body, headers=key) for _ in range(2)]
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["etag"] == first.headers["etag"] == '"1"'
    assert (await admin.get(POLICIES)).json()["total"] == 1
    for call in ("activate", "rollback"):
        path, key = f"{POLICIES}/{first.json()['id']}/{call}", {"Idempotency-Key": call}
        answers = [await admin.post(path, headers=key) for _ in range(2)]
        assert [each.status_code for each in answers] == [200, 200]
        assert answers[0].content == answers[1].content
        assert answers[1].headers["idempotency-replayed"] == "true"
    other = await admin.post(POLICIES, json=body | {"rules": []}, headers={"Idempotency-Key": "once"})
    assert Practice.problem(other, 422)["code"] == "idempotency_key_reused"


async def test_another_version_is_not_put_into_force(practice: Practice) -> None:
    policy = await saved(practice.admin, prefers())
    for call in ("activate", "rollback"):
        path = f"{POLICIES}/{policy['id']}/{call}"
        answer = await practice.admin.post(path, headers={"If-Match": '"7"'})
        assert Practice.problem(answer, 412)["version"] == 1
        assert (await practice.admin.post(path, headers={"If-Match": '"1"'})).status_code == 200


async def test_lists_are_filtered_and_newest_first(practice: Practice) -> None:
    admin, made = practice.admin, practice.made
    wide = [await saved(admin, prefers()) for _ in range(3)]
    narrow = await saved(admin, prefers(), scope="clinic", scope_id=made["clinic"])
    await done(admin, wide[1], "activate")

    async def listed(**query: Any) -> list[str]:
        answer = await admin.get(POLICIES, params=query)
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["items"]]

    newest_first = [narrow["id"], wide[2]["id"], wide[1]["id"], wide[0]["id"]]
    assert await listed() == newest_first
    assert await listed(page_size=2, page=2) == newest_first[2:]
    assert await listed(scope="clinic") == await listed(scope_id=made["clinic"]) == [narrow["id"]]
    assert await listed(status="active") == [wide[1]["id"]]
    assert await listed(scope="organization", status="validated") == [wide[2]["id"], wide[0]["id"]]
    assert await listed(scope_id=ids.new()) == []
    for query, field in (
        ({"scope": "global"}, "scope"),
        ({"status": "new"}, "status"),
        ({"name": "x"}, "name"),
    ):
        problem = Practice.problem(await admin.get(POLICIES, params=query), 422)
        assert [each["field"] for each in problem["errors"]] == [field]


async def test_events_and_audit_tell_ids_and_numbers_and_no_rule(practice: Practice) -> None:
    admin = practice.admin
    policy = await saved(admin, prefers(name="CANARY"))
    await done(admin, policy, "activate")
    await done(admin, policy, "rollback")
    rows = await practice.stored(
        "select kind, body::text as body from events where organization_id = $1 and kind like 'policy.%' order by seq"
    )
    assert [row["kind"] for row in rows] == ["policy.created", "policy.activated", "policy.rolled_back"]
    audit = await practice.stored(
        "select action, detail::text as body from audit where organization_id = $1 and subject = 'policy' order by batch_no"
    )
    assert [row["action"] for row in audit] == [row["kind"] for row in rows]
    assert not [row for row in (*rows, *audit) if "CANARY" in row["body"]]
    assert all(policy["id"] in row["body"] for row in rows)


async def test_the_next_booking_is_decided_by_what_is_in_force(practice: Practice) -> None:
    """Activation and rollback move what tells every lane that its directory is old; saving a document does not."""
    stood = "select directory_seq, policy_version from turns where organization_id = $1"
    await practice.book(at(9))
    before = (await practice.stored(stood))[0]
    policy = await saved(practice.admin, prefers())
    assert (await practice.stored(stood))[0] == before
    await done(practice.admin, policy, "activate")
    after = (await practice.stored(stood))[0]
    assert after["directory_seq"] > before["directory_seq"]
    assert after["policy_version"] == 1
    await done(practice.admin, policy, "rollback")
    assert (await practice.stored(stood))[0]["directory_seq"] > after["directory_seq"]


async def test_facts_tell_earlier_visits_while_a_rule_in_force_asks_for_them(practice: Practice) -> None:
    admin = practice.admin
    asking = await saved(admin, {"name": "Same", "kind": "soft", "type": "same_room_as_last_visit"})
    narrow = await saved(admin, prefers(), scope="clinic", scope_id=practice.made["clinic"])
    for policy, call, asks in (
        (narrow, "activate", False), (asking, "activate", True), (narrow, "rollback", True), (asking, "rollback", False),
    ):  # fmt: skip
        await done(admin, policy, call)
        rows = await practice.stored("select asks_history from turns where organization_id = $1")
        assert rows[0]["asks_history"] == asks, (policy, call)


async def test_what_was_saved_stays_as_it_was(application: Application, practice: Practice) -> None:
    """By grants: even the server cannot rewrite a document, nor take one or a set away."""
    policy = await saved(practice.admin, prefers())
    await done(practice.admin, policy, "activate")
    for forbidden in (
        "update policies set rules = '[]'", "update policies set scope = 'clinic'", "delete from policies",
        "update policy_states set policy_ids = '{}'", "delete from policy_states",
    ):  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with writing(application, practice.organization.id) as connection:
                await connection.execute(forbidden)


async def test_another_organizations_policies_are_not_there(
    client: Client, practice: Practice, stranger: Organization
) -> None:
    """Its documents are neither found nor in force here, nor can a document name its clinics and rooms."""
    await world.make(client, stranger, "CANARY")
    own = await saved(practice.admin, prefers(name="Own"))
    async with client(stranger.tokens["admin"]) as foreigner:
        theirs = await saved(foreigner, prefers(stranger.made["rooms"], name="CANARY"))
        await done(foreigner, theirs, "activate")
        assert (await foreigner.get(f"{POLICIES}/{own['id']}")).status_code == 404
    for path in ("", "/activate", "/rollback"):
        method = "POST" if path else "GET"
        answer = await practice.admin.request(method, f"{POLICIES}/{theirs['id']}{path}")
        assert Practice.problem(answer, 404)["field"] == "id"
    assert "CANARY" not in (await practice.admin.get(POLICIES)).text
    assert "CANARY" not in (await practice.admin.get(f"{POLICIES}/active")).text
    for scope, noun in (("clinic", "clinics"), ("service", "services"), ("practitioner", "practitioners")):
        for each in (ids.new(), stranger.made[noun]):
            body = {"scope": scope, "scope_id": each, "rules": []}
            problem = Practice.problem(await practice.admin.post(POLICIES, json=body), 404)
            assert (problem["code"], problem["field"]) == ("not_found", "scope_id")
    told = []
    for room in (ids.new(), stranger.made["rooms"]):
        naming = {"scope": "organization", "rules": [prefers(room)]}
        answer = await practice.admin.post(POLICIES, json=naming)
        told.append(str(Practice.problem(answer, 422)["errors"]).replace(room, "ROOM"))
    assert told[0] == told[1]
    assert "rules[0].preferred_rooms" in told[0]


async def test_only_admins_write_and_patients_do_not_read(client: Client, practice: Practice) -> None:
    policy = await saved(practice.admin, prefers())
    for role, token in practice.organization.tokens.items():
        async with client(token) as user:
            may_read, may_write = role != "patient", role == "admin"
            for path in (
                "policies",
                "policies/active",
                "policies/cache",
                f"policies/{policy['id']}",
                "rule-types",
            ):
                answer = await user.get(f"{API}/{path}")
                assert answer.status_code == (200 if may_read else 403), (role, path)
            answer = await user.post(POLICIES, json={"scope": "organization", "rules": []})
            assert answer.status_code == (201 if may_write else 403), role
            for call in ("activate", "rollback"):
                answer = await user.post(f"{POLICIES}/{policy['id']}/{call}")
                assert answer.status_code == (200 if may_write else 403), (role, call)


async def test_rule_types_are_listed_with_their_fields(practice: Practice) -> None:
    found = (await practice.admin.get(f"{API}/rule-types", params={"page_size": 100})).json()
    assert found["total"] == len(found["items"]) > 0
    assert all({"type", "kinds", "summary", "fields"} <= set(each) for each in found["items"])
    one = (await practice.admin.get(f"{API}/rule-types", params={"page_size": 1, "page": 2})).json()
    assert one["items"] == found["items"][1:2]


async def test_the_cache_counts_what_memory_answered(practice: Practice) -> None:
    """A booking asks for the directory with its policy: a hit if memory had it as it is, a miss if it was read."""
    await practice.book(at(8))
    before = (await practice.admin.get(f"{POLICIES}/cache")).json()
    for hour in (9, 10, 11):
        await practice.book(at(hour))
    after = (await practice.admin.get(f"{POLICIES}/cache")).json()
    assert (after["hits"] - before["hits"], after["misses"]) == (3, before["misses"])
    assert after["hit_rate"] == after["hits"] / (after["hits"] + after["misses"])
    await practice.change("rooms", "room 1", name="Another name")
    await practice.book(at(13))
    assert (await practice.admin.get(f"{POLICIES}/cache")).json()["misses"] == before["misses"] + 1


async def test_a_rule_that_cannot_be_judged_refuses_and_is_reported(
    practice: Practice, capsys: pytest.CaptureFixture[str]
) -> None:
    """Written past the API, as by a release that knows more types."""
    saved = await practice.admin.post(POLICIES, json={"scope": "organization", "rules": [
        {"name": "Secret of Pat", "kind": "hard", "type": "capacity", "people": 1}]})  # fmt: skip
    unknown = '[{"name": "Secret of Pat", "kind": "hard", "type": "moon_phase"}]'
    await practice.stored("update policies set rules = $2::jsonb where organization_id = $1", unknown)
    assert (await practice.admin.post(f"{POLICIES}/{saved.json()['id']}/activate")).status_code == 422
    await practice.stored("update policies set rules = '[]' where organization_id = $1")
    await practice.done(await practice.admin.post(f"{POLICIES}/{saved.json()['id']}/activate"))
    await practice.stored("update policies set rules = $2::jsonb where organization_id = $1", unknown)
    await practice.change("rooms", "room 1", name="Read anew")
    refused = await practice.refused(at(9))
    assert (refused["code"], refused["rule"]) == ("rule_violation", "Secret of Pat")
    shown = (await practice.admin.get(f"{POLICIES}/active")).json()
    assert [each["rule"] for each in shown["faults"]] == ["Secret of Pat"]
    counted = (await practice.admin.get("/metrics")).text
    assert "holdfast_rule_faults_total 1.0" in counted
    said = capsys.readouterr()
    assert "Secret" not in said.out + said.err


async def statuses(admin: httpx2.AsyncClient, *policies: dict[str, Any]) -> list[str]:
    return [(await admin.get(f"{POLICIES}/{each['id']}")).json()["status"] for each in policies]
