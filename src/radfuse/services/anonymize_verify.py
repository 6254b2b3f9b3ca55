"""Judging files that somebody has anonymized: every object of a folder against the profile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from radfuse.core.errors import NotPart10, RadfuseError
from radfuse.deid import Profile, Verifier
from radfuse.services.anonymize import Source, sources_of


@dataclass(frozen=True, slots=True)
class Judgement:
    """One thing about one file; it names attributes, never values."""

    name: str
    is_wrong: bool
    """Whether it breaks the profile; otherwise somebody should look at it."""
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One object, and what was found; ``is_dicom`` False: it is no object."""

    name: str
    findings: tuple[Judgement, ...] = ()
    is_dicom: bool = True


def verify_files(
    files: Iterable[Path],
    profile: Profile | None = None,
    known: Sequence[str] = (),
    originals: Iterable[Path] = (),
) -> Iterator[Judged]:
    """Judge every object of ``files`` against a profile, or against the one that it says it follows.

    ``known``: names, numbers, dates and UIDs that must not be in any of them; ``originals``: files whose
    identifying values must not.
    """
    verifier = Verifier(profile)
    verifier.learn_values(known)
    for source in sources_of(originals):
        try:
            verifier.learn_original(source.read().view)
        except RadfuseError:
            continue  # what nobody can read has given nothing away
    for source in sources_of(files):
        yield _judged(verifier, source)


def _judged(verifier: Verifier, source: Source) -> Judged:
    try:
        found = verifier.judge(source.read().view)
    except NotPart10:
        return Judged(source.name, is_dicom=False)
    except RadfuseError as error:
        return Judged(source.name, (Judgement(source.name, True, "", f"it cannot be judged: {error}"),))
    return Judged(
        source.name, tuple(Judgement(source.name, each.severity == "wrong", each.place, each.what) for each in found)
    )
