"""A headless Chromium that tests drive by the DevTools protocol, over the pipe that it offers for this:
no driver, no network.
"""

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["Chromium", "path"]

# A machine that is busy with other tests may take long to start a browser.
SECONDS = 60
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_CODES = {
    "Enter": 13, "Tab": 9, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "/": 191,
    "+": 187, "-": 189,
}  # fmt: skip
# The browser reads commands from its descriptor 3 and answers on 4.
START = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
os.dup2(ends[0], 3), os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def path() -> str | None:
    """The browser, or None if there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Chromium:
    """One page; `messages` are the errors and warnings that it logged, `requests` the addresses that it asked for."""

    def __init__(self, profile: Path, *, width: int = 1280, height: int = 900, dark: bool = False):
        ours, theirs = os.pipe(), os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", START, str(ours[0]), str(theirs[1]), path(), *OPTIONS, f"--user-data-dir={profile}"],
            pass_fds=(ours[0], theirs[1]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(ours[0])
        os.close(theirs[1])
        self._commands, self._answers = os.fdopen(ours[1], "wb"), os.fdopen(theirs[0], "rb")
        self._number, self._session, self._buffer = 0, None, b""
        self.messages: list[str] = []
        self.requests: list[str] = []
        self._events: list[str] = []
        try:
            self._begin(width, height, dark)
        except BaseException:
            self.close()
            raise

    def _begin(self, width: int, height: int, dark: bool) -> None:
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.resize(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def resize(self, width: int, height: int) -> None:
        """Give the page another size, in CSS pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def open(self, file: Path) -> None:
        """Load a file and wait until it has loaded."""
        self._events.clear()
        self.send("Page.navigate", url=file.resolve().as_uri())
        self.wait("Page.loadEventFired")

    def wait(self, event: str) -> None:
        """Until the browser tells this event."""
        while event not in self._events:
            self._take(self._receive())

    def evaluate(self, expression: str):
        """The value of an expression of JavaScript."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else None)
        code = _CODES.get(key, ord(key[0]))
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text: str) -> None:
        """Put text where the focus is."""
        self.send("Input.insertText", text=text)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press the mouse at one place, move it to another, release it."""
        (x0, y0), (x1, y1) = start, end
        self._mouse("mousePressed", x0, y0, button="left", clickCount=1)
        for part in (0.5, 1):
            self._mouse("mouseMoved", x0 + part * (x1 - x0), y0 + part * (y1 - y0), button="left", buttons=1)
        self._mouse("mouseReleased", x1, y1, button="left", clickCount=1)

    def point(self, x: float, y: float) -> None:
        """Move the mouse there."""
        self._mouse("mouseMoved", x, y)

    def wheel(self, x: float, y: float, down: float, *, ctrl: bool = False) -> None:
        """Turn the wheel there."""
        self._mouse("mouseWheel", x, y, deltaX=0, deltaY=down, modifiers=2 if ctrl else 0)

    def pinch(self, middle: tuple[float, float], before: float, after: float) -> None:
        """Put two fingers side by side, `before` apart, and move them until they are `after` apart."""
        (x, y), apart = middle, [before, (before + after) / 2, after]
        for step, distance in zip(("touchStart", "touchMove", "touchMove"), apart, strict=True):
            points = [{"x": x + side * distance / 2, "y": y, "id": i} for i, side in enumerate((-1, 1))]
            self.send("Input.dispatchTouchEvent", type=step, touchPoints=points)
        self.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def _mouse(self, kind: str, x: float, y: float, **more) -> None:
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def send(self, method: str, **parameters):
        """One command; its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self._take(answer)

    def _receive(self) -> dict:
        while b"\0" not in self._buffer:
            assert select.select([self._answers], [], [], SECONDS)[0], f"the browser says nothing for {SECONDS} s"
            part = os.read(self._answers.fileno(), 2**16)
            assert part, "the browser has ended"
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def _take(self, event: dict) -> None:
        name, told = event.get("method", ""), event.get("params", {})
        self._events.append(name)
        if name == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.messages.append(told["entry"]["text"])
        if name == "Runtime.exceptionThrown":
            self.messages.append(str(told))
        if name == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
            self.messages.append(str(told["args"]))
        if name == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])

    def close(self) -> None:
        """End the browser."""
        with contextlib.suppress(BrokenPipeError):
            self._commands.close()
        self._answers.close()
        try:
            self._process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
