"""HTTP/1.1 as uvicorn speaks it, and beside it a way for an answer that is whole to be written as a whole. The common way hands
over head and body apart, and each is a system call and a packet of its own (decision 0023).
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from holdfast.api.door import WHOLE, Header


class WholeAnswers(HttpToolsProtocol):
    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.scope["extensions"] = {WHOLE: {"send": partial(_write, cycle)}}
        super()._start_asgi_task(cycle, app)


def _write(cycle: RequestResponseCycle, status: int, headers: Sequence[Header], content: bytes) -> bool:
    """Ends the request with this answer; False if it must go the common way: when the client does not read as fast as we
    write, or shall be disconnected. Raises ValueError for a header that is more than one line."""
    if cycle.flow.write_paused or not cycle.keep_alive or cycle.scope["method"] == "HEAD":
        return False
    if cycle.disconnected:
        return True
    lines = [b"%b: %b\r\n" % header for header in (*cycle.default_headers, *headers)]
    head = b"".join(lines)
    if head.count(b"\n") != len(lines) or head.count(b"\r") != len(lines):
        raise ValueError("a header with a line break")
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[status], head, content))
    cycle.message_event.set()
    cycle.on_response()
    return True
