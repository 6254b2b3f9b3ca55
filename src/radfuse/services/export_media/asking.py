"""What is to be put on a medium, and by which profile; as JSON too, for jobs and requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import ConfigurationError, UnknownEntity
from radfuse.core.uids import checked_uid
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.selection import InstanceAddress, Selection, SeriesAddress, objects_of
from radfuse.services.stored_objects import objects_named

_FILE_SET_ID: Final = re.compile(r"[A-Z0-9_ ]{0,16}\Z")
"""VR CS (PS3.5 section 6.2)."""


@dataclass(frozen=True, slots=True)
class MediaAsk:
    """What is exported: a selection of one database, and the medium that it is for.

    Raises ConfigurationError for nothing or a size that cannot be, InvalidUID.
    """

    profile: str
    selection: Selection | None = None
    objects: tuple[str, ...] = ()
    """SOP Instance UIDs of objects, also of those that have no patient (implant templates)."""
    with_loss: bool = False
    """Images may be compressed with loss, where the profile has no other way for them."""
    skip_refused: bool = False
    """What the profile refuses is left out; otherwise nothing is written at all."""
    file_set_id: str = ""
    """File-set ID (0004,1130); empty: one is made."""
    medium_bytes: int | None = None
    """What fits on one medium; None: as much as the profile's medium holds."""

    def __post_init__(self) -> None:
        """Check that there is something, and that it is possible."""
        if self.selection is None and not self.objects:
            raise ConfigurationError("studies", "nothing is selected: name studies, series or instances")
        for uid in self.objects:
            checked_uid(uid, "SOP Instance UID")
        if not _FILE_SET_ID.match(self.file_set_id):
            raise ConfigurationError("file_set_id", "give up to 16 characters of A to Z, 0 to 9, _ and space")
        if self.medium_bytes is not None and self.medium_bytes <= 0:
            raise ConfigurationError("medium_bytes", f"{self.medium_bytes} is not more than 0")

    @property
    def database(self) -> str:
        """The database that has the objects."""
        return DEFAULT_DATABASE if self.selection is None else self.selection.database

    def as_json(self) -> dict[str, Any]:
        """The same as ``of_json`` takes."""
        chosen = self.selection
        return {
            "profile": self.profile,
            "database": self.database,
            "studies": list(chosen.studies) if chosen else [],
            "series": [each._asdict() for each in chosen.series] if chosen else [],
            "instances": [each._asdict() for each in chosen.instances] if chosen else [],
            "objects": list(self.objects),
            "with_loss": self.with_loss,
            "skip_refused": self.skip_refused,
            "file_set_id": self.file_set_id,
            "medium_bytes": self.medium_bytes,
        }

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> MediaAsk:
        """What was asked; missing members have their defaults. Raises as the class itself."""
        studies, series, instances = (values.get(name, ()) for name in ("studies", "series", "instances"))
        chosen = None
        if studies or series or instances:
            chosen = Selection(
                tuple(studies),
                tuple(SeriesAddress(**each) for each in series),
                tuple(InstanceAddress(**each) for each in instances),
                values.get("database", DEFAULT_DATABASE),
            )
        return cls(
            values["profile"],
            chosen,
            tuple(values.get("objects", ())),
            bool(values.get("with_loss", False)),
            bool(values.get("skip_refused", False)),
            values.get("file_set_id", ""),
            values.get("medium_bytes"),
        )


def asked_objects(archive: Archive, ask: MediaAsk) -> list[StoredObject]:
    """Every object that was asked for, once. Raises UnknownEntity for what is not kept (any more)."""
    found = {stored.sop_instance_uid: stored for stored in objects_of(archive, ask.selection)} if ask.selection else {}
    named = objects_named(archive, ask.objects)
    if len(named) < len(set(ask.objects)):
        raise UnknownEntity("instance")
    return list((found | dict(named)).values())
