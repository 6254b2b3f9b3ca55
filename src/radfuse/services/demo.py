"""The demonstration: a small made-up PET, CT and MR study in the archive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from radfuse.archive import Archive, InformationModel, Origin, queries
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.dicom import Element, Identifier
from radfuse.services.ingest import ingest

STUDY_UID: Final = "2.25.168320177462580312270919345125062840117"
"""Always the same: a second demonstration in the same folder finds the study there."""

CT_SLICES: Final = 40
PET_SLICES: Final = 40
MR_SLICES: Final = 32
INSTANCES: Final = CT_SLICES + PET_SLICES + MR_SLICES + 1
"""The slices and an RT Structure Set with the lesion."""


def add_demo_study(archive: Archive) -> Iterator[str]:
    """Make the study and keep it, object by object, unless it is there already; yields SOP Instance UIDs."""
    if _is_there(archive):
        return
    # Loads numpy and pydicom, which no other use case needs.
    from radfuse.services.demo_study import demo_objects

    for sop_class_uid, sop_instance_uid, data_set in demo_objects():
        with archive.receive(Origin(sop_class_uid, sop_instance_uid, EXPLICIT_LITTLE)) as incoming:
            incoming.write(data_set)
            ingest(archive, incoming)
        yield sop_instance_uid


def _is_there(archive: Archive) -> bool:
    level, study = Element.of("QueryRetrieveLevel", "STUDY"), Element.of("StudyInstanceUID", STUDY_UID)
    query = queries.query_from_identifier(Identifier((level, study)), InformationModel.STUDY_ROOT, retrieve=True)
    with archive.reading() as connection:
        return sum(1 for _ in queries.instances(connection, query)) >= INSTANCES
