"""What an export will write: every object looked at and judged by the profile, before anything is written."""

from __future__ import annotations

import mmap
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import (
    ArchiveError,
    BlobDamaged,
    CannotTranscode,
    ConfigurationError,
    DataSetError,
    NotInProfile,
)
from radfuse.core.transfer_syntaxes import DEFLATED_LITTLE, EXPLICIT_LITTLE
from radfuse.dicom.transcode import LOSSY, NATIVE, can_transcode
from radfuse.media import PROFILES, Described, Profile, capacity, describe, problems, target_syntax
from radfuse.services.export_media.asking import MediaAsk, asked_objects
from radfuse.services.export_media.facts import native_pixel_bytes, whose
from radfuse.services.export_media.model import Conversion, MediaPlan, Planned, PlannedVolume, Refusal
from radfuse.services.transfer import derived_uid_of

Progress = Callable[[int, int], None]
"""Told how many of how many are done; what it raises ends the work."""

_HEAD_BYTES: Final = 512
"""What our file meta information takes at most."""

_WITH_LOSS: Final = (
    "image is compressed with loss: it becomes an instance of its own",
    "images are compressed with loss: each becomes an instance of its own",
)
_NAMELESS: Final = (
    "study has neither a Patient ID nor a name: its directory record gets a made-up ID",
    "studies have neither a Patient ID nor a name: their directory records get made-up IDs",
)
_SPLIT: Final = (
    "study is larger than a medium and is split between its series",
    "studies are larger than a medium and are split between their series",
)


def plan_export(archive: Archive, ask: MediaAsk, *, progress: Progress = lambda _done, _total: None) -> MediaPlan:
    """What ``ask`` will write, and what of it the profile refuses; nothing is written, no pixel is read.

    ``progress`` counts objects. Raises UnknownEntity for what is not kept (any more), ConfigurationError for a
    profile that is not known, DoesNotFit for a series that no medium holds.
    """
    profile = profile_named(ask.profile)
    objects = asked_objects(archive, ask)
    planner = _Planner(archive, profile, ask)
    for done, stored in enumerate(objects, 1):
        planner.add(stored)
        progress(done, len(objects))
    return planner.plan()


def profile_named(name: str) -> Profile:
    """An application profile. Raises ConfigurationError."""
    profile = PROFILES.get(name.upper())
    if profile is None:
        raise ConfigurationError("profile", f"{name!r} is not known; known are {', '.join(PROFILES)}")
    return profile


class _Planner:
    def __init__(self, archive: Archive, profile: Profile, ask: MediaAsk) -> None:
        self._archive = archive
        self._profile = profile
        self._ask = ask
        self._planned: list[Planned] = []
        self._refusals: Counter[tuple[str, str, str]] = Counter()
        self._refused = 0

    def add(self, stored: StoredObject) -> None:
        """Judge one object."""
        try:
            self._planned.append(self._judged(stored))
        except NotInProfile as error:
            self._refuse(stored, error.rule, error.reason)
        except CannotTranscode as error:
            self._refuse(stored, "transfer syntax", str(error))
        except DataSetError as error:
            self._refuse(stored, "data set", str(error))
        except ArchiveError as error:
            self._refuse(stored, "archive", str(error))

    def _judged(self, stored: StoredObject) -> Planned:
        """How the object is written. Raises NotInProfile for the first rule that it breaks."""
        with self._archive.open_object(stored) as opened:
            try:
                content = mmap.mmap(opened.file, 0, access=mmap.ACCESS_READ)
            except ValueError as error:  # the file is empty
                raise BlobDamaged(stored.blob_id.hex()) from error
            with content:
                described = describe(content)
                found = problems(self._profile, described, content)
        if found:
            first, *others = found
            for problem in others:
                self._refusals[stored.sop_class_uid, *problem] += 1
            raise NotInProfile(self._profile.name, first.rule, first.sentence)
        target = target_syntax(self._profile, described, with_loss=self._ask.with_loss)
        is_lossy = target in LOSSY and target != stored.transfer_syntax_uid
        derived = derived_uid_of(stored.sop_instance_uid, target) if is_lossy else ""
        size = _HEAD_BYTES + _estimated_bytes(described, stored, target)
        if target in NATIVE and (sentence := self._profile.file_size_problem(size - _HEAD_BYTES)):
            raise NotInProfile(self._profile.name, "file size", sentence)
        otherwise = _otherwise(stored.transfer_syntax_uid, target, self._profile.syntaxes_of(stored.sop_class_uid))
        return Planned(stored, *whose(described), target, size, derived, otherwise)

    def _refuse(self, stored: StoredObject, rule: str, sentence: str) -> None:
        self._refusals[stored.sop_class_uid, rule, sentence] += 1
        self._refused += 1

    def plan(self) -> MediaPlan:
        """Everything, on as many media as it takes."""
        volumes = _volumes(self._planned, self._profile, self._ask)
        conversions = Counter(
            (each.stored.transfer_syntax_uid, each.target_syntax) for each in self._planned if each.is_converted
        )
        return MediaPlan(
            replace(self._ask, profile=self._profile.name),
            volumes,
            [Conversion(*kinds, count) for kinds, count in conversions.items()],
            [Refusal(sop_class, count, rule, said) for (sop_class, rule, said), count in self._refusals.items()],
            self._refused,
            _warnings(self._planned, volumes),
        )


def _otherwise(stored: str, target: str, allowed: Sequence[str]) -> tuple[str, ...]:
    """What is left when an object cannot be put into ``target``; nothing for one that is kept as it is."""
    if target == stored:
        return ()
    return tuple(
        syntax
        for syntax in dict.fromkeys((stored, EXPLICIT_LITTLE))
        if syntax in allowed and syntax != target and (syntax == stored or can_transcode(stored, syntax))
    )


def _estimated_bytes(described: Described, stored: StoredObject, target: str) -> int:
    """Of the data set as it is written: an upper bound but for rare images that compression makes larger."""
    if target == stored.transfer_syntax_uid or stored.transfer_syntax_uid in NATIVE - {DEFLATED_LITTLE}:
        return stored.size_bytes
    return described.before_pixels_bytes + native_pixel_bytes(described)


def _volumes(planned: Sequence[Planned], profile: Profile, ask: MediaAsk) -> list[PlannedVolume]:
    groups: dict[tuple[str, str], list[Planned]] = defaultdict(list)
    for each in planned:
        groups[each.study, each.series or each.stored.sop_instance_uid].append(each)  # nobody's are not held together
    studies: dict[str, list[capacity.SeriesSize]] = defaultdict(list)
    for (study, series), members in groups.items():
        studies[study].append(capacity.SeriesSize(series, tuple(each.size_bytes for each in members)))
    holds = ask.medium_bytes or profile.medium.capacity_bytes
    sizes = [capacity.StudySize(study, tuple(series)) for study, series in studies.items()]
    parts = capacity.plan_volumes(sizes, profile.file_system, holds)
    return [
        PlannedVolume(number, [each for key in part.series for each in groups[key]])
        for number, part in enumerate(parts, 1)
    ]


def _warnings(planned: Sequence[Planned], volumes: Sequence[PlannedVolume]) -> list[str]:
    parts = Counter(study for volume in volumes for study in volume.studies)
    found = (
        (sum(bool(each.derived_uid) for each in planned), _WITH_LOSS),
        (len({each.study for each in planned if each.study and not each.patient}), _NAMELESS),
        (sum(count > 1 for count in parts.values()), _SPLIT),
    )
    return [f"{count:,} {one if count == 1 else many}" for count, (one, many) in found if count]
