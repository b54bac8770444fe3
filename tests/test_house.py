"""The order of the house: imports go down, files stay small, only the command line prints."""

import ast
from pathlib import Path

import pytest

import tacit

PACKAGE = Path(tacit.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
FLOORS = (  # from the ground up; the longest name that fits a module is its floor
    "errors",
    "atomic",
    "processor",
    "geometry",
    "drawing",
    "data.images",  # the one place where picture files are opened: results read theirs again there
    "results",
    "thresholds",
    "data",
    "nn.uses",  # a recipe's fields, read without torch
    "nn",
    "trunks",
    "tasks.detect.gains",  # a recipe's fields, read without torch
    "tasks",
    "network",
    "assemble",
    "zoo",
    "describe",
    "diagram",
    "diagram_file",
    "knowledge_view",
    "knowledge_chart",
    "runtime.engine",  # what the stages stand around
    "runtime.torch_engine",
    "stages",
    "rectangular",
    "weights",
    "evaluate",
    "training",
    "runtime",
    "predict",
    "scale",
    "bench",
    "api",
    "cli",
)
LONGEST_FILE = 250
LONGEST_FUNCTION = 45


def module_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor_of(module):
    fitting = [floor for floor in FLOORS if module == floor or module.startswith(f"{floor}.")]
    return FLOORS.index(max(fitting, key=len)) if fitting else None


def imported(tree):
    """Modules of the package that `tree` imports, wherever in the file."""
    modules = set(map(module_of, FILES))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tacit":
            inner = node.module.removeprefix("tacit").removeprefix(".")
            for alias in node.names:
                full = f"{inner}.{alias.name}".removeprefix(".")
                yield full if full in modules else inner
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("tacit."):
                    yield alias.name.removeprefix("tacit.")


@pytest.fixture(params=FILES, ids=module_of)
def file(request):
    return request.param


@pytest.fixture
def tree(file):
    return ast.parse(file.read_text(encoding="utf-8"))


def test_imports_go_down(file, tree):
    module = module_of(file)
    if module in {"", "__main__"}:
        pytest.skip("the front door leads to every floor")
    assert floor_of(module) is not None, f"{module} has no floor in the list"
    above = [other for other in imported(tree) if other and floor_of(other) > floor_of(module)]
    assert not above, f"{module} imports from above: {above}"


def test_no_relative_imports(tree):
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]


def test_files_and_functions_stay_small(file, tree):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert not [node.name for node in functions if node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION]


def test_only_the_command_line_prints(file, tree):
    if module_of(file).split(".")[0] == "cli":
        pytest.skip("the command line speaks to people")
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert "print" not in {call.id for call in calls if isinstance(call, ast.Name)}


def test_no_broad_except(tree):
    handlers = [node.type for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    names = {None if kind is None else getattr(kind, "id", "") for kind in handlers}
    assert not names & {None, "Exception", "BaseException"}


def test_every_file_says_what_it_is_for(tree):
    assert ast.get_docstring(tree)


def test_the_list_of_floors_holds_nothing_that_is_gone():
    modules = set(map(module_of, FILES)) | {module_of(file).split(".")[0] for file in FILES}
    assert not set(FLOORS) - modules
