"""The history check: what the clients of a run saw, compared with itself and with what is stored. Pure.

It finds what cannot have happened if every resource and every authorization is strictly serializable, nothing that was
acknowledged is lost, and nothing appears from nowhere.
"""

from collections.abc import Sequence

from holdfast.proof.history import units, visits
from holdfast.proof.history.deeds import Finding, deeds
from holdfast.proof.history.log import Operation
from holdfast.proof.history.stored import Stored


def check(operations: Sequence[Operation], stored: Stored, before: Stored | None = None) -> list[Finding]:
    """What is wrong; nothing if all is well.

    `operations`: everything that was asked of the organization between the two snapshots; `stored` is read when all are over,
    `before` when none had begun (None: there was no visit then, and no units had ever been taken). Operations of other kinds on
    the same visits and authorizations would be found as changes from nowhere.
    """
    before = before or Stored()
    meant, found = deeds(operations)
    courses, odd = visits.courses(meant, stored, before)
    return [
        *found,
        *odd,
        *visits.check(courses, stored),
        *visits.overlaps(courses, stored.seats),
        *units.check(operations, meant, courses, stored, before),
    ]
