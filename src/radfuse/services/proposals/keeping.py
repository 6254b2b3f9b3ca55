"""Proposed registrations in the data folder: the objects as they would be kept, the report card, the pictures.

``proposals/<job>`` appears whole or not at all. Nothing in it is in the index, so no path leads through it.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from radfuse.archive import Archive
from radfuse.core.errors import UnknownEntity

if TYPE_CHECKING:
    from radfuse.geometry import Chain
    from radfuse.objects.common import Making
    from radfuse.services.register import Registered

LASTS_DAYS: Final = 7
"""A proposal that nobody decided on is removed then."""

_FOLDER: Final = "proposals"
_FACTS: Final = "proposal.json"
_ACCEPTED: Final = "accepted.json"
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Proposal:
    """A registration that was made and judged, and is not kept."""

    folder: Path
    job: int
    facts: dict[str, Any]
    """As ``services.register.as_json``, and the names below."""
    accepted: dict[str, Any]
    """By whom and when, and what was kept; empty before."""

    @property
    def fixed_series(self) -> str:
        """Series Instance UID."""
        return str(self.facts["FixedSeriesInstanceUID"])

    @property
    def moving_series(self) -> str:
        """Series Instance UID."""
        return str(self.facts["MovingSeriesInstanceUID"])

    @property
    def registration(self) -> str:
        """SOP Instance UID that it will be kept under."""
        return str(self.facts["Objects"][0])

    @property
    def before(self) -> list[list[float]] | None:
        """Where it began: the matrix from fixed to moving points; None where it began nowhere, or deformed."""
        found: list[list[float]] | None = self.facts["Before"]
        return found

    @property
    def objects(self) -> list[Path]:
        """Files of the objects in the order in which they are kept."""
        return [self.folder / f"{uid}.dcm" for uid in self.facts["Objects"]]


def propose(archive: Archive, found: Registered, making: Making, job: int) -> None:
    """Put what a job found aside for a person to decide. Raises what ``result_objects`` raises, and OSError."""
    from radfuse.objects.common import encode
    from radfuse.services.register import as_json, result_objects
    from radfuse.services.register.pictures import pictures_of

    _sweep(archive)
    pictures = pictures_of(found)
    objects = result_objects(found, making, pictures)
    facts = {
        **as_json(found),
        "Kind": found.ask.kind.value,
        "Before": _matrix(found.before),
        "Made": making.when.timestamp(),
        "Objects": [str(ds.SOPInstanceUID) for ds in objects],
        "Pictures": [{"Kind": each.kind, "View": each.view} for each in pictures],
    }
    files = {f"{ds.SOPInstanceUID}.dcm": encode(ds) for ds in objects}
    files |= {_picture(number): _png(each.pixels) for number, each in enumerate(pictures)}
    _appear(_folder(archive, job), {**files, _FACTS: json.dumps(facts).encode()})


def proposal_of(archive: Archive, job: int) -> Proposal:
    """What a job proposes. Raises UnknownEntity, also for one that was discarded or is too old."""
    folder = _folder(archive, job)
    try:
        facts = json.loads((folder / _FACTS).read_bytes())
    except FileNotFoundError:
        raise UnknownEntity("proposed registration") from None
    accepted = folder / _ACCEPTED
    return Proposal(folder, job, facts, json.loads(accepted.read_bytes()) if accepted.exists() else {})


def is_proposed(archive: Archive, job: int) -> bool:
    """Whether a job has put its result aside already."""
    return (_folder(archive, job) / _FACTS).exists()


def picture_of(proposal: Proposal, number: int) -> bytes:
    """A picture (from 0) as PNG. Raises UnknownEntity."""
    try:
        return (proposal.folder / _picture(number)).read_bytes()
    except FileNotFoundError:
        raise UnknownEntity("picture of a registration") from None


def discard(archive: Archive, job: int) -> None:
    """Forget a proposal; what was kept of it stays. Raises UnknownEntity."""
    _remove(proposal_of(archive, job).folder)


def note_accepted(proposal: Proposal, facts: dict[str, Any]) -> None:
    """Say that it is, or is about to be, kept: for ever the same then."""
    part = proposal.folder / f".{secrets.token_hex(8)}.part"
    _write(part, json.dumps(facts).encode())
    part.replace(proposal.folder / _ACCEPTED)


def _folder(archive: Archive, job: int) -> Path:
    return Path(archive.settings.folder) / _FOLDER / str(int(job))


def _picture(number: int) -> str:
    return f"picture-{int(number)}.png"


def _matrix(chain: Chain | None) -> list[list[float]] | None:
    if chain is None or not chain.is_affine:
        return None
    found: list[list[float]] = chain.affine().matrix.tolist()
    return found


def _png(pixels: Any) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.png_encode(pixels))


def _appear(folder: Path, files: dict[str, bytes]) -> None:
    """All files at once; an attempt that was broken off leaves nothing under the name."""
    part = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}.part")
    part.mkdir(parents=True)
    for name, content in files.items():
        _write(part / name, content)
    if folder.exists():
        _remove(folder)
    part.rename(folder)


def _write(file: Path, content: bytes) -> None:
    with file.open("xb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _sweep(archive: Archive) -> None:
    """Remove what nobody wants any more."""
    root = Path(archive.settings.folder) / _FOLDER
    for folder in root.iterdir() if root.is_dir() else ():
        if time.time() - folder.stat().st_mtime > LASTS_DAYS * _DAY_S:
            _remove(folder)


def _remove(folder: Path) -> None:
    """First out of the way: who looks meanwhile finds all of it or nothing."""
    gone = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}.gone")
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
