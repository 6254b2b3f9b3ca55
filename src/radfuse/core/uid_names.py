"""SOP classes and transfer syntaxes as people write them: by UID, by registered name, by keyword (PS3.6 Annex A)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from radfuse.core.errors import ConfigurationError
from radfuse.core.sop_classes import (
    PATIENT_ROOT_FIND,
    PATIENT_ROOT_GET,
    PATIENT_ROOT_MOVE,
    STORAGE_CLASS_NAMES,
    STORAGE_COMMITMENT_PUSH,
    STUDY_ROOT_FIND,
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
    VERIFICATION,
)
from radfuse.core.transfer_syntaxes import (
    JPEG_2000,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_EXTENDED,
    JPEG_LOSSLESS,
    JPEG_LOSSLESS_SV1,
    TRANSFER_SYNTAXES,
)
from radfuse.core.uids import is_valid_uid

_OTHER_KEYWORDS: Final = {
    "JPEGBaseline8Bit": JPEG_BASELINE,
    "JPEGExtended12Bit": JPEG_EXTENDED,
    "JPEGLossless": JPEG_LOSSLESS,
    "JPEGLosslessSV1": JPEG_LOSSLESS_SV1,
    "JPEG2000Lossless": JPEG_2000_LOSSLESS,
    "JPEG2000": JPEG_2000,
}
"""Keywords that are not the name without its blanks."""

_OTHER_CLASS_KEYWORDS: Final = {"TwelveLeadECGWaveformStorage": "1.2.840.10008.5.1.4.1.1.9.1.1"}

_OTHER_SYNTAXES: Final = {
    "1.2.840.10008.1.2.4.80": "JPEG-LS Lossless Image Compression",
    "1.2.840.10008.1.2.4.81": "JPEG-LS Lossy (Near-Lossless) Image Compression",
    "1.2.840.10008.1.2.4.100": "MPEG2 Main Profile / Main Level",
    "1.2.840.10008.1.2.4.102": "MPEG-4 AVC/H.264 High Profile / Level 4.1",
    "1.2.840.10008.1.2.4.201": "High-Throughput JPEG 2000 Image Compression (Lossless Only)",
    "1.2.840.10008.1.2.4.203": "High-Throughput JPEG 2000 Image Compression",
    "1.2.840.10008.1.2.5": "RLE Lossless",
}
"""Transfer syntaxes that peers and media have and that are none of ours: only to say their names."""

_NAMES: Final = {
    **_OTHER_SYNTAXES,
    **STORAGE_CLASS_NAMES,
    **{row.uid: row.name for row in TRANSFER_SYNTAXES.values()},
    VERIFICATION: "Verification",
    STORAGE_COMMITMENT_PUSH: "Storage Commitment",
    PATIENT_ROOT_FIND: "Patient Root Query (C-FIND)",
    PATIENT_ROOT_MOVE: "Patient Root Retrieve (C-MOVE)",
    PATIENT_ROOT_GET: "Patient Root Retrieve (C-GET)",
    STUDY_ROOT_FIND: "Study Root Query (C-FIND)",
    STUDY_ROOT_MOVE: "Study Root Retrieve (C-MOVE)",
    STUDY_ROOT_GET: "Study Root Retrieve (C-GET)",
}


def transfer_syntax_of(text: str, setting: str) -> str:
    """The UID that ``text`` names. Raises ConfigurationError for ``setting`` when it names none."""
    return _found(text, setting, _syntaxes(), "a transfer syntax")


def storage_class_of(text: str, setting: str) -> str:
    """The UID that ``text`` names. Raises ConfigurationError for ``setting`` when it names none."""
    return _found(text, setting, _classes(), "a storage SOP class")


def name_of_uid(uid: str) -> str:
    """What a SOP class or a transfer syntax is called; the UID itself of one that we do not know."""
    return _NAMES.get(uid, uid)


def _found(text: str, setting: str, known: Mapping[str, str], what: str) -> str:
    if is_valid_uid(text):
        return text
    uid = known.get(_plain(text))
    if uid is None:
        raise ConfigurationError(setting, f"{text!r} is neither a UID nor the name or keyword of {what} that we know")
    return uid


@cache
def _syntaxes() -> Mapping[str, str]:
    names = {row.name: row.uid for row in TRANSFER_SYNTAXES.values()}
    return {_plain(name): uid for name, uid in (names | _OTHER_KEYWORDS).items()}


@cache
def _classes() -> Mapping[str, str]:
    names = {name: uid for uid, name in STORAGE_CLASS_NAMES.items()}
    return {_plain(name): uid for name, uid in (names | _OTHER_CLASS_KEYWORDS).items()}


def _plain(text: str) -> str:
    return re.sub("[^a-z0-9]", "", text.lower())
