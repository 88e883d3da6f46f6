# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pages in headless Chromium: how wide they are, what they log, what they ask the network for.

Chromium is driven by its DevTools protocol through a pipe. A window cannot be as narrow as a
telephone, whatever --window-size says; the viewport can.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import selectors
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

REQUIRED = "TINYFORMER_REQUIRE_BROWSER"
"""With this in the environment, a missing browser is a failure."""

_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-extensions", "--disable-default-apps", "--disable-dev-shm-usage"),
    "--remote-debugging-pipe",
)
_PROBE = """
[innerWidth, document.documentElement.scrollWidth, document.documentElement.scrollHeight]
"""
# With everything open, whose content is wider than it is, so that a reader would have to scroll it.
_CUT = """
document.querySelectorAll('details').forEach(element => element.open = true);
[...document.querySelectorAll('body *')]
  .filter(element => element.clientWidth && element.scrollWidth > element.clientWidth)
  .map(element => `${element.tagName} ${element.textContent.trim().slice(0, 40)}`)
"""
_SECONDS = 120

Message = dict[str, Any]


@dataclass(frozen=True)
class Visit:
    """What happened to a page. `overflow` is how much wider it is than its viewport, in pixels;
    `cut` are elements that do not show all they have. The screenshot has all of its height."""

    overflow: int
    cut: list[str]
    console: list[str]
    requests: list[str]
    screenshot: bytes


def browser() -> str:
    """Chromium, or this test is skipped: nothing but a browser can tell."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    missing = "no Chromium here; on Debian: apt-get install chromium"
    if os.environ.get(REQUIRED):
        pytest.fail(f"{missing} ({REQUIRED} is set)")
    pytest.skip(missing)


def visit(page: Path, width: int, height: int, folder: Path, *, dark: bool = False) -> Visit:
    """Opens `page` in a viewport of exactly this size, with a new profile in `folder`."""
    with _chromium(folder) as tab:
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.call(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        tab.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        tab.call("Emulation.setEmulatedMedia", features=[scheme])
        tab.call("Page.navigate", url=page.resolve().as_uri())
        tab.wait_for("Page.loadEventFired")
        inner, whole, full = tab.evaluate(_PROBE)
        assert inner == width, f"the viewport is {inner} pixels wide, not {width}"
        clip = {"x": 0, "y": 0, "width": width, "height": full, "scale": 1}
        picture = tab.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        return Visit(
            overflow=whole - inner,
            cut=tab.evaluate(_CUT),
            console=[text for event in tab.events if (text := _complaint(event))],
            requests=[url for event in tab.events if (url := _request(event))],
            screenshot=base64.b64decode(picture["data"]),
        )


def _complaint(event: Message) -> str | None:
    """What a page says on its console, errors of scripts and of the browser included."""
    details = event["params"]
    if event["method"] == "Runtime.exceptionThrown":
        return str(details["exceptionDetails"])
    if event["method"] == "Runtime.consoleAPICalled":
        return str(details["args"])
    return str(details["entry"]["text"]) if event["method"] == "Log.entryAdded" else None


def _request(event: Message) -> str | None:
    """What a page asks for, other than itself."""
    if event["method"] == "Network.webSocketCreated":
        return str(event["params"]["url"])
    if event["method"] != "Network.requestWillBeSent":
        return None
    url = str(event["params"]["request"]["url"])
    itself = event["params"].get("type") == "Document" and url.startswith("file:")
    return None if itself or url.startswith("data:") else url


class _Tab:
    """A page of the browser. Messages are JSON with a zero byte behind each."""

    def __init__(self, commands: int, answers: int) -> None:
        self.events: list[Message] = []
        self._commands, self._answers = commands, answers
        self._unread = b""
        self._count = 0
        self._session: dict[str, str] = {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}

    def call(self, method: str, **parameters: Any) -> Message:
        """The result of a command."""
        self._count += 1
        command = {"id": self._count, "method": method, "params": parameters, **self._session}
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while (message := self._read()).get("id") != self._count:
            self._keep(message)
        assert "error" not in message, f"{method}: {message}"
        result: Message = message["result"]
        return result

    def evaluate(self, expression: str) -> Any:
        """The value of an expression on the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"]["value"]

    def wait_for(self, event: str) -> None:
        """Reads until something has happened."""
        while all(seen["method"] != event for seen in self.events):
            self._keep(self._read())

    def _keep(self, message: Message) -> None:
        if "method" in message:
            self.events.append(message)

    def _read(self) -> Message:
        deadline = time.monotonic() + _SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while b"\0" not in self._unread:
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                assert ready, f"Chromium says nothing for {_SECONDS} seconds"
                chunk = os.read(self._answers, 1 << 16)
                assert chunk, "Chromium has ended"
                self._unread += chunk
        line, self._unread = self._unread.split(b"\0", 1)
        message: Message = json.loads(line)
        return message


@contextmanager
def _chromium(folder: Path) -> Iterator[_Tab]:
    """A browser of its own, which reads commands from descriptor 3 and answers on 4."""
    folder.mkdir(parents=True)
    command = [browser(), *_OPTIONS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
    read, commands = os.pipe()
    answers, write = os.pipe()
    # Not 3 or 4 themselves, so that bash can put them there in any order.
    theirs_in, theirs_out = (fcntl.fcntl(end, fcntl.F_DUPFD, 64) for end in (read, write))
    script = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
    with (folder / "stderr.txt").open("wb") as said:
        process = subprocess.Popen(
            ["bash", "-c", script, *command],
            pass_fds=(theirs_in, theirs_out),
            stdout=said,
            stderr=said,
            env={**os.environ, "HOME": str(folder)},
        )
    for end in (read, write, theirs_in, theirs_out):
        os.close(end)
    try:
        yield _Tab(commands, answers)
    finally:
        os.close(commands)  # upon which it ends
        os.close(answers)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
