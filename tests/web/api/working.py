"""What a worker does, here and now: runs a job of the API's queue to its end."""

from __future__ import annotations

from functools import partial

from radfuse.dicom import Transcoder
from radfuse.jobs import Job, run_next
from radfuse.services.associating import Caller
from radfuse.services.peers import Peer
from radfuse.services.retrieve_job import RETRIEVE, RetrieveSurroundings, run_retrieve
from radfuse.services.send_job import SEND, SendSurroundings, run_send
from radfuse.wire import Limits
from tests.web.api.conftest import OUR_TITLE, RunningApi

LIMITS = Limits(connect_s=2, response_s=10, idle_s=10, close_wait_s=0.5)


def run_job(api: RunningApi, number: int) -> Job:
    """One attempt at a send or a retrieval."""
    desk = api.desk

    def caller_of(peer: Peer, title: str) -> Caller:
        return Caller(title or OUR_TITLE, peer.limits(LIMITS))

    with Transcoder() as transcoder:
        sending = SendSurroundings(desk.archive, desk.peers, desk.context_lists, caller_of, transcoder)
        retrieving = RetrieveSurroundings(desk.archive, desk.peers, caller_of)
        kinds = {
            SEND: partial(run_send, surroundings=sending),
            RETRIEVE: partial(run_retrieve, surroundings=retrieving),
        }
        return run_next(desk.jobs, kinds, number)
