"""A department's invented patients, for pictures of a console that looks as in use. No person and no image is real.

The same patients come out every time; their studies lie on the last days before today.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Final
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
from pydicom import dcmwrite
from pydicom.dataset import Dataset
from pydicom.uid import UID

from radfuse.archive import Archive, Origin
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.services.ingest import ingest

_Picture = npt.NDArray[np.float64]
_Ellipse = tuple[float, float, float, float, float]
"""Centre x and y, semi-axes x and y as parts of half the side, and what is added within."""

_CLASSES: Final = {
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "US": "1.2.840.10008.5.1.4.1.1.6.1",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "NM": "1.2.840.10008.5.1.4.1.1.7",  # as secondary captures: NM has modules of its own
    "MG": "1.2.840.10008.5.1.4.1.1.7",
    "SR": "1.2.840.10008.5.1.4.1.1.88.11",
}
_SIDE: Final = 160

_THORAX: Final[tuple[_Ellipse, ...]] = (
    (0, 0, 0.92, 0.66, 0.42),
    (-0.42, -0.05, 0.33, 0.46, -0.34),
    (0.42, -0.05, 0.31, 0.44, -0.34),
    (0.12, -0.18, 0.26, 0.24, 0.10),
    (0, 0.44, 0.12, 0.12, 0.45),
    (0.16, 0.26, 0.07, 0.07, 0.12),
)
_HEAD: Final[tuple[_Ellipse, ...]] = (
    (0, 0, 0.70, 0.86, 0.85),
    (0, 0, 0.63, 0.79, -0.45),
    (-0.28, 0.05, 0.26, 0.50, 0.10),
    (0.28, 0.05, 0.26, 0.50, 0.10),
    (-0.12, -0.05, 0.07, 0.24, -0.28),
    (0.12, -0.05, 0.07, 0.24, -0.28),
)
_ABDOMEN: Final[tuple[_Ellipse, ...]] = (
    (0, 0, 0.90, 0.68, 0.45),
    (-0.40, -0.06, 0.40, 0.44, 0.13),
    (0.55, 0.02, 0.18, 0.26, 0.16),
    (0.20, -0.22, 0.24, 0.16, -0.10),
    (-0.28, 0.34, 0.12, 0.15, 0.20),
    (0.30, 0.34, 0.12, 0.15, 0.20),
    (0, 0.44, 0.13, 0.13, 0.48),
)
_KNEE: Final[tuple[_Ellipse, ...]] = (
    (0, 0, 0.62, 0.98, 0.25),
    (0, -0.52, 0.36, 0.46, 0.40),
    (0, 0.55, 0.38, 0.44, 0.38),
    (-0.48, -0.12, 0.10, 0.22, 0.35),
    (0, 0.03, 0.40, 0.06, -0.22),
)
_BREAST: Final[tuple[_Ellipse, ...]] = (
    (-1.0, 0, 1.35, 0.86, 0.34),
    (-0.55, 0.08, 0.50, 0.42, 0.22),
    (-0.30, -0.15, 0.28, 0.22, 0.15),
)
_BODIES: Final = {"CHEST": _THORAX, "HEAD": _HEAD, "ABDOMEN": _ABDOMEN, "KNEE": _KNEE, "BREAST": _BREAST}


@dataclass(frozen=True, slots=True)
class _Series:
    modality: str
    description: str
    images: int


@dataclass(frozen=True, slots=True)
class _Exam:
    """A kind of study."""

    description: str
    body: str
    series: tuple[_Series, ...]


_EXAMS: Final = (
    _Exam("CT thorax with contrast", "CHEST", (_Series("CT", "Thorax 1.0 soft", 14), _Series("CT", "Lung 1.0", 14))),
    _Exam("MR head", "HEAD", (_Series("MR", "T1 sagittal", 10), _Series("MR", "T2 axial", 12))),
    _Exam("Chest, two views", "CHEST", (_Series("CR", "PA and lateral", 2),)),
    _Exam("CT abdomen, portal venous", "ABDOMEN", (_Series("CT", "Abdomen 2.0", 16), _Series("SR", "Dose report", 1))),
    _Exam("PET/CT whole body, FDG", "CHEST", (_Series("CT", "CT low dose", 16), _Series("PT", "FDG, corrected", 16))),
    _Exam("Knee left, MR", "KNEE", (_Series("MR", "PD fat saturated", 12), _Series("MR", "T1 coronal", 10))),
    _Exam("Mammography, both sides", "BREAST", (_Series("MG", "CC and MLO", 4),)),
    _Exam("Ultrasound abdomen", "ABDOMEN", (_Series("US", "Liver and kidneys", 8),)),
    _Exam("CT head, without contrast", "HEAD", (_Series("CT", "Head 3.0 brain", 14),)),
    _Exam("Bone scan", "CHEST", (_Series("NM", "Anterior and posterior", 2),)),
)
_PATIENTS: Final = """
Bergqvist^Ingrid F 19480312|Okonkwo^Adaeze F 19790624|Novotny^Jiri M 19551103|Achterberg^Willem M 19631217
Castellanos^Marisol F 19880409|Dimitrova^Vesela F 19710228|Eriksen^Torbjorn M 19400915|Fontaine^Clotilde F 19960130
Ghorbani^Parviz M 19590718|Halvorsen^Sigrid F 19830522|Ilincic^Dragan M 19670806|Jankauskas^Rytis M 19911011
Kowalczyk^Halina F 19520427|Lindqvist^Aksel M 20030819|Mbeki-Rossi^Thandiwe F 19740316|Nakamura^Haruto M 19491224
O'Sullivan^Fionnuala F 19810905|Papadakis^Stelios M 19580611|Quiroga^Ximena F 19990703|Rautio^Eero M 19440120
Santangelo^Loredana F 19660514|Thorvaldsen^Unn F 19731008|Uzun^Cengiz M 19850226|Vandermeer^Joost M 19620331
Wojcik^Bozena F 19571129|Xenakis^Iris F 19920817|Yilmaz^Emre M 19780104|Zuberbuhler^Regula F 19690922
Abernathy^Cornelius M 19381002|Bielawski^Tadeusz M 19510713|Czerny^Roswitha F 19840606|Delacroix^Apolline F 20010425
Esposito^Gennaro M 19640818|Feldkamp^Hannelore F 19470211|Grunewald^Severin M 19931209|Haugland^Bjorg F 19760530
Ivanovska^Zorica F 19890115|Jokinen^Pentti M 19530923|Keszthelyi^Balazs M 19700706|Lagerlund^Sixten M 19861128
"""
_REFERRERS: Final = ("Brandvold^Mette^^Dr", "Sorokin^Anatol^^Dr", "Whitcombe^Alice^^Dr", "Tavares^Duarte^^Prof Dr")
_BUSY_HOURS: Final = (7, 8, 8, 9, 9, 10, 10, 11, 13, 13, 14, 14, 15, 16, 18, 21)


@dataclass(frozen=True, slots=True)
class _Visit:
    """One patient's study."""

    number: int
    name: str
    sex: str
    born: str
    exam: _Exam
    began_s: float
    place: str = ""

    def uid(self, *place: object) -> UID:
        """The UID of something in the study, always the same."""
        name = " ".join(map(str, (self.place, self.name, self.exam.description, *place)))
        return UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, name).int}")


