"""Every patch still fits the source, and one that does not is an error and no sound build."""

from pathlib import Path

import pytest

from holdfast.proof.sabotage.catalog import sabotages
from holdfast.proof.sabotage.patching import PatchFailed, patched, sabotaged

_PATCHES = sorted({each.patch for each in sabotages() if each.patch})
_DIFF = "--- a/there.py\n+++ b/there.py\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n"


@pytest.mark.parametrize("name", _PATCHES)
def test_it_applies(name: str, tmp_path: Path) -> None:
    changed = sabotaged(name, tmp_path)
    assert changed
    for file in changed:
        if file.suffix == ".py":
            compile(file.read_text(encoding="utf-8"), str(file), "exec")


def test_every_patch_is_used() -> None:
    folder = Path(__file__).resolve().parents[2] / "src/holdfast/proof/sabotage/patches"
    assert sorted(file.stem for file in folder.iterdir()) == _PATCHES


def test_lines_are_found_wherever_they_are(tmp_path: Path) -> None:
    file = tmp_path / "there.py"
    file.write_text("zero\nhalf\none\ntwo\nfour\n")
    assert patched(_DIFF, tmp_path) == [file]
    assert file.read_text() == "zero\nhalf\none\nthree\nfour\n"


@pytest.mark.parametrize("text", ["one\n2\n", "one\ntwo\none\ntwo\n", "someone\ntwo\n"])
def test_lines_that_are_not_there_exactly_once_are_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "there.py").write_text(text)
    with pytest.raises(PatchFailed, match="exactly once"):
        patched(_DIFF, tmp_path)


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PatchFailed, match="exactly once"):
        patched(_DIFF, tmp_path)


def test_a_patch_without_a_hunk_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PatchFailed, match="changes nothing"):
        patched("only words\n", tmp_path)
