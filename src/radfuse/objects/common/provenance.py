"""Where an object comes from: software, parameters and inputs, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from radfuse import __version__
from radfuse.objects.common.codes import PROCESSING_EQUIPMENT, code_sequence
from radfuse.objects.common.making import Making
from radfuse.objects.common.references import Reference

SOFTWARE: Final = f"Radfuse {__version__}"

PRIVATE_GROUP: Final = 0x7FD1
PRIVATE_CREATOR: Final = "RADFUSE PROVENANCE"
_JSON: Final = 0x01
_MOST_CHARACTERS: Final = 1024
"""Length of a Short Text."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """How an object was made. Parameters are text, hold no patient data, and are enough to do it again."""

    purpose: str
    """What was done, in a few words: "fixed threshold 41 % of SUVmax"."""
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    inputs: tuple[Reference, ...] = ()
    software: str = SOFTWARE

    def as_json(self) -> str:
        """The same always for the same facts: sorted keys, ASCII. Inputs are named by series and counted."""
        series: dict[str, set[str]] = {}
        for reference in self.inputs:
            series.setdefault(reference.series_uid, set()).add(reference.sop_instance_uid)
        facts = {
            "inputs": [{"series": uid, "instances": len(uids)} for uid, uids in series.items()],
            "parameters": dict(self.parameters),
            "purpose": self.purpose,
            "software": self.software,
        }
        return json.dumps(facts, sort_keys=True)

    def sentence(self) -> str:
        """For people, in at most 1024 characters."""
        facts = "; ".join(f"{name}: {value}" for name, value in sorted(self.parameters.items()))
        text = f"{self.purpose} ({facts})" if facts else self.purpose
        return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 4] + " ..."


def add_provenance(ds: Dataset, provenance: Provenance, making: Making) -> None:
    """Write the provenance where every IOD may carry it.

    Contributing Equipment Sequence (SOP Common, PS3.3 section C.12.1) for people and other systems, and
    the same as JSON in the private block "RADFUSE PROVENANCE" (7FD1,xx01).
    """
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = code_sequence(PROCESSING_EQUIPMENT)
    item.Manufacturer = "Radfuse"
    item.ManufacturerModelName = "Radfuse"
    item.DeviceSerialNumber = making.serial_number
    item.SoftwareVersions = __version__
    item.ContributionDateTime = making.when.strftime("%Y%m%d%H%M%S.%f%z")
    item.ContributionDescription = provenance.sentence()
    if making.operator:
        item.OperatorsName = making.operator
    ds.ContributingEquipmentSequence = Sequence([*ds.get("ContributingEquipmentSequence", ()), item])
    block = ds.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True)
    block.add_new(_JSON, "UT", provenance.as_json())


def read_provenance(ds: Dataset) -> dict[str, Any] | None:
    """The facts of ``Provenance.as_json``, or None when the object is not ours or they were taken out."""
    try:
        value = ds.private_block(PRIVATE_GROUP, PRIVATE_CREATOR)[_JSON].value
        facts = json.loads(value if isinstance(value, str) else bytes(value).decode("ascii"))
    except (KeyError, ValueError, TypeError):
        return None
    return facts if isinstance(facts, dict) else None
