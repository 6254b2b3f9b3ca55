"""What every object of ours carries: patient and study, equipment, provenance, references, coded terms."""

from radfuse.objects.common import codes
from radfuse.objects.common.codes import Code, code_sequence
from radfuse.objects.common.encoding import decimal, encode
from radfuse.objects.common.making import Making, NewSeries, UidMaker
from radfuse.objects.common.native import read_native
from radfuse.objects.common.new_object import new_object
from radfuse.objects.common.provenance import PRIVATE_GROUP, Provenance, add_provenance, read_provenance
from radfuse.objects.common.reading import Item
from radfuse.objects.common.references import Reference, add_common_instance_reference, reference_to, series_items

__all__ = [
    "PRIVATE_GROUP",
    "Code",
    "Item",
    "Making",
    "NewSeries",
    "Provenance",
    "Reference",
    "UidMaker",
    "add_common_instance_reference",
    "add_provenance",
    "code_sequence",
    "codes",
    "decimal",
    "encode",
    "new_object",
    "read_native",
    "read_provenance",
    "reference_to",
    "series_items",
]
