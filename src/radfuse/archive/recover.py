"""After a crash: what the journals of dead processes recorded is put in place and indexed."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import mmap
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import xxhash

from radfuse.archive.blobs import BlobStore
from radfuse.archive.incoming import Seal
from radfuse.archive.index.entry import Entry
from radfuse.archive.index.write import Existing, IndexWriter
from radfuse.archive.journal import Record, RecordKind, journals_lock, read_journal
from radfuse.archive.placing import PLACED_WITHIN_S
from radfuse.core.errors import DataSetError
from radfuse.core.uids import IMPLEMENTATION_CLASS_UID
from radfuse.dicom import read_file_meta, scan_header

JOURNAL_SUFFIX = ".journal"
_TOMBSTONE_S: Final = 86_400
"""For how long it is remembered at least that an object was deleted."""
_log = logging.getLogger(__name__)


def entry_of_file(content: bytes | memoryview | mmap.mmap, blob_id: bytes, *, verify: bool) -> Entry:
    """The index entry of a file of the store, from the file alone.

    Raises DataSetError when the file is not one of ours or, with ``verify``, when its bytes do
    not match its seal.
    """
    meta = read_file_meta(content)
    if meta.private_creator != IMPLEMENTATION_CLASS_UID:
        raise DataSetError
    try:
        seal = Seal.unpack(meta.private_information)
    except ValueError as error:
        raise DataSetError from error
    if verify and _digest(content, meta.data_offset) != seal.digest:
        raise DataSetError
    header = scan_header(content, meta.transfer_syntax_uid, start=meta.data_offset)
    return Entry.from_header(header, blob_id, len(content) - meta.data_offset, seal.digest, seal.arrived_s)


def _digest(content: bytes | memoryview | mmap.mmap, start: int) -> bytes:
    digest = xxhash.xxh3_128()
    with memoryview(content) as view:
        for offset in range(start, len(view), 1 << 20):
            digest.update(view[offset : offset + (1 << 20)])
    return digest.digest()


@dataclass(frozen=True, slots=True)
class Recovery:
    """Where a crash leaves its traces, and what puts them right."""

    journals: Path
    incoming: Path
    store: BlobStore
    index: IndexWriter
    owns_index: bool = True
    """Whether these are all the journals that objects of the index may lie in."""
    replace_existing: bool = False
    """Whether the duplicate policy lets a later object take the place of an earlier one."""


def recover(recovery: Recovery) -> int:
    """Replay every journal that no living process holds; returns the number of objects regained."""
    regained = 0
    was_killed = False
    for path in sorted(recovery.journals.glob(f"*{JOURNAL_SUFFIX}")):
        with contextlib.ExitStack() as stack:
            file = _lock_abandoned(path)
            if file is None:
                continue
            was_killed = True
            stack.callback(os.close, file)
            spool = recovery.incoming / path.stem
            if os.fstat(file).st_size:
                content = stack.enter_context(mmap.mmap(file, 0, access=mmap.ACCESS_READ))
                view = stack.enter_context(memoryview(content))
                regained += _replay(view, spool, recovery)
            recovery.store.sync()
            shutil.rmtree(spool, ignore_errors=True)
            path.unlink(missing_ok=True)
    _remove_leftover_spools(recovery)
    if was_killed:
        _remove_deleted_files(recovery, recovery.index.tombstones())
    _forget_old_tombstones(recovery)
    if regained:
        _log.warning("recovered %d objects from the ingest journal", regained)
    return regained


def _remove_leftover_spools(recovery: Recovery) -> None:
    """A process makes its journal before its spool folder: one without a journal belongs to nobody."""
    for spool in recovery.incoming.iterdir():
        if not (recovery.journals / f"{spool.name}{JOURNAL_SUFFIX}").exists():
            shutil.rmtree(spool, ignore_errors=True)


def _forget_old_tombstones(recovery: Recovery) -> None:
    """Without any journal nothing can bring a deleted object back but its own file, if a crash left it."""
    if not recovery.owns_index or any(recovery.journals.glob(f"*{JOURNAL_SUFFIX}")):
        return
    old = recovery.index.tombstones(int(time.time()) - _TOMBSTONE_S)
    if old:
        _remove_deleted_files(recovery, old)
        recovery.index.forget_tombstones(old)


def _remove_deleted_files(recovery: Recovery, blob_ids: Iterable[bytes]) -> None:
    """A process that is killed while it deletes leaves files that the index does not know any more."""
    if sum(map(recovery.store.remove, blob_ids)):
        recovery.store.sync()


def _lock_abandoned(path: Path) -> int | None:
    with journals_lock(path.parent):
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        return file


def noted_ids(journals: Path) -> set[bytes]:
    """The blob ids that the journals note, of living processes too."""
    noted: set[bytes] = set()
    for path in journals.glob(f"*{JOURNAL_SUFFIX}"):
        with contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context(path.open("rb"))
                content = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            except (FileNotFoundError, ValueError):  # removed or, if it is empty, not yet made
                continue
            view = stack.enter_context(memoryview(content))
            for record in read_journal(view):
                noted.add(record.blob_id)
                if isinstance(record.payload, memoryview):
                    record.payload.release()
    return noted


@dataclass(frozen=True, slots=True)
class JournalState:
    """Whose journals there are."""

    living: bool = False
    abandoned: bool = False


def journal_state(journals: Path) -> JournalState:
    """Whether living processes have journals here, and whether dead ones left some."""
    living = abandoned = False
    for path in journals.glob(f"*{JOURNAL_SUFFIX}"):
        file = _lock_abandoned(path)
        if file is not None:
            os.close(file)
            abandoned = True
        elif path.exists():
            living = True
    return JournalState(living, abandoned)


def _replay(data: memoryview, spool: Path, recovery: Recovery) -> int:
    store = recovery.store
    records = list(read_journal(data))
    spool.mkdir(exist_ok=True)
    aborted = {record.blob_id for record in records if record.kind is RecordKind.ABORTED}
    regained = 0
    for record in records:
        if record.blob_id in aborted or recovery.index.is_deleted(record.blob_id):
            store.remove(record.blob_id)
            continue
        _restore_file(record, spool, store)
        regained += _restore_entry(record.blob_id, recovery)
    for record in records:
        if isinstance(record.payload, memoryview):
            record.payload.release()
    return regained


def _is_lost(existing: Existing, store: BlobStore) -> bool:
    return not store.exists(existing.blob_id) and time.time() - existing.arrived_s > PLACED_WITHIN_S


def _restore_file(record: Record, spool: Path, store: BlobStore) -> None:
    if record.kind is RecordKind.FILE:
        spooled = spool / record.blob_id.hex()
        if spooled.exists():
            store.adopt(record.blob_id, spooled)
        return
    # The file may be there without its bytes: it was not synced before the power went.
    with contextlib.suppress(FileNotFoundError):
        if Path(store.path(record.blob_id)).read_bytes() == record.payload:
            return
    store.remove(record.blob_id)
    store.write(record.blob_id, record.payload, spool)


def _restore_entry(blob_id: bytes, recovery: Recovery) -> int:
    path = Path(recovery.store.path(blob_id))
    if not path.exists():
        return 0
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            entry = entry_of_file(content, blob_id, verify=False)
    except (DataSetError, ValueError):
        _log.exception("a journalled object cannot be read; 'radfuse check' will report it")
        return 0
    existing = recovery.index.find_existing(entry.sop_instance_uid)
    if existing is None:
        return int(recovery.index.insert([entry])[0])
    if existing.blob_id == blob_id:
        return 0
    is_replaced = recovery.replace_existing and existing.digest != entry.digest
    # It had taken the place of one whose file was lost, or that will be deleted.
    if is_replaced or existing.is_leaving or _is_lost(existing, recovery.store):
        recovery.index.insert([replace(entry, replaces=existing.blob_id)])
        recovery.store.remove(existing.blob_id)
        return 1
    recovery.store.remove(blob_id)  # it had lost against another object with its UID
    return 0
