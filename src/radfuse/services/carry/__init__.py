"""Points, contours, masks and images carried from one series to another by the registrations that are kept."""

from radfuse.services.carry.asking import CarryAsk, Form, Images, Regions
from radfuse.services.carry.carrying import Carried, Progress, carry, objects_of, save
from radfuse.services.carry.finding import path_of
from radfuse.services.carry.points import CarriedPoints, NamedPoint, carry_points, read_points, write_points

__all__ = [
    "Carried",
    "CarriedPoints",
    "CarryAsk",
    "Form",
    "Images",
    "NamedPoint",
    "Progress",
    "Regions",
    "carry",
    "carry_points",
    "objects_of",
    "path_of",
    "read_points",
    "save",
    "write_points",
]
