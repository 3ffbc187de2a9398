"""What a person who waits is shown: each step as a line, and where there is a screen, for how long the last has been going on."""

import sys
import threading
import time
from collections.abc import Callable
from typing import Self

_TICK_SECONDS = 0.5
_WIDTH = 100


class Progress:
    """`tell` writes a line. On a screen the line of the present step is written over as time passes."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell, self._began = tell, time.monotonic()
        self._is_screen = sys.stderr.isatty()
        self._lock, self._over = threading.Lock(), threading.Event()
        self._step, self._since = "", self._began
        self._thread = threading.Thread(target=self._tick, name="progress", daemon=True)

    def __enter__(self) -> Self:
        if self._is_screen:
            self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        if self._is_screen:
            self._thread.join()
            with self._lock:
                self._clear()

    def say(self, text: str) -> None:
        with self._lock:
            if self._is_screen:
                self._clear()
            self._tell(f"{_clock(time.monotonic() - self._began)}  {text}")
            self._step, self._since = text, time.monotonic()

    def _tick(self) -> None:
        while not self._over.wait(_TICK_SECONDS):
            with self._lock:
                now = time.monotonic()
                shown = f"{_clock(now - self._began)}  … {self._step}, {now - self._since:.0f} s"
                sys.stderr.write(f"\r{shown[:_WIDTH]:<{_WIDTH}}")
                sys.stderr.flush()

    def _clear(self) -> None:
        sys.stderr.write("\r" + " " * _WIDTH + "\r")
        sys.stderr.flush()


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:3}:{int(seconds) % 60:02}"
