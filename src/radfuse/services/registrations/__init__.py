"""The registration graph: every registration that is kept joins two frames of reference."""

from radfuse.registration.quality import Grade
from radfuse.services.registrations.listing import registration_in_detail, registrations_of_study
from radfuse.services.registrations.model import (
    Grading,
    KeptRegistration,
    Link,
    NotRegistered,
    RegistrationPath,
    Step,
    Wish,
)
from radfuse.services.registrations.paths import in_words, path, place_of
from radfuse.services.registrations.reading import kept_registrations
from radfuse.services.registrations.requiring import require_path

__all__ = [
    "Grade",
    "Grading",
    "KeptRegistration",
    "Link",
    "NotRegistered",
    "RegistrationPath",
    "Step",
    "Wish",
    "in_words",
    "kept_registrations",
    "path",
    "place_of",
    "registration_in_detail",
    "registrations_of_study",
    "require_path",
]
