#!/usr/bin/env python3
"""Writes systems.txt, the table of coordinate systems, from the database of PROJ.

    python3 -m venv venv && venv/bin/pip install pyproj==3.7.2
    venv/bin/python src/places/system/systems.py

Takes half an hour. Needed for a new release of PROJ or proj4rs only; commit the table.

A line is a name and a PROJ string without its `+proj=`, or a name and `=` with the name of an equal system. The datum
shift of a system (`towgs84`) is the one that PROJ uses at most of five places in the area of the system, without grids.
A system is left out if proj4rs lacks its projection (PROJECTIONS) or computes it wrongly (WRONG), if it is not in
degrees or has no single shift that is within MAX_DEVIATION metres of PROJ at the five places.

The data are those of the EPSG Dataset of the IOGP, of Esri and of the IGN, as PROJ has them (MIT licence). The terms of
the EPSG Dataset allow their use and distribution. The IOGP is not responsible for changes made here.

`checks.txt` is for the tests: one place of every twentieth system, as PROJ computes it. `known.txt`, made by hand in
the same way, has the systems that users choose often.
"""

import collections
import json
import math
import pathlib
import re
import sys
import warnings

import pyproj
from pyproj.database import query_crs_info
from pyproj.enums import PJType, TransformDirection

warnings.filterwarnings("ignore")

HERE = pathlib.Path(__file__).parent
AUTHORITIES = ["EPSG", "OGC", "ESRI", "IGNF"]
KINDS = [PJType.PROJECTED_CRS, PJType.GEOGRAPHIC_2D_CRS, PJType.GEOGRAPHIC_3D_CRS, PJType.COMPOUND_CRS]
MAX_DEVIATION = 100.0
# Of proj4rs 0.3, without those that were not compared.
PROJECTIONS = set(
    "longlat lcc utm tmerc aea stere sterea merc webmerc somerc laea moll eqc aeqd krovak mill cea poly ortho gnom sinu"
    " omerc cass eqdc robin eqearth".split()
)
# proj4rs 0.3 is off by more than MAX_DEVIATION. Found by comparing all systems at all five places.
WRONG = {"EPSG:9311"}
ELLIPSOIDS = dict(
    WGS84="WGS84", NAD83="GRS80", NAD27="clrk66", potsdam="bessel", carthage="clrk80ign", hermannskogel="bessel",
    ire65="mod_airy", nzgd49="intl", OSGB36="airy", GGRS87="GRS80",
)
# Parameters that change nothing here, and those that are the default.
IGNORED = {"type", "no_defs", "wktext", "vunits", "geoidgrids", "geoid_crs", "towgs84"}
DEFAULTS = dict(k=1, k_0=1, x_0=0, y_0=0, lat_0=0, lon_0=0, lat_ts=0, gamma=0)
# Fractions of the area of a system at which it is compared.
PLACES = [(0.5, 0.5), (0.25, 0.3), (0.75, 0.3), (0.3, 0.75), (0.7, 0.7)]


def horizontal(crs):
    while crs.is_compound:
        crs = crs.sub_crs_list[0]
    return crs.to_2d() if len(crs.axis_info) == 3 else crs


def shift(operation):
    """The parameters of `towgs84` for a pipeline of PROJ: none, 3 or 7 numbers. `None` if there are none."""
    total = None
    for step in re.split(r"\bstep\b", operation):
        if "proj=helmert" not in step and "proj=molobadekas" not in step:
            continue
        given = dict(re.findall(r"(\w+)=(\S+)", step))
        x, y, z, rx, ry, rz, s, px, py, pz = (
            float(given.get(key, 0)) for key in ("x", "y", "z", "rx", "ry", "rz", "s", "px", "py", "pz")
        )
        if given.get("convention") == "coordinate_frame":
            rx, ry, rz = -rx, -ry, -rz
        if "proj=molobadekas" in step:
            # The rotation is about a point. It moves the centre of the Earth, which adds to the translation.
            a, b, c = (math.radians(angle / 3600) for angle in (rx, ry, rz))
            m = 1 + s * 1e-6
            x += px - m * (px - c * py + b * pz)
            y += py - m * (c * px + py - a * pz)
            z += pz - m * (-b * px + a * py + pz)
        these = [x, y, z, rx, ry, rz, s]
        if re.search(r"\binv\b", step):
            these = [-number for number in these]
        # Exact for translations, near enough for small angles.
        total = these if total is None else [one + two for one, two in zip(total, these)]
    if total is None:
        return None
    return total if any(total[3:]) else total[:3] if any(total) else []


def number(text):
    try:
        return "%.15g" % float(text)
    except ValueError:
        return text


