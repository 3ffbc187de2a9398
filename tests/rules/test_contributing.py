"""The type of rule that CONTRIBUTING shows is one: a file that holds it as it stands there is found, checked and asked."""

import importlib
import re
import sys
from pathlib import Path

import pytest
from rules.test_contradictions import organization, scores
from rules.test_contradictions import verdict as asked

from holdfast.rules.policy import document, types

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"
HEAD = '''"""As in CONTRIBUTING."""
from typing import Annotated, ClassVar
from msgspec import Meta
from holdfast.rules.facts import Room
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import Kind, Opinion, Points, RoomJudge, RoomRule, Rooms

'''


def test_a_type_of_rule_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = re.search(
        r"```python\n(class QuietRoom.*?)```", CONTRIBUTING.read_text(encoding="utf-8"), re.DOTALL
    )
    assert shown is not None
    (tmp_path / "quiet_room.py").write_text(HEAD + shown[1], encoding="utf-8")
    monkeypatch.setattr(types, "__path__", [*types.__path__, str(tmp_path)])
    try:
        found = types._found()
        assert set(found) == {*types.TYPES, "quiet_room"}
        monkeypatch.setattr(document, "TYPES", found)
        rule = {"name": "quiet", "kind": "soft", "type": "quiet_room", "rooms": ["r2"], "score_modifier": 7}
        assert scores(organization(rule)) == {"r1": 100, "r2": 107}
        assert asked(organization(rule)).room is not None
        assert "quiet_room" in {each["type"] for each in document.describe()}
    finally:
        sys.modules.pop("holdfast.rules.policy.types.quiet_room", None)
        importlib.invalidate_caches()
