"""The anonymizer: the Basic Application Level Confidentiality Profile of PS3.15 Annex E, its proof, and its map."""

from radfuse.deid.documents import Documents
from radfuse.deid.engine import Anonymized, Anonymizer
from radfuse.deid.mending import Proof
from radfuse.deid.options import PET_QUANTITY, Option, Profile
from radfuse.deid.pixels import PixelPolicy, load_rules
from radfuse.deid.pseudonyms import ProjectKey
from radfuse.deid.report import Report
from radfuse.deid.vault import Original, Vault
from radfuse.deid.verify import Verifier

__all__ = [
    "PET_QUANTITY",
    "Anonymized",
    "Anonymizer",
    "Documents",
    "Option",
    "Original",
    "PixelPolicy",
    "Profile",
    "ProjectKey",
    "Proof",
    "Report",
    "Vault",
    "Verifier",
    "load_rules",
]
