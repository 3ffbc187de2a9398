"""Every type of rule there is: one file each, found by being here. `TYPES` maps the name in a document to the struct."""

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from holdfast.rules.policy.rule import Rule


def _found() -> dict[str, type[Rule]]:
    found: dict[str, type[Rule]] = {}
    for module in sorted(each.name for each in pkgutil.iter_modules(__path__)):
        for value in vars(importlib.import_module(f"{__name__}.{module}")).values():
            if isinstance(value, type) and issubclass(value, Rule) and value.__struct_config__.tag == module:
                found[module] = value
    return found


TYPES: Final[Mapping[str, type[Rule]]] = MappingProxyType(_found())
