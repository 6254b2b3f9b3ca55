"""Commands that serve: the whole service, one node process alone, the demonstration."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radfuse.cli.console import progress, say, write_object
from radfuse.cli.options import Data, Json, settings_with

if TYPE_CHECKING:
    from radfuse.app import Settings

Host = Annotated[
    str | None,
    typer.Option("--host", help="Address to listen on; beyond 127.0.0.1 only configured peers may do more than echo."),
]
DicomPort = Annotated[int | None, typer.Option("--dicom-port", help="Port of the DICOM node; 0 is any free one.")]
AETitle = Annotated[str | None, typer.Option("--ae-title", metavar="NAME", help="Our AE title.")]
Workers = Annotated[int | None, typer.Option("--workers", metavar="N", help="Node processes that share the port.")]
AcceptUnknown = Annotated[
    bool, typer.Option("--accept-unknown", help="Store objects of unknown and private SOP classes too.")
]


def serve(
    data: Data = None,
    host: Host = None,
    dicom_port: DicomPort = None,
    ae_title: AETitle = None,
    workers: Workers = None,
    accept_unknown: AcceptUnknown = False,
    as_json: Json = False,
) -> None:
    """Serve the data folder until stopped (Ctrl-C or SIGTERM).

    Writes one line with "ready" to standard output once associations are served.
    """
    overrides = _overrides(host, dicom_port, ae_title, workers, accept_unknown)
    _serve(settings_with(data, overrides), overrides, as_json)


def node(
    data: Data = None,
    host: Host = None,
    dicom_port: DicomPort = None,
    ae_title: AETitle = None,
    accept_unknown: AcceptUnknown = False,
    listen_fd: Annotated[int | None, typer.Option("--listen-fd", hidden=True)] = None,
    as_json: Json = False,
) -> None:
    """Run one node process alone, without a supervisor, until stopped (Ctrl-C or SIGTERM)."""
    from radfuse.app import run_node

    settings = settings_with(data, _overrides(host, dicom_port, ae_title, None, accept_unknown))
    if listen_fd is None:
        run_node(settings, None, _ready(settings, 1, as_json))
    else:
        # One of several workers: the supervisor has said that the service is ready.
        run_node(settings, socket.socket(fileno=listen_fd), lambda _port: None)


def demo(
    data: Data = None,
    host: Host = None,
    dicom_port: DicomPort = None,
    ae_title: AETitle = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Serve with a small made-up PET, CT and MR study in the archive."""
    from radfuse.app import open_archive
    from radfuse.services import demo as study

    overrides = _overrides(host, dicom_port, ae_title, workers, False)
    settings = settings_with(data, overrides)
    with open_archive(settings) as archive, progress("Making the study", study.INSTANCES, "objects") as advance:
        for done, _ in enumerate(study.add_demo_study(archive), 1):
            advance(done, None)
    _serve(settings, overrides, as_json, is_demo=True)


def _overrides(
    host: str | None, dicom_port: int | None, ae_title: str | None, workers: int | None, accept_unknown: bool
) -> dict[str, str]:
    """The options as the environment variables that override ``radfuse.toml``, for the workers to see too."""
    options = {
        "RADFUSE_HOST": host,
        "RADFUSE_DICOM_PORT": dicom_port,
        "RADFUSE_AE_TITLE": ae_title,
        "RADFUSE_WORKERS": workers,
        "RADFUSE_STORAGE__ACCEPT_UNKNOWN_CLASSES": "true" if accept_unknown else None,
    }
    return {name: str(value) for name, value in options.items() if value is not None}


def _serve(settings: Settings, overrides: dict[str, str], as_json: bool, *, is_demo: bool = False) -> None:
    from radfuse.app import serve as serve_until_stopped

    ready = _ready(settings, settings.workers, as_json)

    def on_ready(port: int) -> None:
        ready(port)
        if is_demo and not as_json:
            for line in _suggestions(settings, port):
                say(line)

    serve_until_stopped(settings, overrides, on_ready)


def _ready(settings: Settings, workers: int, as_json: bool) -> Callable[[int], None]:
    """Says that associations are served, and where."""
    folder = settings.data.resolve()

    def say_ready(port: int) -> None:
        if as_json:
            facts = {"AETitle": settings.ae_title, "Host": settings.host, "Port": port}
            write_object({"Status": "ready", **facts, "DataFolder": str(folder), "Workers": workers}, indent=None)
            return
        processes = f"{workers} worker{'s' if workers > 1 else ''}"
        say(f"Radfuse is ready: {settings.ae_title} at {settings.host} port {port}, data in {folder}, {processes}")

    return say_ready


def _suggestions(settings: Settings, port: int) -> list[str]:
    title = settings.ae_title
    node_of_ours = f"{title}@localhost:{port}"
    folder = _quoted(settings.data)
    return [
        "",
        "What to try in another terminal:",
        f"  radfuse echo {node_of_ours}",
        f"  radfuse find --at {node_of_ours} --level study",
        f"  radfuse ls --data {folder} --level series Modality=PT",
        f"  radfuse send FILES --to {node_of_ours}",
        f"  findscu -aec {title} -S -k QueryRetrieveLevel=STUDY -k PatientName -k StudyInstanceUID localhost {port}",
        "Ctrl-C stops it.",
    ]


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
