"""The web process: DICOMweb over HTTP, on this machine alone until people can log in."""

from __future__ import annotations

import contextlib
import gc
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from radfuse.app.compose import listen, open_databases, open_jobs
from radfuse.app.logs import configure_logs
from radfuse.app.processes import follow_supervisor, stop_signals, tell_supervisor
from radfuse.app.settings import Settings
from radfuse.core.errors import ConfigurationError
from radfuse.services.access import is_loopback
from radfuse.services.databases import DEFAULT_DATABASE

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from radfuse.jobs import Jobs

_CACHE_BYTES: Final = 48 << 20


def open_http(settings: Settings) -> socket.socket | None:
    """The listening socket of the web server; None when it is switched off.

    Raises ConfigurationError for a port that cannot be had, and for an address that others can reach.
    """
    if settings.http_port < 0:
        return None
    host = settings.http_host
    if not is_loopback(host):
        reason = (
            f"the web server would be reachable at {host} without a login, since there are no users yet; "
            "set http_host to 127.0.0.1, or http_port to -1 for no web server"
        )
        raise ConfigurationError("http_host", reason)
    return listen(settings, "http_port")


def run_web(settings: Settings, shared: int | None, on_ready: Callable[[int], None]) -> None:
    """Run the web process until SIGTERM or SIGINT, on its own socket or on ``shared``, that of a supervisor.

    ``on_ready`` is given the port. Raises ConfigurationError, SchemaTooNew.
    """
    configure_logs(settings.data / "log", "web")
    listener = socket.socket(fileno=shared) if shared is not None else open_http(settings)
    if listener is None:
        raise ConfigurationError("http_port", "the web server is switched off (-1); give it a port")
    # What it imports is the web process's alone: a node process does without.
    from radfuse.web import WebServer

    def started() -> None:
        # What start-up made stays: the collector need not walk it again and again under load.
        gc.collect()
        gc.freeze()
        on_ready(port)
        tell_supervisor()

    with listener, _application(settings) as application:
        port: int = listener.getsockname()[1]
        server = WebServer(application, settings.limits.shutdown_s, started)
        with stop_signals(server.stop):
            if shared is not None:
                follow_supervisor(server.stop)
            server.run([listener])


@contextlib.contextmanager
def _application(settings: Settings) -> Iterator[ASGIApp]:
    """The application over all databases, closed in order at the end."""
    from radfuse.dicom import Transcoder
    from radfuse.web import Site, WebSurroundings, create_app

    titles: dict[str, str] = {}
    for title, name in settings.database_names().items():
        titles.setdefault(name, title)
    with (
        contextlib.closing(open_databases(settings)) as databases,
        contextlib.closing(open_jobs(settings)) as jobs,
        Transcoder() as transcoder,
    ):
        all_of_them = {
            name: WebSurroundings(databases.of(title), transcoder, title, cache_bytes=_CACHE_BYTES // len(titles))
            for name, title in titles.items()
        }
        default = all_of_them.pop(DEFAULT_DATABASE)
        yield create_app(default, Site(all_of_them, job_totals=lambda: _by_name(jobs)))


def _by_name(jobs: Jobs) -> Mapping[str, int]:
    return {state.value: count for state, count in jobs.totals().items()}
