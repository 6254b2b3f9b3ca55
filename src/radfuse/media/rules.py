"""What an object breaks of a profile, and the transfer syntax that it gets on the medium (PS3.11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from radfuse.core.errors import CannotTranscode, NotInProfile
from radfuse.core.transfer_syntaxes import (
    EXPLICIT_LITTLE,
    JPEG_2000,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_EXTENDED,
    JPEG_LOSSLESS_SV1,
)
from radfuse.core.uid_names import name_of_uid
from radfuse.dicom import transcode
from radfuse.media.profiles import SEGMENTATION
from radfuse.media.record_building import record_problems

if TYPE_CHECKING:
    from mmap import mmap

    from radfuse.media.describing import Described
    from radfuse.media.profiles import ImageRule, Profile

    FileBytes: TypeAlias = bytes | memoryview | mmap

ATTRIBUTES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "modality": 0x0008_0060,
        "samples": 0x0028_0002,
        "photometric": 0x0028_0004,
        "frames": 0x0028_0008,
        "bits_allocated": 0x0028_0100,
        "bits_stored": 0x0028_0101,
        "high_bit": 0x0028_0102,
        "signed": 0x0028_0103,
    }
)
"""The attributes that rules ask for, by the name that rules have for them."""

_TEXTS: Final = frozenset({"modality", "photometric"})
_STANDARD_CLASSES: Final = "1.2.840.10008.5.1.4."
_JPEG: Final = frozenset({JPEG_BASELINE, JPEG_EXTENDED, JPEG_LOSSLESS_SV1})
_LOSSLESS_CHOICES: Final = (JPEG_LOSSLESS_SV1, JPEG_2000_LOSSLESS)
_WIDEST_SAMPLE_BITS: Final = 16


class Problem(NamedTuple):
    """One rule that an object breaks, and a sentence that says how."""

    rule: str
    sentence: str


def problems(profile: Profile, described: Described, view: FileBytes | None = None) -> tuple[Problem, ...]:
    """What an object would break of ``profile`` after conversion to ``target_syntax``; nothing: it may be written.

    ``view``: the bytes of its file, with which the frames of multi-frame JPEG are looked at too
    (PS3.11 sections H.3.1 and J.3.1). Raises MalformedDataSet where these are broken.
    """
    return tuple(_problems(profile, described, view))


def target_syntax(profile: Profile, described: Described, *, with_loss: bool = False) -> str:
    """The transfer syntax of an object on the medium: the stored one where it is allowed, else one without loss.

    An image that is stored compressed without loss stays compressed where the profile has a lossless syntax; should
    the codec refuse it, explicit VR little endian is always allowed too. ``with_loss``: images without loss that
    the profile and their pixels allow to be compressed are. A segmentation never is, as its pixels are decisions.
    Raises NotInProfile for a class that the profile does not have, CannotTranscode where there is no way.
    """
    for problem in _class_problems(profile, described.sop_class_uid):
        raise NotInProfile(profile.name, *problem)
    stored, allowed = described.transfer_syntax_uid, profile.syntaxes_of(described.sop_class_uid)
    if with_loss:
        lossy = _lossy_choice(allowed, described)
        if lossy and transcode.can_transcode(stored, lossy, with_loss=True):
            return lossy
    if stored in allowed:
        return stored
    is_narrow = 0 < (_number(described, "bits_allocated") or 0) <= _WIDEST_SAMPLE_BITS
    if stored in transcode.LOSSLESS and described.has_pixels and is_narrow:
        for choice in _LOSSLESS_CHOICES:
            if choice in allowed and transcode.can_transcode(stored, choice):
                return choice
    if not transcode.can_transcode(stored, EXPLICIT_LITTLE):
        raise CannotTranscode(stored, EXPLICIT_LITTLE, "there is no loss-free way")
    return EXPLICIT_LITTLE


def _problems(profile: Profile, described: Described, view: FileBytes | None) -> Iterator[Problem]:
    yield from _class_problems(profile, described.sop_class_uid)
    target = ""
    try:
        target = target_syntax(profile, described)
    except CannotTranscode:
        stored = name_of_uid(described.transfer_syntax_uid)
        yield Problem("transfer syntax", f"{profile.name} has no {stored}, and it cannot be converted without loss")
    except NotInProfile:
        pass
    for sentence in record_problems(described, profile.keys_table):
        yield Problem("directory keys", sentence)
    for rule in profile.rules:
        if described.sop_class_uid in rule.sop_classes and not _holds(rule, described):
            yield Problem(rule.name, f"{rule.reason}, here it is {_said(described, rule.attribute)}")
    if target == described.transfer_syntax_uid:
        yield from _stored_problems(profile, described, view)


def _stored_problems(profile: Profile, described: Described, view: FileBytes | None) -> Iterator[Problem]:
    """What is wrong with the file as it is, as it is written unchanged."""
    syntax = described.transfer_syntax_uid
    if sentence := profile.file_size_problem(described.size_bytes):
        yield Problem("file size", sentence)
    looks = view is not None and syntax in _JPEG and (_number(described, "frames") or 1) > 1
    if looks and view is not None and not transcode.is_interchange_format(view, described.data_offset, syntax):
        yield Problem("interchange format", "each frame of multi-frame JPEG needs its own tables, and one has none")


def _class_problems(profile: Profile, sop_class_uid: str) -> Iterator[Problem]:
    name = name_of_uid(sop_class_uid)
    if profile.sop_classes is None:
        if not sop_class_uid.startswith(_STANDARD_CLASSES):
            yield Problem("class", f"{profile.name} takes the storage classes of the standard only, not {name}")
    elif sop_class_uid not in profile.sop_classes:
        yield Problem("class", f"{profile.name} does not take {name}")


def _holds(rule: ImageRule, described: Described) -> bool:
    kind = _text(described, "photometric")
    if (rule.of and kind != rule.of) or (rule.otherwise_than and kind == rule.otherwise_than):
        return True
    if not rule.other:
        return _value(described, rule.attribute) in rule.allowed
    number, other = _number(described, rule.attribute), _number(described, rule.other)
    return number is not None and other is not None and number == other - rule.less


def _lossy_choice(allowed: tuple[str, ...], described: Described) -> str:
    """The syntax with loss that an image can have; empty for none."""
    bits = _number(described, "bits_stored")
    kind, is_signed = _text(described, "photometric"), _number(described, "signed") == 1
    if bits is None or bits < 2 or not described.has_pixels or described.sop_class_uid == SEGMENTATION:
        return ""
    if kind not in ("MONOCHROME1", "MONOCHROME2") and not (kind == "RGB" and _number(described, "samples") == 3):
        return ""
    if JPEG_2000 in allowed:
        return JPEG_2000 if bits <= _WIDEST_SAMPLE_BITS else ""
    if is_signed:
        return ""
    if JPEG_BASELINE in allowed and bits == 8:
        return JPEG_BASELINE
    return JPEG_EXTENDED if JPEG_EXTENDED in allowed and 8 < bits <= 12 and kind != "RGB" else ""


def _said(described: Described, attribute: str) -> str:
    value = _value(described, attribute)
    return "missing" if value is None or value == "" else str(value)


def _value(described: Described, attribute: str) -> str | int | None:
    return _text(described, attribute) if attribute in _TEXTS else _number(described, attribute)


def _text(described: Described, attribute: str) -> str:
    return described.text(ATTRIBUTES[attribute])


def _number(described: Described, attribute: str) -> int | None:
    return described.number(ATTRIBUTES[attribute])
