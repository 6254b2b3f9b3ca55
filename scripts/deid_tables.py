"""Write the tables of the anonymizer: ``python -m scripts.deid_tables basic_profile.csv``.

From PS3.15 Table E.1-1 as CSV (a column for each option), and the types of attributes in the IODs of
PS3.3 as highdicom's package has them. Only facts of the standard go into the package.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

DATA: Final = Path(__file__).resolve().parents[1] / "src" / "radfuse" / "deid" / "data"
_OPTIONS: Final = {
    "retain_safe_private": "private",
    "retain_uids": "uids",
    "retain_device_identity": "device",
    "retain_institution_identity": "institution",
    "retain_patient_characteristics": "patient",
    "retain_longitudinal_full_dates": "dates",
    "retain_longitudinal_modified_dates": "shifted-dates",
    "clean_descriptors": "descriptors",
    "clean_structured_content": "structured-content",
    "clean_graphics": "graphics",
}
_STRICTEST: Final = ("1", "1C", "2", "2C", "3")


def profile(rows: list[dict[str, str]]) -> list[list[Any]]:
    """Tag as in the table, keyword, VR, basic action, and what each option does instead."""
    return [
        [
            row["tag"].strip("()").replace(",", "").upper().replace("X", "x"),
            row["keyword"],
            row["vr"],
            row["basic_profile"],
            {name: row[column] for column, name in _OPTIONS.items() if row[column]},
            row["edition"],
        ]
        for row in rows
    ]


def _standard(name: str) -> Any:
    package = find_spec("highdicom")
    if package is None or package.origin is None:
        raise SystemExit("highdicom is not installed")
    return json.loads((Path(package.origin).parent / "_standard" / f"{name}.json").read_text(encoding="utf-8"))


def types(rows: list[dict[str, str]]) -> dict[str, Any]:
    """The strictest type of each attribute whose action depends on it: by SOP class at the top, by sequence within."""
    wanted = {row["keyword"] for row in rows if "/" in row["basic_profile"]}
    modules, iods, classes = (
        _standard("module_attribute_map"),
        _standard("iod_module_map"),
        _standard("sop_class_iod_map"),
    )
    top: dict[str, dict[str, str]] = defaultdict(dict)
    within: dict[str, dict[str, str]] = defaultdict(dict)
    for iod, its_modules in iods.items():
        for module in its_modules:
            for attribute in modules.get(module["key"], ()):
                if attribute["keyword"] not in wanted:
                    continue
                path = attribute["path"]
                table, at = (within, path[-1]) if path else (top, iod)
                known = table[attribute["keyword"]].get(at, "3")
                table[attribute["keyword"]][at] = min(known, attribute["type"], key=_STRICTEST.index)
    of_iod: dict[str, list[str]] = defaultdict(list)
    for uid, iod in classes.items():
        of_iod[iod].append(uid)
    by_class = {
        keyword: {
            kind: sorted(uid for iod, its_kind in found.items() if its_kind == kind for uid in of_iod.get(iod, ()))
            for kind in _STRICTEST
            if kind != "3" and kind in found.values()
        }
        for keyword, found in sorted(top.items())
    }
    in_sequence = {
        keyword: {name: kind for name, kind in sorted(found.items()) if kind != "3"}
        for keyword, found in sorted(within.items())
    }
    return {"top": by_class, "within": in_sequence}


def main(table: str) -> None:
    """Write both."""
    with Path(table).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    DATA.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(row) for row in profile(rows))
    (DATA / "basic_profile.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    (DATA / "attribute_types.json").write_text(json.dumps(types(rows), indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
