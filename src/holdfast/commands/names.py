"""How a person's name is found as someone types it, and which people may be one and the same (decisions/0004)."""

import difflib
import unicodedata

_WORDS_MAX = 8
# One letter may unfold into eighteen; an entry of an index has its limit.
_CHARACTERS_MAX = 200
_APOSTROPHES = "'`\u2018\u2019\u02bc"
_SIMILAR = 0.75
_PREFIX = 3


def folded(text: str) -> str:
    """Without case, accents, apostrophes, hyphens and doubled spaces: what a hurried person types."""
    parted = unicodedata.normalize("NFKD", text.casefold())
    letters = (c for c in parted if not unicodedata.combining(c) and c not in _APOSTROPHES)
    spaced = "".join(c if c.isalnum() else " " for c in letters)
    return " ".join(spaced.split())[:_CHARACTERS_MAX]


def search_name(given_name: str, family_name: str) -> str:
    """By which patients are ordered, and compared."""
    return folded(f"{family_name} {given_name}")


def search_terms(given_name: str, family_name: str) -> list[str]:
    """The words of the name, begun at each in turn, so that every search is for the beginning of a term: "ana",
    "ruiz", "ana ru" and "ruiz lopez a" all find Ana Ruiz Lopez."""
    words = folded(f"{given_name} {family_name}").split()
    turns = [" ".join(words[n:] + words[:n])[:_CHARACTERS_MAX] for n in range(min(len(words), _WORDS_MAX))]
    return sorted({*turns, search_name(given_name, family_name)})


def range_of(typed: str) -> tuple[str, str]:
    """The range of search terms that begin with what was typed."""
    prefix = folded(typed)
    return prefix, prefix + "\U0010ffff"


def one_slip_apart(one: str, other: str) -> bool:
    """Whether two folded names are a letter apart at most: another one, one more, or two neighbours exchanged."""
    if abs(len(one) - len(other)) > 1:
        return False
    begin = 0
    while begin < min(len(one), len(other)) and one[begin] == other[begin]:
        begin += 1
    a, b = one[begin:], other[begin:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


def similar(family_name: str, other: str) -> bool:
    """Whether two family names may be one, misspelt, shortened or joined."""
    one, two = folded(family_name), folded(other)
    shorter, longer = sorted((one, two), key=len)
    if len(shorter) >= _PREFIX and longer.startswith(shorter):
        return True
    return difflib.SequenceMatcher(None, one, two).ratio() >= _SIMILAR
