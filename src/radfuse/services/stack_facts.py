"""What volumes a series makes, told from its headers, which are read once; and which of them somebody means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import xxhash

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import CannotBuildVolume
from radfuse.core.memo import Memo
from radfuse.services.volumes import Ask, objects_of_series, stacks, usual_unit
from radfuse.volume import Repair, Stack, Unit

if TYPE_CHECKING:
    from radfuse.geometry import Grid

_MOST: Final = 512


@dataclass(frozen=True, slots=True)
class StackFacts:
    """One volume that a series makes, or does not make."""

    number: int
    """From 1."""
    title: str
    """For a list that a person chooses from."""
    grid: Grid | None
    """Of the volume, after the repair where one is needed."""
    refusal: str
    """Why it makes none; "" where it does."""
    repair: Repair | None
    """With which it makes one all the same."""
    unit: Unit
    """That the images are in."""
    usual: Unit | None
    """What a person means who names no unit, where that is another one."""

    def is_usable(self, repairs: frozenset[Repair]) -> bool:
        """Whether there is a volume with these repairs."""
        return self.grid is not None and (not self.refusal or self.repair in repairs)


def stack_facts(archive: Archive, series_uid: str) -> tuple[StackFacts, ...]:
    """The volumes of a series. Raises UnknownEntity, BlobMissing."""
    key = (archive.settings.folder, fingerprint(objects_of_series(archive, series_uid)))
    return _KNOWN.of(
        key, lambda: tuple(_facts(number, stack) for number, stack in enumerate(stacks(archive, series_uid), 1))
    )


def settled(archive: Archive, series_uid: str, ask: Ask) -> Ask:
    """The same question in the one form that its volume is kept under: with a stack, and no unit where it is that of
    the images.

    Without a stack the largest that can be used is meant, without a unit the usual one, or that of the images where
    the usual one was refused. Raises UnknownEntity, BlobMissing, and CannotBuildVolume for a stack that there is not.
    """
    known = stack_facts(archive, series_uid)
    if ask.stack is None:
        meant = _largest(known, ask.repairs)
    elif ask.stack <= len(known):
        meant = known[ask.stack - 1]
    else:
        raise CannotBuildVolume(f"there is no volume {ask.stack}; there are {len(known)}")
    unit = meant.usual if ask.unit is None and not refusal_of(archive, series_uid, meant.number) else ask.unit
    return replace(ask, stack=meant.number, unit=None if unit is meant.unit else unit)


def refusal_of(archive: Archive, series_uid: str, stack: int) -> str:
    """Why a stack is not had in its usual unit; "" as long as nobody knows of a reason."""
    return _REFUSED.get(_stack_key(archive, series_uid, stack)) or ""


def note_refusal(archive: Archive, series_uid: str, stack: int, reason: str) -> None:
    """Remember why a stack cannot be had in its usual unit: the same images are never asked again."""
    _REFUSED.put(_stack_key(archive, series_uid, stack), reason)


def _stack_key(archive: Archive, series_uid: str, stack: int) -> tuple[Path, bytes, int]:
    return archive.settings.folder, fingerprint(objects_of_series(archive, series_uid)), stack


def fingerprint(objects: Sequence[StoredObject]) -> bytes:
    """Of the bytes of all these objects, in any order."""
    return xxhash.xxh3_128_digest(b"".join(sorted(stored.digest for stored in objects)))


def _largest(known: Sequence[StackFacts], repairs: frozenset[Repair]) -> StackFacts:
    """The first of the largest that can be used; of none, the first."""

    def voxels(each: StackFacts) -> int:
        if each.grid is None or not each.is_usable(repairs):
            return 0
        slices, rows, columns = each.grid.shape
        return slices * rows * columns

    return max(known, key=voxels)


def _facts(number: int, stack: Stack) -> StackFacts:
    usual = usual_unit(stack) if stack.frames else None
    return StackFacts(
        number, stack.label or stack.title, stack.grid, stack.refusal or "", stack.repair, stack.unit, usual
    )


_KNOWN: Final[Memo[tuple[Path, bytes], tuple[StackFacts, ...]]] = Memo(_MOST)
_REFUSED: Final[Memo[tuple[Path, bytes, int], str]] = Memo(_MOST)
