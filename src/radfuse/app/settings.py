"""The settings of one data folder: ``radfuse.toml``, overridden by ``RADFUSE_...`` variables.

Nested keys join with two underscores: ``RADFUSE_STORAGE__DUPLICATES=reject``.
"""

from __future__ import annotations

import ipaddress
import os
import platform
import re
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from radfuse.archive import DuplicatePolicy
from radfuse.core.aetitle import ae_title_from_host_name, checked_ae_title
from radfuse.core.errors import ConfigurationError, InvalidAETitle, InvalidUID
from radfuse.core.uids import checked_uid
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.wire.tls import ClientCertificates

SETTINGS_FILE: Final = "radfuse.toml"
_ORIGIN: Final = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?\Z")
_Port = Annotated[int, Field(ge=0, le=65535)]
_PortOrOff = Annotated[int, Field(ge=-1, le=65535)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _checked_uids(values: list[str]) -> list[str]:
    try:
        return [checked_uid(value, "UID") for value in values]
    except InvalidUID as error:
        raise ValueError(str(error)) from error


def _absolute(folder: str) -> str:
    if not os.path.isabs(folder):
        raise ValueError(f"{folder!r} is no absolute path: begin it with /")
    return folder


class StorageSettings(_Section):
    """What is kept, and how."""

    duplicates: DuplicatePolicy = DuplicatePolicy.KEEP
    """Same SOP Instance UID with other bytes: keep the first, replace it, or reject the new one (0111H)."""
    accept_unknown_classes: bool = False
    """Store objects of SOP classes beyond the 102 of the conformance statement, private ones included."""
    extra_classes: list[str] = []
    """UIDs of further SOP classes to store."""
    extra_transfer_syntaxes: list[str] = []
    """UIDs of further transfer syntaxes to store as they are."""
    object_limit_bytes: Annotated[int, Field(gt=0)] = 64 << 30
    """Larger objects are refused with A700H."""
    reserve_bytes: Annotated[int, Field(ge=0)] = 64 << 20
    """Space that stays free on the volume (at most 2 % of a small one); beyond it objects get A700H."""

    _uids = field_validator("extra_classes", "extra_transfer_syntaxes")(_checked_uids)


class LimitSettings(_Section):
    """What a peer may take from us. Times are seconds."""

    associations: Annotated[int, Field(gt=0)] = 600
    """Associations at once, in each worker."""
    associations_per_address: Annotated[int, Field(gt=0)] = 400
    """Associations at once from one address, in each worker."""
    artim_s: Annotated[float, Field(gt=0)] = 30.0
    """From connecting to the association request; and, up to 5 s of it, from abort or release to closing."""
    pdu_s: Annotated[float, Field(gt=0)] = 60.0
    """From the first to the last byte of one PDU."""
    idle_s: Annotated[float, Field(gt=0)] = 300.0
    """Between two messages on an association."""
    response_s: Annotated[float, Field(gt=0)] = 120.0
    """Waiting for a peer's response when we are the requestor."""
    connect_s: Annotated[float, Field(gt=0)] = 10.0
    """Connecting to a peer."""
    shutdown_s: Annotated[float, Field(ge=0)] = 10.0
    """For running operations to end when the service is stopped."""


class JobSettings(_Section):
    """The durable jobs and the worker that runs them."""

    concurrency: Annotated[int, Field(ge=1, le=64)] = 8
    """Jobs at once in a worker; a peer's own concurrency bounds those to the peer."""
    keep_days: Annotated[float, Field(gt=0)] = 30.0
    """Jobs that have ended are forgotten after so many days."""
    poll_s: Annotated[float, Field(ge=0.05, le=60)] = 0.25
    """How often a worker at rest looks for something to do, in seconds."""


class TlsSettings(_Section):
    """TLS for DICOM, off until there is a certificate. Paths are relative to the data folder; files are PEM."""

    certificate: str = ""
    """Our certificate and those between it and its authority; empty: tls/node.pem once `radfuse tls init` made it."""
    key: str = ""
    """The private key of our certificate, without a password."""
    authorities: str = ""
    """Whose certificates we trust; empty: the operating system's store, or tls/ca.pem with tls/node.pem."""
    client_certificates: ClientCertificates = ClientCertificates.REQUIRED
    """Whether those who call us must prove themselves with a certificate: required, optional or none."""
    legacy: bool = False
    """Offer the cipher suites of the retired AES profile too, for devices that have no other: see docs/tls.md."""


class SessionSettings(_Section):
    """The sessions of those who log in to the console."""

    idle_minutes: Annotated[float, Field(ge=1, le=1440)] = 60.0
    """A session ends when nothing is done for so long."""
    hours: Annotated[float, Field(gt=0, le=720)] = 12.0
    """A session ends after so long in any case."""


class CommitmentSettings(_Section):
    """Storage commitment that we ask peers for."""

    wait_s: Annotated[float, Field(ge=0, le=3600)] = 10.0
    """How long a job waits for the peer's report before it ends; a report that comes later is noted all the same."""
    overdue_hours: Annotated[float, Field(gt=0)] = 24.0
    """A request without a report for so long is shown as overdue."""


class WatchedFiles(StrEnum):
    """What happens to the files of the watched folder that the archive holds."""

    MOVE = "move"
    REMOVE = "remove"


class MediaSettings(_Section):
    """Media: file-sets that are written and read. Folders are those of the server."""

    import_folders: list[str] = []
    """Folders that may be imported from on the page, such as /media or a mounted share; none by default."""
    watched_folder: str = ""
    """A folder whose files are imported as soon as they are whole; empty: none."""
    watched_files: WatchedFiles = WatchedFiles.MOVE
    """What becomes of them once they are kept: move (to .imported in that folder) or remove."""
    watched_database: str = DEFAULT_DATABASE
    """The database that they are imported into."""
    watched_every_s: Annotated[float, Field(ge=0.2, le=3600)] = 5.0
    """How often the folder is looked at; a file is whole when it is the same at two looks."""

    @field_validator("import_folders")
    @classmethod
    def _valid_folders(cls, values: list[str]) -> list[str]:
        return [_absolute(value) for value in values]

    @field_validator("watched_folder")
    @classmethod
    def _valid_watched_folder(cls, value: str) -> str:
        return _absolute(value) if value else ""

    export_folders: list[str] = []
    """Folders that exports from the page may be written below, such as /media/usb; none by default."""
    institution: str = ""
    """Who exports: written into the README of every file-set."""


class Settings(BaseSettings):
    """Everything that can be set in a data folder."""

    model_config = SettingsConfigDict(
        env_prefix="RADFUSE_",
        env_nested_delimiter="__",
        frozen=True,
        extra="ignore",
        nested_model_default_partial_update=True,
    )

    data: Path = Path("radfuse-data")
    """The data folder."""
    host: str = "127.0.0.1"
    """Address to listen on. Beyond loopback only configured peers may do more than C-ECHO."""
    dicom_port: _Port = 11112
    """Port of the DICOM node."""
    tls_port: _Port = 2762
    """Port of the DICOM node for TLS, once there is a certificate."""
    http_host: str = "127.0.0.1"
    """Address of the web server. Beyond this machine's own it needs a user: `radfuse users add`."""
    http_port: _PortOrOff = 8042
    """Port of the web server (DICOMweb, the API, the console, metrics); -1: no web server."""
    http_tls: bool = False
    """Serve HTTPS with the certificate of the section tls. Not needed behind a proxy that does."""
    public_url: str = ""
    """What browsers call the web server, where a proxy stands before it: https://pacs.example. Needs a user."""
    proxies: list[str] = ["127.0.0.1", "::1"]
    """Addresses of the proxy under public_url: what it says in X-Forwarded-For is believed."""
    cors_origins: list[str] = []
    """Origins of web pages elsewhere, such as https://viewer.example, that may use DICOMweb with a token."""
    access_log_days: Annotated[float, Field(ge=0)] = 365.0
    """Lines of the access log are kept for so many days; 0: for ever."""
    workspace_days: Annotated[float, Field(ge=0)] = 90.0
    """Drafts of the workstation that nobody changes are kept for so many days; 0: for ever."""
    undo_minutes: Annotated[float, Field(ge=0, le=10_080)] = 5.0
    """What is deleted on a page stays for so long, and the deletion can be taken back; 0: it is deleted at once."""
    volume_cache_bytes: Annotated[int, Field(ge=0)] = 8 << 30
    """Volumes that were built are kept ready on disk, for each database up to so many bytes; 0: none are."""
    ae_title: str = Field(default_factory=lambda: ae_title_from_host_name(platform.node()))
    """Our AE title; the default is the machine's name."""
    workers: Annotated[int, Field(ge=1, le=64)] = min(4, os.cpu_count() or 1)
    """Node processes that share the port."""
    databases: dict[str, str] = {}
    """Further AE titles of ours and the database that each one stores to and answers from."""
    index_url: str = ""
    """Database of the default index; empty: SQLite in the data folder. PostgreSQL: postgresql+psycopg://..."""
    jobs_url: str = ""
    """Database of the jobs; empty: jobs.sqlite in the data folder. PostgreSQL: postgresql+psycopg://..."""
    workstation_ae_title: str = "RADFUSE_SCU"
    """Our AE title when we send with the workstation's profile (the context list xd)."""
    sessions: SessionSettings = SessionSettings()
    jobs: JobSettings = JobSettings()
    commitment: CommitmentSettings = CommitmentSettings()
    media: MediaSettings = MediaSettings()
    storage: StorageSettings = StorageSettings()
    tls: TlsSettings = TlsSettings()
    limits: LimitSettings = LimitSettings()

    @field_validator("ae_title", "workstation_ae_title")
    @classmethod
    def _valid_ae_title(cls, value: str) -> str:
        return _valid_title(value)

    @field_validator("public_url")
    @classmethod
    def _valid_public_url(cls, value: str) -> str:
        return valid_origin(value.rstrip("/")) if value else ""

    @field_validator("cors_origins")
    @classmethod
    def _valid_cors_origins(cls, values: list[str]) -> list[str]:
        return [valid_origin(value) for value in values]

    @field_validator("proxies")
    @classmethod
    def _valid_proxies(cls, values: list[str]) -> list[str]:
        return [str(ipaddress.ip_address(value)) for value in values]

    @field_validator("databases")
    @classmethod
    def _valid_databases(cls, value: dict[str, str]) -> dict[str, str]:
        return {_valid_title(title): name for title, name in value.items()}

    @field_validator("media")
    @classmethod
    def _valid_watched_database(cls, value: MediaSettings, info: ValidationInfo) -> MediaSettings:
        if value.watched_database not in (DEFAULT_DATABASE, *info.data.get("databases", {}).values()):
            raise ValueError(f"watched_database: there is no database {value.watched_database!r}")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment before file: ``load_settings`` hands the file over as initial values."""
        return (env_settings, init_settings)

    def database_names(self) -> dict[str, str]:
        """All our AE titles and their databases."""
        return {self.ae_title: DEFAULT_DATABASE} | self.databases


def valid_origin(value: str) -> str:
    """A scheme, a host and perhaps a port, as browsers write it. Raises ValueError."""
    if not _ORIGIN.match(value):
        raise ValueError(f"{value!r} is no address of the form https://host or http://host:port")
    return value.lower()


def _valid_title(value: str) -> str:
    try:
        return checked_ae_title(value)
    except InvalidAETitle as error:
        raise ValueError(str(error)) from error


def load_settings(data_folder: Path | None = None) -> Settings:
    """The settings of a data folder (default: RADFUSE_DATA or ./radfuse-data).

    Raises ConfigurationError naming the first setting that cannot be used.
    """
    folder = data_folder or Path(os.environ.get("RADFUSE_DATA", "radfuse-data"))
    path = folder / SETTINGS_FILE
    values: dict[str, Any] = {}
    try:
        if path.exists():
            values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(SETTINGS_FILE, f"cannot be read: {error}") from error
    known = set(Settings.model_fields)
    for name in values:
        if name not in known:
            raise ConfigurationError(
                f"{SETTINGS_FILE}: {name}", f"unknown setting; known are {', '.join(sorted(known))}"
            )
    try:
        settings = Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigurationError(
            ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
        ) from error
    return settings.model_copy(update={"data": folder})
