"""How a registration came about: PS3.16 CID 7100 RCS Registration Method Type."""

from __future__ import annotations

from typing import Final

from radfuse.objects.common import Code

IDENTITY: Final = Code("125021", "DCM", "Frame of Reference Identity")
"""Of the item that says where the fixed frame lies in itself."""

FIDUCIALS: Final = Code("125022", "DCM", "Fiducial Alignment")
EQUIPMENT: Final = Code("125023", "DCM", "Acquisition Equipment Alignment")
CONTENT_BASED: Final = Code("125024", "DCM", "Image Content-based Alignment")
VISUAL: Final = Code("125025", "DCM", "Visual Alignment")
FIDUCIALS_AND_CONTENT: Final = Code("125026", "DCM", "Image Content and Fiducial Based Alignment")

METHODS: Final = (IDENTITY, FIDUCIALS, EQUIPMENT, CONTENT_BASED, VISUAL, FIDUCIALS_AND_CONTENT)
