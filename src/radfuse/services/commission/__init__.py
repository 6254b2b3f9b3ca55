"""Commissioning: phantoms of known truth through the whole path, and the table of what came of it."""

from radfuse.services.commission.model import Commission, Part, Progress, Row
from radfuse.services.commission.report import passed_words, report_pdf, verdict
from radfuse.services.commission.running import commission
from radfuse.services.commission.sizes import FULL, SMALL, Size

__all__ = [
    "FULL",
    "SMALL",
    "Commission",
    "Part",
    "Progress",
    "Row",
    "Size",
    "commission",
    "passed_words",
    "report_pdf",
    "verdict",
]