def visits(now_s: float) -> list[_Visit]:
    """The department's last studies, the oldest first; some patients came twice."""
    chance = random.Random(4)  # noqa: S311
    found = []
    for number, (name, sex, born) in enumerate(_people()):
        for exam in _exams(sex, 2 if number % 9 == 4 else 1, chance):
            found.append(_Visit(number, name, sex, born, exam, _began_s(now_s, number, chance)))
    return sorted(found, key=lambda visit: visit.began_s)


def earlier_visits(now_s: float) -> list[_Visit]:
    """What another archive has: two of the last studies, and what was done in years before."""
    chance = random.Random(9)  # noqa: S311
    found = visits(now_s)[-8:-6]
    for number, (name, sex, born) in enumerate(_people()):
        if number % 3 == 1:
            for exam in _exams(sex, 1 + number % 2, chance):
                began_s = now_s - 86_400 * chance.uniform(60, 1500)
                found.append(_Visit(number, name, sex, born, exam, began_s, "elsewhere"))
    return found


def _people() -> list[list[str]]:
    return [line.split(" ") for line in _PATIENTS.strip().replace("\n", "|").split("|")]


def _exams(sex: str, count: int, chance: random.Random) -> list[_Exam]:
    return chance.sample([exam for exam in _EXAMS if sex == "F" or exam.body != "BREAST"], count)


def _began_s(now_s: float, number: int, chance: random.Random) -> float:
    """Some just now, many of today, the others on the days before, in the hours in which departments work."""
    if number % 3 == 0:
        return now_s - chance.uniform(600, 20 * 3600)
    day = time.localtime(now_s - 86_400 * (1 + chance.randrange(12)))
    hour, minute, second = chance.choice(_BUSY_HOURS), chance.randrange(60), chance.randrange(60)
    return time.mktime((day.tm_year, day.tm_mon, day.tm_mday, hour, minute, second, 0, 0, -1))


def fill(archive: Archive, found: Sequence[_Visit]) -> int:
    """Keep the studies as if they had come when they were made; return how many objects."""
    kept = 0
    for visit in found:
        for data_set in _objects(visit):
            content = BytesIO()
            dcmwrite(content, data_set, implicit_vr=False, little_endian=True)
            origin = Origin(str(data_set.SOPClassUID), str(data_set.SOPInstanceUID), EXPLICIT_LITTLE)
            with _clock_at(visit.began_s + 240 + kept % 60), archive.receive(origin) as incoming:
                incoming.write(content.getvalue())
                ingest(archive, incoming)
            kept += 1
    return kept


