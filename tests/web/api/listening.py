"""A client of the live events, reading in a thread of its own."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

PATIENCE_S = 60.0


@dataclass
class Heard:
    """The events of one stream so far, each with its name and data."""

    events: list[tuple[str, Any]] = field(default_factory=list)
    is_whole: bool = False
    """Whether the server ended the stream, and did so in order."""

    def wait_for(self, true: Callable[[str, Any], bool]) -> Any:
        """The data of the first event that fits."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            for name, data in list(self.events):
                if true(name, data):
                    return data
            assert time.monotonic() < deadline, self.events
            time.sleep(0.02)

    def wait_for_name(self, wanted: str) -> Any:
        """The data of the first event of this name."""
        return self.wait_for(lambda name, _: name == wanted)


@contextlib.contextmanager
def listening(url: str) -> Iterator[Heard]:
    """Listen to ``url``/api/events until the end of the block."""
    heard = Heard()

    def listen(response: httpx.Response) -> None:
        name = ""
        with contextlib.suppress(httpx.HTTPError, httpx.StreamError):
            for line in response.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    heard.events.append((name, json.loads(line.removeprefix("data: "))))
            heard.is_whole = True

    timeout = httpx.Timeout(PATIENCE_S, read=None)
    with httpx.Client(timeout=timeout) as client, client.stream("GET", f"{url}/api/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-accel-buffering"] == "no"
        thread = threading.Thread(target=listen, args=(response,))
        thread.start()
        yield heard
        _shut(response)
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


def _shut(response: httpx.Response) -> None:
    """Close the connection under a thread that reads from it."""
    with contextlib.suppress(OSError):
        response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
