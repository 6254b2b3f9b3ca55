"""The one error tree of Radfuse.

Every error states its facts as fields and its sentence as ``template``. Doors translate by table
(error to DIMSE status, error to exit code); nothing parses the sentence. Sentences never hold
patient data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class RadfuseError(Exception):
    """Anything Radfuse can refuse or fail at."""

    template: ClassVar[str] = "Radfuse could not do this"

    def __str__(self) -> str:
        """The sentence, with the fields filled in."""
        return self.template.format(**self.__dict__)


# --- words -----------------------------------------------------------------------------------


@dataclass(eq=False)
class InvalidUID(RadfuseError):
    """A UID that PS3.5 section 9.1 does not allow."""

    attribute: str
    reason: str
    template = "{attribute} is not a valid UID: {reason}"


@dataclass(eq=False)
class InvalidAETitle(RadfuseError):
    """An AE title that PS3.5 section 6.2 (AE) does not allow."""

    reason: str
    template = "not a valid AE title: {reason}"


# --- data sets -------------------------------------------------------------------------------


class DataSetError(RadfuseError):
    """A data set that cannot be read, or must not be."""


@dataclass(eq=False)
class MalformedDataSet(DataSetError):
    """The encoding is broken at ``offset`` bytes into the data set."""

    reason: str
    offset: int
    template = "malformed data set at byte {offset}: {reason}"


@dataclass(eq=False)
class NestingTooDeep(DataSetError):
    """Sequences nested deeper than ``limit``."""

    limit: int
    template = "sequences are nested deeper than {limit} levels"


@dataclass(eq=False)
class InflatedTooLarge(DataSetError):
    """A deflated data set that inflates beyond ``limit_bytes``."""

    limit_bytes: int
    template = "the deflated data set inflates to more than {limit_bytes} bytes"


@dataclass(eq=False)
class InvalidInstance(DataSetError):
    """A readable data set that is not a valid instance of its SOP class."""

    reason: str
    template = "not a valid instance: {reason}"


@dataclass(eq=False)
class NotPart10(DataSetError):
    """A file that is not a DICOM Part 10 file."""

    reason: str
    template = "not a DICOM Part 10 file: {reason}"


@dataclass(eq=False)
class TextNotEncodable(DataSetError):
    """Text that the named character set cannot hold."""

    character_set: str
    template = "the text cannot be written in character set {character_set}"


@dataclass(eq=False)
class CannotTranscode(DataSetError):
    """No loss-free way from one transfer syntax to another."""

    source: str
    target: str
    reason: str
    template = "cannot transcode {source} to {target}: {reason}"


# --- the wire --------------------------------------------------------------------------------


class WireError(RadfuseError):
    """Anything that ends or refuses an association."""


@dataclass(eq=False)
class ProtocolViolation(WireError):
    """The peer broke PS3.7 or PS3.8. ``abort_reason`` is the A-ABORT reason to send."""

    reason: str
    abort_reason: int = 0
    template = "the peer broke the protocol: {reason}"


@dataclass(eq=False)
class AssociationRejected(WireError):
    """The peer answered A-ASSOCIATE-RJ (PS3.8 section 9.3.4)."""

    result: int
    source: int
    reason: int
    meaning: str
    template = "the peer rejected the association: {meaning}"


@dataclass(eq=False)
class AssociationAborted(WireError):
    """The peer, or the provider, aborted (PS3.8 section 9.3.8)."""

    source: int
    reason: int
    template = "the association was aborted (source {source}, reason {reason})"


@dataclass(eq=False)
class ConnectionLost(WireError):
    """The TCP connection is gone or could not be made."""

    reason: str
    template = "connection lost: {reason}"


@dataclass(eq=False)
class PeerTimeout(WireError):
    """The peer did not do in time what it had to."""

    waiting_for: str
    after_s: float
    template = "the peer took longer than {after_s:g} s for {waiting_for}"


@dataclass(eq=False)
class NoPresentationContext(WireError):
    """No accepted presentation context for what must be sent."""

    sop_class_uid: str
    transfer_syntax_uid: str = ""
    template = "the peer accepted no presentation context for SOP class {sop_class_uid} {transfer_syntax_uid}"


@dataclass(eq=False)
class TlsFailed(WireError):
    """No TLS connection could be made with the peer, or it was broken.

    ``remedy`` says what must be put right: "trust" (the authorities that we trust), "name" or "port" (as
    the peer is configured), "ours" or "theirs" (the certificate), or nothing in particular.
    """

    reason: str
    remedy: str = ""
    template = "no TLS connection: {reason}"


@dataclass(eq=False)
class OperationFailed(WireError):
    """A DIMSE response with a failure status (PS3.7 Annex C)."""

    operation: str
    status: int
    comment: str = ""
    template = "{operation} failed with status {status:04X} {comment}"


# --- archive ---------------------------------------------------------------------------------


class ArchiveError(RadfuseError):
    """The archive could not keep or give."""


@dataclass(eq=False)
class OutOfSpace(ArchiveError):
    """The store's volume has no room (or only its reserve) left."""

    where: str
    template = "no space left for {where}"


