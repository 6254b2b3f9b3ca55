"""What the table lets stay and yet holds an identifying value: cleaned like free text, or the object is refused.

A patient's name typed into a sequence name is no attribute of the table; the leak scan finds it, and
only that element loses what is not in the vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from radfuse.core.errors import CannotAnonymize, RadfuseError
from radfuse.deid.cleaning import clean_text
from radfuse.deid.dummies import dummy_value
from radfuse.deid.engine import Anonymized, Change
from radfuse.deid.options import Profile
from radfuse.deid.table import Action
from radfuse.dicom.tree import Node, Tree, write_tree
from radfuse.dicom.words import decode_values, keyword_of

if TYPE_CHECKING:
    from radfuse.deid.leaks import Leak

_MENDED_VRS: Final = frozenset(("CS", "LO", "LT", "SH", "ST", "UC", "UT"))


class Proof:
    """Proves one output after the other, with what was learned from the objects of its study before."""

    def __init__(self, profile: Profile) -> None:
        from radfuse.deid.leaks import LeakScan  # numpy, which whoever only hands out the work does without

        self._scan = LeakScan(profile)

    def prove(self, done: Anonymized) -> None:
        """Search ``done``, mend what can be mended, search again.

        Raises CannotAnonymize for an output that still holds something, naming where and of which attribute.
        """
        try:
            found = self._scan.leaks(done)
            if found and _mend(done, found):
                found = self._scan.leaks(done)
        except RadfuseError as error:
            raise CannotAnonymize(f"the output cannot be searched: {error}") from error
        if found:
            others = f", and {len(found) - 1} more" if len(found) > 1 else ""
            raise CannotAnonymize(f"{found[0]}{others}")


def _mend(done: Anonymized, found: list[Leak]) -> bool:
    """Whether every place could be cleaned."""
    paths = dict.fromkeys(leak.path for leak in found)
    if not all(path and _mend_at(done, done.tree, path, path) for path in paths):
        return False
    done.warnings += [f"{keyword_of(path[-1])} held an identifying value and was cleaned" for path in paths]
    head = done.pieces[0]
    done.pieces[:] = [head, *write_tree(done.tree, done.transfer_syntax_uid)]
    return True


def _mend_at(done: Anonymized, tree: Tree, path: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    node = tree.get(path[0])
    if node is None:
        return True  # another item has it
    if len(path) > 1:
        return all(_mend_at(done, item, path[1:], whole) for item in node.items or ())
    if node.items is not None or node.vr not in _MENDED_VRS:
        return False
    values = decode_values(bytes(node.value), tree.character_sets, node.vr)
    text = "\\".join(filter(None, map(clean_text, values))).upper() if node.vr == "CS" else _cleaned(values)
    tree.nodes[node.tag] = Node(node.tag, node.vr, text.encode("ascii") or dummy_value(node.vr))
    done.changes.append(Change(whole, node, tree.character_sets, Action.CLEAN))
    return True


def _cleaned(values: tuple[str, ...]) -> str:
    return "\\".join(filter(None, map(clean_text, values)))
