"""Table 9-10 against pynetdicom's."""

from __future__ import annotations

from pynetdicom.fsm import ACTIONS, TRANSITION_TABLE

from radfuse.wire.fsm import DELIVERS_DATA, TRANSITIONS, Action, Event, State, Step, collision_state

ORACLE = {
    (Event(int(event.removeprefix("Evt"))), State(int(state.removeprefix("Sta")))): action
    for (event, state), action in TRANSITION_TABLE.items()
}


def test_the_table_has_exactly_the_cells_of_the_standard() -> None:
    assert TRANSITIONS.keys() == ORACLE.keys()


def test_every_cell_names_the_action_of_the_standard() -> None:
    assert {cell: action.value[0] for cell, (action, _) in TRANSITIONS.items()} == ORACLE


def test_every_cell_leads_to_the_next_state_of_its_action() -> None:
    for action, state in TRANSITIONS.values():
        states = ACTIONS[action.value[0]][2]
        allowed = (states,) if isinstance(states, str) else states
        assert f"Sta{state.value}" in allowed, action


def test_every_event_state_and_action_is_in_the_table() -> None:
    assert {event for event, _ in TRANSITIONS} == set(Event)
    assert {state for _, state in TRANSITIONS} == set(State)
    assert {action for action, _ in TRANSITIONS.values()} == set(Action)
    assert len(State) == 13
    assert len(Event) == 19
    assert len(Action) == len(ACTIONS)


def test_every_transition_to_the_last_state_starts_the_timer_or_keeps_it() -> None:
    for action, state in TRANSITIONS.values():
        if state is State.AWAITING_TRANSPORT_CLOSE:
            assert Step.START_ARTIM in action.steps or action in (Action.AA_6, Action.AA_7)


def test_a_release_collision_leads_each_side_to_its_own_state() -> None:
    assert collision_state(requestor=True) is State.COLLISION_REQUESTOR_AWAITING_LOCAL
    assert collision_state(requestor=False) is State.COLLISION_ACCEPTOR_AWAITING_PEER


def test_data_are_delivered_while_established_and_after_our_own_release_request() -> None:
    assert {State.ESTABLISHED, State.AWAITING_RELEASE_RESPONSE} == DELIVERS_DATA
