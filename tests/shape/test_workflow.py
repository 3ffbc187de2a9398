"""The public repository's workflow runs what the README and .ci/run do, and nothing that does not exist."""

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW: Any = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
JOB = WORKFLOW["jobs"]["tests"]
RUN = [step for step in JOB["steps"] if "run" in step]


def test_it_runs_the_readmes_command() -> None:
    told = re.search(
        r"^(.*pytest) +# all tests", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert told is not None
    assert told[1].rstrip() in [step["run"] for step in RUN]


def test_it_runs_what_our_own_run_does() -> None:
    """Of .ci/run's steps only the environment is spelled otherwise."""
    steps = re.findall(
        r"^step (?:env (\S+)=(\S+) )?(.+)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert steps
    for name, value, command in steps:
        found = [step for step in RUN if step["run"].endswith(command)]
        assert found, command
        assert not name or found[0]["env"][name] == value


def test_it_runs_on_the_oldest_python_that_is_promised_and_on_the_newest() -> None:
    promised = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "requires-python"
    ]
    assert JOB["strategy"]["matrix"]["python"] == [promised.removeprefix(">="), "3.x"]


def test_it_may_change_nothing() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    # YAML 1.1 reads the word "on" as true.
    assert set(WORKFLOW[True]) == {"push", "pull_request"}


def test_reports_are_kept_whatever_becomes_of_the_run() -> None:
    kept = JOB["steps"][-1]
    assert (kept["if"], kept["with"]["path"], kept["with"]["if-no-files-found"]) == (
        "always()",
        "reports/",
        "ignore",
    )
    assert all("reports/" in step["env"].get("PYTEST_ADDOPTS", step["run"]) for step in RUN)


def test_it_runs_the_proof() -> None:
    proofs = [step["run"] for step in RUN if "holdfast prove" in step["run"]]
    assert proofs == ["uv run holdfast prove --profile smoke --out reports/proof"]
