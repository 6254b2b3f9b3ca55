"""One archive: a store of files and the index over it, in one folder."""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import xxhash
from sqlalchemy import Connection, Engine

from radfuse.archive.blobs import BlobStore, SpaceGuard, raise_if_out_of_space, sync_folder
from radfuse.archive.buffers import BufferPool
from radfuse.archive.committer import Committer, DuplicatePolicy, Outcome
from radfuse.archive.deleting import Deleting
from radfuse.archive.incoming import Incoming, Origin
from radfuse.archive.index.durability import sync_index
from radfuse.archive.index.entry import Entry
from radfuse.archive.index.model import StoredObject
from radfuse.archive.index.retrieve import arrival_of
from radfuse.archive.index.write import IndexWriter
from radfuse.archive.journal import Journal, Record, RecordKind
from radfuse.archive.placing import PLACED_WITHIN_S, Placements
from radfuse.archive.rebuild import IndexPlace, index_lock, open_index
from radfuse.archive.recover import JOURNAL_SUFFIX, Recovery, recover
from radfuse.core.errors import BlobDamaged, BlobMissing, OutOfSpace
from radfuse.db import Schema, create_database_engine, prepare_schema, read_transaction
from radfuse.dicom import Header, Identifier

_MIB: Final = 1 << 20
_LARGEST_HALF: Final = 32 * _MIB
_SMALLEST_HALF: Final = _MIB
_SHARE_OF_FREE_SPACE: Final = 64
_LARGEST_IN_MEMORY: Final = 2 * _MIB
_SYNC_INTERVAL_S: Final = 1.0
_PLACING_POLL_S: Final = 0.02
_CHUNK_BYTES: Final = _MIB
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """Where an archive is and how it behaves."""

    folder: Path
    index_url: str = ""
    """Database of the index; empty: ``index.sqlite`` in the folder."""
    duplicate_policy: DuplicatePolicy = DuplicatePolicy.KEEP
    object_limit_bytes: int = 64 << 30
    space: SpaceGuard = field(default_factory=SpaceGuard)
    volume_cache_bytes: int = 8 << 30
    """Bound of the volumes cached beside the objects; 0 keeps none."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An open file of the store; ``data_start`` is where its data set begins."""

    file: int
    data_start: int
    size_bytes: int
    """Length of the data set."""


