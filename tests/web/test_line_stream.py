"""Lines while they come, from threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from starlette.types import Message, Scope

from radfuse.web.endings import Endings
from radfuse.web.line_stream import LinesResponse, Places
from radfuse.web.problems import HttpProblem
from tests.jobs.working import until

SCOPE: Scope = {"type": "http", "method": "POST", "headers": []}


class Client:
    """Takes a response; goes away when told to."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.gone = asyncio.Event()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def is_whole(self) -> bool:
        return self.sent[-1].get("more_body") is False


def endless(should_stop: Callable[[], bool]) -> Generator[bytes, None, None]:
    while not should_stop():
        yield b"line\n"


def respond(work: Any, places: Places | None = None) -> LinesResponse:
    return LinesResponse(work, places or Places(1, "works"), Endings())


def test_the_lines_come_in_order_and_whole() -> None:
    async def take() -> Client:
        client = Client()
        await respond(lambda _: (b"%d\n" % number for number in range(1000)))(SCOPE, client.receive, client.send)
        return client

    client = asyncio.run(take())
    assert client.body == b"".join(b"%d\n" % number for number in range(1000))
    assert client.is_whole


def test_the_work_is_told_when_the_client_leaves_and_gives_its_place_back() -> None:
    places = Places(1, "works")
    closed = threading.Event()

    def work(should_stop: Callable[[], bool]) -> Iterator[bytes]:
        try:
            yield from endless(should_stop)
        finally:
            closed.set()

    async def leave() -> None:
        client = Client()
        response = respond(work, places)
        with pytest.raises(HttpProblem, match="too many works"):
            places.take()
        answering = asyncio.create_task(response(SCOPE, client.receive, client.send))
        while len(client.sent) < 3:
            await asyncio.sleep(0.01)
        client.gone.set()
        await answering
        assert not client.is_whole

    asyncio.run(leave())
    assert closed.wait(30)
    until(lambda: _can_take(places))


def _can_take(places: Places) -> bool:
    try:
        places.take()
    except HttpProblem:
        return False
    return True


def test_work_that_breaks_never_looks_complete() -> None:
    def work(_: Callable[[], bool]) -> Iterator[bytes]:
        yield b"one\n"
        raise ValueError("broken")

    async def take() -> Client:
        client = Client()
        await respond(work)(SCOPE, client.receive, client.send)
        return client

    client = asyncio.run(take())
    assert not client.is_whole


def test_the_end_of_the_server_ends_it() -> None:
    async def stop() -> Client:
        client, endings = Client(), Endings()
        response = LinesResponse(endless, Places(1, "works"), endings)
        answering = asyncio.create_task(response(SCOPE, client.receive, client.send))
        while len(client.sent) < 3:
            await asyncio.sleep(0.01)
        endings.end()
        await answering
        return client

    assert not asyncio.run(stop()).is_whole
