"""A DICOMDIR read, whoever wrote it: every file it names, and a sentence for all that is wrong (PS3.3 Annex F).

The records are gone through as they lie in the file, so that a reader ends whatever their offsets
say; the offsets say how they belong together. A directory is a list of hints: what a file is, its
content decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from radfuse.core.errors import InvalidDirectory, MalformedDataSet, NotPart10
from radfuse.core.transfer_syntaxes import syntax_of
from radfuse.dicom import Header, read_file_meta
from radfuse.media.directory_table import DIRECTORY_LIMITS, DirectoryLimits, TableReader
from radfuse.media.record_types import RECORD_TYPES, Place
from radfuse.media.spans import UNDEFINED, Encoding, header, spans

_FILE_SET_ID: Final = 0x0004_1130
_FIRST_RECORD: Final = 0x0004_1200
_RECORDS: Final = 0x0004_1220
_FILE_ID: Final = 0x0004_1500
_INDIRECT: Final = 0x0004_1504
_SOP_CLASS: Final = 0x0004_1510
_SOP_INSTANCE: Final = 0x0004_1511
_SYNTAX: Final = 0x0004_1512
_INDIRECT_TYPE: Final = "MRDR"
"""Retired (PS3.3-2004): a record that other records point to instead of naming a file."""

_MOST_LEVELS: Final = 8


class ReferencedFile(NamedTuple):
    """A file that a record names, and what the record says of it; texts as they stand there, "" when absent."""

    file_id: tuple[str, ...]
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    record_type: str


class Record(NamedTuple):
    """A record in use: its type, how deep it stands (0: at the root), its keys, and the file it names."""

    record_type: str
    depth: int
    keys: Header
    file: ReferencedFile | None


class Directory:
    """The records of a DICOMDIR."""

    def __init__(self, content: bytes, limits: DirectoryLimits) -> None:
        """Read the places of all records; see ``read_directory``."""
        self._content = content
        self._limits = limits
        self._found: dict[str, int] = {}
        self.file_set_id = ""
        try:
            meta = read_file_meta(content)
            self._syntax = meta.transfer_syntax_uid
            syntax = syntax_of(self._syntax)
            encoding = Encoding(syntax.explicit_vr, not syntax.little_endian)
            self._reader = TableReader(content, encoding, limits, self._note)
            self._table, self._root = self._reader.table, 0
            self._read_head(meta.data_offset)
        except (NotPart10, MalformedDataSet) as error:
            raise InvalidDirectory(str(error)) from error
        self._is_ordered = self._check()

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong with it, a sentence for each kind with how often."""
        return tuple(f"{sentence} ({count}x)" if count > 1 else sentence for sentence, count in self._found.items())

    def __len__(self) -> int:
        """The number of records, those that are not in use, too."""
        return len(self._table)

    @property
    def records(self) -> Iterator[Record]:
        """Every record in use, each before those below it."""
        for number, depth in self._in_order() if self._is_ordered else self._by_offsets():
            raw = self._values(number)
            yield Record(self._type(number), depth, Header(raw, self._syntax), self._file(number, raw))

    def files(self) -> Iterator[ReferencedFile]:
        """Each file that a record in use names, once, in the order of the records."""
        seen: set[tuple[str, ...]] = set()
        for number in range(len(self._table)):
            if not self._table.is_used[number]:
                continue
            file = self._file(number, self._values(number, _SYNTAX))
            if file is not None and file.file_id not in seen:
                seen.add(file.file_id)
                yield file

    def _note(self, sentence: str) -> None:
        if sentence in self._found or len(self._found) < self._limits.findings:
            self._found[sentence] = self._found.get(sentence, 0) + 1

    # --- reading the records ---------------------------------------------------------------------

    def _read_head(self, position: int) -> None:
        """The elements before the records, and where each record lies."""
        content, size = self._content, len(self._content)
        while position < size:
            tag, _, value_at, length = header(content, position, size, self._reader.encoding)
            if tag == _RECORDS:
                self._reader.read(value_at, size if length == UNDEFINED else value_at + length)
                return
            value = content[value_at : value_at + length]
            if length == UNDEFINED or tag > _RECORDS:
                break
            if tag == _FILE_SET_ID:
                self.file_set_id = value.decode("latin-1").strip(" \0")
            elif tag == _FIRST_RECORD:
                self._root = self._reader.number(value)
            position = value_at + length
        raise InvalidDirectory("it has no sequence of directory records")

    def _type(self, number: int) -> str:
        return self._table.type_at(number)

    def _values(self, number: int, last: int = 0xFFFF_FFFF) -> dict[int, bytes]:
        """The raw values of a record, of tags up to ``last``."""
        start, end = self._reader.start_of_rest(number), self._table.end[number]
        found: dict[int, bytes] = {}
        try:
            for span in spans(self._content, start, end, self._reader.encoding):
                if span.tag > last:
                    break
                found[span.tag] = self._content[span.value_at : span.end]
        except MalformedDataSet:
            self._found.setdefault("a record has an element that cannot be read", 1)
        return found

    def _file(self, number: int, raw: dict[int, bytes]) -> ReferencedFile | None:
        """The file that a record names, directly or through another record."""
        value = raw.get(_FILE_ID, b"").decode("latin-1").rstrip(" \0")
        if not value and _INDIRECT in raw:
            target = self._table.number_at(self._reader.number(raw[_INDIRECT]))
            if target is not None and self._type(target) == _INDIRECT_TYPE and target != number:
                raw = self._values(target, _SYNTAX)
                value = raw.get(_FILE_ID, b"").decode("latin-1").rstrip(" \0")
        if not value:
            return None
        parts = tuple(part.strip(" \0") for part in value.split("\\"))
        return ReferencedFile(
            parts, _text(raw, _SOP_CLASS), _text(raw, _SOP_INSTANCE), _text(raw, _SYNTAX), self._type(number)
        )

    # --- how the records belong together -------------------------------------------------------

    def _check(self) -> bool:
        """Follow all offsets once and note what is wrong; whether they say so little that only the order is left."""
        table = self._table
        reached = bytearray(len(table))
        for number, depth in self._by_offsets(self._note):
            reached[number] = 1
            kind = RECORD_TYPES.get(self._type(number))
            if kind is not None and kind.name != "PRIVATE" and depth != kind.place:
                self._note(f"a record of type {kind.name} does not stand where it belongs")
            if depth >= _MOST_LEVELS:
                self._note(f"records stand deeper than {_MOST_LEVELS} levels")
        indirect = next((at for at, name in enumerate(table.types) if name == _INDIRECT_TYPE), -1)
        lost = sum(
            1
            for is_used, is_reached, kind_number in zip(table.is_used, reached, table.type_numbers, strict=True)
            if is_used and not is_reached and kind_number != indirect
        )
        if lost:
            self._note(f"{lost} of {len(table)} records cannot be reached by the offsets: all are read in their order")
        return lost > 0

    def _by_offsets(self, note: Callable[[str], None] | None = None) -> Iterator[tuple[int, int]]:
        """Records in use with their depths, as the offsets lead; none twice."""
        say = note or _silent
        table = self._table
        seen = bytearray(len(table))
        stack = [(self._root, 0, True)]
        while stack:
            offset, depth, is_alive = stack.pop()
            if offset == 0:
                continue
            number = table.number_at(offset)
            if number is None:
                say("an offset points to no record")
                continue
            if seen[number]:
                say("the offsets lead to a record for a second time")
                continue
            seen[number] = 1
            stack.append((table.following[number], depth, is_alive))
            if is_alive and table.is_used[number]:
                yield number, depth
                stack.append((table.below[number], depth + 1, True))
            else:
                # What stands below a record that is not in use is not in use.
                table.is_used[number] = 0
                stack.append((table.below[number], depth + 1, False))

    def _in_order(self) -> Iterator[tuple[int, int]]:
        """Records in use as they lie in the file, with the depths that their types have."""
        for number in range(len(self._table)):
            if self._table.is_used[number]:
                kind = RECORD_TYPES.get(self._type(number))
                yield number, int(kind.place if kind else Place.OBJECT)


def _silent(_: str) -> None:
    """Say nothing."""


def _text(raw: dict[int, bytes], tag: int) -> str:
    return raw.get(tag, b"").decode("latin-1").strip(" \0")


def read_directory(path: Path, *, limits: DirectoryLimits = DIRECTORY_LIMITS) -> Directory:
    """The DICOMDIR at ``path``, in any of the three encodings without compression.

    What can be understood is read, what is wrong becomes a finding. Raises InvalidDirectory for a file
    that is no DICOMDIR or larger than ``limits`` allow, and OSError.
    """
    with path.open("rb") as file:
        content = file.read(limits.file_bytes + 1)
    if len(content) > limits.file_bytes:
        raise InvalidDirectory(f"it is larger than {limits.file_bytes} bytes")
    return Directory(content, limits)
