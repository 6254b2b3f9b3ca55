"""Studies, series or instances that a person has chosen, as requests name them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from radfuse.services import selection
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.web.identity import note

Uid = Annotated[str, Field(max_length=64)]


class SeriesAddress(BaseModel):
    """A series of a study, by their UIDs."""

    model_config = ConfigDict(extra="forbid")
    study: Uid
    series: Uid


class InstanceAddress(BaseModel):
    """An instance of a series of a study, by their UIDs."""

    model_config = ConfigDict(extra="forbid")
    study: Uid
    series: Uid
    instance: Uid


class Selection(BaseModel):
    """Studies, series or instances of one database."""

    model_config = ConfigDict(extra="forbid")
    studies: list[Uid] = Field([], max_length=10_000)
    series: list[SeriesAddress] = Field([], max_length=10_000)
    instances: list[InstanceAddress] = Field([], max_length=100_000)
    database: str = Field(DEFAULT_DATABASE, max_length=64)

    def chosen(self) -> selection.Selection:
        """What is selected. Raises ConfigurationError for nothing, InvalidUID."""
        return selection.Selection(
            self.studies,
            [selection.SeriesAddress(each.study, each.series) for each in self.series],
            [selection.InstanceAddress(each.study, each.series, each.instance) for each in self.instances],
            self.database,
        )


def note_studies(request: Request, action: str, chosen: selection.Selection, subject: str = "") -> None:
    """Tell the access log what is done to each study of a selection."""
    for study in selection.studies_of(chosen):
        note(request, action, study=study, subject=subject)
