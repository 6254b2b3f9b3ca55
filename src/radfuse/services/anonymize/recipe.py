"""How objects are to be anonymized: profile, key and what belongs to them; and the doing of it, object by object."""

from __future__ import annotations

import traceback
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from radfuse.core.errors import CannotAnonymize, ConfigurationError, RadfuseError
from radfuse.deid import (
    PET_QUANTITY,
    Anonymized,
    Anonymizer,
    Documents,
    Option,
    PixelPolicy,
    Profile,
    ProjectKey,
    Proof,
)

PRESETS: Final[Mapping[str, Profile]] = {"pet": PET_QUANTITY}
"""Options that belong together, by a name."""


def profile_of(options: Collection[str], preset: str = "") -> Profile:
    """The Basic Profile with these options and those of the preset.

    Raises ConfigurationError for a name that is none, and for options that exclude each other.
    """
    chosen: set[Option] = set()
    if preset:
        if preset not in PRESETS:
            raise ConfigurationError("preset", f"{preset!r} is none of {', '.join(sorted(PRESETS))}")
        chosen |= PRESETS[preset].options
    for name in options:
        if name not in list(Option):
            raise ConfigurationError("options", f"{name!r} is none of {', '.join(Option)}")
        chosen.add(Option(name))
    if Option.FULL_DATES in options and Option.SHIFTED_DATES not in options:
        chosen.discard(Option.SHIFTED_DATES)  # what is named counts for more than what a preset brings
    return Profile(frozenset(chosen))


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what becomes of an object; it can be given to another process."""

    profile: Profile
    key: ProjectKey
    pixels: PixelPolicy = field(default_factory=PixelPolicy)
    documents: Documents = field(default_factory=Documents)
    keeps_originals: bool = False
    """Whether what the pseudonyms stand for is told (for the vault)."""
    keeps_counts: bool = False
    """Whether what was done with which attribute is told (for the report)."""


class Treatment:
    """A recipe at work in one process."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._anonymizer = Anonymizer(recipe.profile, recipe.key, documents=recipe.documents, pixels=recipe.pixels)
        self._proof = Proof(recipe.profile)

    def treat(self, content: bytes | memoryview) -> Anonymized:
        """The object anonymized and proved: searched for every identifying value of its study so far.

        Raises NotPart10, MalformedDataSet or CannotAnonymize, also for one that still holds such a value.
        """
        try:
            done = self._anonymizer.anonymize(content)
            self._proof.prove(done)
        except RadfuseError:
            raise
        except Exception as error:
            # Whatever a broken object makes of us. The error's own words may hold a value: they are not told.
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
            raise CannotAnonymize(f"an error that nobody expected ({where})") from error
        return done

    def uid(self, uid: str) -> str:
        """What takes the place of a UID."""
        return self._anonymizer.pseudonyms.uid(uid)

    def close(self) -> None:
        """End what it has started."""
        self._anonymizer.close()