@dataclass(eq=False)
class ObjectTooLarge(ArchiveError):
    """An object over the configured size."""

    limit_bytes: int
    template = "the object is larger than the configured {limit_bytes} bytes"


@dataclass(eq=False)
class DuplicateRejected(ArchiveError):
    """Same SOP Instance UID, other bytes, and the policy is to reject."""

    template = "another object with this SOP Instance UID is already kept"


@dataclass(eq=False)
class BlobMissing(ArchiveError):
    """An indexed object whose file is not in the store."""

    blob_id: str
    template = "the stored object {blob_id} is missing; run 'radfuse check'"


@dataclass(eq=False)
class BlobDamaged(ArchiveError):
    """A stored object whose bytes no longer match their digest."""

    blob_id: str
    template = "the stored object {blob_id} is damaged; run 'radfuse check'"


@dataclass(eq=False)
class FolderInUse(ArchiveError):
    """A second service on the same data folder."""

    folder: str
    template = "another Radfuse is already serving the data folder {folder}; stop it first or use --data"


@dataclass(eq=False)
class IndexDamaged(ArchiveError):
    """An index that cannot be read or is gone, and cannot be rebuilt while others use it."""

    folder: str
    template = "the index in {folder} is damaged; stop every Radfuse that uses it, move index.sqlite away, start again"


@dataclass(eq=False)
class SchemaTooNew(ArchiveError):
    """A database written by a newer Radfuse."""

    database: str
    revision: str
    template = "{database} was written by a newer Radfuse (schema {revision}); install that version or newer"


# --- queries ---------------------------------------------------------------------------------


@dataclass(eq=False)
class InvalidQuery(RadfuseError):
    """An identifier that its information model does not allow (PS3.4 section C.4)."""

    reason: str
    template = "invalid query: {reason}"


# --- configuration and rights ----------------------------------------------------------------


@dataclass(eq=False)
class ConfigurationError(RadfuseError):
    """A setting that cannot be used, and what to do about it."""

    setting: str
    reason: str
    template = "{setting}: {reason}"


@dataclass(eq=False)
class UnknownPeer(RadfuseError):
    """No peer of this name or AE title is configured."""

    peer: str
    template = "unknown peer {peer!r}; add it with 'radfuse peers add NAME AET@HOST:PORT' or write AET@HOST:PORT"


@dataclass(eq=False)
class UnknownRule(RadfuseError):
    """No routing rule has this name."""

    rule: str
    template = "there is no rule {rule!r}; 'radfuse rules list' shows all"


@dataclass(eq=False)
class NotAuthorized(RadfuseError):
    """The calling peer has no right to the operation."""

    operation: str
    template = "the calling AE title may not {operation} here"


@dataclass(eq=False)
class NotAllowed(RadfuseError):
    """Our own configuration forbids this operation with a peer."""

    operation: str
    peer: str
    template = "the configuration does not allow to {operation} peer {peer!r}; 'radfuse peers add' can change that"


# --- storage commitment ----------------------------------------------------------------------


@dataclass(eq=False)
class InvalidCommitment(RadfuseError):
    """A request or report of storage commitment that PS3.4 Annex J does not allow."""

    reason: str
    template = "not a valid storage commitment: {reason}"


class UnknownTransaction(RadfuseError):
    """A report of storage commitment about no transaction of ours with that peer."""

    template = "the report belongs to no transaction that we have with this peer"


# --- jobs ------------------------------------------------------------------------------------


class JobError(RadfuseError):
    """A job that cannot be done, or not now."""


@dataclass(eq=False)
class UnknownJob(JobError):
    """No job has this number."""

    job: int
    template = "there is no job {job}; 'radfuse jobs list' shows all"


@dataclass(eq=False)
class JobNotInState(JobError):
    """The user asked for something that a job in this state cannot do."""

    job: int
    operation: str
    state: str
    template = "job {job} is {state}: it cannot {operation}"


@dataclass(eq=False)
class JobFailed(JobError):
    """A job cannot be done, and another attempt would end the same: a person has to act."""

    reason: str
    template = "{reason}"


@dataclass(eq=False)
class DurableQueueFailed(JobError):
    """DBOS refused or failed at something that is not the database's fault."""

    reason: str
    template = "the durable queue failed: {reason}"


@dataclass(eq=False)
class TransientFailure(JobError):
    """A job failed for now: it is worth another attempt later."""

    reason: str
    template = "{reason}"


@dataclass(eq=False)
class WorkerRunning(JobError):
    """A second worker on the same data folder."""

    folder: str
    template = "a worker already runs the jobs of the data folder {folder} ('radfuse serve' has one of its own)"
