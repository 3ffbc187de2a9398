"""How long a room needs after a visit."""

from typing import ClassVar

from holdfast.rules.policy.rule import NumberRule


class CleaningBuffer(NumberRule, frozen=True, kw_only=True, tag="cleaning_buffer"):
    summary: ClassVar[str] = (
        "Minutes that a room needs after a visit, instead of the room's own number; the service's if that is larger."
    )
