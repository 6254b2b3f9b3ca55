"""The sessions of a study: those of ours, and the selections of key objects that other systems made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from pydicom import dcmread

from radfuse.archive import Archive, StoredObject, queries
from radfuse.core.errors import ArchiveError, DataSetError, ImagingError, UnreadableObject
from radfuse.core.memo import Memo
from radfuse.objects.common import Item
from radfuse.objects.ko import read_key_objects
from radfuse.services.registrations import place_of
from radfuse.services.sessions.block import read_block
from radfuse.services.sessions.model import KeptSession, Part, Role, SessionRow
from radfuse.services.stored_objects import object_of, objects_named, proved_file
from radfuse.services.workspace_objects import SegmentOfRegion

if TYPE_CHECKING:
    pass

KEY_OBJECTS: Final = "1.2.840.10008.5.1.4.1.1.88.59"

_REJECTIONS: Final = frozenset({"113001", "113010", "113037", "113038", "113039"})
"""Titles of selections that take objects out of use: nobody opens those (CID 7010)."""
_MOST: Final = 256


def sessions_of_study(archive: Archive, study: str) -> list[SessionRow]:
    """The newest first. What cannot be read is left out."""
    found = [_row(archive, session) for session in _sessions(archive, study)]
    return sorted(found, key=lambda row: row.session.made, reverse=True)


def has_session(archive: Archive, study: str) -> bool:
    """Whether a session of ours is kept in a study."""
    return any(each.is_ours for each in _sessions(archive, study))


def session_named(archive: Archive, sop_instance_uid: str) -> KeptSession | None:
    """A session by its Key Object Selection; None where it is not here, or cannot be read."""
    stored = objects_named(archive, [sop_instance_uid]).get(sop_instance_uid)
    if stored is None:
        return None
    try:
        return read_session(archive, stored)
    except (ArchiveError, DataSetError, ImagingError):
        return None


def session_to_open(archive: Archive, sop_instance_uid: str) -> KeptSession:
    """The same. Raises UnknownEntity, BlobDamaged, and UnreadableObject for what is none, or a newer version's."""
    return read_session(archive, object_of(archive, sop_instance_uid))


def newest_of_workspace(archive: Archive, study: str, workspace: str) -> KeptSession | None:
    """The last version that was saved of a draft."""
    own = [each for each in _sessions(archive, study, only_there=False) if each.workspace == workspace and workspace]
    return max(own, key=lambda each: each.version, default=None)


def read_session(archive: Archive, stored: StoredObject) -> KeptSession:
    """What a Key Object Selection says. Raises BlobDamaged, UnreadableObject."""
    return _KNOWN.of(stored.digest, lambda: _read(proved_file(archive, stored)))


def _sessions(archive: Archive, study: str, *, only_there: bool = True) -> Iterator[KeptSession]:
    """Those of a study, or of all studies of its patient."""
    with archive.reading() as connection:
        places = queries.study_places(connection, study)
        if not places:
            return
        kept = queries.objects_of_kind(connection, "KO", (KEY_OBJECTS,), {places[0].patient})
    for each in kept:
        if not only_there or each.study_instance_uid == study:
            try:
                session = read_session(archive, each.stored)
            except (ArchiveError, DataSetError, ImagingError):
                continue
            if session.name:
                yield session


def _row(archive: Archive, session: KeptSession) -> SessionRow:
    parts = session.parts or session.references
    uids = list(dict.fromkeys(part.sop_instance_uid for part in parts))
    return SessionRow(session, len(uids) - len(objects_named(archive, uids)))


def _read(content: bytes) -> KeptSession:
    selected = read_key_objects(content)
    ds = dcmread(BytesIO(content))
    top, block = Item(ds), read_block(ds)
    is_rejection = selected.title is not None and selected.title.value in _REJECTIONS
    title = selected.title.meaning if selected.title is not None else "Key objects"
    name = "" if is_rejection else selected.description.split("\n")[0].strip()[:200] or title
    references = tuple(
        Part(Role.KEY_OBJECT, "", each.sop_class_uid, each.sop_instance_uid) for each in selected.objects
    )
    plain = KeptSession(
        sop_instance_uid=top.text("SOPInstanceUID"),
        study=top.text("StudyInstanceUID"),
        name=name,
        note="\n".join(selected.description.split("\n")[1:]),
        by=top.text("ContentCreatorName"),
        made=_moment(top),
        version=1,
        predecessor="",
        is_ours=False,
        references=references,
        identical=selected.identical_uids,
    )
    if block is None:
        return plain
    try:
        return _ours(plain, block)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableObject("what this session says of its layout is damaged") from error


def _ours(plain: KeptSession, block: Mapping[str, Any]) -> KeptSession:
    """With what the private block says. Raises what reading something else than what we wrote raises."""
    parts = tuple(
        Part(
            Role(each["role"]),
            str(each["label"]),
            str(each["sop_class_uid"]),
            str(each["sop_instance_uid"]),
            str(each["digest"]),
        )
        for each in block["parts"]
    )
    segments = {
        str(region): SegmentOfRegion(
            str(each["segmentation"]), int(each["number"]), str(each["digest"]), str(each["tracking_uid"])
        )
        for region, each in block["segments"].items()
    }
    return KeptSession(
        sop_instance_uid=plain.sop_instance_uid,
        study=plain.study,
        name=str(block["name"]) or plain.name,
        note=str(block["note"]),
        by=str(block["by"]),
        made=datetime.fromtimestamp(float(block["made_s"])).astimezone().strftime("%Y%m%d%H%M%S"),
        version=int(block["version"]),
        predecessor=str(block["predecessor"]),
        is_ours=True,
        references=plain.references,
        parts=parts,
        workspace=str(block["workspace"]),
        segments=segments,
        document=dict(block["document"]),
        identical=plain.identical,
    )


def _moment(top: Item) -> str:
    return top.text("ContentDate") + top.text("ContentTime")[:6]


def series_of(archive: Archive, session: KeptSession) -> list[str]:
    """The series that a session names, as far as they are here."""
    uids = [part.sop_instance_uid for part in session.references]
    with archive.reading() as connection:
        places = queries.places_of_images(connection, uids)
    return list(dict.fromkeys(places[uid].series_instance_uid for uid in uids if uid in places))


def is_here(archive: Archive, series: str) -> bool:
    """Whether a series is in the archive."""
    try:
        return bool(place_of(archive, series))
    except ArchiveError:
        return False


_KNOWN: Final[Memo[bytes, KeptSession]] = Memo(_MOST)
