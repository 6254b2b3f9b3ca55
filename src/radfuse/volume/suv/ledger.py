"""Reads attributes from the headers of a series, and remembers each one that was used."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from radfuse.core.errors import CannotComputeSUV
from radfuse.volume.suv.moments import offset_in
from radfuse.volume.suv.words import Caution, CautionKind, UsedAttribute

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_TEXTS = frozenset({"DS", "IS", "CS", "DA", "TM", "DT", "LO", "SH", "UI", "AS", "ST", "LT", "UT", "UN"})


class Ledger:
    """The headers of a series in the order of its slices, what was used of them, and what was noticed.

    ``first`` is that of an image of the series acquired before them, where they are only a part of it.
    ``drug`` is the one item of the Radiopharmaceutical Information Sequence of each image; empty where an image
    has none. Raises CannotComputeSUV for a header that cannot be read, and for values that differ between images
    where they must not. Messages hold no value of the patient.
    """

    def __init__(self, headers: Sequence[Dataset], first: Dataset | None = None) -> None:
        if not headers:
            raise CannotComputeSUV("the series has no images")
        self.headers = tuple(headers)
        self.first = first
        self.used: dict[tuple[str, str], UsedAttribute] = {}
        self.cautions: dict[str, Caution] = {}
        self._drugs: tuple[Dataset, ...] | None = None

    def caution(self, kind: CautionKind, sentence: str) -> None:
        """Note something that a person should see."""
        self.cautions.setdefault(sentence, Caution(kind, sentence))

    def texts(self, keyword: str) -> list[str]:
        """The value in each image; empty text where it is missing."""
        return self._read(keyword, self.headers, "")

    def text(self, keyword: str) -> str:
        """The one value of all images; empty text when it is missing."""
        return _one(keyword, self.texts(keyword))

    def number(self, keyword: str) -> float | None:
        """The one number of all images; None when it is missing."""
        return _one_number(keyword, self.texts(keyword))

    def numbers(self, keyword: str) -> list[float | None]:
        """The number in each image; None where it is missing."""
        return [_number(keyword, text) for text in self.texts(keyword)]

    def drug_text(self, keyword: str) -> str:
        """The one value of all images in the Radiopharmaceutical Information Sequence."""
        return _one(keyword, self._read(keyword, self._items(), "Radiopharmaceutical Information Sequence"))

    def drug_number(self, keyword: str) -> float | None:
        """The one number of all images in the Radiopharmaceutical Information Sequence."""
        texts = self._read(keyword, self._items(), "Radiopharmaceutical Information Sequence")
        return _one_number(keyword, texts)

    def drug_codes(self, keyword: str) -> list[tuple[str, str]]:
        """Code values and meanings of a code sequence of the radiopharmaceutical, without repetitions."""
        found: dict[tuple[str, str], None] = {}
        for item in self._items():
            for code in item.get(keyword) or ():
                found[_text(code, "CodeValue"), _text(code, "CodeMeaning")] = None
        for value, meaning in found:
            self._note(keyword, f"{value} {meaning}".strip(), "Radiopharmaceutical Information Sequence")
        return list(found)

    def offset(self) -> str:
        """Of the clock of the images from UTC: as stated, or as their own moments end; empty when nothing says it."""
        moments = self.texts("DecayCorrectionDateTime") + self.texts("AcquisitionDateTime")
        ends = {offset_in(text) for text in moments} - {""}
        return self.text("TimezoneOffsetFromUTC") or (ends.pop() if len(ends) == 1 else "")

    def drug_name(self) -> str:
        """What was injected, as text or else as the meaning of its code; empty where images disagree."""
        names = {_text(item, "Radiopharmaceutical") for item in self._items()} - {""}
        codes = (code for item in self._items() for code in item.get("RadiopharmaceuticalCodeSequence") or ())
        names = names or {_text(code, "CodeMeaning") for code in codes}
        return names.pop() if len(names) == 1 else ""

    def glucose(self) -> str:
        """Blood glucose and its unit, where the Acquisition Context of the first image has it (PS3.3 C.7.6.14)."""
        for item in self.headers[0].get("AcquisitionContextSequence") or ():
            names = item.get("ConceptNameCodeSequence") or ()
            if any("glucose" in _text(name, "CodeMeaning").lower() for name in names):
                units = [_text(unit, "CodeValue") for unit in item.get("MeasurementUnitsCodeSequence") or ()]
                return " ".join([_text(item, "NumericValue"), *units])
        return ""

    def private(self, tag: int, creator: str, name: str) -> list[str]:
        """The value of a private element in each image; empty text where it is missing.

        ``tag`` is that of the block 10, where the maker's scanners put it; other blocks are found by their creator.
        Copies of images that lost the creator's element keep the element itself, so it is taken from there too.
        """
        values = [_private(header, tag, creator) for header in self.headers]
        if any(values):
            self._note(name, _summary(values), self._where(values), f"({tag >> 16:04X},{tag & 0xFFFF:04X})")
            if any(value and not _has_creator(header, tag) for header, value in zip(self.headers, values, strict=True)):
                self.caution(CautionKind.PRIVATE, f"{name} was found without the private creator {creator!r}")
        return values

    def _items(self) -> tuple[Dataset, ...]:
        """The radiopharmaceutical of each image."""
        if self._drugs is None:
            sequences = [header.get("RadiopharmaceuticalInformationSequence") or () for header in self.headers]
            if any(len(sequence) > 1 for sequence in sequences):
                raise CannotComputeSUV("several radiopharmaceuticals were given, and nothing says whose uptake is seen")
            self._drugs = tuple(item for sequence in sequences for item in sequence)
            if 0 < len(self._drugs) < len(self.headers):
                raise CannotComputeSUV("some images of the series name their radiopharmaceutical and others do not")
        return self._drugs

    def _read(self, keyword: str, datasets: Sequence[Dataset], sequence: str) -> list[str]:
        values = [_text(dataset, keyword) for dataset in datasets]
        if any(values):
            self._note(keyword, _summary(values), sequence or self._where(values))
        return values

    def _where(self, values: Sequence[str]) -> str:
        if len(values) == 1:
            return "the image"
        have = sum(map(bool, values))
        return f"all {have} images" if have == len(values) else f"{have} of {len(values)} images"

    def _note(self, keyword: str, value: str, origin: str, tag: str = "") -> None:
        self.used.setdefault((keyword, origin), UsedAttribute(keyword, tag or _tag(keyword), value, origin))


def words(keyword: str) -> str:
    """A keyword as people write it: ``PatientWeight`` becomes Patient's Weight."""
    from pydicom.datadict import dictionary_description

    return str(dictionary_description(keyword))


