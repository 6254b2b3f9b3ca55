"""What must be told when the server stops: streams that would go on for ever, and what runs for them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Final

from starlette.requests import HTTPConnection

STATE: Final = "endings"
"""Its name in the state that the application's lifespan gives to the server, and so to every request."""


class Endings:
    """Calls what is registered when the server stops, at once or never. To be used in the event loop only."""

    def __init__(self) -> None:
        self._calls: dict[object, Callable[[], None]] = {}
        self._is_over = False

    @contextlib.contextmanager
    def telling(self, call: Callable[[], None]) -> Iterator[None]:
        """Have ``call`` called when the server stops while the block runs; at once when it already does."""
        key = object()
        self._calls[key] = call
        if self._is_over:
            call()
        try:
            yield
        finally:
            del self._calls[key]

    def end(self) -> None:
        """The server stops."""
        self._is_over = True
        for call in list(self._calls.values()):
            call()


def endings_of(request: HTTPConnection) -> Endings:
    """Those of the server that this request came to."""
    found = request.scope.get("state", {}).get(STATE)
    return found if isinstance(found, Endings) else Endings()
