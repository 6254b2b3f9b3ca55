"""Commands that serve: the whole service, one of its processes alone, the demonstration."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from radfuse.cli.console import progress, say, write_object
from radfuse.cli.many_options import taking
from radfuse.cli.options import Data, Json, settings_of, settings_with

if TYPE_CHECKING:
    from radfuse.app import Settings

    Ports = tuple[int, int | None, int | None]
    """That of DICOM, and those of DICOM over TLS and of HTTP if there are any."""

Host = Annotated[
    str | None,
    typer.Option("--host", help="Address to listen on; beyond 127.0.0.1 only configured peers may do more than echo."),
]
DicomPort = Annotated[int | None, typer.Option("--dicom-port", help="Port of the DICOM node; 0 is any free one.")]
TlsPort = Annotated[
    int | None,
    typer.Option("--tls-port", help="Port for DICOM over TLS, once there is a certificate; 0 is any free one."),
]
HttpHost = Annotated[
    str | None,
    typer.Option("--http-host", help="Address of the web server; beyond 127.0.0.1 it needs a user."),
]
HttpPort = Annotated[
    int | None, typer.Option("--http-port", help="Port of the web server; 0 is any free one, -1 is no web server.")
]
ListenFd = Annotated[list[int] | None, typer.Option("--listen-fd", hidden=True)]
AETitle = Annotated[str | None, typer.Option("--ae-title", metavar="NAME", help="Our AE title.")]
Workers = Annotated[int | None, typer.Option("--workers", metavar="N", help="Node processes that share the port.")]
Browser = Annotated[
    bool, typer.Option("--browser/--no-browser", help="On a desktop: open the console in the browser once it is there.")
]
AcceptUnknown = Annotated[
    bool, typer.Option("--accept-unknown", help="Store objects of unknown and private SOP classes too.")
]


@dataclass(frozen=True)
class ListeningOptions:
    """What can be typed for whatever serves everything."""

    data: Data = None
    host: Host = None
    dicom_port: DicomPort = None
    tls_port: TlsPort = None
    http_host: HttpHost = None
    http_port: HttpPort = None
    ae_title: AETitle = None
    workers: Workers = None
    as_json: Json = False


@dataclass(frozen=True)
class DemoOptions(ListeningOptions):
    """What can be typed for the demonstration."""

    browser: Browser = True


@dataclass(frozen=True)
class ServeOptions(ListeningOptions):
    """What can be typed for the service."""

    accept_unknown: AcceptUnknown = False


@dataclass(frozen=True)
class NodeOptions:
    """What can be typed for one node process."""

    data: Data = None
    host: Host = None
    dicom_port: DicomPort = None
    tls_port: TlsPort = None
    ae_title: AETitle = None
    accept_unknown: AcceptUnknown = False
    listen_fd: ListenFd = None
    as_json: Json = False


@dataclass(frozen=True)
class WebOptions:
    """What can be typed for the web process."""

    data: Data = None
    http_host: Annotated[
        str | None, typer.Option("--host", help="Address to listen on; beyond 127.0.0.1 it needs a user.")
    ] = None
    http_port: Annotated[int | None, typer.Option("--http-port", help="Port to listen on; 0 is any free one.")] = None
    listen_fd: Annotated[int | None, typer.Option("--listen-fd", hidden=True)] = None
    as_json: Json = False


@taking(ServeOptions)
def serve(options: ServeOptions) -> None:
    """Serve the data folder until stopped (Ctrl-C or SIGTERM).

    Writes one line with "ready" to standard output once associations are served.
    """
    overrides = _overrides(options)
    _serve(settings_with(options.data, overrides), overrides, options.as_json)


@taking(NodeOptions)
def node(options: NodeOptions) -> None:
    """Run one node process alone, without a supervisor, until stopped (Ctrl-C or SIGTERM)."""
    from radfuse.app import run_node

    settings = settings_with(options.data, _overrides(options))
    if options.listen_fd:
        # One of several workers: the supervisor has said that the service is ready.
        run_node(settings, options.listen_fd, lambda _ports: None)
    else:
        run_node(settings, (), _ready(settings, 1, options.as_json))


@taking(WebOptions)
def web(options: WebOptions) -> None:
    """Run the web process alone (DICOMweb, metrics), until stopped (Ctrl-C or SIGTERM)."""
    from radfuse.app import run_web

    settings = settings_with(options.data, _overrides(options))
    folder = settings.data.resolve()
    host = settings.http_host

    def say_ready(port: int) -> None:
        if options.listen_fd is not None:
            return  # the supervisor has said that the service is ready
        if options.as_json:
            facts = {"Status": "ready", "Host": host, "HTTPPort": port, "DataFolder": str(folder)}
            write_object(facts, indent=None)
        else:
            say(f"Radfuse's web server is ready: {_url(settings, port)}, data in {folder}")

    run_web(settings, options.listen_fd, say_ready)


def worker(
    data: Data = None,
    supervised: Annotated[bool, typer.Option("--supervised", hidden=True)] = False,
    as_json: Json = False,
) -> None:
    """Run the job worker alone, until stopped (Ctrl-C or SIGTERM). "radfuse serve" has one of its own."""
    from radfuse.app import run_worker

    settings = settings_of(data)
    folder = settings.data.resolve()

    def say_ready() -> None:
        if supervised:
            return  # the supervisor has said that the service is ready
        if as_json:
            write_object({"Status": "ready", "DataFolder": str(folder)}, indent=None)
        else:
            say(f"Radfuse's job worker is ready: jobs of {folder}")

    run_worker(settings, say_ready, is_supervised=supervised)


@taking(DemoOptions)
def demo(options: DemoOptions) -> None:
    """Serve with a small made-up PET, CT and MR study in the archive."""
    from radfuse.app import open_archive
    from radfuse.services import demo as study

    overrides = _overrides(options)
    settings = settings_with(options.data, overrides)
    with open_archive(settings) as archive, progress("Making the study", study.INSTANCES, "objects") as advance:
        for done, _ in enumerate(study.add_demo_study(archive), 1):
            advance(done, None)

    def show(ports: Ports) -> None:
        if options.as_json:
            return
        for line in _suggestions(settings, ports):
            say(line)
        if ports[2] is not None and options.browser:
            open_on_desktop(_study_page(settings, ports[2]))

    _serve(settings, overrides, options.as_json, show)


_FIELDS: Final = {
    "RADFUSE_HOST": "host",
    "RADFUSE_DICOM_PORT": "dicom_port",
    "RADFUSE_TLS_PORT": "tls_port",
    "RADFUSE_HTTP_HOST": "http_host",
    "RADFUSE_HTTP_PORT": "http_port",
    "RADFUSE_AE_TITLE": "ae_title",
    "RADFUSE_WORKERS": "workers",
}


def _overrides(options: ListeningOptions | NodeOptions | WebOptions) -> dict[str, str]:
    """The options as the environment variables that override ``radfuse.toml``, for the workers to see too."""
    variables = {name: getattr(options, field, None) for name, field in _FIELDS.items()} | {
        "RADFUSE_STORAGE__ACCEPT_UNKNOWN_CLASSES": "true" if getattr(options, "accept_unknown", False) else None,
    }
    return {name: str(value) for name, value in variables.items() if value is not None}


def _serve(
    settings: Settings, overrides: dict[str, str], as_json: bool, then: Callable[[Ports], None] = lambda _ports: None
) -> None:
    from radfuse.app import serve as serve_until_stopped

    ready = _ready(settings, settings.workers, as_json)

    def on_ready(ports: Ports) -> None:
        ready(ports)
        then(ports)

    serve_until_stopped(settings, overrides, on_ready)


def _ready(settings: Settings, workers: int, as_json: bool) -> Callable[[Ports], None]:
    """Says that associations and requests are served, and where."""
    folder = settings.data.resolve()

    def say_ready(ports: Ports) -> None:
        dicom, tls, http = ports
        if as_json:
            facts: dict[str, object] = {"AETitle": settings.ae_title, "Host": settings.host, "Port": dicom}
            if tls is not None:
                facts["TLSPort"] = tls
            if http is not None:
                facts["HTTPPort"] = http
            write_object({"Status": "ready", **facts, "DataFolder": str(folder), "Workers": workers}, indent=None)
            return
        processes = f"{workers} worker{'s' if workers > 1 else ''}"
        where = f"{settings.host} port {dicom}" + (f" and {tls} (TLS)" if tls is not None else "")
        if http is not None:
            where += f", web at {_url(settings, http)}"
        say(f"Radfuse is ready: {settings.ae_title} at {where}, data in {folder}, {processes}")

    return say_ready


def _suggestions(settings: Settings, ports: Ports) -> list[str]:
    port, _, http = ports
    title = settings.ae_title
    node_of_ours = f"{title}@localhost:{port}"
    folder = _quoted(settings.data)
    over_http = [f"  curl {_url(settings, http, 'localhost')}/dicom-web/studies"] if http is not None else []
    console = ["", f"Open {_url(settings, http, 'localhost')} in a browser."] if http is not None else []
    return [
        *console,
        "",
        "What to try in another terminal:",
        f"  radfuse echo {node_of_ours}",
        f"  radfuse find --at {node_of_ours} --level study",
        f"  radfuse ls --data {folder} --level series Modality=PT",
        f"  radfuse send FILES --to {node_of_ours}",
        f"  findscu -aec {title} -S -k QueryRetrieveLevel=STUDY -k PatientName -k StudyInstanceUID localhost {port}",
        *over_http,
        "Ctrl-C stops it.",
    ]


def _study_page(settings: Settings, port: int) -> str:
    from radfuse.services import demo as study

    return f"{_url(settings, port, 'localhost')}/?study={study.STUDY_UID}"


def open_on_desktop(url: str) -> bool:
    """Show a page to whoever sits at a graphical terminal; return whether there is someone."""
    has_desktop = sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if not (has_desktop and sys.stdout.isatty()):
        return False
    import threading
    import webbrowser

    def show() -> None:
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(url)

    # Some browsers are waited for until they are closed.
    threading.Thread(target=show, name="browser", daemon=True).start()
    return True


def _url(settings: Settings, port: int, host: str = "") -> str:
    host = host or settings.http_host
    scheme = "https" if settings.http_tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
