"""A TLS connection over a Transport: OpenSSL works in memory, so that one system call moves many records."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Final

from radfuse.core.errors import ConnectionLost, PeerTimeout, WireError
from radfuse.wire import tls_failures
from radfuse.wire.transport import Buffer, Transport

RECEIVE_BYTES: Final = 262_144
"""What one system call receives at most: sixteen records."""

SEND_BYTES: Final = 131_072
"""What one system call sends: the peer decrypts eight records while we encrypt the next eight."""

_LINGER_BYTES: Final = 65_536
"""What is still read from a peer that was refused, so that it can read why."""

_LINGER_S: Final = 2.0
"""For how long: whoever sends byte after byte must not stay for hours."""


class TlsStream:
    """The bytes inside a TLS connection (see Stream in connection.py). Used by one thread."""

    def __init__(self, transport: Transport, wrap: Callable[[ssl.MemoryBIO, ssl.MemoryBIO], ssl.SSLObject]) -> None:
        self._transport = transport
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = wrap(self._incoming, self._outgoing)
        self._received = memoryview(bytearray(RECEIVE_BYTES))
        self._is_drained = True
        """Whether all that was received has been decrypted, but for a record that came in part."""

    # --- before the first byte of DICOM --------------------------------------------------

    def handshake(self, deadline_s: float, first_bytes: Callable[[bytes], str | None], host: str = "") -> bool:
        """Shake hands; False when the peer closed without having sent a byte.

        ``first_bytes`` says what is wrong with the beginning of what the peer sends, None for nothing.
        Raises TlsFailed, PeerTimeout or ConnectionLost; the transport is closed then.
        """
        try:
            return self._handshake(time.monotonic() + deadline_s, deadline_s, first_bytes, host)
        except WireError:
            self._refuse()
            raise

    def _handshake(self, ends: float, deadline_s: float, first_bytes: Callable[[bytes], str | None], host: str) -> bool:
        has_received = False
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
            except ssl.SSLError as error:
                with contextlib.suppress(WireError):
                    self._flush()  # the alert that tells the peer why
                raise tls_failures.failure_of(error, host) from None
            else:
                self._flush()
                return True
            count = self._transport.recv_into(self._received)
            if count == 0:
                if has_received or host:
                    raise tls_failures.failed(tls_failures.CLOSED)
                return False
            if count:
                if not has_received and (wrong := first_bytes(bytes(self._received[: min(count, 3)]))) is not None:
                    raise tls_failures.failed(wrong)
                has_received = True
                self._incoming.write(self._received[:count])
            if time.monotonic() > ends:
                raise PeerTimeout("the TLS handshake", deadline_s)

    def _refuse(self) -> None:
        """Close in a way that lets the peer read the alert: closing with unread bytes would reset the connection."""
        transport = self._transport
        transport.finish()
        left, ends = _LINGER_BYTES, time.monotonic() + _LINGER_S
        while left > 0 and time.monotonic() < ends and (count := transport.recv_into(self._received[:left])):
            left -= count
        transport.close()

    # --- what the driver needs -----------------------------------------------------------

    def recv_into(self, view: memoryview) -> int | None:
        """Bytes received into ``view``, 0 when the peer closed, None when the tick passed; TlsFailed."""
        total = self._decrypt(view)
        if total is not None:
            return total
        count = self._transport.recv_into(self._received)
        if not count:
            return count
        self._incoming.write(self._received[:count])
        # A record that came in part is no more than a tick to the caller, who looks at the deadlines then.
        return self._decrypt(view)

    def send_buffers(self, buffers: Sequence[Buffer]) -> None:
        """Send all; ConnectionLost or PeerTimeout."""
        # A copy, but full records: gathering piece by piece takes Python as long.
        data = memoryview(buffers[0] if len(buffers) == 1 else b"".join(buffers))
        write, outgoing = self.tls.write, self._outgoing
        try:
            for start in range(0, len(data), SEND_BYTES):
                piece = data[start : start + SEND_BYTES]
                while piece:
                    piece = piece[write(piece) :]  # one record at a time
                self._transport.send_buffers((outgoing.read(),))
        except ssl.SSLError as error:
            raise ConnectionLost(f"TLS: {tls_failures.failure_of(error).reason}") from None
        except ConnectionLost:
            self._look_for_an_alert()
            raise

    def readable(self, timeout_s: float) -> bool:
        """Whether a receive would not block (bytes, or the end) within ``timeout_s``."""
        return not self._is_drained or self._transport.readable(timeout_s)

    def finish(self) -> None:
        """Close our direction: the peer reads what we sent, then the end."""
        self._close_notify()
        self._transport.finish()

    def close(self) -> None:
        """Close the connection."""
        self._close_notify()
        self._transport.close()

    # --- records -------------------------------------------------------------------------

    def _decrypt(self, view: memoryview) -> int | None:
        """Bytes decrypted into ``view`` as far as whole records are here; None for no record, 0 for the end."""
        read, size, total = self.tls.read, len(view), 0
        try:
            while total < size:
                count = int(read(size - total, view[total:]))  # into a buffer, so the number of bytes
                if not count:
                    break
                total += count
            self._is_drained = False
        except ssl.SSLWantReadError:
            self._is_drained = True
            if self._outgoing.pending:  # an answer within the protocol, such as a change of keys
                self._flush()
            return total or None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            self._is_drained = False
        except ssl.SSLError as error:
            if not total:
                raise tls_failures.failure_of(error) from None
        return total

    def _look_for_an_alert(self) -> None:
        """Raise what a peer that has closed the connection said before, if it did: in TLS 1.3 its no comes late."""
        count = self._transport.recv_into(self._received)
        if count:
            self._incoming.write(self._received[:count])
            self._decrypt(memoryview(bytearray(1)))

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._transport.send_buffers((self._outgoing.read(),))

    def _close_notify(self) -> None:
        """Say that nothing more comes, as far as that goes without waiting (RFC 8446 section 6.1)."""
        with contextlib.suppress(ssl.SSLError, ValueError):
            self.tls.unwrap()
        if self._outgoing.pending:
            self._transport.try_send(self._outgoing.read())
