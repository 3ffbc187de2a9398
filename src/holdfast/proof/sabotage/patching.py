"""Applies a unified diff to a copy of the package. A hunk is found by its lines, wherever in the file they stand by now; lines
that are not there exactly once are an error, since a sabotage that does nothing would prove nothing.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from holdfast.plain import PlainError

PACKAGE = Path(__file__).resolve().parents[2]
_PATCHES = Path(__file__).with_name("patches")
_FILE = re.compile(r"^--- (\S+)\n\+\+\+ b/(\S+)\n", re.MULTILINE)
_HUNK = re.compile(r"^@@ .*\n", re.MULTILINE)


class PatchFailed(PlainError):
    """A patch does not fit the source any more; the message says which lines."""


class _Hunk(NamedTuple):
    file: str
    is_new_file: bool
    before: str
    after: str


def sabotaged(name: str, folder: Path) -> list[Path]:
    """Copies the package to `folder / "holdfast"` and applies `patches/<name>.patch` to it. Returns the changed files.

    Raises PatchFailed.
    """
    # The copies of compiled files are good as long as the times of their sources are kept.
    shutil.copytree(PACKAGE, folder / PACKAGE.name)
    return patched((_PATCHES / f"{name}.patch").read_text(encoding="utf-8"), folder)


def patched(patch: str, folder: Path) -> list[Path]:
    """Applies a diff to the files under `folder`, and returns them. Raises PatchFailed."""
    changed: dict[Path, None] = {}
    for hunk in _hunks(patch):
        file = folder / hunk.file
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        if hunk.is_new_file and text:
            raise PatchFailed(f"{hunk.file} is to be made by the patch and is there already.")
        # Nothing, at the beginning of a file that is not there, is there once too.
        places = [match.start() for match in re.finditer(f"^{re.escape(hunk.before)}", text, re.MULTILINE)]
        if len(places) != 1 or not (text or hunk.is_new_file):
            raise PatchFailed(f"{hunk.file} does not have these lines exactly once:\n{hunk.before}")
        head, tail = text[: places[0]], text[places[0] + len(hunk.before) :]
        file.write_text(head + hunk.after + tail, encoding="utf-8")
        changed[file] = None
    if not changed:
        raise PatchFailed("The patch changes nothing.")
    return list(changed)


def _hunks(patch: str) -> Iterator[_Hunk]:
    _, *parts = _FILE.split(patch)
    for old, file, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        for lines in _HUNK.split(text)[1:]:
            marked = lines.splitlines(keepends=True)
            before = "".join(line[1:] for line in marked if line[0] in " -")
            after = "".join(line[1:] for line in marked if line[0] in " +")
            yield _Hunk(file, old == "/dev/null", before, after)