@contextmanager
def _clock_at(time_s: float) -> Iterator[None]:
    with patch("time.time", lambda: time_s):
        yield


# --- objects ---------------------------------------------------------------------------------


def _objects(visit: _Visit) -> Iterator[Dataset]:
    for number, series in enumerate(visit.exam.series, 1):
        for index in range(series.images):
            ds = _common(visit, number, series, index)
            if series.modality == "SR":
                ds.CompletionFlag, ds.VerificationFlag, ds.ValueType = "COMPLETE", "UNVERIFIED", "CONTAINER"
            else:
                _set_pixels(ds, _picture(visit, series, number, index))
            yield ds


def _common(visit: _Visit, number: int, series: _Series, index: int) -> Dataset:
    begun = time.localtime(visit.began_s + 90 * number)
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.SOPClassUID = UID(_CLASSES[series.modality])
    ds.SOPInstanceUID = visit.uid(number, index)
    ds.StudyDate = ds.SeriesDate = ds.ContentDate = time.strftime("%Y%m%d", begun)
    ds.StudyTime = time.strftime("%H%M%S", time.localtime(visit.began_s))
    ds.SeriesTime = ds.ContentTime = time.strftime("%H%M%S", begun)
    ds.AccessionNumber = f"A{26_000 + 37 * visit.number}"
    ds.Modality = series.modality
    ds.Manufacturer = "Invented"
    ds.InstitutionName = "Invented hospital"
    ds.ReferringPhysicianName = _REFERRERS[visit.number % len(_REFERRERS)]
    ds.StudyDescription, ds.SeriesDescription = visit.exam.description, series.description
    ds.PatientName, ds.PatientID = visit.name, f"P{104_200 + 61 * visit.number}"
    ds.PatientBirthDate, ds.PatientSex = visit.born, visit.sex
    ds.BodyPartExamined = visit.exam.body
    ds.StudyInstanceUID, ds.SeriesInstanceUID = visit.uid(), visit.uid(number)
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = str(visit.number + 1), number, index + 1
    return ds


def _set_pixels(ds: Dataset, picture: _Picture) -> None:
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = picture.shape
    ds.PixelSpacing = [2.5, 2.5]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.WindowCenter, ds.WindowWidth = "2048", "4096"
    ds.PixelData = np.clip(picture * 4095, 0, 4095).astype("<u2").tobytes()


def _picture(visit: _Visit, series: _Series, number: int, index: int) -> _Picture:
    """What the modality shows of the body: values from 0 (black) to 1 (white)."""
    random_numbers = np.random.default_rng(visit.number * 1000 + number * 100 + index)
    depth = (index + 0.5) / series.images
    shown = _painted(_BODIES[visit.exam.body], 1 - 0.35 * abs(2 * depth - 1))
    modality = series.modality
    if modality == "PT":
        hot = _painted(((0.12, -0.18, 0.24, 0.22, 0.5), (-0.35, 0.1, 0.08, 0.08, 0.6)), 1 - abs(2 * depth - 1) / 2)
        return _blurred(0.25 * (shown > 0.1) + hot, 5) * random_numbers.normal(1, 0.08, shown.shape)
    if modality == "US":
        return _fan() * (0.15 + shown) * random_numbers.gamma(1.6, 0.55, shown.shape)
    if modality == "NM":
        return _blurred(random_numbers.poisson(6 * shown).astype(np.float64) / 9, 2)
    if modality in ("CR", "MG"):
        mirrored = shown[:, ::-1] if index % 2 else shown
        return _blurred(0.15 + 0.8 * mirrored, 4) + random_numbers.normal(0, 0.01, shown.shape)
    if modality == "MR":
        shown = np.where(shown > 0.02, 0.95 - 0.8 * shown if number == 2 else shown, 0.02)
    return _blurred(shown, 1.2) + random_numbers.normal(0, 0.025, shown.shape)


def _painted(ellipses: Sequence[_Ellipse], scale: float) -> _Picture:
    y, x = np.mgrid[-1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    painted: _Picture = np.zeros((_SIDE, _SIDE))
    for x_0, y_0, half_x, half_y, value in ellipses:
        inside = ((x - scale * x_0) / (scale * half_x)) ** 2 + ((y - scale * y_0) / (scale * half_y)) ** 2 <= 1
        painted += value * inside
    return painted


def _blurred(picture: _Picture, sigma_pixels: float) -> _Picture:
    frequency = np.fft.fftfreq(_SIDE)
    gauss = np.exp(-2 * (np.pi * sigma_pixels * frequency) ** 2)
    transform = np.fft.fft2(picture) * gauss[:, None] * gauss[None, :]
    blurred: _Picture = np.fft.ifft2(transform).real
    return blurred


def _fan() -> _Picture:
    y, x = np.mgrid[0 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    radius = np.hypot(x, y + 0.15)
    fan: _Picture = ((radius > 0.2) & (radius < 1.1) & (np.abs(np.arctan2(x, y + 0.15)) < 0.75)).astype(np.float64)
    return fan
