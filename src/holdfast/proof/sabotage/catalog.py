"""What is sabotaged, and which check has to find it. Each is done to a scratch installation only: by SQL to its database, by a
patch to a copy of the source; the product has no switch for any of it.
"""

from typing import Final

import msgspec


class Sabotage(msgspec.Struct, frozen=True, kw_only=True):
    """`does`: what is done, for the report. `caught_by`: the check that must turn red, whichever others do too. `sql`: statements
    of `proof/sql/sabotage/` for the database; `patch`: a diff of `patches/` for the source and the database's functions."""

    name: str
    does: str
    caught_by: str
    sql: str = ""
    patch: str = ""
    kills: bool = False
    """Whether the database server is killed at the end of the load: only where nothing else runs on it."""


_ALL: Final = (
    Sabotage(
        name="constraint_dropped",
        does="The exclusion constraint on claims is dropped, and somebody writes past the API.",
        caught_by="invariant claims_overlap",
        sql="constraint_dropped",
    ),
    Sabotage(
        name="check_then_insert",
        does="Two servers look whether time is free and take it without the turn, and no constraint stands behind them.",
        caught_by="history overlap",
        sql="constraint_dropped",
        patch="check_then_insert",
    ),
    Sabotage(
        name="check_dropped",
        does="The CHECK on an authorization's counters is dropped, and somebody writes past the API.",
        caught_by="invariant units_within_total",
        sql="check_dropped",
    ),
    Sabotage(
        name="acknowledged_before_commit",
        does="Answers are given before the COMMIT that they tell of.",
        caught_by="history lost",
        patch="acknowledged_before_commit",
    ),
    Sabotage(
        name="commit_asynchronous",
        does="The database acknowledges a COMMIT before it is on the disk (synchronous_commit = off).",
        caught_by="durability at start",
        sql="commit_asynchronous",
    ),
    Sabotage(
        name="commit_asynchronous_unseen",
        does="The same, no server looks at its database's settings when it starts, and the database is killed.",
        caught_by="history lost",
        sql="commit_asynchronous",
        patch="commit_asynchronous_unseen",
        kills=True,
    ),
    Sabotage(
        name="key_in_second_transaction",
        does="Idempotency keys are stored in a transaction after that of their effects.",
        caught_by="history key",
        patch="key_in_second_transaction",
    ),
    Sabotage(
        name="retried_without_looking",
        does="A COMMIT without an answer is sent again without looking whether it arrived.",
        caught_by="history nowhere",
        patch="retried_without_looking",
    ),
    Sabotage(
        name="released_twice",
        does="A cancelled visit gives its units back twice.",
        caught_by="invariant visits_make_up_scheduled",
        patch="released_twice",
    ),
    Sabotage(
        name="row_security_off",
        does="Row-level security is switched off on every table.",
        caught_by="invariant others_are_not_seen",
        sql="row_security_off",
    ),
    Sabotage(
        name="audit_in_own_transaction",
        does="Audit rows are written in a transaction after that of the change.",
        caught_by="invariant audit_chain",
        patch="audit_in_own_transaction",
    ),
)  # fmt: skip


def sabotages() -> list[Sabotage]:
    """All of them, in the order in which the report tells them."""
    return list(_ALL)
