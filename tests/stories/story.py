"""A page whose console blocks are run: the few commands that a story uses, understood exactly and nothing beside them.

The commands are those that the page defines for a shell (`ask`, `send`, `show`, `listen`, `at`, `on`), variables, and
`holdfast` itself, so that the page is what a person can type and neither curl nor jq has to be there for the test. What
is printed must be what the page shows, where `{09:00}` and `{tomorrow 09:00}` stand for instants, `{today}` for dates
and `$NAME` for ids.
"""

import difflib
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
from stories import filters

_BLOCK = re.compile(r"^(#+ [^\n]*)$|^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"\$([A-Z][A-Z0-9_]*)")
_CALL = re.compile(r"\$\((at|on) ([^()]*)\)")
_PLACEHOLDER = re.compile(r"\{(today|tomorrow|(?:tomorrow )?\d\d:\d\d)\}")
_ASSIGNED = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)")
_LAST_LINE, _TO_NOBODY = " 2>&1 | tail -n 1", " > /dev/null"
_COMMAND_SECONDS = 120
_STREAM_SECONDS = 10


class StoryError(Exception):
    """The page says something that the runner does not understand."""


@dataclass(frozen=True)
class Step:
    """One command of the page, what is typed into it, and what it shall print."""

    heading: str
    line: int
    command: str
    typed: str
    shown: str


def steps_of(page: str) -> list[Step]:
    """Every command of the console blocks, under the heading that it stands under. Raises StoryError."""
    steps: list[Step] = []
    heading = ""
    for found in _BLOCK.finditer(page):
        if found[1]:
            heading = found[1].lstrip("# ")
        else:
            first = page.count("\n", 0, found.start(2)) + 1
            steps += _steps_in(heading, first, found[2].splitlines())
    return steps


def _steps_in(heading: str, first: int, lines: list[str]) -> Iterator[Step]:
    at = 0
    while at < len(lines):
        number, command = first + at, lines[at].removeprefix("$ ")
        if command == lines[at]:
            raise StoryError(f"line {number}: a command begins with '$ '")
        at += 1
        typed, shown = [], []
        if command.endswith(" <<END"):
            command = command.removesuffix(" <<END")
            while lines[at] != "END":
                typed.append(lines[at])
                at += 1
            at += 1
        while at < len(lines) and not lines[at].startswith("$ "):
            shown.append(lines[at])
            at += 1
        yield Step(heading, number, command, "\n".join(typed), "\n".join(shown))


