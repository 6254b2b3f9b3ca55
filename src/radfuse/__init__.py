"""Radfuse, an open DICOM archive node: receive, keep, find, give back."""

__version__ = "0.1.0"
