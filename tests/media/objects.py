"""Small objects of every storage class, with what their directory records need, and file-sets of them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from radfuse.media import Described, Entry, describe, write_directory
from radfuse.media.record_keys import KeysTable, keys_of
from radfuse.media.record_types import Place, record_type_of
from tests.support.generate import base_instance

VALUES: dict[str, object] = {
    **{"AccessionNumber": "A1", "CompletionFlag": "COMPLETE", "VerificationFlag": "UNVERIFIED"},
    **{"DoseSummationType": "PLAN", "ImageType": ["ORIGINAL", "PRIMARY"], "HangingProtocolLevel": "SITE"},
    **{"MIMETypeOfEncapsulatedDocument": "application/pdf", "InventoryLevel": "STUDY"},
    **{"InventoryCompletionStatus": "COMPLETE", "ContentLabel": "LABEL", "PixelSpacing": ["1", "1"]},
    **{"ImagePositionPatient": ["0", "0", "0"], "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"]},
    **{"Manufacturer": "Radfuse tests", "SpecificCharacterSet": "ISO_IR 100", "AcquisitionTimeSynchronized": "N"},
}
"""Where any value of the VR would not do."""
BY_VR: dict[str, object] = {
    **{"DA": "20240229", "TM": "101112", "DT": "20240229101112", "IS": "1", "DS": "1", "US": 8, "UL": 8, "UV": 8},
    **{"CS": "TEXT", "SH": "Text", "LO": "Text", "ST": "Text", "LT": "Text", "PN": "Test^Generated", "UI": "2.25.9"},
}


def code(value: str = "121181", scheme: str = "DCM", meaning: str = "DICOM Object Catalog") -> Dataset:
    """An item of a code sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def reference(number: int = 1) -> Dataset:
    """An item that references an image."""
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"2.25.77.{number}"
    return item


def object_of(sop_class_uid: str, number: int = 1, table: KeysTable = "D.3-2") -> Dataset:
    """An object of any class with a value for every key of its record that has to have one."""
    kind = record_type_of(sop_class_uid)
    ds = base_instance(sop_class_uid, "OT", 1, 1)
    ds.SOPInstanceUID, ds.SeriesInstanceUID, ds.SeriesNumber = f"2.25.71.{number}", f"2.25.72.{number}", number
    if kind.place is Place.ROOT:
        for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "SeriesInstanceUID"):
            delattr(ds, keyword)
    for key in keys_of(kind.name, table):
        if key.type == "1" and not ds.get(key.keyword):
            value = VALUES.get(key.keyword, BY_VR.get(key.vr))
            setattr(ds, key.keyword, Sequence([code()]) if key.vr == "SQ" else value)
    return ds


def file_of(ds: Dataset, transfer_syntax_uid: str = ExplicitVRLittleEndian) -> bytes:
    """The bytes of a DICOM file that holds ``ds``."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = transfer_syntax_uid  # type: ignore[assignment]
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    out = io.BytesIO()
    dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


def described(ds: Dataset, transfer_syntax_uid: str = ExplicitVRLittleEndian) -> Described:
    """``ds`` as a file-set sees it."""
    return describe(file_of(ds, transfer_syntax_uid))


def write_set(folder: Path, objects: Iterable[Dataset], table: KeysTable = "D.3-2") -> Path:
    """A file-set of ``objects`` in ``folder``; its DICOMDIR."""
    entries = []
    for number, ds in enumerate(objects):
        content, file_id = file_of(ds), ("DICOM", f"IM{number:06}")
        path = folder.joinpath(*file_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        entries.append(Entry(describe(content), file_id))
    directory = folder / "DICOMDIR"
    write_directory(directory, entries, file_set_id="RADFUSE", keys_table=table)
    return directory