@dataclass
class Runner:
    """Runs steps against a server. `environment`: of the `holdfast` command; `now`: when the story is told."""

    url: str
    environment: Mapping[str, str]
    now: datetime
    names: dict[str, str] = field(default_factory=dict)
    answer: Any = None

    def run(self, step: Step) -> str:
        """What the step prints. Raises StoryError, and AssertionError if an answer is none of ours."""
        command = step.command.strip()
        assigned = _ASSIGNED.fullmatch(command)
        if assigned:
            value = assigned[2]
            inner = re.fullmatch(r"\$\((show .*)\)", value)
            self.names[assigned[1]] = self._show(inner[1]) if inner else self.filled(value)
            return ""
        verb, _, rest = command.partition(" ")
        if verb == "show":
            return self._show(command)
        if verb in {"ask", "send"}:
            return self._call(verb, shlex.split(self.filled(rest)), self.filled(step.typed))
        if verb == "listen":
            return "\n".join(event for _, event, _ in self.heard(int(self.filled(rest))))
        if verb == "holdfast":
            return self._holdfast(self.filled(rest), step.typed)
        raise StoryError(f"line {step.line}: there is no command {verb}")

    def wanted(self, step: Step) -> str:
        """What the page shows, with the ids and times of this run."""
        return _PLACEHOLDER.sub(lambda found: self._when(found[1]), self._named(step.shown))

    def filled(self, text: str) -> str:
        """The text as a shell would hand it over. Raises StoryError for a name that is not set."""
        return _CALL.sub(lambda found: self._when(found[2].strip().strip('"')), self._named(text))

    def _named(self, text: str) -> str:
        unknown = set(_NAME.findall(text)) - self.names.keys()
        if unknown:
            raise StoryError(f"not set: {', '.join(sorted(unknown))}")
        return _NAME.sub(lambda found: self.names[found[1]], text)

    @property
    def today(self) -> date:
        return self.now.astimezone(ZoneInfo(self.names["ZONE"])).date()

    def _when(self, text: str) -> str:
        """An instant in UTC for a time on the wall, a date for a day."""
        day, _, clock = text.rpartition(" ") if ":" in text else (text, "", "")
        if day not in {"", "today", "tomorrow"}:
            raise StoryError(f"{text!r} is no time that a story knows")
        on = self.today + timedelta(days=day == "tomorrow")
        if not clock:
            return str(on)
        wall = datetime.combine(on, datetime.strptime(clock, "%H:%M").time())  # noqa: DTZ007 the zone follows
        there = wall.replace(tzinfo=ZoneInfo(self.names["ZONE"]))
        return there.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _show(self, command: str) -> str:
        words = shlex.split(self.filled(command))
        if len(words) != 2:
            raise StoryError(f"show takes one filter: {command}")
        found = filters.applied(words[1], self.answer)
        return "\n".join(each if isinstance(each, str) else filters.compact(each) for each in found)

    def _call(self, verb: str, words: list[str], typed: str) -> str:
        if len(words) != 2 or (verb == "send") != bool(typed):
            raise StoryError(f"{verb} takes a method and a path, send a body too: {words}")
        if typed:
            json.loads(typed)
        headers = self._headers() | ({"Content-Type": "application/json"} if typed else {})
        reply = httpx2.request(
            words[0], f"{self.url}/api/v1{words[1]}", headers=headers, content=typed or None, timeout=60
        )
        assert reply.status_code < 500, reply.text
        self.answer = reply.json() if reply.content else None
        return str(reply.status_code)

    def _headers(self) -> dict[str, str]:
        token = self.names.get("TOKEN")
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _holdfast(self, arguments: str, typed: str) -> str:
        """What it prints, or the last line of all that it says, or nothing."""
        text, is_last = arguments.removesuffix(_LAST_LINE), arguments.endswith(_LAST_LINE)
        words = shlex.split(text.removesuffix(_TO_NOBODY))
        done = subprocess.run(
            [sys.executable, "-c", "from holdfast.cli import main; main()", *words],
            env=dict(self.environment), input=f"{typed}\n", capture_output=True, text=True, timeout=_COMMAND_SECONDS,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        if is_last:
            return (done.stdout + done.stderr).splitlines()[-1]
        return "" if text.endswith(_TO_NOBODY) else done.stdout.strip()

    def heard(self, after: int) -> list[tuple[int, str, Any]]:
        """The events after a sequence up to the present one: sequence, kind, body."""
        with httpx2.Client(
            base_url=f"{self.url}/api/v1", headers=self._headers(), timeout=_STREAM_SECONDS
        ) as client:
            last = int(client.get("/organization").headers["as-of-seq"])
            found: list[tuple[int, str, Any]] = []
            parts: dict[str, str] = {}
            if after >= last:
                return found
            with client.stream("GET", "/calendar/events", params={"after_seq": after}) as stream:
                for text in stream.iter_lines():
                    name, _, value = text.partition(": ")
                    if text:
                        parts[name] = value
                        continue
                    if "event" in parts:
                        found.append((int(parts["id"]), parts["event"], json.loads(parts["data"])))
                        if found[-1][0] >= last:
                            return found
                    parts = {}
        raise AssertionError(f"the stream ended after {found[-1:]}, before {last}")


def differences(page: str, runner: Runner) -> str:
    """Runs the page. Says which step is the first to differ, after which steps, and how; empty if none does."""
    done: list[str] = []
    for step in steps_of(page):
        name = f"line {step.line}, {step.heading}: {step.command}"
        printed, wanted = _printed(runner, step), runner.wanted(step)
        if printed != wanted:
            how = "\n".join(
                difflib.unified_diff(
                    wanted.splitlines(), printed.splitlines(), "the page", "the server", lineterm=""
                )
            )
            before = "\n".join(f"  as told: {each}" for each in done[-5:])
            answer = json.dumps(runner.answer, indent=1, ensure_ascii=False)[:6000]
            return f"{before}\n  DIFFERS: {name}\n{how}\n\nThe whole answer:\n{answer}"
        done.append(name)
    return ""


def _printed(runner: Runner, step: Step) -> str:
    """What the step prints, or why it could not be run: it differs from the page either way."""
    try:
        return runner.run(step)
    except (StoryError, AssertionError, LookupError, TypeError, ValueError, httpx2.HTTPError) as error:
        return f"{type(error).__name__}: {error}"
