"""The kinds of job, in one table, and what a worker works with."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from radfuse.app.compose import open_archive, open_context_lists, open_peers, open_workspaces, our_caller
from radfuse.app.settings import Settings, WatchedFiles
from radfuse.archive import Archive
from radfuse.dicom import Transcoder
from radfuse.jobs import JobContext, Jobs, Kind
from radfuse.services import commitment, deletion_job, retrieve_job, send_job
from radfuse.services.associating import Caller
from radfuse.services.context_lists import ContextLists
from radfuse.services.peers import Peer, Peers
from radfuse.services.routing import Router, RoutingSurroundings
from radfuse.services.rules import Rules

_ANONYMIZE: Final = "anonymize"
_CARRY: Final = "carry"
_EXPORT: Final = "export"
_EXPORT_MEDIA: Final = "export media"
_FOLLOWUP: Final = "followup"
_IMPORT_MEDIA: Final = "import media"
_REGISTER: Final = "register"
"""Named here too: their modules are loaded with the first such job."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What the jobs and the router of one worker share."""

    settings: Settings
    jobs: Jobs
    archives: Archives
    peers: Peers
    context_lists: ContextLists
    rules: Rules
    transcoder: Transcoder

    def caller_of(self, peer: Peer, ae_title: str) -> Caller:
        """Who we are to a peer."""
        return our_caller(self.settings, peer, ae_title)


@contextlib.contextmanager
def open_tools(settings: Settings, jobs: Jobs) -> Iterator[Tools]:
    """The tools, closed in order at the end."""
    with contextlib.ExitStack() as stack:
        yield Tools(
            settings,
            jobs,
            stack.enter_context(contextlib.closing(Archives(settings))),
            stack.enter_context(contextlib.closing(open_peers(settings))),
            stack.enter_context(contextlib.closing(open_context_lists(settings))),
            stack.enter_context(contextlib.closing(Rules(settings.data))),
            stack.enter_context(Transcoder()),
        )


def job_kinds(tools: Tools) -> Mapping[str, Kind]:
    """What a worker can do, by the name that jobs call it."""
    archive, peers, caller = tools.archives.open, tools.peers, tools.caller_of
    sending = send_job.SendSurroundings(archive, peers, tools.context_lists, caller, tools.transcoder)
    retrieving = retrieve_job.RetrieveSurroundings(archive, peers, caller)
    committing = commitment.CommitmentSurroundings(
        commitment.Commitments(tools.jobs), peers, archive, caller, tools.settings.commitment.wait_s
    )
    deleting = deletion_job.DeletionSurroundings(
        archive, commitment.Commitments(tools.jobs), partial(open_workspaces, tools.settings)
    )
    return {
        _ANONYMIZE: partial(_anonymize, sending=sending, data=tools.settings.data),
        _CARRY: partial(_carry, open_archive=archive),
        deletion_job.DELETE: partial(deletion_job.run_deletion, surroundings=deleting),
        _EXPORT: partial(_export, tools=tools),
        _EXPORT_MEDIA: partial(_export_media, tools=tools),
        _FOLLOWUP: partial(_follow_up, open_archive=archive),
        _IMPORT_MEDIA: partial(_import_media, tools=tools),
        _REGISTER: partial(_register, open_archive=archive),
        send_job.SEND: partial(send_job.run_send, surroundings=sending),
        retrieve_job.RETRIEVE: partial(retrieve_job.run_retrieve, surroundings=retrieving),
        **commitment.commitment_kinds(committing),
    }


def _anonymize(context: JobContext, sending: send_job.SendSurroundings, data: Path) -> None:
    """The kind of the anonymizer, whose tables a worker at rest does without."""
    from radfuse.services.anonymize_job import AnonymizeSurroundings, run_anonymization

    run_anonymization(context, AnonymizeSurroundings(sending, data))


def _export(context: JobContext, tools: Tools) -> None:
    """The kind of exports, for the same reason loaded late."""
    from radfuse.services.export_job import ExportSurroundings, run_export

    run_export(context, ExportSurroundings(tools.archives.open, tools.jobs, tools.peers, tools.settings.data))


def _export_media(context: JobContext, tools: Tools) -> None:
    """The kind of exports to media, for the same reason loaded late."""
    from radfuse.services.media_job import MediaSurroundings, run_media_export

    media = tools.settings.media
    folders = tuple(map(Path, media.export_folders))
    around = MediaSurroundings(tools.archives.open, tools.transcoder, tools.settings.data, folders, media.institution)
    run_media_export(context, around)


def _import_media(context: JobContext, tools: Tools) -> None:
    """The kind of imports, for the same reason loaded late."""
    from radfuse.services.import_job import ImportSurroundings, run_media_import

    folders = tuple(map(Path, tools.settings.media.import_folders))
    run_media_import(context, ImportSurroundings(tools.archives.open, tools.settings.data, folders))


def _follow_up(context: JobContext, open_archive: Callable[[str], Archive]) -> None:
    """The kind of follow-up, for the same reason loaded late."""
    from radfuse.services.followup_job import run_followup
    from radfuse.services.image_jobs import ImageSurroundings

    run_followup(context, ImageSurroundings(open_archive))


def _carry(context: JobContext, open_archive: Callable[[str], Archive]) -> None:
    """The kind of carrying over, whose image libraries a worker at rest does without."""
    from radfuse.services.carry_job import run_carrying
    from radfuse.services.image_jobs import ImageSurroundings

    run_carrying(context, ImageSurroundings(open_archive))


def _register(context: JobContext, open_archive: Callable[[str], Archive]) -> None:
    """The kind of registration, whose image libraries a worker at rest does without."""
    from radfuse.services.image_jobs import ImageSurroundings
    from radfuse.services.register_job import run_registration

    run_registration(context, ImageSurroundings(open_archive))


def watched_folder(tools: Tools, should_stop: Callable[[], bool]) -> Callable[[], float] | None:
    """One look at the watched folder, and after how many seconds the next one is due; None where there is none."""
    media = tools.settings.media
    if not media.watched_folder:
        return None
    from radfuse.services.watched_folder import WatchedFolder

    folder = WatchedFolder(
        Path(media.watched_folder),
        partial(tools.archives.open, media.watched_database),
        removes=media.watched_files is WatchedFiles.REMOVE,
        should_stop=should_stop,
    )

    def step() -> float:
        folder.look()
        return media.watched_every_s

    return step


def router(tools: Tools) -> Router:
    """What sends arriving objects on as the rules say."""

    def our_title(peer: Peer) -> str:
        return tools.caller_of(peer, "").ae_title

    return Router(RoutingSurroundings(tools.archives.open, tools.jobs, tools.peers, tools.rules, our_title))


class Archives:
    """The archives of the databases, each opened when a job first asks for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._open: dict[str, Archive] = {}

    def open(self, database: str) -> Archive:
        """The archive of a database; it stays open for the next job."""
        with self._lock:
            archive = self._open.get(database)
            if archive is None:
                archive = self._open[database] = open_archive(self._settings, database)
        return archive

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            for archive in self._open.values():
                archive.close()
            self._open.clear()
