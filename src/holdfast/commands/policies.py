"""Policies: the rules of a scope as one document. A document is checked whole when it is saved, and stays as it was
saved; it is put into force and taken out of it again. The set of all that are in force has a number (`policy_version`),
which never means another set: a new set gets a new number, and only going back gives an old number to its old set.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from holdfast import ids
from holdfast.actor import Answered, Asked
from holdfast.commands.change import Turn, change
from holdfast.commands.house import House
from holdfast.commands.save import Document, Noun, answered, read
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound, Refused
from holdfast.rules.facts import PolicyDocument
from holdfast.rules.policy import document
from holdfast.rules.policy.policy import Policy
from holdfast.rules.policy.rule import Rule
from holdfast.slot import moment

POLICY = Noun("policy", "policies")


class _Active(PolicyDocument, frozen=True, kw_only=True):
    """A document in force. `activated_as`: the number of the set that it came into force with."""

    activated_as: int


class _Standing(NamedTuple):
    """The number of the set in force, the highest that a set has, and the highest that is given at all."""

    policy_version: int
    state_max: int
    version_max: int


class _State(NamedTuple):
    """A set that was in force, and what it came from; `over`: the activation that its own set aside in its scope."""

    policy_ids: list[str]
    version_before: int
    activates: str | None
    over: int | None


async def save(
    house: House, asked: Asked, scope: str, scope_id: str | None, rules: Sequence[Document]
) -> Answered:
    """A new document, not in force yet: 201. Raises Refused for what is shipped; Invalid naming rule and field."""
    if scope == "global":
        raise Refused("forbidden", "The global policy is shipped with Holdfast and read-only.", field="scope")
    if (scope == "organization") != (scope_id is None):
        wrong = "must not be given" if scope_id is not None else f"must name the {scope}"
        raise Invalid(FieldError("scope_id", "invalid_value", wrong))
    decoded = document.decode(rules)

    async def work(turn: Turn) -> Answered:
        if scope_id is not None and await _unknown(turn, [(f"{scope}s", scope_id)]):
            raise NotFound("scope_id")
        await _check_references(turn, decoded)
        policy_id, stands = ids.new(), await _standing(turn)
        await turn.connection.execute(
            statement("policy_insert"), turn.organization, policy_id, stands.version_max + 1, scope, scope_id,
            msgspec.json.encode(rules).decode(), asked.actor.user_id, moment(turn.now),
        )  # fmt: skip
        saved = await _get(turn, policy_id)
        _tell(turn, asked, "policy.created", saved)
        return answered(201, saved)

    return await change(house, asked, work)


async def activate(house: House, asked: Asked, policy_id: str) -> Answered:
    """Puts a document into force in the place of its scope's other one, under the newest number. One that is in force
    already stays as it is."""

    async def work(turn: Turn) -> Answered:
        policy = await _current(turn, asked, policy_id)
        active, stands = await _active(turn), await _standing(turn)
        if policy["status"] == "active":
            return _answered(policy, stands.policy_version, policy_id)
        document.decode(policy["rules"])  # rule types may have changed since it was saved
        other = next((each for each in active if _scope(each) == (policy["scope"], policy["scope_id"])), None)
        is_newest = policy["version"] > stands.state_max
        version = policy["version"] if is_newest else stands.version_max + 1
        if other is not None:
            await _end(turn, other.id, "replaced")
        await _start(turn, policy_id, version, version)
        in_force = {each.id for each in active if each is not other} | {policy_id}
        over = None if other is None else other.activated_as
        await _keep(turn, asked, version, _State(sorted(in_force), stands.policy_version, policy_id, over))
        await _point(turn, version)
        changed = await _get(turn, policy_id)
        _tell(turn, asked, "policy.activated", changed, policy_version=version)
        return _answered(changed, version, policy_id)

    return await change(house, asked, work)


async def roll_back(house: House, asked: Asked, policy_id: str) -> Answered:
    """Takes a document out of force; the one that its activation set aside is in force again, or none of its scope.

    Where that is the set before the activation, that set's number is in force again; otherwise it has a new one.
    """

    async def work(turn: Turn) -> Answered:
        policy = await _current(turn, asked, policy_id)
        if policy["status"] != "active":
            raise Refused("policy_not_active", "This policy is not in force.", policy_status=policy["status"])
        active, stands = await _active(turn), await _standing(turn)
        mine = next(each for each in active if each.id == policy_id)
        activation = await _state(turn, mine.activated_as)
        again = (await _state(turn, activation.over)).activates if activation.over is not None else None
        left = sorted({each.id for each in active if each is not mine} | ({again} if again else set()))
        await _end(turn, policy_id, "rolled_back")
        if again is not None and activation.over is not None:
            await _start(turn, again, (await _get(turn, again))["version"], activation.over)
        version = activation.version_before
        if stands.policy_version != mine.activated_as:  # others came into force or went since
            version = stands.version_max + 1
            await _keep(turn, asked, version, _State(left, stands.policy_version, None, None))
        await _point(turn, version)
        changed = await _get(turn, policy_id)
        _tell(turn, asked, "policy.rolled_back", changed, policy_version=version, in_force_id=again)
        return _answered(changed, version, again)

    return await change(house, asked, work)


def checked(asked: Asked, policy: Document) -> Document:
    """The policy, if it is the version that the caller believes in. Raises Refused."""
    if asked.if_match not in {None, policy["version"]}:
        raise Refused(
            "version_mismatch", f"This is version {policy['version']} by now.", version=policy["version"]
        )
    return policy


async def _get(turn: Turn, policy_id: str) -> Document:
    return (await read(turn.connection, turn.organization, POLICY, turn.seal, policy_id))[0]


async def _current(turn: Turn, asked: Asked, policy_id: str) -> Document:
    return checked(asked, await _get(turn, policy_id))


def _scope(active: _Active) -> tuple[str, str | None]:
    return active.scope, active.scope_id


async def _active(turn: Turn) -> list[_Active]:
    rows = await turn.connection.fetch(statement("policies_active"), turn.organization)
    return [_Active(**row | {"rules": msgspec.json.decode(row["rules"])}) for row in map(dict, rows)]


async def _standing(turn: Turn) -> _Standing:
    (row,) = await turn.connection.fetch(statement("policies_standing"), turn.organization)
    return _Standing(*row)


async def _state(turn: Turn, version: int) -> _State:
    (row,) = await turn.connection.fetch(statement("policy_state"), turn.organization, version)
    return _State(*row)


async def _start(turn: Turn, policy_id: str, version: int, activated_as: int) -> None:
    await turn.connection.execute(
        statement("policy_start"), turn.organization, policy_id, version, activated_as, moment(turn.now)
    )


async def _end(turn: Turn, policy_id: str, status: str) -> None:
    await turn.connection.execute(
        statement("policy_end"), turn.organization, policy_id, status, moment(turn.now)
    )


async def _keep(turn: Turn, asked: Asked, version: int, state: _State) -> None:
    await turn.connection.execute(
        statement("policy_state_insert"), turn.organization, version, state.policy_ids, state.version_before,
        state.activates, state.over, asked.actor.user_id, moment(turn.now),
    )  # fmt: skip


async def _point(turn: Turn, version: int) -> None:
    """Every later decision is made by what is in force now."""
    asks_history = Policy(version, await _active(turn)).asks_history
    await turn.connection.execute(statement("policy_point"), turn.organization, version, asks_history)
    turn.directory_changed = True


async def _unknown(turn: Turn, named: Sequence[tuple[str, str]]) -> list[int]:
    """Which of these nouns and ids are nothing of the organization, by their places in the list from 0."""
    if not named:
        return []
    rows = await turn.connection.fetch(
        statement("policy_references"), turn.organization, [noun for noun, _ in named], [each for _, each in named]
    )  # fmt: skip
    return [row["place"] - 1 for row in rows]


async def _check_references(turn: Turn, rules: Sequence[Rule]) -> None:
    """Raises Invalid for every id in the rules that is nothing of the organization."""
    named = list(document.references(rules))
    odd = [
        each for each in named if not ids.is_canonical(each[2])
    ]  # storage would take another spelling for the same
    if odd:
        raise Invalid(*(_unheard_of(rules, *each) for each in odd))
    wrong = [named[at] for at in await _unknown(turn, [(noun, each) for _, noun, each in named])]
    if wrong:
        raise Invalid(*(_unheard_of(rules, *each) for each in wrong))


def _unheard_of(rules: Sequence[Rule], field: str, noun: str, each: str) -> FieldError:
    """`field` is such as `rules[2].preferred_rooms`."""
    rule = rules[int(field[field.index("[") + 1 : field.index("]")])]
    return FieldError(field, "not_found", f"rule {rule.name!r}: {each} is none of the {noun}")


def _tell(turn: Turn, asked: Asked, kind: str, policy: Document, **more: Any) -> None:
    told = {name: policy[name] for name in ("id", "version", "scope", "scope_id", "status")} | more
    turn.tell(kind, told)
    turn.note(asked, kind, "policy", policy["id"], **{name: told[name] for name in told if name != "id"})


def _answered(policy: Document, policy_version: int, in_force_id: str | None) -> Answered:
    return answered(200, policy | {"policy_version": policy_version, "in_force_id": in_force_id})
