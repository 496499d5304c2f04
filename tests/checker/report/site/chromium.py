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
        text = {"Enter": "\r"}.get(key)
        code = {"Enter": 13, "Tab": 9}[key]
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

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
