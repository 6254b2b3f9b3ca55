"""The web process: DICOMweb, the API and the console over HTTP; on this machine alone until there are users."""

from __future__ import annotations

import contextlib
import gc
import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from radfuse.app.compose import (
    listen,
    open_access_log,
    open_accounts,
    open_context_lists,
    open_databases,
    open_jobs,
    open_peers,
    open_workspaces,
    our_caller,
    tls_identity,
)
from radfuse.app.deadline import LastDeadline
from radfuse.app.logs import configure_logs
from radfuse.app.node_desk import RunningNode
from radfuse.app.processes import follow_supervisor, stop_signals, tell_supervisor
from radfuse.app.settings import Settings
from radfuse.core.errors import ConfigurationError
from radfuse.services.access import is_loopback
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.rules import Rules
from radfuse.wire.tls import https_context

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from radfuse.jobs import Jobs
    from radfuse.web import ApiDesk, WebSurroundings

_CACHE_BYTES: Final = 48 << 20
_CLOSE_S: Final = 4.0
"""For all that is open to be closed, once requests had their time; less than the supervisor waits."""
_log = logging.getLogger(__name__)


def open_http(settings: Settings) -> socket.socket | None:
    """The listening socket of the web server; None when it is switched off.

    Raises ConfigurationError for a port that cannot be had, and for an address that others can reach
    while nobody can log in.
    """
    if settings.http_port < 0:
        return None
    check_http(settings)
    return listen(settings, "http_port")


def check_http(settings: Settings) -> None:
    """Raise ConfigurationError for what would keep the web server from starting with these settings."""
    if settings.http_port >= 0:
        _check_login(settings)
        _https(settings)


def is_local(settings: Settings) -> bool:
    """Whether only this machine can reach the web server, also through what may stand before it."""
    return is_loopback(settings.http_host) and not settings.public_url


def _check_login(settings: Settings) -> None:
    if is_local(settings):
        return
    with contextlib.closing(open_accounts(settings)) as accounts:
        if accounts.credentials.has_users():
            return
    setting = "public_url" if settings.public_url else "http_host"
    reason = (
        f"the web server would be reachable at {settings.public_url or settings.http_host} without a login, since "
        "there are no users yet; add one on the page Users or with 'radfuse users add NAME', "
    )
    other = "remove public_url" if settings.public_url else "set http_host to 127.0.0.1"
    raise ConfigurationError(setting, f"{reason}{other}, or set http_port to -1 for no web server")


def _https(settings: Settings) -> ssl.SSLContext | None:
    """What the web server proves itself with; None for plain HTTP. Raises ConfigurationError."""
    if not settings.http_tls:
        if not is_local(settings) and not settings.public_url.startswith("https:"):
            _log.warning("passwords and images go over the network unencrypted: set http_tls, or put a proxy before it")
        return None
    identity = tls_identity(settings)
    if identity is None:
        raise ConfigurationError(
            "http_tls", "there is no certificate yet: make one in Settings > TLS or with 'radfuse tls init'"
        )
    return https_context(identity)


def run_web(settings: Settings, shared: int | None, on_ready: Callable[[int], None]) -> None:
    """Run the web process until SIGTERM or SIGINT, on its own socket or on ``shared``, that of a supervisor.

    ``on_ready`` is given the port. Raises ConfigurationError, SchemaTooNew.
    """
    configure_logs(settings.data / "log", "web")
    listener = socket.socket(fileno=shared) if shared is not None else open_http(settings)
    if listener is None:
        raise ConfigurationError("http_port", "the web server is switched off (-1); give it a port")
    https = _https(settings)
    # What it imports is the web process's alone: a node process does without.
    from radfuse.web import WebServer

    def started() -> None:
        # What start-up made stays: the collector need not walk it again and again under load.
        gc.collect()
        gc.freeze()
        on_ready(port)
        tell_supervisor()

    with listener, application(settings) as app:
        port: int = listener.getsockname()[1]
        server = WebServer(app, settings.limits.shutdown_s, started, https)
        deadline = LastDeadline("web process", settings.limits.shutdown_s + _CLOSE_S)

        def stop() -> None:
            deadline.start()
            server.stop()

        with stop_signals(stop):
            if shared is not None:
                follow_supervisor(stop)
            server.run([listener])


@contextlib.contextmanager
def application(settings: Settings) -> Iterator[ASGIApp]:
    """The application over all databases, closed in order at the end."""
    from radfuse.dicom import Transcoder
    from radfuse.web import STATIC, Entrance, Site, WebSurroundings, create_app

    titles: dict[str, str] = {}
    for title, name in settings.database_names().items():
        titles.setdefault(name, title)
    with contextlib.ExitStack() as stack:
        databases = stack.enter_context(contextlib.closing(open_databases(settings)))
        transcoder = stack.enter_context(Transcoder())
        all_of_them = {
            name: WebSurroundings(
                databases.of(title),
                transcoder,
                title,
                public_url=settings.public_url,
                cache_bytes=_CACHE_BYTES // len(titles),
                data=settings.data,
            )
            for name, title in titles.items()
        }
        desk = stack.enter_context(_desk(settings, all_of_them))
        site = Site(
            {name: each for name, each in all_of_them.items() if name != DEFAULT_DATABASE},
            only_loopback_names=is_local(settings),
            entrance=Entrance(settings.public_url, frozenset(settings.cors_origins), frozenset(settings.proxies)),
            job_totals=lambda: _by_name(desk.jobs),
            desk=desk,
            console=STATIC,
            ohif=settings.data,
        )
        yield create_app(all_of_them[DEFAULT_DATABASE], site)


@contextlib.contextmanager
def _desk(settings: Settings, databases: dict[str, WebSurroundings]) -> Iterator[ApiDesk]:
    """What the API works with, closed in order at the end."""
    from radfuse.web import ApiDesk

    with (
        contextlib.closing(open_jobs(settings)) as jobs,
        contextlib.closing(open_peers(settings)) as peers,
        contextlib.closing(open_context_lists(settings)) as context_lists,
        contextlib.closing(Rules(settings.data)) as rules,
        contextlib.closing(open_accounts(settings)) as accounts,
        contextlib.closing(open_access_log(settings)) as access_log,
        contextlib.closing(open_workspaces(settings)) as workspaces,
    ):
        yield ApiDesk(
            databases={DEFAULT_DATABASE: databases[DEFAULT_DATABASE]} | databases,
            jobs=jobs,
            peers=peers,
            context_lists=context_lists,
            rules=rules,
            caller_of=partial(our_caller, settings),
            node=RunningNode(settings, peers, check_http),
            accounts=accounts,
            access_log=access_log,
            workspaces=workspaces,
            data=settings.data,
            undo_s=60 * settings.undo_minutes,
            public_url=settings.public_url,
            export_folders=tuple(map(Path, settings.media.export_folders)),
            import_folders=tuple(map(Path, settings.media.import_folders)),
        )


def _by_name(jobs: Jobs) -> Mapping[str, int]:
    return {state.value: count for state, count in jobs.totals().items()}
