"""Listeners of a broadcast, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from radfuse.web.event_stream import HELLO, MOST_WAITING, Broadcast, encoded


def test_an_event_is_one_line_of_data() -> None:
    assert encoded("jobs", b'{"jobs":[]}') == b'event: jobs\ndata: {"jobs":[]}\n\n'


def test_a_listener_that_is_too_slow_is_told_to_read_again() -> None:
    async def listen() -> None:
        sources: list[Callable[[bytes], None]] = []
        broadcast = Broadcast(sources.append, sources.clear)
        with broadcast.listening() as slow, broadcast.listening() as quick:
            sources[0](encoded(HELLO))
            await asyncio.sleep(0)
            assert await slow.take() == await quick.take() == encoded(HELLO)
            for number in range(MOST_WAITING + 1):
                sources[0](encoded("jobs", b"%d" % number))
                await asyncio.sleep(0)
                assert await quick.take() == encoded("jobs", b"%d" % number)
            assert await slow.take() == encoded(HELLO)
        assert not sources

    asyncio.run(listen())


def test_a_late_listener_is_greeted_once_nothing_can_be_missed() -> None:
    async def listen() -> None:
        sources: list[Callable[[bytes], None]] = []
        broadcast = Broadcast(sources.append, sources.clear)
        with broadcast.listening() as first:
            with broadcast.listening() as early:
                sources[0](encoded(HELLO))
                await asyncio.sleep(0)
                assert await first.take() == await early.take() == encoded(HELLO)
            with broadcast.listening() as late:
                assert await late.take() == encoded(HELLO)
            assert sources

    asyncio.run(listen())
