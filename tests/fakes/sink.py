"""A storage SCP that knows nothing of Radfuse's code: keeps the UIDs of what it acknowledged, in order."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from types import TracebackType
from typing import Self

from benchmarks import dimse
from benchmarks.sink import accept_answer

_MAX_PDU_BYTES = 65536


class Sink:
    """Accepts every context and object on a loopback port while it is open."""

    def __init__(self, port: int = 0, *, delay_s: float = 0.0) -> None:
        self.acknowledged: list[str] = []
        """SOP Instance UIDs, each written down before its answer is sent."""
        self.delay_s = delay_s
        """How long every object takes."""
        self.open_gate = threading.Event()
        """Objects wait here; open from the start."""
        self.open_gate.set()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def peer(self) -> str:
        """AET@host:port."""
        return f"SINK@127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.open_gate.set()
        for connection in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._connections.append(connection)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError), connection:
            stream = dimse.Stream(connection, 1 << 17)
            _, request = stream.pdu()
            connection.sendall(accept_answer(bytes(request), _MAX_PDU_BYTES))
            for message in stream.messages(keep_data=False):
                self.open_gate.wait()
                if self.delay_s:
                    time.sleep(self.delay_s)
                self.acknowledged.append(message.command[dimse.AFFECTED_SOP_INSTANCE].rstrip(b"\0").decode())
                connection.sendall(dimse.store_answer(message))
