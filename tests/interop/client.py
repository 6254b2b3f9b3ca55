"""An SCU of ours and the SCPs that C-MOVE sends to, for tests against a running node: bytes stay bytes."""

from __future__ import annotations

import contextlib
import io
import socket
import struct
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.filewriter import write_dataset

from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.dicom import read_file_meta
from radfuse.services.peers import Peer, Peers
from radfuse.wire import Association, CommandSet, Limits, Message, ProposedContext, request_association, scu
from radfuse.wire.scu import Response
from tests.support.servers import RunningNode, processes_of
from tests.wire.scenes import AcceptsAll, Collected, Handler, Node

VERIFICATION = "1.2.840.10008.1.1"
PATIENT_ROOT = ("1.2.840.10008.5.1.4.1.2.1.1", "1.2.840.10008.5.1.4.1.2.1.2", "1.2.840.10008.5.1.4.1.2.1.3")
STUDY_ROOT = ("1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.2", "1.2.840.10008.5.1.4.1.2.2.3")
"""The FIND, MOVE and GET classes of each model."""
FIND, MOVE, GET = STUDY_ROOT

LIMITS = Limits(close_wait_s=2.0, idle_s=120.0, response_s=120.0)
PENDING = (0xFF00, 0xFF01)


@dataclass(frozen=True)
class Sent:
    """One object as it is sent: what the command says, and the bytes of the data set."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    data: bytes

    @property
    def kind(self) -> tuple[str, str]:
        return self.sop_class_uid, self.transfer_syntax_uid


def as_sent(path: Path) -> Sent:
    """A file as what a peer would send of it: named by its data set, or by its meta information if that has no name."""
    content = path.read_bytes()
    meta = read_file_meta(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = pydicom.dcmread(
            io.BytesIO(content), force=True, stop_before_pixels=True, specific_tags=["SOPClassUID", "SOPInstanceUID"]
        )
        class_uid = str(names.get("SOPClassUID") or meta.sop_class_uid)
        instance_uid = str(names.get("SOPInstanceUID") or meta.sop_instance_uid)
    return Sent(class_uid, instance_uid, meta.transfer_syntax_uid, content[meta.data_offset :])


def encoded(ds: Dataset, transfer_syntax_uid: str = EXPLICIT_LITTLE) -> bytes:
    """A data set as pydicom writes it."""
    buffer = pydicom.filebase.DicomBytesIO()
    buffer.is_little_endian = True
    buffer.is_implicit_VR = transfer_syntax_uid == IMPLICIT_LITTLE
    write_dataset(buffer, ds)
    return buffer.getvalue()


def decoded(data: bytes, transfer_syntax_uid: str = EXPLICIT_LITTLE) -> Dataset:
    """The data set that ``data`` encodes, as pydicom reads it."""
    return pydicom.dcmread(io.BytesIO(b"\0" * 128 + b"DICM" + _syntax_element(transfer_syntax_uid) + data), force=True)


def _syntax_element(uid: str) -> bytes:
    value = uid.encode() + b"\0" * (len(uid) & 1)
    return struct.pack("<HH2sH", 2, 0x0010, b"UI", len(value)) + value


def sent_dataset(ds: Dataset, transfer_syntax_uid: str = EXPLICIT_LITTLE) -> Sent:
    """A data set made in the test as what a peer would send."""
    return Sent(ds.SOPClassUID, ds.SOPInstanceUID, transfer_syntax_uid, encoded(ds, transfer_syntax_uid))


def associate(
    node: RunningNode | tuple[str, int],
    contexts: Sequence[ProposedContext],
    *,
    called: str = "",
    calling: str = "TESTER",
    roles: Mapping[str, tuple[bool, bool]] | None = None,
    limits: Limits = LIMITS,
) -> Association:
    """An association with the node."""
    address = node if isinstance(node, tuple) else ("127.0.0.1", node.port)
    called = called or (node.ae_title if isinstance(node, RunningNode) else "RADFUSE")
    return request_association(address, called, calling, contexts, limits, roles=roles)


def contexts_of(objects: Iterable[Sent]) -> list[ProposedContext]:
    """A context for each kind among ``objects``."""
    return [ProposedContext(uid, (syntax,)) for uid, syntax in dict.fromkeys(sent.kind for sent in objects)]


def store(association: Association, sent: Sent) -> int:
    """C-STORE; the status."""
    return store_response(association, sent).status or 0


def store_response(association: Association, sent: Sent) -> CommandSet:
    """C-STORE; the whole response."""
    context_id = scu.context_for(association, *sent.kind)
    return scu.store(association, context_id, sent.sop_class_uid, sent.sop_instance_uid, sent.data)


def store_all(node: RunningNode, objects: Sequence[Sent], **how: str) -> list[int]:
    """The statuses of ``objects``, stored over as many associations as their kinds need."""
    statuses: dict[int, int] = {}
    kinds = list(dict.fromkeys(sent.kind for sent in objects))
    for first in range(0, len(kinds), 128):
        chosen = set(kinds[first : first + 128])
        batch = [(place, sent) for place, sent in enumerate(objects) if sent.kind in chosen]
        with associate(node, contexts_of(sent for _, sent in batch), **how) as association:  # type: ignore[arg-type]
            for place, sent in batch:
                statuses[place] = store(association, sent)
    return [statuses[place] for place in range(len(objects))]


def identifier(level: str, **keys: object) -> Dataset:
    """A query or retrieve identifier; a key given as "" is universal."""
    ds = Dataset()
    ds.QueryRetrieveLevel = level
    for name, value in keys.items():
        setattr(ds, name, value)
    return ds


def find(
    node: RunningNode, wanted: Dataset, model: tuple[str, str, str] = STUDY_ROOT, syntax: str = EXPLICIT_LITTLE
) -> list[Dataset]:
    """The answers to C-FIND; the final status must be success."""
    with associate(node, [ProposedContext(model[0], (syntax,))]) as association:
        return find_on(association, wanted, model, syntax)


def find_on(
    association: Association,
    wanted: Dataset,
    model: tuple[str, str, str] = STUDY_ROOT,
    syntax: str = EXPLICIT_LITTLE,
) -> list[Dataset]:
    """The same on an association that is there already."""
    *answers, last = scu.find(association, scu.context_for(association, model[0]), encoded(wanted, syntax))
    assert last.status == 0, f"{last.status:04X} {last.command.error_comment}"
    assert all(answer.status in PENDING for answer in answers)
    return [decoded(answer.identifier, syntax) for answer in answers]


def move(
    node: RunningNode, destination: str, wanted: Dataset, model: tuple[str, str, str] = STUDY_ROOT
) -> list[Response]:
    """All responses to C-MOVE."""
    with associate(node, [ProposedContext(model[1], (IMPLICIT_LITTLE,))]) as association:
        context_id = scu.context_for(association, model[1])
        return list(scu.move(association, context_id, destination, encoded(wanted, IMPLICIT_LITTLE)))


class Kept:
    """Takes objects as C-STORE SCP, from C-MOVE or within C-GET; ``answer`` decides on the status."""

    def __init__(self, answer: Callable[[str], int] = lambda uid: 0) -> None:
        self.objects: list[Sent] = []
        self.originators: list[tuple[str | None, int | None]] = []
        self._answer = answer

    def take(self, association: Association, message: Message) -> int:
        """The handler of ``scu.get``."""
        sink = Collected()
        association.receive_data_set(sink)
        command, context = message.command, message.context
        uid = command.affected_sop_instance_uid or ""
        assert command.affected_sop_class_uid == context.abstract_syntax
        self.objects.append(Sent(context.abstract_syntax, uid, context.transfer_syntax, bytes(sink.data)))
        self.originators.append((command.move_originator_ae_title, command.move_originator_message_id))
        return self._answer(uid)

    def __call__(self, association: Association, message: Message) -> None:
        """The handler of a node of tests.wire.scenes."""
        association.send(message.context_id, message.command.response(self.take(association, message)))

    @property
    def by_uid(self) -> dict[str, Sent]:
        return {sent.sop_instance_uid: sent for sent in self.objects}


def get(
    node: RunningNode,
    wanted: Dataset,
    kinds: Iterable[tuple[str, str]],
    kept: Kept,
    model: tuple[str, str, str] = STUDY_ROOT,
) -> list[Response]:
    """All responses to C-GET of objects of these kinds (at most 127)."""
    contexts = [ProposedContext(model[2], (IMPLICIT_LITTLE,))]
    contexts += [ProposedContext(uid, (syntax,)) for uid, syntax in dict.fromkeys(kinds)]
    roles = {context.abstract_syntax: (False, True) for context in contexts[1:]}
    with associate(node, contexts, roles=roles) as association:
        context_id = scu.context_for(association, model[2])
        return list(scu.get(association, context_id, encoded(wanted, IMPLICIT_LITTLE), kept.take))


def counters(response: Response) -> tuple[int | None, int | None, int | None, int | None]:
    """Remaining, completed, failed and warning sub-operations."""
    command = response.command
    return (
        command.number_of_remaining_suboperations,
        command.number_of_completed_suboperations,
        command.number_of_failed_suboperations,
        command.number_of_warning_suboperations,
    )


@contextlib.contextmanager
def peer_scp(
    node: RunningNode, name: str, handler: Handler, policy: AcceptsAll | None = None, limits: Limits = LIMITS
) -> Iterator[Node]:
    """A peer of the node, configured there under ``name`` as its AE title while it runs."""
    with Node(handler, limits) as scp:
        if policy is not None:
            scp.policy = policy
        with configured_peer(node, Peer.parse(f"{name}@127.0.0.1:{scp.address[1]}")):
            yield scp


@contextlib.contextmanager
def configured_peer(node: RunningNode, peer: Peer) -> Iterator[None]:
    """A peer that the node knows for the time being."""
    with contextlib.closing(Peers(node.data)) as peers:
        peers.add(peer)
        try:
            yield
        finally:
            peers.remove(peer.name)


def workers_of(node: RunningNode) -> list[int]:
    """The process ids of the node's workers."""
    return processes_of(node.process, "node")


