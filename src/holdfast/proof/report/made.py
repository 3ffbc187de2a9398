"""A report made of a run, and written down as JSON, page and Markdown."""

from pathlib import Path
from typing import Final

import msgspec

from holdfast.proof.report import archive, baseline, html, markdown
from holdfast.proof.report.blanks import html_blanks, markdown_blanks
from holdfast.proof.report.model import NotApplicable, Report, Run
from holdfast.proof.report.telling import whole
from holdfast.proof.report.verdict import judged

TITLE: Final = "Holdfast: the proof"
_NO_ARCHIVE: Final = NotApplicable(reason="No archive of earlier runs was given.")


def report(run: Run, earlier: Report | None = None, archived: Path | None = None) -> Report:
    """The verdict on a run, against an earlier one, with the trends of an archive. A cell of the page that says nothing makes
    the run invalid, as one of the figures does."""
    against = baseline.NO_BASELINE if earlier is None else baseline.compared(earlier.run, run)
    trends = _NO_ARCHIVE if archived is None else archive.trends(archived, run)
    made = Report(run=run, verdict=judged(run, against), baseline=against, trends=trends)
    holes = [*html_blanks(page(made)), *markdown_blanks(text(made))]
    if not holes:
        return made
    told = tuple(f"There is a blank in the report: {each}." for each in holes)
    invalid = msgspec.structs.replace(run, invalid=(*run.invalid, *told))
    return msgspec.structs.replace(made, run=invalid, verdict=judged(invalid, against))


def page(made: Report) -> str:
    return html.page(TITLE, tuple(whole.told(made)))


def text(made: Report) -> str:
    return markdown.text(TITLE, tuple(whole.told(made)))


def write(made: Report, folder: Path) -> tuple[Path, ...]:
    """Writes `report.json`, `.html` and `.md` into a folder, which is made if need be. Returns the three."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        archive.REPORT: msgspec.json.encode(made),
        "report.html": page(made).encode(),
        "report.md": text(made).encode(),
    }
    for name, content in texts.items():
        (folder / name).write_bytes(content)
    return tuple(folder / name for name in texts)
