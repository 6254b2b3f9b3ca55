"""Data sets: header scan, file meta information, identifiers, whole trees, texts, transcoding, the web's views."""

from radfuse.dicom import inflate, transcode, tree, web, words
from radfuse.dicom.header import Header, scan_header
from radfuse.dicom.identifier import Element, Identifier, decode_identifier, encode_identifier
from radfuse.dicom.part10 import FileMeta, build_file_meta, read_file_meta
from radfuse.dicom.transcode import Transcoder

__all__ = [
    "Element",
    "FileMeta",
    "Header",
    "Identifier",
    "Transcoder",
    "build_file_meta",
    "decode_identifier",
    "encode_identifier",
    "inflate",
    "read_file_meta",
    "scan_header",
    "transcode",
    "tree",
    "web",
    "words",
]
