"""How long a practitioner needs after a visit."""

from typing import ClassVar

from holdfast.rules.policy.rule import NumberRule


class BufferTime(NumberRule, frozen=True, kw_only=True, tag="buffer_time"):
    summary: ClassVar[str] = (
        "Minutes that a practitioner needs after a visit, instead of the practitioner's own number."
    )
