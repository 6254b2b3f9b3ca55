"""Services from the user's side against a node of ours."""

from __future__ import annotations

import threading

import pytest

from radfuse.core.errors import AssociationAborted, ConnectionLost, NoPresentationContext, ProtocolViolation
from radfuse.wire import Association, CommandSet, Message, Operation, ProposedContext, request_association, scu, status
from tests.wire.scenes import (
    CONTEXTS,
    CT,
    FIND,
    GET,
    IMPLICIT,
    MOVE,
    SHORT,
    Collected,
    Handler,
    Node,
    Store,
)


class Query:
    """Answers a query with ``count`` matches, looking for a C-CANCEL before each."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.sent = 0
        self.identifiers: list[bytes] = []
        self.destination: str | None = None

    def __call__(self, association: Association, message: Message) -> None:
        command = message.command
        self.destination = command.move_destination
        self.identifiers.append(association.receive_identifier())
        for number in range(self.count):
            if association.poll():
                cancelled = association.receive_command()
                assert cancelled is not None
                assert cancelled.command.command_field == Operation.C_CANCEL_RQ
                assert cancelled.command.message_id_being_responded_to == command.message_id
                association.send(message.context_id, command.response(status.CANCEL))
                return
            pending = command.response(status.PENDING)
            pending.number_of_remaining_suboperations = self.count - number
            association.send(message.context_id, pending, b"match %d" % number)
            self.sent += 1
        association.send(message.context_id, command.response(status.SUCCESS))


def _connect(node: Node) -> Association:
    return request_association(node.address, "NODE", "TEST", CONTEXTS, SHORT, roles={CT: (True, True)})


def test_an_echo_is_answered() -> None:
    with Node(Store()) as node, _connect(node) as association:
        assert scu.echo(association) == status.SUCCESS


def test_without_a_context_for_the_class_nothing_is_sent() -> None:
    with (
        Node(Store()) as node,
        request_association(node.address, "NODE", "TEST", [ProposedContext(CT, (IMPLICIT,))], SHORT) as association,
    ):
        with pytest.raises(NoPresentationContext):
            scu.echo(association)
        with pytest.raises(NoPresentationContext):
            scu.context_for(association, CT, "1.2.3")
        assert scu.context_for(association, CT, IMPLICIT) == 1


def test_a_store_names_the_move_behind_it() -> None:
    seen: list[CommandSet] = []

    def handle(association: Association, message: Message) -> None:
        seen.append(message.command)
        association.discard_data_set()
        association.send(message.context_id, message.command.response(status.OUT_OF_RESOURCES, "full"))

    with Node(handle) as node, _connect(node) as association:
        context_id = scu.context_for(association, CT)
        answer = scu.store(association, context_id, CT, "1.2.3", b"data", move_originator=("MOVER", 77))
    assert (answer.status, answer.error_comment) == (status.OUT_OF_RESOURCES, "full")
    assert (seen[0].move_originator_ae_title, seen[0].move_originator_message_id) == ("MOVER", 77)
    assert (seen[0].affected_sop_class_uid, seen[0].affected_sop_instance_uid) == (CT, "1.2.3")


def test_a_find_gives_its_matches_and_then_its_final_status() -> None:
    query = Query(1000)
    with Node(query) as node, _connect(node) as association:
        found = list(scu.find(association, scu.context_for(association, FIND), b"keys"))
    assert [row.identifier for row in found[:-1]] == [b"match %d" % number for number in range(1000)]
    assert {row.status for row in found[:-1]} == {status.PENDING}
    assert (found[-1].status, found[-1].identifier) == (status.SUCCESS, b"")
    assert query.identifiers == [b"keys"]


def test_a_find_is_cancelled_when_asked_to() -> None:
    query = Query(1_000_000)
    found: list[int] = []
    with Node(query) as node, _connect(node) as association:
        context_id = scu.context_for(association, FIND)
        for response in scu.find(association, context_id, b"keys", lambda: len(found) >= 10):
            found.append(response.status)
    assert found[-1] == status.CANCEL
    assert query.sent < 1_000_000


def test_a_find_that_is_left_early_is_cancelled_and_the_association_goes_on() -> None:
    query = Query(1_000_000)
    with Node(query) as node, _connect(node) as association:
        context_id = scu.context_for(association, FIND)
        for _ in range(2):
            responses = scu.find(association, context_id, b"keys")
            assert next(responses).identifier == b"match 0"
            responses.close()
    assert not node.errors
    assert query.sent < 2_000_000


def test_a_move_gives_its_counters() -> None:
    query = Query(2)
    with Node(query) as node, _connect(node) as association:
        found = list(scu.move(association, scu.context_for(association, MOVE), "DEST", b"keys"))
    assert [row.command.number_of_remaining_suboperations for row in found] == [2, 1, None]
    assert query.destination == "DEST"


def _get_handler(instances: int, answers: list[int]) -> Handler:
    def handle(association: Association, message: Message) -> None:
        association.receive_identifier()
        context = next(row for row in association.contexts.values() if row.abstract_syntax == CT)
        assert context.as_scu
        for number in range(instances):
            answer = scu.store(association, context.id, CT, f"1.2.{number}", b"x" * number)
            answers.append(answer.status or 0)
        association.send(message.context_id, message.command.response(status.SUCCESS))

    return handle


def test_a_get_hands_its_stores_to_the_handler_and_answers_them() -> None:
    answers: list[int] = []
    received: list[bytes] = []

    def keep(association: Association, message: Message) -> int:
        sink = Collected()
        association.receive_data_set(sink)
        received.append(bytes(sink.data))
        return status.SUCCESS if len(received) < 3 else status.OUT_OF_RESOURCES

    with Node(_get_handler(4, answers)) as node, _connect(node) as association:
        found = list(scu.get(association, scu.context_for(association, GET), b"keys", keep))
    assert [row.status for row in found] == [status.SUCCESS]
    assert received == [b"", b"x", b"xx", b"xxx"]
    assert answers == [0, 0, 0xA700, 0xA700]


def test_a_get_handler_that_takes_nothing_leaves_the_association_in_order() -> None:
    answers: list[int] = []
    with Node(_get_handler(3, answers)) as node, _connect(node) as association:
        context_id = scu.context_for(association, GET)
        list(scu.get(association, context_id, b"keys", lambda _association, _message: status.PROCESSING_FAILURE))
    assert answers == [status.PROCESSING_FAILURE] * 3


def test_actions_and_event_reports_are_asked_and_answered() -> None:
    seen: list[tuple[CommandSet, bytes]] = []

    def handle(association: Association, message: Message) -> None:
        information = association.receive_identifier() if message.has_data_set else b""
        seen.append((message.command, information))
        association.send(message.context_id, message.command.response(status.SUCCESS), information[::-1] or None)

    with Node(handle) as node, _connect(node) as association:
        context_id = scu.context_for(association, CT)
        assert scu.action(association, context_id, "1.2.3", 1, b"abcd").identifier == b"dcba"
        assert scu.event_report(association, context_id, "1.2.3", 2).status == status.SUCCESS
    (action, information), (event, nothing) = seen
    assert (action.command_field, action.requested_sop_instance_uid, action.action_type_id) == (0x0130, "1.2.3", 1)
    assert (event.command_field, event.affected_sop_instance_uid, event.event_type_id) == (0x0100, "1.2.3", 2)
    assert (information, nothing) == (b"abcd", b"")


@pytest.mark.parametrize("field", ["message_id_being_responded_to", "command_field", "status"])
def test_a_response_that_belongs_to_no_request_ends_the_association(field: str) -> None:
    def handle(association: Association, message: Message) -> None:
        response = message.command.response(status.SUCCESS)
        setattr(response, field, None if field == "status" else 0x7FFF)
        association.send(message.context_id, response)

    with Node(handle) as node, _connect(node) as association, pytest.raises(ProtocolViolation):
        scu.echo(association)
    assert [type(error) for error in node.errors] == [AssociationAborted]


def test_a_release_instead_of_a_response_is_an_error() -> None:
    def handle(association: Association, message: Message) -> None:
        association.release()

    with Node(handle) as node, _connect(node) as association, pytest.raises(ConnectionLost):
        scu.echo(association)
    assert all(isinstance(error, ConnectionLost) for error in node.errors)


def test_a_store_response_in_another_context_ends_the_association() -> None:
    def handle(association: Association, message: Message) -> None:
        association.discard_data_set()
        other = next(number for number in association.contexts if number != message.context_id)
        association.send(other, message.command.response(status.SUCCESS))

    with Node(handle) as node, _connect(node) as association:
        context_id = scu.context_for(association, CT)
        with pytest.raises(ProtocolViolation, match="another presentation context"):
            scu.store(association, context_id, CT, "1.2.3", b"data")
    assert [type(error) for error in node.errors] == [AssociationAborted]


def test_something_else_can_be_done_while_a_store_is_answered() -> None:
    store = Store()
    with Node(store) as node, _connect(node) as association:
        request = scu.send_store(association, scu.context_for(association, CT), (CT, "1.2.3"), b"data")
        assert request.command.affected_sop_instance_uid == "1.2.3"
        assert scu.store_response(association, request).status == status.SUCCESS
    assert store.received == [("1.2.3", b"data")]


def test_waiting_for_a_store_response_ends_when_asked_to() -> None:
    holding = threading.Event()

    def hold(association: Association, message: Message) -> None:
        association.discard_data_set()
        holding.set()
        assert association.receive_command() is None

    with Node(hold) as node, _connect(node) as association:
        request = scu.send_store(association, scu.context_for(association, CT), (CT, "1.2.3"), b"data")
        with pytest.raises(AssociationAborted):
            scu.store_response(association, request, should_stop=holding.is_set)
    assert [type(error) for error in node.errors] == [AssociationAborted]
