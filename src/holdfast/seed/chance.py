"""Chance that repeats: the same number gives the same names, ids and choices. Every name is put together here from
lists of our own, so none is anybody's. Reads no clock.
"""

import random
import uuid
from datetime import date, timedelta
from typing import Final

# Ids carry the time of their making (UUIDv7); invented ones are made on this day, a millisecond apart.
_FIRST_MILLISECOND: Final = 1_767_225_600_000

_GIVEN: Final = (
    "Ada", "Amari", "Anouk", "Arlo", "Bea", "Bruno", "Cato", "Celia", "Dario", "Della", "Edda", "Elio", "Esme",
    "Fenn", "Flora", "Gwen", "Hugo", "Ida", "Ines", "Ivo", "Jonah", "Juna", "Kaya", "Kito", "Lena", "Levi", "Lior",
    "Lupe", "Mara", "Milo", "Nadia", "Nilo", "Noor", "Odin", "Oona", "Paz", "Pia", "Quinn", "Rafa", "Remy", "Rosa",
    "Sami", "Selma", "Silas", "Taj", "Tess", "Tilda", "Uma", "Vera", "Vito", "Wanda", "Wim", "Xenia", "Yara",
    "Yusuf", "Zadie", "Zoltan",
)  # fmt: skip
_FAMILY_BEGINS: Final = (
    "Alder", "Ashen", "Bar", "Bell", "Bram", "Cal", "Cedar", "Cor", "Dal", "Dun", "Ever", "Fair", "Fen", "Gal",
    "Glen", "Hal", "Haw", "Iver", "Jor", "Kel", "Lark", "Lin", "Mar", "Mel", "Nor", "Oak", "Or", "Pel", "Quill",
    "Ren", "Ros", "San", "Sel", "Tal", "Thorn", "Ul", "Val", "Ver", "Wes", "Yar", "Zan",
)  # fmt: skip
_FAMILY_ENDS: Final = (
    "aby", "anza", "ari", "berg", "cott", "dale", "ero", "esh", "field", "gard", "ika", "ino", "lund", "mere",
    "mont", "ova", "quist", "ridge", "sky", "son", "strand", "uez", "ville", "wick", "worth",
)  # fmt: skip


class Chance(random.Random):
    """Not for secrets: whoever knows the number knows everything it gives."""

    def __init__(self, *number: object) -> None:
        super().__init__("/".join(str(part) for part in number))
        self._ids = 0
        self._names: set[tuple[str, str]] = set()

    def new_id(self) -> str:
        """The next id: later ones sort behind earlier ones."""
        self._ids += 1
        bits = (_FIRST_MILLISECOND + self._ids) << 80 | self.getrandbits(80)
        bits = bits & ~(0xF << 76) | 0x7 << 76
        bits = bits & ~(0x3 << 62) | 0x2 << 62
        return str(uuid.UUID(int=bits))

    def name(self) -> tuple[str, str]:
        """Given and family name."""
        return self.choice(_GIVEN), self.choice(_FAMILY_BEGINS) + self.choice(_FAMILY_ENDS)

    def person(self) -> tuple[str, str]:
        """Given and family name, never the same twice; there are some 50,000."""
        while True:
            name = self.name()
            if name not in self._names:
                self._names.add(name)
                return name

    def birth_date(self, today: date, youngest: int, oldest: int) -> str:
        """Of somebody between two ages in years."""
        return (today - timedelta(days=self.randint(youngest * 365, oldest * 365 + 364))).isoformat()

    def some(self, probability: float) -> bool:
        return self.random() < probability
