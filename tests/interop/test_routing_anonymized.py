"""The rule "anonymize, then send" from one end to the other: DCMTK's storescu sends, its storescp gets only copies."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest

from radfuse.core.aetitle import AETitle
from radfuse.jobs import JobContext, JobState
from radfuse.services.anonymize_job import AnonymizeSurroundings, run_anonymization
from radfuse.services.anonymize_verify import verify_files
from radfuse.services.peers import Peer
from radfuse.services.project_keys import Keys
from tests.interop.test_routing import RoutingNode, let_run, nodes
from tests.support.generate import PATIENT_ID, PATIENT_NAME, STUDY_UID, GeneratedSet
from tests.support.servers import running_storescp

pytestmark = pytest.mark.peers

RULE: dict[str, Any] = {"peers": ["RESEARCH"], "key": "trial-7", "preset": "pet"}


class AnonymizingNode(RoutingNode):
    """Its jobs really anonymize, too."""

    def _anonymize(self, context: JobContext) -> None:
        run_anonymization(context, AnonymizeSurroundings(self._surroundings, self.folder))


def test_what_arrives_leaves_anonymized_once_and_joined(
    dcmtk: Callable[[str], str], generated_set: GeneratedSet, free_port: int, tmp_path: Path
) -> None:
    sent = [generated_set.ct[0], generated_set.pet[0], generated_set.secondary_capture]
    with contextlib.ExitStack() as stack:
        stack.enter_context(running_storescp(dcmtk("storescp"), tmp_path / "in", free_port))
        (node,) = stack.enter_context(nodes(tmp_path, "NODE", kind=AnonymizingNode))
        node.peers.add(Peer("RESEARCH", AETitle("RESEARCH"), "127.0.0.1", free_port))
        Keys(node.folder).new("trial-7")
        node.rule(send=(), when="instance", anonymize_then_send=RULE)
        host, port = node.server.address
        command = [dcmtk("storescu"), "-aec", node.title, host, str(port), *map(str, sent)]
        subprocess.run(command, check=True, timeout=60)
        let_run(node)
        states = sorted(item.state.value for job in node.jobs.list() for item in node.jobs.items(job.id, limit=None))
        assert states == ["failed", "sent", "sent"]
        assert {job.state for job in node.jobs.list()} <= {JobState.DONE, JobState.FAILED}
    files = sorted((tmp_path / "in").iterdir())
    got = [pydicom.dcmread(path) for path in files]
    assert sorted(each.Modality for each in got) == ["CT", "PT"]
    assert len({each.StudyInstanceUID for each in got}) == len({each.PatientID for each in got}) == 1
    assert got[0].StudyInstanceUID != STUDY_UID
    judged = verify_files(files, known=[PATIENT_ID, PATIENT_NAME, STUDY_UID], originals=sent)
    assert not [found for each in judged for found in each.findings if found.is_wrong]
