"""How refusals stand in the description of the API."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field

from radfuse.web.problems import PROBLEM_TYPE


class Problem(BaseModel):
    """Every error (RFC 9457)."""

    title: str
    status: int
    detail: str = Field(description="What is wrong and what to do, for people.")
    setting: str | None = Field(None, description="The field that was refused, where there is one.")


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route answers with ``statuses``: the ``responses`` of its decorator."""
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        int(status): {"description": HTTPStatus(status).phrase, "model": Problem, "content": content}
        for status in statuses
    }
