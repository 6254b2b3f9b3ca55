"""The ports: plain DICOM, DICOM over TLS on a port of its own once there is a certificate, and HTTP."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import NamedTuple, Self

from radfuse.app.compose import listen, tls_identity
from radfuse.app.settings import Settings
from radfuse.app.web import open_http
from radfuse.core.errors import ConfigurationError
from radfuse.services.certificates import WARN_DAYS, check_identity

_log = logging.getLogger(__name__)


class Ports(NamedTuple):
    """Where associations are served, and HTTP; None: not over TLS, no web server."""

    dicom: int
    tls: int | None = None
    http: int | None = None


@dataclass(frozen=True, slots=True)
class Listeners:
    """The listening sockets, which several processes may share."""

    dicom: socket.socket
    tls: socket.socket | None = None
    http: socket.socket | None = None

    @classmethod
    def open_all(cls, settings: Settings) -> Self:
        """Listen on the ports of the settings. ConfigurationError for what ``open`` and ``open_http`` refuse."""
        node = cls.open(settings)
        try:
            return cls(node.dicom, node.tls, open_http(settings))
        except ConfigurationError:
            node.close()
            raise

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Listen on the ports of the node. ConfigurationError for a port or certificate that cannot be used."""
        has_tls = _check_certificate(settings)
        dicom = listen(settings)
        try:
            return cls(dicom, listen(settings, "tls_port") if has_tls else None)
        except ConfigurationError:
            dicom.close()
            raise

    @classmethod
    def inherited(cls, descriptors: Sequence[int]) -> Self:
        """Those that another process opened, by their ``descriptors`` there."""
        return cls(*(socket.socket(fileno=number) for number in descriptors))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close them."""
        self.close()

    def close(self) -> None:
        """Close them."""
        for listener in (*self.all, self.http):
            if listener is not None:
                listener.close()

    @property
    def all(self) -> tuple[socket.socket, ...]:
        """The sockets of the node, that for TLS last."""
        return (self.dicom,) if self.tls is None else (self.dicom, self.tls)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What ``inherited`` needs."""
        return tuple(listener.fileno() for listener in self.all)

    @property
    def ports(self) -> Ports:
        """Where they listen."""
        tls, http = (listener.getsockname()[1] if listener is not None else None for listener in (self.tls, self.http))
        return Ports(self.dicom.getsockname()[1], tls, http)


def _check_certificate(settings: Settings) -> bool:
    """Whether there is TLS. ConfigurationError for a certificate that nobody would accept."""
    identity = tls_identity(settings)
    if identity is None:
        if "tls_port" in settings.model_fields_set:
            reason = "TLS needs a certificate; make one with 'radfuse tls init' or name one in radfuse.toml ([tls])"
            raise ConfigurationError("tls_port", reason)
        return False
    facts = check_identity(identity)
    if (days := facts.days_left(datetime.now(UTC))) < WARN_DAYS:
        _log.warning("our TLS certificate ends soon; replace it", extra={"days_left": days})
    return True
