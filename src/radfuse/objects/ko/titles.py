"""Why objects were selected (PS3.16 CID 7010, 7011 and 7012)."""

from __future__ import annotations

from typing import Final

from radfuse.objects.common import Code

TITLES: Final = tuple(
    Code(value, "DCM", meaning)
    for value, meaning in (
        ("113000", "Of Interest"),
        ("113001", "Rejected for Quality Reasons"),
        ("113002", "For Referring Provider"),
        ("113003", "For Surgery"),
        ("113004", "For Teaching"),
        ("113005", "For Conference"),
        ("113006", "For Therapy"),
        ("113007", "For Patient"),
        ("113008", "For Peer Review"),
        ("113009", "For Research"),
        ("113010", "Quality Issue"),
        ("113013", "Best In Set"),
        ("113018", "For Printing"),
        ("113020", "For Report Attachment"),
        ("113021", "For Litigation"),
        ("113030", "Manifest"),
        ("113031", "Signed Manifest"),
        ("113032", "Complete Study Content"),
        ("113033", "Signed Complete Study Content"),
        ("113034", "Complete Acquisition Content"),
        ("113035", "Signed Complete Acquisition Content"),
        ("113036", "Group of Frames for Display"),
        ("113037", "Rejected for Patient Safety Reasons"),
        ("113038", "Incorrect Modality Worklist Entry"),
        ("113039", "Data Retention Policy Expired"),
    )
)
"""CID 7010 Key Object Selection Document Title, without those of radiotherapy and of trials' exports."""

OF_INTEREST: Final = TITLES[0]

NEEDS_MODIFIER: Final = frozenset(("113001", "113010", "113013"))
"""Titles that say little without a Document Title Modifier (TID 2010: CID 7011 and 7012)."""

TITLE_MODIFIER: Final = Code("113011", "DCM", "Document Title Modifier")
DESCRIPTION: Final = Code("113012", "DCM", "Key Object Description")
SOURCE: Final = Code("260753009", "SCT", "Source")
"""A name for references that need none: some readers do not show items without a name (PS3.3 section C.17.3)."""
