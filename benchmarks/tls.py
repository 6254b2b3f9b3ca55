"""What TLS costs: storing to us and sending from us, over TLS 1.3 with certificates on both sides, and without."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks import peers, send, store, tools
from benchmarks.common import OURS, BenchmarkError, Results, Settings, Value, folder_in, interleaved
from benchmarks.objects import CT, SMALL, FileSet, write_files

ABOUT = (
    "The same objects over TLS and without it in one run, certificates on both sides: storescu into an empty archive, "
    "our send job and storescu to a lean sink. Beside 'without TLS' the ratio is what remains of the plain rate."
)
PLAIN = "Radfuse without TLS"
PDU_BYTES = 131072


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, whether over TLS, and how: from the port of a sink to seconds and peak MiB (0: not known)."""

    name: str
    is_tls: bool
    send: Callable[[int], tuple[float, float]]


def run(settings: Settings, results: Results) -> None:
    """CT and small objects, in and out."""
    tools.require("storescu")
    for kind, count in ((CT, settings.amount(400, 40)), (SMALL, settings.amount(2000, 200))):
        with folder_in(settings.scratch) as folder:
            certificates = _certificates(folder)
            files = write_files(folder / "files", kind, count, one_study=True)
            store.warm(files)
            case = f"{count} {kind.name}"
            if settings.wants(f"store {case}"):
                once = partial(_store, f"store {case}", files, certificates, settings, results)
                interleaved(settings.runs, _contestants(certificates), once, results)
            if settings.wants(f"send {case}"):
                _send(f"send {case}", folder / "archive", files, certificates, settings, results)


def _certificates(folder: Path) -> Path:
    """A folder of certificates that everybody uses: node.pem for servers, peer-scu.pem for clients, ca.pem."""
    for words in ([], ["--for", "scu"]):
        command = peers.radfuse("tls", "init", *words, "--data", str(folder))
        subprocess.run(command, capture_output=True, env=peers.environment(), check=True)
    return folder / "tls"


# --- storing to us -------------------------------------------------------------------------------


def _contestants(certificates: Path) -> list[peers.Peer]:
    """Our service with a port for TLS, and without."""

    def with_certificates(start: peers.Start) -> None:
        shutil.copytree(certificates, start.folder / "tls")

    def command(start: peers.Start) -> list[str]:
        return [*peers.RADFUSE.command(start), "--tls-port", str(_tls_port(start))]

    return [
        replace(peers.RADFUSE, command=command, prepare=with_certificates),
        replace(peers.RADFUSE, name=PLAIN),
    ]


def _tls_port(start: peers.Start) -> int:
    """The second port that every contestant gets."""
    return start.http_port


def _store(
    case: str, files: FileSet, certificates: Path, settings: Settings, results: Results, peer: peers.Peer
) -> None:
    with folder_in(settings.scratch) as folder, peers.serving(peer, folder) as running:
        if peer.name == OURS:
            seconds = _storescu_over_tls(_tls_port(running.start), files, certificates)
        else:
            seconds = tools.storescu(running.port, [files.folder], nodelay=True)
        rss_mib = running.memory.mib()
    results.add(Value(case, peer.name, "objects/s", files.count / seconds, rss_mib=rss_mib))


def _storescu_over_tls(port: int, files: FileSet, certificates: Path) -> float:
    """Send the files with DCMTK; it takes TLS 1.3 and checks our certificate as any client does."""
    shown = [str(certificates / "peer-scu.key"), str(certificates / "peer-scu.pem")]
    tls = ["--enable-tls", *shown, "--add-cert-file", str(certificates / "ca.pem")]
    titles = ["-aec", peers.CALLED_AE, "-aet", peers.CALLING_AE]
    return tools.timed([["storescu", *tls, *titles, peers.HOST, str(port), "+sd", "+r", str(files.folder)]])


# --- sending from us -----------------------------------------------------------------------------


def _send(case: str, archive: Path, files: FileSet, certificates: Path, settings: Settings, results: Results) -> None:
    """Our send job from an archive that has the objects, and storescu from files."""
    with send.engine(archive, files) as process:
        shutil.copytree(certificates, archive / "tls")
        senders = (
            Sender(OURS, True, lambda port: send.engine_sends(process, port, "tls")),
            Sender(PLAIN, False, lambda port: send.engine_sends(process, port)),
            Sender("storescu over TLS", True, lambda port: (_storescu_over_tls(port, files, certificates), 0.0)),
            Sender("storescu", False, lambda port: (tools.storescu(port, [files.folder], nodelay=True), 0.0)),
        )
        once = partial(_send_once, case, files.count, certificates, results)
        interleaved(settings.runs, senders, once, results)


def _send_once(case: str, objects: int, certificates: Path, results: Results, sender: Sender) -> None:
    with peers.sink(PDU_BYTES, certificates if sender.is_tls else None) as (port, count):
        seconds, rss_mib = sender.send(port)
        if (arrived := count()) != objects:
            raise BenchmarkError(f"{arrived} of {objects} objects arrived")
    results.add(Value(case, sender.name, "objects/s", objects / seconds, rss_mib=rss_mib))
