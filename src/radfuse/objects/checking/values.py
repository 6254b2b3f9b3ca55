"""Whether values are what their representation allows (PS3.5 section 6.2), and as many as they may be.

The identity of patient and study is copied from the images as it is: there only UIDs are judged, so that
an object still belongs to its patient where the images break a rule.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from typing import Any, Final

from pydicom.datadict import dictionary_has_tag, dictionary_VM, dictionary_VR
from pydicom.dataset import Dataset

from radfuse.core.uids import is_valid_uid
from radfuse.objects.checking.model import Fault, Path, is_empty

_DS: Final = re.compile(r" *[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)? *\Z")
_IS: Final = re.compile(r" *[+-]?\d{1,12} *\Z")
_CS: Final = re.compile(r"[A-Z0-9 _]{0,16}\Z")
_TM: Final = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d|60)?)?(?<=\d\d)(\.\d{1,6})?\Z")
_DT: Final = re.compile(r"\d{4}(\d\d(\d\d(\d\d(\d\d(\d\d(\.\d{1,6})?)?)?)?)?)?([+-]\d{4})?\Z")
_AS: Final = re.compile(r"\d{3}[DWMY]\Z")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_IN_TEXT: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_LONGEST: Final = {"AE": 16, "LO": 64, "SH": 16, "ST": 1024, "LT": 10240}
_WHOLE: Final = {
    "US": (0, 0xFFFF),
    "SS": (-0x8000, 0x7FFF),
    "UL": (0, 0xFFFF_FFFF),
    "SL": (-0x8000_0000, 0x7FFF_FFFF),
    "UV": (0, (1 << 64) - 1),
    "SV": (-(1 << 63), (1 << 63) - 1),
}
_RANGES: Final = {"FL": 3.4028235677973366e38, "FD": math.inf}
_BULK: Final = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN", "AT"})
_TEXTS: Final = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"}
)

_COPIED: Final = frozenset(
    {0x0008_0020, 0x0008_0030, 0x0008_0050, 0x0008_0090, 0x0008_1030, 0x0008_1048, 0x0008_1060, 0x0008_1080}
    | {0x0020_0010, 0x0032_1060}
)
"""Of the study, outside group 0010: date, time, accession number, physicians, descriptions, ID, diagnoses."""


def wrong_values(ds: Dataset, path: Path = ()) -> Iterator[Fault]:
    """Elements whose representation, length, form or number of values is not allowed."""
    for element in ds:
        tag = int(element.tag)
        if element.tag.is_private:
            yield from _private(ds, tag, path)
        elif not dictionary_has_tag(tag):
            yield Fault((*path, tag), "unknown", "the standard has no such attribute")
        elif element.VR not in _representations(tag):
            yield Fault((*path, tag), "VR", f"it has the representation {element.VR}, which it must not have")
        elif element.VR == "SQ":
            for number, item in enumerate(element.value or (), start=1):
                yield from wrong_values(item, (*path, tag, f"[{number}]"))
        elif not (_is_identity(tag) and element.VR in _TEXTS):
            yield from (Fault((*path, tag), "value", text) for text in _judge(tag, element.VR, element.value))


def has_text_beyond_ascii(ds: Dataset) -> bool:
    """Whether any text needs a Specific Character Set (PS3.3 section C.12.1.1.2)."""
    for element in ds:
        if element.VR == "SQ":
            if any(map(has_text_beyond_ascii, element.value or ())):
                return True
        elif element.VR in ("PN", "LO", "SH", "ST", "LT", "UC", "UT") and not str(element.value).isascii():
            return True
    return False


def _is_identity(tag: int) -> bool:
    return tag >> 16 == 0x0010 or tag in _COPIED


def _private(ds: Dataset, tag: int, path: Path) -> Iterator[Fault]:
    """A private element needs its creator (PS3.5 section 7.8.1)."""
    group, element = tag >> 16, tag & 0xFFFF
    if element > 0xFF and (group << 16 | element >> 8) not in ds:
        yield Fault((*path, tag), "private", "its block has no private creator")


@cache
def _representations(tag: int) -> frozenset[str]:
    # Which of two it is may be left open until it is written.
    return frozenset((*dictionary_VR(tag).split(" or "), dictionary_VR(tag)))


@cache
def _counts(tag: int) -> tuple[int, int, int]:
    """The least number of values, the most, and the step, from a VM as ``2-2n``."""
    first, _, last = dictionary_VM(tag).partition("-")
    if not first.isdigit():
        return 1, 1 << 32, 1
    least = int(first)
    if not last:
        return least, least, 1
    if last.endswith("n"):
        return least, 1 << 32, int(last[:-1] or 1)
    return least, int(last), 1


def _judge(tag: int, vr: str, value: Any) -> Iterator[str]:
    if is_empty(value):
        return
    if vr in _BULK:
        if vr != "OB" and isinstance(value, bytes) and len(value) % 2:  # OB is padded when it is written
            yield "its length is odd"
        return
    values = [value] if isinstance(value, str | bytes) or not hasattr(value, "__iter__") or vr == "PN" else list(value)
    if vr == "PN" and hasattr(value, "__iter__") and not isinstance(value, str) and not hasattr(value, "components"):
        values = list(value)
    least, most, step = _counts(tag)
    if not least <= len(values) <= most or (len(values) - least) % step:
        yield f"it has {len(values)} values, {dictionary_VM(tag)} are allowed"
    check = _CHECKS.get(vr)
    if check is not None:
        yield from dict.fromkeys(text for single in values if single not in (None, "") for text in check(vr, single))


def _decimal(_vr: str, value: Any) -> Iterator[str]:
    text = str(value)
    if len(text) > 16:
        yield "a decimal text has more than 16 characters"
    elif not _DS.match(text):
        yield "a decimal text is no number"


def _whole_text(_vr: str, value: Any) -> Iterator[str]:
    if not _IS.match(str(value)) or not -(1 << 31) <= int(value) < 1 << 31:
        yield "an integer text is no whole number of 32 bits"


def _matching(pattern: re.Pattern[str], sentence: str) -> Callable[[str, Any], Iterator[str]]:
    def check(_vr: str, value: Any) -> Iterator[str]:
        if not pattern.match(str(value)):
            yield sentence

    return check


def _uid(_vr: str, value: Any) -> Iterator[str]:
    text = str(value)
    if not is_valid_uid(text) or any(len(part) > 1 and part[0] == "0" for part in text.split(".")):
        yield "it is no valid UID (PS3.5 section 9.1)"


def _date(_vr: str, value: Any) -> Iterator[str]:
    text = str(value)
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
        if len(text) == 8:
            return
    except ValueError:
        pass
    yield "it is no date (YYYYMMDD)"


def _text(vr: str, value: Any) -> Iterator[str]:
    text = str(value)
    if len(text) > _LONGEST.get(vr, 1 << 32):
        yield f"it has more than {_LONGEST[vr]} characters"
    if (_CONTROL_IN_TEXT if vr in ("ST", "LT", "UT") else _CONTROL).search(text):
        yield "it holds control characters"
    if "\\" in text and vr in ("LO", "SH", "UC", "AE"):
        yield "it holds a backslash, which divides values"


def _name(_vr: str, value: Any) -> Iterator[str]:
    groups = str(value).split("=")
    if len(groups) > 3 or any(len(group) > 64 for group in groups):
        yield "it is longer than a name may be"


def _whole(vr: str, value: Any) -> Iterator[str]:
    least, most = _WHOLE[vr]
    if not least <= int(value) <= most or int(value) != value:
        yield f"it is outside of what {vr} can hold"


def _number(vr: str, value: Any) -> Iterator[str]:
    if not math.isfinite(value) or abs(value) > _RANGES[vr]:
        yield "it is not a finite number"


_CHECKS: Final[dict[str, Callable[[str, Any], Iterator[str]]]] = {
    "DS": _decimal,
    "IS": _whole_text,
    "CS": _matching(_CS, "a code string has at most 16 capital letters, digits, blanks and underscores"),
    "TM": _matching(_TM, "it is no time (HHMMSS.FFFFFF)"),
    "DT": _matching(_DT, "it is no date and time"),
    "AS": _matching(_AS, "it is no age"),
    "DA": _date,
    "UI": _uid,
    "PN": _name,
    **dict.fromkeys(("AE", "LO", "SH", "ST", "LT", "UC", "UT", "UR"), _text),
    **dict.fromkeys(_WHOLE, _whole),
    **dict.fromkeys(_RANGES, _number),
}
