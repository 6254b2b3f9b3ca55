"""The node server: rights, limits, several databases, and its end."""

from __future__ import annotations

import contextlib
import logging
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from radfuse.archive import ArchiveSettings, SpaceGuard
from radfuse.core.errors import WireError
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.services.peers import Peer
from radfuse.wire import Association, ProposedContext, scu
from tests.interop.client import encoded, identifier, sent_dataset, store, store_response
from tests.node.in_process import node_in_process, node_settings
from tests.support.generate import CT_IMAGE, base_instance

VERIFICATION = "1.2.840.10008.1.1"
FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))
CONTEXTS = [
    ProposedContext(VERIFICATION, (IMPLICIT_LITTLE,)),
    ProposedContext(CT_IMAGE, (EXPLICIT_LITTLE,)),
    *(ProposedContext(uid, (EXPLICIT_LITTLE,)) for uid in (FIND, MOVE, GET)),
]
STUDIES = encoded(identifier("STUDY", StudyInstanceUID="2.25.7001"))


def an_object(number: int = 1):  # type: ignore[no-untyped-def]
    return sent_dataset(base_instance(CT_IMAGE, "CT", 30, number))


def statuses(association: Association) -> dict[str, int]:
    """What the node answers to each operation."""

    def last(responses: object) -> int:
        return list(responses)[-1].status  # type: ignore[call-overload,no-any-return]

    return {
        "echo": scu.echo(association),
        "store": store(association, an_object()),
        "find": last(scu.find(association, scu.context_for(association, FIND), STUDIES)),
        "move": last(scu.move(association, scu.context_for(association, MOVE), "NOBODY", STUDIES)),
        "get": last(scu.get(association, scu.context_for(association, GET), STUDIES, lambda _a, _m: 0)),
    }


def test_beyond_loopback_an_unknown_peer_may_only_echo(tmp_path: Path) -> None:
    with node_in_process(tmp_path, node_settings(open_to_all=False)) as node, node.associate(CONTEXTS) as association:
        assert statuses(association) == {"echo": 0, "store": 0x0124, "find": 0x0124, "move": 0x0124, "get": 0x0124}
        response = store_response(association, an_object())
        assert response.error_comment == "the calling AE title may not store here"


@pytest.mark.parametrize(
    ("host", "rights", "expected"),
    [
        ("127.0.0.1", {}, {"store": 0, "find": 0, "move": 0xA801}),
        ("localhost", {"may_query": False}, {"store": 0, "find": 0x0124, "move": 0xA801}),
        ("127.0.0.1", {"may_store": False, "may_retrieve": False}, {"store": 0x0124, "find": 0, "move": 0x0124}),
        ("192.0.2.1", {}, {"store": 0x0124, "find": 0x0124, "move": 0x0124}),
    ],
    ids=["all", "no query", "query only", "wrong address"],
)
def test_beyond_loopback_a_peer_has_its_own_rights_at_its_own_address(
    tmp_path: Path, host: str, rights: dict[str, bool], expected: dict[str, int]
) -> None:
    with node_in_process(tmp_path, node_settings(open_to_all=False)) as node:
        node.peers.add(replace(Peer.parse(f"TESTER@{host}:104"), **rights))  # type: ignore[arg-type]
        with node.associate(CONTEXTS) as association:
            found = statuses(association)
    assert {name: found[name] for name in expected} == expected


def test_each_ae_title_has_its_own_database(tmp_path: Path) -> None:
    titles = {"NODE": "default", "OTHER": "research"}
    with node_in_process(tmp_path, titles=titles) as node:
        with node.associate(CONTEXTS) as association:
            assert store(association, an_object()) == 0
            assert count(association) == 1
        with node.associate(CONTEXTS, called="OTHER") as association:
            assert count(association) == 0
    assert (tmp_path / "databases" / "research" / "index.sqlite").exists()


def count(association: Association) -> int:
    return len(list(scu.find(association, scu.context_for(association, FIND), STUDIES))) - 1


def test_a_calling_title_that_is_none_is_rejected(tmp_path: Path) -> None:
    from radfuse.wire.pdu import encode
    from tests.wire.scenes import associate_rq, received_until_closed

    request = replace(associate_rq(), called_raw=b"NODE".ljust(16), calling_raw=b"A\\B".ljust(16))
    with node_in_process(tmp_path) as node, socket.create_connection(node.address, 10) as sock:
        sock.sendall(encode(request))
        assert received_until_closed(sock)[7:10] == bytes((1, 1, 3))


def test_a_volume_that_is_nearly_full_refuses_with_a700(tmp_path: Path) -> None:
    full = ArchiveSettings(tmp_path, space=SpaceGuard(1 << 62, 1.0))
    with node_in_process(tmp_path, archive=full) as node, node.associate(CONTEXTS) as association:
        response = store_response(association, an_object())
        assert (response.status, response.error_comment) == (0xA700, "no space left for the store")
        assert scu.echo(association) == 0


def test_too_many_connections_from_one_address_are_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = replace(node_settings(), connections_per_address=2)
    with node_in_process(tmp_path, settings) as node, contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(node.associate(CONTEXTS))
        with pytest.raises(WireError):
            node.associate(CONTEXTS)
    assert "too many at once" in caplog.text


def test_an_idle_association_is_ended_when_the_server_stops(tmp_path: Path) -> None:
    with node_in_process(tmp_path) as node:
        association = node.associate(CONTEXTS)
        assert scu.echo(association) == 0
        node.server.stop()
        with pytest.raises(WireError):
            association.receive_command(10.0)


def test_a_handler_that_fails_ends_its_association_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("broken")

    with node_in_process(tmp_path) as node:
        monkeypatch.setattr(node.databases, "of", fail)
        with pytest.raises(WireError), node.associate(CONTEXTS) as association:
            scu.echo(association)
        monkeypatch.undo()
        with node.associate(CONTEXTS) as association:
            assert scu.echo(association) == 0
    assert "association failed" in caplog.text


@pytest.mark.parametrize(("operation", "uid"), [("store", CT_IMAGE), ("find", FIND)])
def test_an_error_that_is_nobodys_fault_is_a_processing_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, uid: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: object, **_more: object) -> None:
        raise RuntimeError("secret of the patient")

    from radfuse.archive import Archive

    with node_in_process(tmp_path) as node, node.associate(CONTEXTS) as association:
        monkeypatch.setattr(Archive, "receive" if operation == "store" else "reading", fail)
        if operation == "store":
            command = store_response(association, an_object())
        else:
            *_, last = scu.find(association, scu.context_for(association, uid), STUDIES)
            command = last.command
        assert (command.status, command.error_comment) == (0x0110, None)
    assert caplog.records[-1].levelno >= logging.INFO


def test_a_duplicate_with_other_bytes_is_kept_out_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ds = base_instance(CT_IMAGE, "CT", 31, 1)
    first = sent_dataset(ds)
    ds.PatientComments = "other"
    with node_in_process(tmp_path) as node, node.associate(CONTEXTS) as association:
        assert [store(association, one) for one in (first, first, sent_dataset(ds))] == [0, 0, 0]
    assert caplog.text.count("duplicate SOP Instance UID") == 1


def test_what_waits_between_two_operations_is_no_violation(tmp_path: Path) -> None:
    with node_in_process(tmp_path) as node, node.associate(CONTEXTS) as association:
        scu.cancel(association, scu.context_for(association, FIND), 99)
        assert scu.echo(association) == 0
