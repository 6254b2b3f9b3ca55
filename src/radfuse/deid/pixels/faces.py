"""Whether slices may, put together, show a face (PS3.15 section E.3.2, Clean Recognizable Visual Features)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from radfuse.deid.pixels.picture import MODALITY, PIXEL_DATA
from radfuse.dicom.tree import Tree

_OF_SLICES: Final = frozenset(("CT", "MR", "PT"))
_BODY_PART: Final = 0x0018_0015
_DESCRIPTIONS: Final = (0x0008_103E, 0x0008_1030, 0x0018_1030)
"""Series and Study Description, Protocol Name."""
_REGIONS: Final = (0x0008_2218, 0x0054_0220)
_CODE_VALUE: Final = 0x0008_0100
_DIAMETERS: Final = (0x0018_1100, 0x0018_0090)
"""Reconstruction and Data Collection Diameter, mm."""
_HEAD_PARTS: Final = frozenset(
    (
        *("HEAD", "BRAIN", "SKULL", "FACE", "NECK", "HEADNECK", "ORBIT", "SINUS", "JAW", "MAXILLA", "MANDIBLE", "EAR"),
        *("NOSE", "EYE", "TONGUE", "CSPINE", "IAC", "PITUITARY", "TMJ", "WHOLEBODY", "BODY", "ZYGOMA", "PAROTID"),
    )
)
"""Body Part Examined (PS3.16 annex L), those that cover a face or may."""
_HEAD_CODES: Final = frozenset(
    (
        *("69536005", "12738006", "89546000", "89545001", "774007", "38266002", "371398005", "2095001", "T-D1100"),
        *("T-A0100", "T-11100", "T-D1200", "T-D1000", "T-D0010", "T-AA000", "T-22000"),
    )
)
"""Head, brain, skull, face, head and neck, whole body, eye region, nasal sinus (PS3.16 CID 4031)."""
_HEAD_WORDS: Final = re.compile(
    r"head|brain|skull|crani|cereb|face|facial|neuro|sinus|orbit|maxill|mandib|dental|neck|pituit|stroke|"
    r"kopf|sch.{1,2}del|gesicht|hirn|t.{1,2}te\b|cerveau|cabeza|cr.{1,2}ne\b|whole.?body|\bwb\b|ganzk.{1,2}rper|mprage",
    re.IGNORECASE,
)
"""Letters beyond ASCII as one byte or two: the texts are searched as they are stored."""
_OTHER_PARTS: Final = re.compile(r"knee|wrist|hand|foot|ankle|elbow|shoulder|prostate|breast|cardiac|heart", re.I)
_HEAD_DIAMETER_MM: Final = (180.0, 300.0)

_OF_A_HEAD: Final = "head"
MAY_SHOW_A_FACE: Final = "may show a face: "


def may_show_a_face(tree: Tree) -> str:
    """Why these slices may cover a face; empty when nothing says so."""
    if tree.ascii(MODALITY) not in _OF_SLICES or PIXEL_DATA not in tree.nodes:
        return ""
    part = tree.ascii(_BODY_PART).upper()
    if part in _HEAD_PARTS:
        return f"{MAY_SHOW_A_FACE}Body Part Examined is {part}"
    if _has_head_code(tree):
        return f"{MAY_SHOW_A_FACE}the anatomic region is of the head"
    described = " ".join(tree.ascii(tag) for tag in _DESCRIPTIONS)
    speaks_of = _speaks_of(described)
    if speaks_of == _OF_A_HEAD:
        return f"{MAY_SHOW_A_FACE}its descriptions speak of the head or of the whole body"
    if not part and not speaks_of and _is_head_sized(tree):
        return f"{MAY_SHOW_A_FACE}it names no part of the body, and its field of view is that of a head"
    return ""


@lru_cache(maxsize=256)
def _speaks_of(described: str) -> str:
    """Descriptions are the same for a whole series."""
    if _HEAD_WORDS.search(described):
        return _OF_A_HEAD
    return "another part" if _OTHER_PARTS.search(described) else ""


def _has_head_code(tree: Tree) -> bool:
    for tag in _REGIONS:
        node = tree.get(tag)
        if node is not None and any(item.ascii(_CODE_VALUE) in _HEAD_CODES for item in node.items or ()):
            return True
    return False


def _is_head_sized(tree: Tree) -> bool:
    for tag in _DIAMETERS:
        try:
            diameter_mm = float(tree.ascii(tag) or "nan")
        except ValueError:
            continue
        if _HEAD_DIAMETER_MM[0] <= diameter_mm <= _HEAD_DIAMETER_MM[1]:
            return True
    return False
