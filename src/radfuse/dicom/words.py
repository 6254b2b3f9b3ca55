"""Texts and names: character sets (PS3.5 section 6.1), person names, and what the dictionary knows of a tag."""

from radfuse.dicom.charset import character_set_for, character_sets_of, decode_text, decode_values, encode_text
from radfuse.dicom.dictionary import keyword_of, tag_of, vr_of
from radfuse.dicom.names import fold_groups

__all__ = [
    "character_set_for",
    "character_sets_of",
    "decode_text",
    "decode_values",
    "encode_text",
    "fold_groups",
    "keyword_of",
    "tag_of",
    "vr_of",
]
