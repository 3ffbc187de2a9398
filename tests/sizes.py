"""How much a check tries: as much as every change can take, or at night (HOLDFAST_TEST_SIZES=full) what finds the rare fault.

The law is the same at both sizes, and a planted fault is seen at the smaller.
"""

import os

FULL = os.environ.get("HOLDFAST_TEST_SIZES") == "full"


def size(change: int, night: int) -> int:
    """So many at every change, and so many at night."""
    return night if FULL else change
