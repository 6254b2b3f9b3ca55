"""Keeping objects of ours: all checked first, then each taken in like any guest; or written as files."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import xxhash

from radfuse.archive import Archive, Origin, Outcome, StoredObject
from radfuse.core.aetitle import checked_ae_title
from radfuse.core.errors import ArchiveError, ConfigurationError, DataSetError, DuplicateRejected
from radfuse.core.uids import is_valid_uid
from radfuse.dicom import Identifier, read_file_meta
from radfuse.objects.checking import Facts, references_in, require_valid
from radfuse.objects.common import encode
from radfuse.services.ingest import ingest
from radfuse.services.stored_objects import objects_named

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Progress: TypeAlias = Callable[[int, int], None]
"""Called with how many objects were kept, and how many there are in all."""

WORKSTATION: Final = "RADFUSE_SCU"
"""The AE title that our own results come from, where the caller names none."""

_SEGMENTATIONS: Final = frozenset({"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"})
_PATIENT_ID: Final = 0x0010_0020
_STUDY: Final = 0x0020_000D
_SERIES: Final = 0x0020_000E
_FRAME: Final = 0x0020_0052
_FRAMES: Final = 0x0028_0008
_SEGMENT_SEQUENCE: Final = 0x0062_0002
_SEGMENT_NUMBER: Final = 0x0062_0004


@dataclass(frozen=True, slots=True)
class StoredResults:
    """What became of a batch: SOP Instance UIDs."""

    stored: tuple[str, ...]
    already_kept: tuple[str, ...] = ()
    """The very same bytes were kept before."""


def store(
    archive: Archive,
    data_sets: Iterable[Dataset],
    *,
    ae_title: str = WORKSTATION,
    known: Mapping[str, Facts] | None = None,
    progress: Progress | None = None,
) -> StoredResults:
    """Keep objects that belong together; returns when all are durable and findable.

    All are checked before the first is kept, also that what they refer to is in the archive, in the batch or in
    ``known``. ``ae_title`` is noted as their source.

    Raises InvalidObject, and nothing is kept; InvalidAETitle; DuplicateRejected where the archive holds another
    object under one of the UIDs; and the errors of ``ingest``: what was kept before those stays.
    """
    title = checked_ae_title(ae_title)
    batch = list(data_sets)
    require_valid(batch, {**known_to(archive, batch), **(known or {})})
    _require_new(archive, batch)
    results: dict[Outcome, list[str]] = {}
    for number, ds in enumerate(batch, start=1):
        outcome = _keep(archive, encode(ds), title)
        results.setdefault(outcome, []).append(str(ds.SOPInstanceUID))
        if progress is not None:
            progress(number, len(batch))
    return StoredResults(
        tuple(uid for outcome, uids in results.items() if outcome is not Outcome.SAME_AGAIN for uid in uids),
        tuple(results.get(Outcome.SAME_AGAIN, ())),
    )


def write(
    folder: Path,
    data_sets: Iterable[Dataset],
    *,
    known: Mapping[str, Facts] | None = None,
    archive: Archive | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Write objects as Part 10 files ``<SOP Instance UID>.dcm`` into a folder, which is made; nothing is overwritten.

    Checked as in ``store``, references against ``known`` and the archive, where one is given; without both they
    are not looked up. Raises InvalidObject, ConfigurationError for a file that is there already, OSError.
    """
    batch = list(data_sets)
    looked_up = known_to(archive, batch) if archive is not None else {}
    require_valid(batch, None if known is None and archive is None else {**looked_up, **(known or {})})
    places = [folder / f"{ds.SOPInstanceUID}.dcm" for ds in batch]
    for place in places:
        if place.exists():
            raise ConfigurationError("to", f"{place} is there already, and is not overwritten")
    folder.mkdir(parents=True, exist_ok=True)
    for number, (ds, place) in enumerate(zip(batch, places, strict=True), start=1):
        _write_new(place, encode(ds))
        if progress is not None:
            progress(number, len(batch))
    return places


def known_to(archive: Archive, batch: Sequence[Dataset]) -> dict[str, Facts]:
    """What the archive knows of the objects that a batch refers to, by SOP Instance UID."""
    wanted = {reference.uid for ds in batch for reference in references_in(ds)}
    return {facts.sop_instance_uid: facts for facts in _facts(archive, sorted(filter(is_valid_uid, wanted)))}


def _facts(archive: Archive, uids: Sequence[str]) -> Iterator[Facts]:
    for stored in objects_named(archive, uids).values():
        # An object that cannot be read is as good as none: the reference to it is refused.
        with contextlib.suppress(ArchiveError, DataSetError):
            yield _facts_of(archive, stored)


def _facts_of(archive: Archive, stored: StoredObject) -> Facts:
    last = _SEGMENT_SEQUENCE if stored.sop_class_uid in _SEGMENTATIONS else _FRAMES
    header = archive.read_header(stored, last)
    sequence = header.get(_SEGMENT_SEQUENCE)
    return Facts(
        stored.sop_instance_uid,
        stored.sop_class_uid,
        header.text(_STUDY),
        header.text(_SERIES),
        header.text(_PATIENT_ID).strip(" \0"),
        header.text(_FRAME),
        _number(header, _FRAMES),
        tuple(_number(item, _SEGMENT_NUMBER) for item in sequence.items) if sequence else (),
    )


def _number(header: Identifier, tag: int) -> int:
    text = header.text(tag).strip()
    return int(text) if text.isascii() and text.isdigit() else 0


def _require_new(archive: Archive, batch: Sequence[Dataset]) -> None:
    """Raise DuplicateRejected when other bytes are kept under one of the UIDs: no batch is kept in part."""
    by_uid = {str(ds.SOPInstanceUID): ds for ds in batch}
    for stored in objects_named(archive, sorted(by_uid)).values():
        content = encode(by_uid[stored.sop_instance_uid])
        if xxhash.xxh3_128_digest(content[read_file_meta(content).data_offset :]) != stored.digest:
            raise DuplicateRejected


def _keep(archive: Archive, content: bytes, ae_title: str) -> Outcome:
    meta = read_file_meta(content)
    origin = Origin(meta.sop_class_uid, meta.sop_instance_uid, meta.transfer_syntax_uid, ae_title)
    with archive.receive(origin) as incoming:
        incoming.write(memoryview(content)[meta.data_offset :])
        outcome = ingest(archive, incoming).outcome
    if outcome is Outcome.FIRST_KEPT:  # it came in from elsewhere since the batch was checked
        raise DuplicateRejected
    return outcome


def _write_new(place: Path, content: bytes) -> None:
    """A file that appears whole or not at all, and never in the place of another."""
    part = place.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, place)
    except FileExistsError as error:
        raise ConfigurationError("to", f"{place} is there already, and is not overwritten") from error
    finally:
        part.unlink(missing_ok=True)