def threads_of(node: RunningNode) -> int:
    """How many threads the workers have together."""
    return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in workers_of(node))


def resident_bytes(node: RunningNode) -> int:
    """The resident memory of the largest worker."""
    lines = [Path(f"/proc/{pid}/status").read_text() for pid in workers_of(node)]
    return max(int(text.split("VmRSS:")[1].split()[0]) << 10 for text in lines)


def peak_resident_bytes(node: RunningNode) -> int:
    """The most resident memory that a worker has had since it started (or since ``forget_peak``)."""
    lines = [Path(f"/proc/{pid}/status").read_text() for pid in workers_of(node)]
    return max(int(text.split("VmHWM:")[1].split()[0]) << 10 for text in lines)


def forget_peak(node: RunningNode) -> None:
    """Let ``peak_resident_bytes`` count from now on."""
    for pid in workers_of(node):
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def wait_until(condition: Callable[[], bool], what: str, limit_s: float = 60.0) -> None:
    """Wait for something that the node does on its own time; fails after ``limit_s``."""
    ends = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < ends, what
        time.sleep(0.02)


def raw_socket(node: RunningNode) -> socket.socket:
    """A plain connection to the node."""
    return socket.create_connection(("127.0.0.1", node.port), 20)


def stored_files(node: RunningNode) -> list[Path]:
    """All files of the store."""
    return [path for path in (node.data / "store").rglob("*") if path.is_file()]


def spooled_files(node: RunningNode) -> list[Path]:
    """The files of objects that are on their way in."""
    return [path for path in (node.data / "incoming").rglob("*") if path.is_file()]


def log_of(node: RunningNode) -> str:
    """Everything that the node has logged so far."""
    return "".join(path.read_text() for path in sorted((node.data / "log").glob("node-*.jsonl")))


def with_uid(sent: Sent, uid: str) -> Sent:
    """``sent`` under another name in the command, but not in the data set."""
    return replace(sent, sop_instance_uid=uid)
