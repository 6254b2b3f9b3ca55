"""Foreign data sets read with care: values that cannot be read are absent, and nothing is guessed or warned of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from radfuse.core.errors import UnreadableObject
from radfuse.dicom import words
from radfuse.objects.common.codes import Code

_CHARACTER_SET: Final = Tag(0x0008, 0x0005)
_STARTS: Final = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00", b"\xfe\xff\xdd\xe0", b"\xff\xfe\xe0\xdd")
"""An item or the delimiter of a sequence, in both byte orders."""
_UNDEFINED: Final = 0xFFFFFFFF


class Item:
    """A data set or an item of a sequence; text is decoded by our own rules: pydicom's raise, guess or warn."""

    def __init__(self, ds: Dataset, inherited: tuple[str, ...] = ()) -> None:
        """``inherited`` is the character set of the data set around it (PS3.3 section C.12.1.1.2)."""
        self.ds = ds
        self.character_sets = inherited
        if _CHARACTER_SET in ds:
            self.character_sets = tuple(self._texts(_CHARACTER_SET, "CS"))

    def texts(self, keyword: str) -> list[str]:
        """The values of an element of any VR with text in it; none when it is absent or empty."""
        tag = Tag(tag_for_keyword(keyword) or 0)
        return [text for text in self._texts(tag, dictionary_VR(tag)) if text]

    def text(self, keyword: str) -> str:
        """The first value, or empty text."""
        texts = self.texts(keyword)
        return texts[0] if texts else ""

    def numbers(self, keyword: str) -> list[float]:
        """All values as numbers; none when it is absent or one of them is no number."""
        tag = Tag(tag_for_keyword(keyword) or 0)
        try:
            if dictionary_VR(tag) in ("DS", "IS"):
                return self._decimals(tag)
            value: Any = self.ds[tag].value if tag in self.ds else None
            values = value if isinstance(value, list | tuple) or hasattr(value, "append") else [value]
            return [float(one) for one in values if one is not None]
        except Exception:  # bytes of a wrong length, another VR in the file, letters where digits belong
            return []

    def whole(self, keyword: str) -> int | None:
        """The first value as a whole number, or None."""
        numbers = self.numbers(keyword)
        return int(numbers[0]) if numbers and numbers[0].is_integer() else None

    def items(self, keyword: str) -> list[Item]:
        """The items of a sequence; none when it is absent. Raises UnreadableObject when it is damaged."""
        tag = Tag(tag_for_keyword(keyword) or 0)
        raw = self._raw(tag)
        if raw and raw[:4] not in _STARTS:  # pydicom would read one empty item, in silence
            raise UnreadableObject(f"the sequence {keyword} is damaged")
        try:
            value = self.ds[tag].value or () if tag in self.ds else ()
            return [Item(item, self.character_sets) for item in value if isinstance(item, Dataset)]
        except Exception as error:  # whatever comes while a foreign item is parsed
            raise UnreadableObject(f"the sequence {keyword} is damaged") from error

    def first(self, keyword: str) -> Item | None:
        """The first item of a sequence, or None."""
        items = self.items(keyword)
        return items[0] if items else None

    def code(self, keyword: str) -> Code | None:
        """The first term of a code sequence, or None. Old SRT triplets are read as they stand."""
        item = self.first(keyword)
        if item is None:
            return None
        value = item.text("CodeValue") or item.text("LongCodeValue") or item.text("URNCodeValue")
        code = Code(value, item.text("CodingSchemeDesignator"), item.text("CodeMeaning"))
        return code if code.value or code.meaning else None

    def tags(self) -> Iterator[BaseTag]:
        """The tags, without parsing a value."""
        yield from self.ds.keys()

    def _texts(self, tag: BaseTag, vr: str) -> list[str]:
        if tag not in self.ds:
            return []
        raw = self._raw(tag)
        if raw is not None:
            return [text.strip(" \0") for text in words.decode_values(raw, self.character_sets, vr)]
        try:
            value = self.ds[tag].value
        except Exception:  # a VR that is none
            return []
        if value is None:
            return []
        values = value if isinstance(value, list | tuple) or hasattr(value, "append") else [value]
        return [str(one).strip(" \0") for one in values]

    def _decimals(self, tag: BaseTag) -> list[float]:
        raw = self._raw(tag)
        if raw is None:
            texts = self._texts(tag, "DS")
            return [float(text) for text in texts] if any(texts) else []
        # Contours have some hundred thousand numbers: no object for each text.
        raw = raw.strip(b" \0")
        return [float(part) for part in raw.split(b"\\")] if raw and b"_" not in raw else []

    def _raw(self, tag: BaseTag) -> bytes | None:
        """The bytes of a value that nobody has parsed yet. Raises UnreadableObject when the file ended inside it."""
        element = self.ds.get_item(tag, keep_deferred=True) if tag in self.ds else None
        if not isinstance(element, RawDataElement):
            return None
        if not isinstance(element.value, bytes):
            return None if element.length else b""
        if element.length not in (len(element.value), _UNDEFINED):
            raise UnreadableObject("it is cut off: the file ends inside an element")
        return element.value
