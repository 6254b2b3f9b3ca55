"""Modalities as people write them (PS3.3 section C.7.3.1.1.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_USUAL_CODES: Final = "CT MR PT NM US CR DX XA RF MG DR SR SEG REG RWV OCT RTSTRUCT RTDOSE RTPLAN RTIMAGE RTRECORD"
_USUAL: Final = frozenset(_USUAL_CODES.split())
"""Understood in small letters too."""

_OTHER_CODES: Final = (
    "AR AU BI BDUS BMD DG DOC ECG EEG EMG EOG EPS ES FID GM HC HD IO IVOCT IVUS KER KO LEN LP LS M3D MA OAM OP OPM "
    "OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PX RESP RG SC SM SMR SRF STAIN TEXTUREMAP TG VA XC"
)
_OTHERS: Final = frozenset(_OTHER_CODES.split())
"""Understood in capitals only: in small letters they are too often the beginning of a name."""

_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "pet": ("PT",),
    "mri": ("MR",),
    "mrt": ("MR",),
    "spect": ("NM",),
    "ultrasound": ("US",),
    "xray": ("CR", "DX", "RG"),
    "x-ray": ("CR", "DX", "RG"),
    "mammography": ("MG",),
    "angio": ("XA",),
}
_BETWEEN: Final = re.compile(r"[/+]")
_TOGETHER: Final = {
    "petct": "pet/ct",
    "pet-ct": "pet/ct",
    "petmr": "pet/mr",
    "pet-mr": "pet/mr",
    "spect-ct": "spect/ct",
}


def modalities_of(word: str) -> list[tuple[str, ...]]:
    """What a word asks for: of "PET/CT" PT and CT, each as its alternatives; nothing when it is no modality."""
    parts = _BETWEEN.split(_TOGETHER.get(word.lower(), word))
    found = [_modality(part) for part in parts]
    return [each for each in found if each] if all(found) else []


def _modality(word: str) -> tuple[str, ...]:
    code = word.upper()
    if code in _USUAL or word in _OTHERS:
        return (code,) if code != "DR" else ("DX", "DR", "CR")
    return _WORDS.get(word.lower(), ())


def codes_of(word: str) -> tuple[str, ...]:
    """What a word means where a modality is expected, as after ``mod:``."""
    return _modality(word) or (word.upper(),)