class Archive:
    """Keeps objects durably, finds them and gives them back. Thread-safe; several processes may
    open the same folder.

    The writing half (journal, background sync) starts with the first object that is received.
    """

    def __init__(self, settings: ArchiveSettings) -> None:
        """Open the archive, creating it if need be, and put right what a crash left behind."""
        self.settings = settings
        folder = settings.folder
        for name in ("store", "incoming", "journal"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.store = BlobStore(folder / "store")
        self.engine = self._open_index()
        self.index = IndexWriter(self.engine)
        self._writing: _Writing | None = None
        self._starting = threading.Lock()
        recover(
            Recovery(
                folder / "journal",
                folder / "incoming",
                self.store,
                self.index,
                not settings.index_url,
                settings.duplicate_policy is DuplicatePolicy.REPLACE,
            )
        )

    def _open_index(self) -> Engine:
        settings = self.settings
        if not settings.index_url:
            return open_index(
                IndexPlace(settings.folder, self.store, settings.duplicate_policy is DuplicatePolicy.REPLACE)
            )
        engine = create_database_engine(settings.index_url)
        with index_lock(settings.folder):
            prepare_schema(engine, Schema.INDEX)
        return engine

    def __enter__(self) -> Self:
        """Use as a context manager."""
        return self

    def __exit__(self, *_details: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Sync and remove the journal, close the index."""
        if self._writing is not None:
            self._writing.close()
            self._writing = None
        self.index.close()
        self.engine.dispose()

    # --- in ----------------------------------------------------------------------------------

    def receive(self, origin: Origin) -> Incoming:
        """A sink for the bytes of one object. Raises OutOfSpace when the volume is (nearly) full."""
        self.settings.space.check(self.settings.folder)
        writing = self._writing or self._start_writing()
        blob_id = self.store.new_id()
        return Incoming(
            origin,
            blob_id,
            f"{writing.spool_name}/{blob_id.hex()}",
            writing.buffers,
            self.settings.object_limit_bytes,
            self.settings.space,
        )

    def prepare_to_receive(self) -> None:
        """Set up the journal now rather than for the first object, unless there is no room for it."""
        with contextlib.suppress(OutOfSpace):
            self._start_writing()

    def keep(self, incoming: Incoming, header: Header, *, replaces: bytes | None = None) -> Outcome:
        """Make a finished object durable and visible to queries; returns only then.

        Raises OutOfSpace or DuplicateRejected, or the error of the disk; nothing is kept then.
        """
        (outcome,) = self.keep_all([(incoming, header)], replaces=replaces)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def keep_all(
        self, objects: Sequence[tuple[Incoming, Header]], *, replaces: bytes | None = None
    ) -> list[Outcome | Exception]:
        """``keep`` for objects that are here together: they share their syncs, so that many small ones go fast.

        Gives for each its outcome, or the error that ``keep`` would have raised for it.
        """
        writing = self._writing or self._start_writing()
        entries: list[tuple[Incoming, Entry]] = []
        unsynced: dict[int, Exception] = {}
        for place, (incoming, header) in enumerate(objects):
            try:
                if incoming.is_spooled:
                    incoming.sync_spooled()
            except (OSError, OutOfSpace) as error:
                unsynced[place] = error
                continue
            entries.append((incoming, _entry(incoming, header, replaces)))
        outcomes = iter(writing.committer.keep_all(entries))
        return [unsynced[place] if place in unsynced else next(outcomes) for place in range(len(objects))]

    def settle(self) -> None:
        """Have every object that this process keeps in its file now."""
        if self._writing is not None:
            self._writing.placements.settle_until(self._writing.generation)

    def _start_writing(self) -> _Writing:
        with self._starting:
            if self._writing is None:
                self._writing = _Writing(self)
            return self._writing

    def mark_leaving(self, objects: Iterable[StoredObject]) -> None:
        """Say that these will be deleted once another node has them. From now on nobody is told that we keep them:

        what comes again under their UIDs is kept as a copy of its own, which takes their place.
        Without this, nodes in a ring that each rely on the next one would lose the last copy.
        """
        self._deleting().mark_leaving(objects)

    def unmark_leaving(self, objects: Iterable[StoredObject]) -> None:
        """Say that these stay after all: who asks is told again that we keep them."""
        self._deleting().unmark_leaving(objects)

    def delete(self, objects: Iterable[StoredObject], *, leaving_only: bool = False) -> list[StoredObject]:
        """Remove these very objects for good, and studies that have none left; returns those that were there.

        With ``leaving_only`` those stay that are not, or no longer, marked as leaving.
        An object that came again meanwhile under the same SOP Instance UID stays. Returns when
        the removal is durable: a crash may leave a file for 'radfuse check --repair', never an entry.
        """
        return self._deleting().delete(objects, leaving_only=leaving_only)

    def _deleting(self) -> Deleting:
        return Deleting(self.engine, self.store, self._writing.placements if self._writing is not None else None)

    # --- out ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view of the index, for ``find`` and ``instances``."""
        with read_transaction(self.engine) as connection:
            yield connection

    @contextlib.contextmanager
    def open_object(self, stored: StoredObject) -> Iterator[StoredFile]:
        """The object's file. Raises BlobMissing; its bytes are not checked yet."""
        file = self._open_blob(stored)
        try:
            start = os.fstat(file).st_size - stored.size_bytes
            if start < 0:
                raise BlobDamaged(stored.blob_id.hex())
            yield StoredFile(file, start, stored.size_bytes)
        finally:
            os.close(file)

    def _open_blob(self, stored: StoredObject) -> int:
        """The object's file, waited for if the object has only just arrived."""
        if self._writing is not None and self._writing.placements.holds(stored.blob_id):
            self._writing.placements.settle(stored.blob_id)
        deadline = time.monotonic() + PLACED_WITHIN_S  # the clock may have been set back since it arrived
        while True:
            try:
                return self.store.open(stored.blob_id)
            except BlobMissing:
                with self.reading() as connection:
                    arrived_s = arrival_of(connection, stored.sop_instance_uid)
                if time.time() - arrived_s > PLACED_WITHIN_S or time.monotonic() > deadline:
                    raise
                time.sleep(_PLACING_POLL_S)

    def read_header(self, stored: StoredObject, last_tag: int) -> Identifier:
        """The elements of a stored object up to ``last_tag``, sequences too; its pixels are not touched.

        Raises BlobMissing, BlobDamaged or DataSetError.
        """
        with self.open_object(stored) as opened, contextlib.ExitStack() as stack:
            try:
                content = stack.enter_context(mmap.mmap(opened.file, 0, access=mmap.ACCESS_READ))
            except ValueError as error:  # the file is empty
                raise BlobDamaged(stored.blob_id.hex()) from error
            return Identifier.of_header(content, stored.transfer_syntax_uid, opened.data_start, last_tag)

    def path_of(self, stored: StoredObject) -> Path:
        """The object's Part 10 file in the store."""
        return Path(self.store.path(stored.blob_id))

    @property
    def scratch_folder(self) -> Path:
        """A folder on the store's volume for temporary files; a crash leaves nothing in it for long."""
        return (self._writing or self._start_writing()).spool

    @staticmethod
    def read_verified(stored: StoredObject, opened: StoredFile) -> bytes:
        """The whole data set in memory; BlobDamaged if it does not match its digest."""
        data = os.pread(opened.file, opened.size_bytes, opened.data_start)
        while 0 < len(data) < opened.size_bytes:  # one call gives at most 2 GiB
            more = os.pread(opened.file, opened.size_bytes - len(data), opened.data_start + len(data))
            if not more:
                break
            data += more
        if xxhash.xxh3_128_digest(data) != stored.digest:
            raise BlobDamaged(stored.blob_id.hex())
        return data

    @staticmethod
    def verify(stored: StoredObject, opened: StoredFile) -> None:
        """Read the whole data set once and raise BlobDamaged if it does not match its digest."""
        digest = xxhash.xxh3_128()
        position, end = opened.data_start, opened.data_start + opened.size_bytes
        while position < end:
            chunk = os.pread(opened.file, min(_CHUNK_BYTES, end - position), position)
            if not chunk:
                break
            digest.update(chunk)
            position += len(chunk)
        if digest.digest() != stored.digest:
            raise BlobDamaged(stored.blob_id.hex())


def _entry(incoming: Incoming, header: Header, replaces: bytes | None) -> Entry:
    seal = incoming.seal
    return Entry.from_header(header, incoming.blob_id, incoming.size_bytes, seal.digest, seal.arrived_s, replaces)


class _Writing:
    """The writing half of an archive in this process: journal, committer, background sync."""

    def __init__(self, archive: Archive) -> None:
        folder = archive.settings.folder
        name = secrets.token_hex(8)
        self.spool = folder / "incoming" / name
        self.spool_name = str(self.spool)
        self._store = archive.store
        self._engine = archive.engine
        self._wake = threading.Event()
        self._closing = False
        volume = os.statvfs(folder)
        free = volume.f_bavail * volume.f_frsize
        half = min(_LARGEST_HALF, max(_SMALLEST_HALF, free // _SHARE_OF_FREE_SPACE // _MIB * _MIB))
        self._journal = Journal(
            folder / "journal" / f"{name}{JOURNAL_SUFFIX}", half, self._sync_store, self._wake.set, self._write_again
        )
        self._make_spool()
        self.buffers = BufferPool(min(_LARGEST_IN_MEMORY, self._journal.largest_payload() // 4 // 4096 * 4096))
        self.placements = Placements(archive.store, self.spool)
        self.committer = Committer(
            self._journal, archive.store, archive.index, archive.settings.duplicate_policy, self.placements
        )
        self._thread = threading.Thread(target=self._sync_in_background, name="archive-sync", daemon=True)
        self._thread.start()

    @property
    def generation(self) -> int:
        """The generation of the journal's active half."""
        return self._journal.generation

    def _make_spool(self) -> None:
        """After the journal: a spool folder without one is a leftover to be removed."""
        try:
            self.spool.mkdir(mode=0o750)
            sync_folder(self.spool.parent)
        except OSError as error:
            self._journal.close()
            raise_if_out_of_space(error, "an arriving object")
            raise

    def _sync_store(self, generation: int) -> None:
        self.placements.settle_until(generation)
        self._store.sync()
        sync_index(self._engine)

    def _write_again(self, records: Iterable[Record]) -> None:
        """Make the files of ``records`` anew; one that is not there was deleted, or is still to be placed."""
        for record in records:
            if record.kind is RecordKind.BYTES and self._store.exists(record.blob_id):
                self._store.write(record.blob_id, record.payload, self.spool_name)

    def _sync_in_background(self) -> None:
        while not self._closing:
            if not self._wake.wait(_SYNC_INTERVAL_S):
                self.committer.rotate_journal()
            self._wake.clear()
            self._journal.sync_pending()

    def close(self) -> None:
        self._closing = True
        self._wake.set()
        self._thread.join()
        self.placements.close()
        self._journal.close()
        with contextlib.suppress(OSError):
            self.spool.rmdir()
