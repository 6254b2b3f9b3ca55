"""Data sets: header scan, file meta information, identifiers, character sets, person names, transcoding."""

from radfuse.dicom import web
from radfuse.dicom.charset import character_set_for
from radfuse.dicom.dictionary import keyword_of
from radfuse.dicom.header import Header, scan_header
from radfuse.dicom.identifier import Element, Identifier, decode_identifier, encode_identifier
from radfuse.dicom.names import fold_groups
from radfuse.dicom.part10 import FileMeta, build_file_meta, read_file_meta
from radfuse.dicom.transcode import Transcoder, can_transcode

__all__ = [
    "Element",
    "FileMeta",
    "Header",
    "Identifier",
    "Transcoder",
    "build_file_meta",
    "can_transcode",
    "character_set_for",
    "decode_identifier",
    "encode_identifier",
    "fold_groups",
    "keyword_of",
    "read_file_meta",
    "scan_header",
    "web",
]