@functools.cache
def _number_of(keyword: str) -> int:
    from pydicom.datadict import tag_for_keyword

    return tag_for_keyword(keyword) or 0


def _tag(keyword: str) -> str:
    tag = _number_of(keyword)
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _text(dataset: Dataset, keyword: str) -> str:
    """A value as text, several joined by a backslash. Raises CannotComputeSUV for bytes that are not its type."""
    tag = _number_of(keyword)
    return _value(dataset, tag, keyword) if tag in dataset else ""


def _value(dataset: Dataset, tag: int, keyword: str = "") -> str:
    from pydicom.dataelem import RawDataElement

    try:
        raw = dataset.get_item(tag)
        if isinstance(raw, RawDataElement) and isinstance(raw.value, bytes) and raw.VR in _TEXTS:
            # The bytes as they stand: pydicom would round, warn or fail before we can judge them.
            return raw.value.decode("latin-1").strip("\0 ")
        value = dataset[tag].value
    except Exception as error:  # a foreign parser's
        raise CannotComputeSUV(f"{words(keyword) if keyword else 'a private element'} cannot be read") from error
    return _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("latin-1").strip("\0 ")
    if isinstance(value, Iterable) and not isinstance(value, str):
        return "\\".join(map(_plain, value))
    return str(value).strip("\0 ")


def _number(keyword: str, text: str) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise CannotComputeSUV(f"{words(keyword)} is not a number")
    return number


def _one(keyword: str, values: Sequence[str]) -> str:
    if len(set(values)) > 1:
        raise CannotComputeSUV(f"{words(keyword)} differs between the images of the series; split it first")
    return values[0] if values else ""


def _one_number(keyword: str, values: Sequence[str]) -> float | None:
    """One number for all: texts may differ (``70`` and ``70.0``), numbers by no more than float32 loses."""
    numbers = [_number(keyword, text) for text in dict.fromkeys(values)]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers) or any(not math.isclose(number, known[0], rel_tol=1e-6) for number in known):
        _one(keyword, values)
    return known[0] if known else None


def _summary(values: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(values))
    if len(distinct) <= 3:
        return ", ".join(value or "(none)" for value in distinct)
    return f"{distinct[0]} … {distinct[-1]} ({len(distinct)} values)"


def _has_creator(header: Dataset, tag: int) -> bool:
    return (tag & 0xFFFF0000 | (tag & 0xFFFF) >> 8) in header


def _private(header: Dataset, tag: int, creator: str) -> str:
    """The text of a private element in the block of its creator, or in block 10 when no creator claims that."""
    group = tag & 0xFFFF0000
    reserved = [key for key in header.keys() if group + 0x10 <= key <= group + 0xFF]  # noqa: SIM118 - tags, not elements
    for block in reserved:
        if _value(header, block) == creator:
            element = group | (block & 0xFF) << 8 | tag & 0xFF
            return _value(header, element) if element in header else ""
    if tag in header and not _has_creator(header, tag):
        return _value(header, tag)
    return ""
