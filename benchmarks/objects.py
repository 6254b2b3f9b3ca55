"""The files that are sent: CT of 0.5 MB with a header as scanners write it, and small MR objects of 9 KB."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage

from benchmarks.headers import ct_header, mr_header

_ROOT = "2.25.{}"


@dataclass(frozen=True, slots=True)
class FileSet:
    """Files below ``folder`` in ``parts`` sub-folders ("0", "1", …), one patient and study for each or for all."""

    folder: Path
    kind: str
    count: int
    size_bytes: int
    study_uids: tuple[str, ...]

    @property
    def parts(self) -> list[Path]:
        """The disjoint sub-folders, one for each of several associations."""
        return sorted(path for path in self.folder.iterdir() if path.is_dir())


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object belongs: its part (series), its number in it, and the UIDs above."""

    study_uid: str
    series_uid: str
    part: int
    number: int
    patient: int


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object: its class, the edge of its square image and its header."""

    name: str
    sop_class_uid: str
    edge_pixels: int
    header: Callable[[Place], Dataset]


def _ct(place: Place) -> Dataset:
    return ct_header(place.number, place.patient)


def _mr(place: Place) -> Dataset:
    return mr_header(place.number, place.patient)


CT = Kind("CT", CTImageStorage, 512, _ct)
SMALL = Kind("small", MRImageStorage, 60, _mr)


def write_files(folder: Path, kind: Kind, count: int, parts: int = 4, one_study: bool = False) -> FileSet:
    """``count`` objects in ``parts`` series; the same numbers give the same bytes."""
    chance = random.Random(f"{kind.name} {count} {parts} {one_study}")
    pixels = np.random.default_rng(7).normal(1000, 150, kind.edge_pixels**2).astype("<u2") & 0x0FFF
    studies = [_uid(chance) for _ in range(1 if one_study else parts)]
    size_bytes = 0
    for part in range(parts):
        target = folder / str(part)
        target.mkdir(parents=True)
        patient = 0 if one_study else part
        series_uid = _uid(chance)
        for number in range(1, len(range(part, count, parts)) + 1):
            place = Place(studies[patient], series_uid, part, number, patient)
            image = np.roll(pixels, number * 97 + part).tobytes()
            size_bytes += _write(target / f"{number:06d}.dcm", kind, place, image)
    return FileSet(folder, kind.name, count, size_bytes, tuple(studies))


def _uid(chance: random.Random) -> str:
    return _ROOT.format(10**38 + chance.getrandbits(126))


def _write(path: Path, kind: Kind, place: Place, pixels: bytes) -> int:
    dataset = kind.header(place)
    dataset.SOPClassUID = kind.sop_class_uid
    dataset.SOPInstanceUID = f"{place.series_uid}.{place.part + 1}.{place.number}"
    dataset.StudyInstanceUID = place.study_uid
    dataset.SeriesInstanceUID = place.series_uid
    dataset.FrameOfReferenceUID = f"{place.study_uid}.9"
    dataset.Rows = dataset.Columns = kind.edge_pixels
    dataset.PixelData = pixels
    dataset["PixelData"].VR = "OW"
    save(path, dataset)
    return path.stat().st_size


def save(path: Path, dataset: Dataset) -> None:
    """Write a Part 10 file in Explicit VR Little Endian."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    dataset.save_as(path, enforce_file_format=True)
