"""Waveforms (PS3.3 sections A.34 and C.10.9): ECG, haemodynamics and the like, read."""

from radfuse.objects.waveform.model import Annotation, Channel, Group, Waveform
from radfuse.objects.waveform.read import read_waveform

__all__ = ["Annotation", "Channel", "Group", "Waveform", "read_waveform"]