def definition(crs, operation):
    """A PROJ string as in the table."""
    name, parts = None, []
    for token in crs.to_proj4().split():
        key, _, value = token.removeprefix("+").partition("=")
        if key == "proj":
            name = value
        elif key == "datum":
            parts.append(f"ellps={ELLIPSOIDS[value]}")
        elif key in IGNORED or (key, value) == ("units", "m") or (key in DEFAULTS and float(value) == DEFAULTS[key]):
            pass
        elif not value or key in ("ellps", "units", "axis", "nadgrids", "pm"):
            parts.append(token.removeprefix("+"))
        else:
            parts.append(f"{key}={number(value)}")
    numbers = shift(operation)
    if numbers:
        parts.append("towgs84=" + ",".join(number(n) for n in numbers))
    elif numbers == [] and crs.ellipsoid.semi_major_metre != 6378137:
        parts.append("towgs84=0,0,0")
    return name, " ".join([name, *parts])


def metres(one, two):
    east = (one[0] - two[0] + 180) % 360 - 180
    return math.hypot(east * 111320 * math.cos(math.radians(two[1])), (one[1] - two[1]) * 110950)


def compare(crs, area):
    """The operation of PROJ that is best at the places of the area, and these: x, y, longitude, latitude."""
    to_wgs84 = pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
    west, south, east, north = area.west, area.south, area.east, area.north
    east += 360 if west > east else 0
    places, operations, vague = [], {}, set()
    for across, up in PLACES:
        lon, lat = west + (east - west) * across, south + (north - south) * up
        x, y = to_wgs84.transform(lon - 360 if lon > 180 else lon, lat, direction=TransformDirection.INVERSE)
        if not (math.isfinite(x) and math.isfinite(y)):
            continue
        lon, lat = to_wgs84.transform(x, y)
        if not (math.isfinite(lon) and math.isfinite(lat)):
            continue
        try:
            used = to_wgs84.get_last_used_operation()
        except Exception:  # There is only one.
            used = to_wgs84
        operations[used.definition] = used
        if "ballpark" in (used.description or "").lower():
            vague.add(used.definition)
        places.append((used.definition, [x, y, lon, lat]))
    # Where PROJ knows no shift, that of elsewhere is better.
    if len(vague) < len(operations):
        places = [place for place in places if place[0] not in vague]
        operations = {key: used for key, used in operations.items() if key not in vague}
    places = [place for _, place in places]

    def deviation(key):
        pipeline = pyproj.Transformer.from_pipeline(key)
        return max(metres(pipeline.transform(*place[:2]), place[2:]) for place in places)

    best = min(operations, key=deviation) if len(operations) > 1 else next(iter(operations), None)
    return best, operations[best].accuracy if best else None, places


def deviation(row, transformers={}):
    """Metres between the line of the table and PROJ, both computed by PROJ."""
    text = "+proj=" + row["definition"].replace(" ", " +") + " +type=crs"
    if text not in transformers:
        transformers[text] = pyproj.Transformer.from_crs(pyproj.CRS(text), 4326, always_xy=True)
    return max(metres(transformers[text].transform(*place[:2]), place[2:]) for place in row["places"])


def candidates():
    for authority in AUTHORITIES:
        for kind in KINDS:
            for info in query_crs_info(auth_name=authority, pj_types=[kind], allow_deprecated=True):
                row = dict(name=f"{authority}:{info.code}".upper(), title=info.name, kind=kind.name)
                try:
                    crs = horizontal(pyproj.CRS.from_authority(authority, info.code))
                    area = info.area_of_use or crs.area_of_use
                    if " " in row["name"] or area is None:
                        raise ValueError("no area or no plain name")
                    operation, row["accuracy"], row["places"] = compare(crs, area)
                    if not operation:
                        raise ValueError("no place can be computed")
                    row["projection"], row["definition"] = definition(crs, operation)
                except Exception as error:
                    row["left_out"] = str(error)[:60]
                yield row


def main():
    cache = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if cache and cache.exists():
        rows = [json.loads(line) for line in cache.read_text().splitlines()]
    else:
        rows = list(candidates())
        if cache:
            cache.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for row in rows:
        if "left_out" not in row and row["projection"] not in PROJECTIONS:
            row["left_out"] = "projection " + row["projection"]
        elif row["name"] in WRONG:
            row["left_out"] = "computed wrongly"
        elif "left_out" not in row and not deviation(row) <= MAX_DEVIATION:
            row["left_out"] = "no single shift"
    # Some codes are listed once for each of two areas.
    by_name = {row["name"]: row for row in reversed(rows) if "left_out" not in row}
    kept = [by_name[name] for name in sorted(by_name)]
    first, lines, checks = {}, [], []
    for at, row in enumerate(kept):
        same = first.setdefault(row["definition"], row["name"])
        lines.append(f"{row['name']} {row['definition'] if same == row['name'] else '=' + same}\n")
        if at % 20 == 0:
            checks.append(f"{row['name']} " + " ".join("%.10g" % n for n in row["places"][0]) + "\n")
    (HERE / "systems.txt").write_text("".join(lines))
    (HERE / "checks.txt").write_text("".join(checks))
    print(pyproj.proj_version_str, len(kept), "systems;", collections.Counter(row.get("left_out") for row in rows))


if __name__ == "__main__":
    main()
