"""Writes the tables of docs/media.md from the profiles in the code (``make docs``); a test holds the page to them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from radfuse.core.transfer_syntaxes import TRANSFER_SYNTAXES
from radfuse.core.uid_names import name_of_uid
from radfuse.media import PROFILES, Profile
from radfuse.media.file_systems import MEDIA, SECTOR_BYTES
from radfuse.media.profiles import CTMR_CLASSES, CTMR_RULES, WORKSTATION_CLASSES

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "media.md"
BLOCK: Final = re.compile(r"(<!-- table (\w+): written by make docs -->\n).*?(<!-- end of table -->)", re.DOTALL)

_SHORT: Final = {
    "1.2.840.10008.1.2.1": "explicit little endian",
    "1.2.840.10008.1.2.4.50": "JPEG baseline",
    "1.2.840.10008.1.2.4.51": "JPEG extended",
    "1.2.840.10008.1.2.4.70": "JPEG lossless",
    "1.2.840.10008.1.2.4.90": "JPEG 2000 lossless",
    "1.2.840.10008.1.2.4.91": "JPEG 2000",
}


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _classes(profile: Profile) -> str:
    if profile.sop_classes is None:
        return "all"
    return {CTMR_CLASSES: "CT and MR", WORKSTATION_CLASSES: "workstation"}[profile.sop_classes]


def _image(profile: Profile) -> str:
    kind = profile.file_system.image
    return "folder, zip" if not kind else f"folder, zip, {kind if kind.startswith('ISO') else f'UDF {kind}'} image"


def profiles() -> str:
    """Every profile in one row."""
    head = ("Profile", "PS3.11", "Medium", "File system", "Written as", "Transfer syntaxes", "Classes", "Added to")
    return _table(
        head,
        (
            (
                f"`{profile.name}`",
                profile.section.removeprefix("PS3.11 "),
                profile.medium.title,
                " or ".join(system.name for system in profile.file_systems),
                _image(profile),
                ", ".join(_SHORT[uid] for uid in profile.syntaxes),
                _classes(profile),
                "yes" if profile.is_updatable else "no",
            )
            for profile in PROFILES.values()
        ),
    )


def media() -> str:
    """Every medium, and how much it holds."""
    rows = []
    for medium in MEDIA:
        sizes = medium.sizes or (("", None),)
        for name, size in sizes:
            held = "`--medium-size`" if size is None else f"{size:,} ({size // SECTOR_BYTES:,} sectors)"
            default = "yes" if size is not None and size == medium.capacity_bytes else ""
            rows.append((name or medium.title, medium.section.removeprefix("PS3.12 "), held, default))
    return _table(("Medium", "PS3.12", "Bytes", "Planned for"), rows)


def rules() -> str:
    """The rules for images of the CT and MR profiles."""
    rows = {rule.reason: rule for rule in CTMR_RULES}
    return _table(
        ("Rule", "Of"),
        (
            (reason[0].upper() + reason[1:], ", ".join(sorted(map(name_of_uid, rule.sop_classes))))
            for reason, rule in rows.items()
        ),
    )


def classes() -> str:
    """The classes of the profiles that do not take all."""
    chosen = {"CT and MR": CTMR_CLASSES, "workstation": WORKSTATION_CLASSES}
    rows = ((name, ", ".join(sorted(map(name_of_uid, uids)))) for name, uids in chosen.items())
    return _table(("Classes", "SOP classes"), rows)


def syntaxes() -> str:
    """What becomes of each of the ten transfer syntaxes."""
    from radfuse.dicom.transcode import LOSSY, can_transcode

    def cell(source: str, target: str) -> str:
        if source == target:
            return "same"
        if can_transcode(source, target):
            return "equal"
        return "loss" if target in LOSSY and can_transcode(source, target, with_loss=True) else "-"

    head = ("from \\ to", *(f"`{uid.removeprefix('1.2.840.10008.1.2') or '1.2'}`" for uid in TRANSFER_SYNTAXES))
    return _table(
        head,
        (
            (f"`{source}` {syntax.name}", *(cell(source, target) for target in TRANSFER_SYNTAXES))
            for source, syntax in TRANSFER_SYNTAXES.items()
        ),
    )


TABLES: Final = {function.__name__: function for function in (profiles, media, rules, classes, syntaxes)}


def written(page: str) -> str:
    """The page with its tables as the code has them."""
    return BLOCK.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n{found[3]}", page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), encoding="utf-8")
