"""Structs that leave methods to their kinds. Imports nothing of ours."""

from abc import ABCMeta

import msgspec


class AbstractStruct(msgspec.StructMeta, ABCMeta):
    """The metaclass of a struct with abstract methods: one that lacks some cannot be made."""
