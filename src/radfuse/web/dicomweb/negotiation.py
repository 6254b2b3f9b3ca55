"""Which representation of stored objects a client takes (PS3.18 section 8.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.core.uids import is_valid_uid
from radfuse.dicom.transcode import can_transcode
from radfuse.web.media_types import MediaType, accepted
from radfuse.web.problems import bad_request, not_acceptable

DICOM: Final = "application/dicom"
DICOM_JSON: Final = "application/dicom+json"
OCTETS: Final = "application/octet-stream"
MULTIPART: Final = "multipart/related"
ANY_SYNTAX: Final = "*"

NATIVE: Final = frozenset((IMPLICIT_LITTLE, EXPLICIT_LITTLE))
"""Native little endian: the same frames."""

MEDIA_TYPE_OF: Final = {
    "1.2.840.10008.1.2.5": "image/dicom-rle",
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.92": "image/jpx",
    "1.2.840.10008.1.2.4.93": "image/jpx",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
    "1.2.840.10008.1.2.4.203": "image/jphc",
    "1.2.840.10008.1.2.4.100": "video/mpeg2",
    "1.2.840.10008.1.2.4.101": "video/mpeg2",
    "1.2.840.10008.1.2.4.102": "video/mp4",
    "1.2.840.10008.1.2.4.103": "video/mp4",
}
"""Media type of compressed frames by transfer syntax (PS3.18 table 8.7.3-5)."""

DEFAULT_SYNTAX_OF: Final = {
    "image/dicom-rle": "1.2.840.10008.1.2.5",
    "image/jpeg": "1.2.840.10008.1.2.4.70",
    "image/jls": "1.2.840.10008.1.2.4.80",
    "image/jp2": "1.2.840.10008.1.2.4.90",
    "image/jpx": "1.2.840.10008.1.2.4.92",
}
"""The transfer syntax of a media type whose range names none (PS3.18 table 8.7.3-5)."""


def accept_of(request: Request) -> list[MediaType]:
    """The ranges that a client takes: the parameter ``accept`` before the header (PS3.18 section 8.3.3)."""
    return accepted(request.query_params.get("accept") or ", ".join(request.headers.getlist("accept")))


def require_json(request: Request) -> None:
    """Raise 406 unless the client takes DICOM JSON."""
    for each in accept_of(request):
        if each.covers(DICOM_JSON) or each.covers("application/json"):
            return
    raise not_acceptable("this resource is application/dicom+json only")


@dataclass(frozen=True, slots=True)
class ObjectChoice:
    """How objects are sent: in a multipart body or one alone, in which transfer syntaxes, best first."""

    is_multipart: bool
    syntaxes: tuple[str, ...]

    def syntax_for(self, stored: str) -> str:
        """The transfer syntax for an object stored in ``stored``. Raises 406."""
        if stored in self.syntaxes or ANY_SYNTAX in self.syntaxes:
            return stored
        for wanted in self.syntaxes:
            if can_transcode(stored, wanted):
                return wanted
        raise not_acceptable("an object cannot be put into an acceptable transfer syntax without loss")


def choose_objects(ranges: Sequence[MediaType], *, single: bool) -> ObjectChoice:
    """What fits the ranges; ``single``: one object, which may come without multipart. Raises 406."""
    fitting = [each for each in ranges if _is_multipart_of(each, DICOM) or (single and each.covers(DICOM))]
    if not fitting:
        raise not_acceptable("objects are multipart/related; type=application/dicom, one alone application/dicom")
    is_multipart = _is_multipart_of(fitting[0], DICOM)
    alike = [each for each in fitting if _is_multipart_of(each, DICOM) == is_multipart]
    return ObjectChoice(is_multipart, tuple(dict.fromkeys(_syntax(each, EXPLICIT_LITTLE) for each in alike)))


def _is_multipart_of(wanted: MediaType, part: str) -> bool:
    return wanted.covers(MULTIPART) and wanted.part in ("", "*/*", part)


def _syntax(wanted: MediaType, otherwise: str) -> str:
    named = wanted.parameters.get("transfer-syntax", otherwise)
    if named != ANY_SYNTAX and not is_valid_uid(named):
        raise bad_request("transfer-syntax is not a UID")
    return named


@dataclass(frozen=True, slots=True)
class FrameChoice:
    """How frames are sent: the media type and the transfer syntax of each."""

    is_multipart: bool
    media_type: str
    syntax: str


def choose_frames(ranges: Sequence[MediaType], stored: str, *, single: bool) -> FrameChoice:
    """What fits the ranges for frames stored in ``stored``; ``single``: one frame may come alone. Raises 406."""
    own = MEDIA_TYPE_OF.get(stored, OCTETS)
    for each in ranges:
        is_multipart = each.covers(MULTIPART)
        if not is_multipart and not single:
            continue
        name = each.part or "*/*" if is_multipart else each.name
        syntax = _frame_syntax(name, each, stored, own)
        if syntax:
            return FrameChoice(
                is_multipart, own if name == "*/*" and syntax == stored else _named(name, syntax), syntax
            )
    raise not_acceptable("the frames cannot be put into an acceptable media type without loss")


def _named(name: str, syntax: str) -> str:
    return name if name != "*/*" else MEDIA_TYPE_OF.get(syntax, OCTETS)


def _frame_syntax(name: str, wanted: MediaType, stored: str, own: str) -> str:
    """The transfer syntax in which frames fit one range; "" for none."""
    if name in ("*/*", OCTETS):
        syntax = _syntax(wanted, stored if name == "*/*" else EXPLICIT_LITTLE)
    elif name == own and "transfer-syntax" not in wanted.parameters:
        syntax = stored
    elif name not in DEFAULT_SYNTAX_OF and "transfer-syntax" not in wanted.parameters:
        return ""
    else:
        syntax = _syntax(wanted, DEFAULT_SYNTAX_OF.get(name, ""))
        if MEDIA_TYPE_OF.get(stored if syntax == ANY_SYNTAX else syntax) != name:
            return ""
    if syntax in (ANY_SYNTAX, stored):
        return stored
    if syntax in NATIVE and stored in NATIVE:
        return EXPLICIT_LITTLE
    return syntax if can_transcode(stored, syntax) else ""
