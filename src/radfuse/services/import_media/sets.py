"""File-sets (PS3.10 section 8): does the DICOMDIR tell the truth about the files beside it?

No path is ever made from a record: the files are those that lie there, and each is looked up among
the records. So a record can name what it likes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from radfuse.core.errors import RadfuseError
from radfuse.services.import_media.journal import digest_of_uid
from radfuse.services.import_media.model import FindingKind, Findings, shown_name

_LIES: Final = (
    (slice(0, 8), FindingKind.OTHER_CLASS, "is of another SOP class than its record says"),
    (slice(8, 16), FindingKind.OTHER_OBJECT, "holds another object than its record says"),
    (slice(16, 24), FindingKind.OTHER_SYNTAX, "has another transfer syntax than its record says"),
)
"""The digests of an identity, in their order."""

_UNSAFE: Final = frozenset("/\\:\0")
_NOTHING_SAID: Final = bytes(8)


def set_key(parts: Sequence[str]) -> str:
    """A file id as it is looked up: case, version numbers and trailing dots of ISO 9660 do not count."""
    return "/".join(part.partition(";")[0].rstrip(". ").upper() for part in parts)


class SetCheck:
    """The check of one file-set."""

    def __init__(self, name: str) -> None:
        """``name``: the DICOMDIR, to be shown."""
        self.name = name
        self.findings = Findings()
        self._claims: dict[str, bytes] = {}
        self._seen: set[str] = set()

    def read(self, path: Path) -> bool:
        """Read the records; whether the file is a DICOMDIR that can be read."""
        from radfuse.media import read_directory

        try:
            directory = read_directory(path)
            for file in directory.files():
                uids = (file.sop_class_uid, file.sop_instance_uid, file.transfer_syntax_uid)
                self._claim(file.file_id, uids)
        except (RadfuseError, OSError) as error:
            self.findings.add(FindingKind.DIRECTORY_DAMAGED, f"{self.name} cannot be read: {error}")
            return False
        for sentence in directory.findings:
            self.findings.add(FindingKind.DIRECTORY_DAMAGED, f"{self.name}: {shown_name(str(sentence))}")
        return True

    def _claim(self, file_id: Sequence[str], uids: Iterable[str]) -> None:
        if not file_id or any(part in ("", ".", "..") or _UNSAFE & set(part) for part in file_id):
            shown = shown_name("\\".join(file_id))
            self.findings.add(FindingKind.OUTSIDE, f"{self.name}: a record names {shown}, outside the medium")
            return
        digests = [digest_of_uid(uid) if uid else _NOTHING_SAID for uid in uids]
        self._claims[set_key(file_id)] = b"".join(digests)

    def look_at(self, parts: Sequence[str], name: str, identity: bytes | None) -> bool:
        """Compare a file with its record; whether it has one. ``identity``: digests, zeros when it
        is not known, None for what is no object."""
        key = set_key(parts)
        claim = self._claims.pop(key, None)
        if claim is None:
            return key in self._seen
        self._seen.add(key)
        if identity is None:
            sentence = f"{name} is no DICOM object, though a record names it"
            self.findings.add(FindingKind.OTHER_OBJECT, sentence)
            return True
        for part, kind, words in _LIES if any(identity) else ():
            if claim[part] not in (_NOTHING_SAID, identity[part]):
                self.findings.add(kind, f"{name} {words}")
        return True

    def not_named(self, name: str) -> None:
        """Note an object that no record names."""
        self.findings.add(FindingKind.NOT_NAMED, f"{name} is named by no record")

    def finish(self) -> Findings:
        """Whatever was not met is missing."""
        for key in self._claims:
            sentence = f"{self.name}: {shown_name(key)} is not there, though a record names it"
            self.findings.add(FindingKind.MISSING, sentence)
        self._claims.clear()
        return self.findings
