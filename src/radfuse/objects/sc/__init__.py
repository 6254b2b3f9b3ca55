"""Secondary Capture: pictures as they were shown, single or many."""

from radfuse.objects.sc.build import build_capture
from radfuse.objects.sc.model import Capture, CaptureClass
from radfuse.objects.sc.read import read_capture

__all__ = ["Capture", "CaptureClass", "build_capture", "read_capture"]
