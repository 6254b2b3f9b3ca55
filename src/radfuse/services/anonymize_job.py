"""Anonymizing kept objects as a durable job: into another database, or to a peer; one item an original.

The same key gives the same UIDs each time. So a job that starts again after a crash makes again what it
had made, a database keeps the first of both, and a peer gets the same object once more, not another one.
Nothing is ever stored or sent unchanged: an object that cannot be anonymized is recorded as failed.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from radfuse.archive import Archive, Origin, StoredObject
from radfuse.core.errors import ArchiveError, ConfigurationError, DataSetError, OutOfSpace, TransientFailure
from radfuse.deid import Anonymized, PixelPolicy, load_rules
from radfuse.jobs import Item, ItemState, JobContext, Jobs, NewItem, NewJob, Retry
from radfuse.services.anonymize import OutputFolder, Recipe, Treatment, profile_of
from radfuse.services.anonymize_stored import stored_source
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.ingest import ingest
from radfuse.services.object_source import FileObject
from radfuse.services.peers import Peer
from radfuse.services.project_keys import DEFAULT_KEY, Keys
from radfuse.services.send import file_object
from radfuse.services.send_job import SendSurroundings, check_may_send, lane_to
from radfuse.services.storage_scu import Outgoing, Route, StorageScu
from radfuse.services.stored_objects import objects_named

ANONYMIZE: Final = "anonymize"
"""The kind of these jobs."""

_PIXEL_RULES: Final = ("pixel-rules.toml", "pixel-rules.json")
"""In the data folder: rules by device for all jobs."""

_AT_ONCE: Final = 200
_SCRATCH_BYTES: Final = 512 << 20
_METHOD: Final = 0x0012_0063
_OURS: Final = "Radfuse "
_IS_ANOTHER: Final = "another object has come under its UID, and was not asked for"
_GONE: Final = "the archive no longer has the object"
_TWICE: Final = "Radfuse has anonymized it before: a rule leaves it out, so that no object goes round in a circle"


@dataclass(frozen=True, slots=True)
class Treatments:
    """How the objects of a job are treated: names of options, a preset, and of a key of the data folder."""

    options: Sequence[str] = ()
    preset: str = ""
    key: str = DEFAULT_KEY

    def recipe(self, data: Path) -> Recipe:
        """With the key and the pixel rules of the data folder.

        Raises ConfigurationError for what is not there or makes no sense.
        """
        rules = [rule for name in _PIXEL_RULES if (data / name).exists() for rule in load_rules(data / name)]
        profile = profile_of(self.options, self.preset)
        return Recipe(profile, Keys(data).get(self.key), PixelPolicy(tuple(rules)))


@dataclass(frozen=True, slots=True)
class AnonymizeSurroundings:
    """What such a job needs of the process that runs it, and the data folder."""

    sending: SendSurroundings
    data: Path


def new_anonymization(
    jobs: Jobs,
    objects: Sequence[StoredObject],
    how: Treatments,
    to: Peer | str,
    *,
    database: str = DEFAULT_DATABASE,
    rule: str = "",
    priority: int = 5,
) -> NewJob:
    """The job that anonymizes objects of ``database`` and sends them to a peer, or keeps them in the database ``to``.

    ``rule``: that which wants it. Raises ConfigurationError for nothing to do, options that make no
    sense, the very database the objects come from, and a peer that gets nothing from us.
    """
    profile_of(how.options, how.preset)
    if not objects:
        raise ConfigurationError("anonymize", "there is nothing to anonymize")
    what = "1 object" if len(objects) == 1 else f"{len(objects):,} objects"
    parameters: dict[str, Any] = {
        "database": database,
        "options": list(how.options),
        "preset": how.preset,
        "key": how.key,
        "rule": rule,
    }
    items = [NewItem(stored.sop_instance_uid, stored.blob_id.hex()) for stored in objects]
    if isinstance(to, Peer):
        check_may_send(to)
        title, retry = f"{what} anonymized to {to.name}", Retry(to.retry_count, to.retry_delay_s)
        return NewJob(ANONYMIZE, lane_to(jobs, to), title, {**parameters, "peer": to.reference}, items, priority, retry)
    if to == database:
        raise ConfigurationError("into", f"anonymized objects do not belong among their originals ({database})")
    lane = f"{ANONYMIZE} {to}"
    title = f"{what} anonymized into {to}"
    return NewJob(ANONYMIZE, lane, title, {**parameters, "into": to}, items, priority, Retry(10, 60.0))


def run_anonymization(context: JobContext, surroundings: AnonymizeSurroundings) -> None:
    """The kind "anonymize": do what is still pending.

    Raises ConfigurationError when its key or options are not there (any more), TransientFailure,
    JobFailed, and what an unknown peer or list raises. Nothing has left then.
    """
    _Run(context, surroundings).run()


class _Run:
    """One attempt."""

    def __init__(self, context: JobContext, around: AnonymizeSurroundings) -> None:
        self._context = context
        self._around = around
        self._parameters: Mapping[str, Any] = context.job.parameters
        how = Treatments(self._parameters["options"], self._parameters["preset"], self._parameters["key"])
        self._treatment = Treatment(how.recipe(around.data))
        self._archive = around.sending.open_archive(self._parameters["database"])

    def run(self) -> None:
        """Go through what is pending."""
        with contextlib.closing(self._treatment):
            self._run()

    def _run(self) -> None:
        deliver = self._to_peer() if self._parameters.get("peer") else self._into(self._parameters["into"])
        after = 0
        while items := self._context.pending(after, _AT_ONCE):
            if self._context.should_stop():
                return
            after = items[-1].number
            try:
                deliver(self._anonymized(items))
            except OutOfSpace as error:
                raise TransientFailure(str(error)) from error

    # --- anonymizing -------------------------------------------------------------------------

    def _anonymized(self, items: Sequence[Item]) -> Iterator[tuple[Item, Anonymized]]:
        """The objects of items as they may leave; what cannot be made so is recorded."""
        kept = objects_named(self._archive, [item.name for item in items])
        for item in items:
            if self._context.should_stop():
                return
            stored = kept.get(item.name)
            if stored is None:
                self._context.record(item.number, ItemState.FAILED, None, _GONE)
            elif bytes(stored.blob_id).hex() != item.where:
                self._context.record(item.number, ItemState.FAILED, None, _IS_ANOTHER)
            elif (done := self._one(item, stored)) is not None:
                yield item, done

    def _one(self, item: Item, stored: StoredObject) -> Anonymized | None:
        try:
            if self._parameters.get("rule") and self._was_ours(stored):
                self._context.record(item.number, ItemState.WARNED, None, _TWICE)
                return None
            content = stored_source(self._archive, stored).read()
            return self._treatment.treat(content.view)
        except (ArchiveError, DataSetError) as error:
            reason = str(error)
        self._context.record(item.number, ItemState.FAILED, None, reason)
        return None

    def _was_ours(self, stored: StoredObject) -> bool:
        """Whether the object says that Radfuse has anonymized it."""
        found = self._archive.read_header(stored, _METHOD).get(_METHOD)
        return found is not None and any(value.startswith(_OURS) for value in found.values)

    # --- where it goes -----------------------------------------------------------------------

    def _into(self, database: str) -> Callable[[Iterable[tuple[Item, Anonymized]]], None]:
        target = self._around.sending.open_archive(database)

        def keep(objects: Iterable[tuple[Item, Anonymized]]) -> None:
            for item, done in objects:
                try:
                    keep_anonymized(target, done)
                except OutOfSpace:
                    raise
                except (ArchiveError, DataSetError) as error:
                    self._context.record(item.number, ItemState.FAILED, None, str(error))
                else:
                    self._context.record(item.number, ItemState.SENT, None, "; ".join(done.warnings))

        return keep

    def _to_peer(self) -> Callable[[Iterable[tuple[Item, Anonymized]]], None]:
        sending = self._around.sending
        peer = sending.peers.by_name(self._parameters["peer"])
        check_may_send(peer)
        lists = sending.context_lists
        route = Route(peer, sending.caller_of(peer, ""), lists.get(peer.context_list), sending.transcoder)

        def send(objects: Iterable[tuple[Item, Anonymized]]) -> None:
            remaining = iter(objects)
            while batch := self._send_some(remaining, route):
                if batch < _SCRATCH_BYTES:
                    return

        return send

    def _send_some(self, objects: Iterator[tuple[Item, Anonymized]], route: Route) -> int:
        """Send as many as there is room for beside the archive; how many bytes they had."""
        scratch = self._archive.scratch_folder
        with tempfile.TemporaryDirectory(prefix="radfuse-anonymize-", dir=scratch) as name:
            folder = OutputFolder(Path(name), durable=False)
            outgoing, size_bytes = [], 0
            for item, done in objects:
                outgoing.append(Outgoing(item.number, _copy(folder, item, done)))
                size_bytes += sum(map(len, done.pieces))
                if size_bytes >= _SCRATCH_BYTES:
                    break
            if outgoing:
                StorageScu(route, self._context).send(outgoing)
        return size_bytes


def keep_anonymized(archive: Archive, done: Anonymized) -> None:
    """Keep an anonymized object in an archive. Raises what ``ingest`` raises."""
    origin = Origin(done.sop_class_uid, done.sop_instance_uid, done.transfer_syntax_uid)
    with archive.receive(origin) as incoming:
        for piece in done.pieces[1:]:  # the file meta information is the archive's own
            incoming.write(piece)
        ingest(archive, incoming)


def _copy(folder: OutputFolder, item: Item, done: Anonymized) -> FileObject:
    at = folder.folder / f"{item.number}.dcm"
    folder.put(done, at)
    return file_object(at)
