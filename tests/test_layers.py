"""Which module may import which, and what no module may do."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
MODULES = {
    ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("calmap", "reduce")
    for path in sorted((CHECKOUT / package).rglob("*.py"))
}

LAYERS = (
    ("calmap.source", "calmap.errors", "calmap.version"),
    ("calmap.yamltree",),
    ("calmap.diagnostics",),
    ("calmap.syntax",),
    ("calmap.model",),
    ("calmap.observatories",),
    ("calmap.compile",),
    ("calmap.compare", "calmap.checks"),
    ("calmap.edit",),
    ("calmap.cache",),
    ("calmap.headers",),
    ("calmap.references",),
    ("calmap.bestref",),
    ("calmap",),
    ("calmap.archive",),
    ("calmap.delivery",),
    ("calmap.certify",),
    ("calmap.report",),
    ("calmap.compat",),
    ("calmap.reduction",),
    ("calmap.cli",),
    ("calmap.__main__",),
)
REDUCTION = (
    ("reduce", "reduce.arrays", "reduce.errors", "reduce.trees"),
    ("reduce.dq", "reduce.extras", "reduce.parameters", "reduce.references"),
    ("reduce.kernels", "reduce.keywords", "reduce.naming", "reduce.pointing"),
    ("reduce.headers", "reduce.provenance", "reduce.windows"),
    ("reduce.scene", "reduce.wcs"),
    ("reduce.frame", "reduce.obstypes", "reduce.schemas", "reduce.sim"),
    ("reduce.files",),
    ("reduce.associations", "reduce.calibration", "reduce.ccddata", "reduce.hashes", "reduce.night"),
    ("reduce.night_references", "reduce.step", "reduce.suitability"),
    ("reduce.library", "reduce.steps"),
    ("reduce.pipeline", "reduce.recipe"),
    ("reduce.products", "reduce.replay", "reduce.settings"),
    ("reduce.parameterfiles", "reduce.quicklook"),
    ("reduce.session",),
    ("reduce.journal", "reduce.making"),
    ("reduce.batch",),
)
"""Lower ones first; a module belongs to the longest name it starts with."""

LEVELS = {
    name: level for layers in (LAYERS, REDUCTION) for level, names in enumerate(layers) for name in names
}

ONLY_IN = {
    "click": ("calmap.cli",),
    "rich": ("calmap.report", "calmap.cli"),
    "reduce": ("reduce", "calmap.reduction", "calmap.cli"),
    "pyarrow": ("calmap.bestref.tables", "calmap.archive", "calmap.cli"),
    "distributed": ("calmap.archive",),
    "fsspec": ("calmap.cache.remote", "calmap.archive"),
    "msgspec": ("calmap.syntax", "calmap.compile", "calmap.cache", "calmap.archive"),
    "platformdirs": ("calmap.cache",),
}
ENVIRONMENT = ("calmap.cache.settings",)
IMPORTERS = ("calmap", "calmap.cli.main")
"""Modules with a table of others that they import when these are needed."""
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_NAMES = {"literal_eval", "unsafe_load", "full_load"}
FORBIDDEN_IMPORTS = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
HEAVY = (
    *("astropy", "asdf", "matplotlib", "numba", "dask", "pyarrow"),
    *("distributed", "fsspec", "pandas", "polars", "s3fs"),
    *("yaml", "numpy", "rich", "click", "flask", "fastapi"),
)

every_module = pytest.mark.parametrize("module", MODULES)


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def layer(module: str) -> str:
    return max((name for name in LEVELS if within(module, (name,))), key=len)


def nodes(module: str) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(MODULES[module].read_text()))


def imports(module: str) -> Iterator[str]:
    """Every module that is imported anywhere in a module, inside functions and by a table of names too."""
    for node in nodes(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value.partition(":")[0]
            if "." in name and name in MODULES:
                yield name
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import in line {node.lineno}"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in MODULES else str(node.module)


@every_module
def test_imports_go_down(module):
    here = layer(module)
    own = "reduce" if within(module, ("reduce",)) else "calmap"
    wrong = [
        name
        for name in imports(module)
        if within(name, (own,)) and layer(name) != here and LEVELS[layer(name)] >= LEVELS[here]
    ]
    if own == "reduce":
        wrong += [name for name in imports(module) if within(name, ("calmap",))]

    assert wrong == []


@every_module
def test_libraries_stay_in_their_layers(module):
    wrong = [
        name
        for name in imports(module)
        for library, packages in ONLY_IN.items()
        if within(name, (library,)) and not within(module, packages)
    ]

    assert wrong == []


@every_module
def test_environment_is_read_in_one_place(module):
    if module in ENVIRONMENT:
        return
    names = {node.attr for node in nodes(module) if isinstance(node, ast.Attribute)}
    names |= {
        alias.name for node in nodes(module) if isinstance(node, ast.ImportFrom) for alias in node.names
    }

    assert names.isdisjoint({"environ", "environb", "getenv"})


@every_module
def test_nothing_read_is_run(module):
    calls = [node.func for node in nodes(module) if isinstance(node, ast.Call)]
    called = {func.id for func in calls if isinstance(func, ast.Name)}
    names = {node.attr for node in nodes(module) if isinstance(node, ast.Attribute)}
    names |= {
        alias.name for node in nodes(module) if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    roots = {name.partition(".")[0] for name in imports(module)}

    assert called.isdisjoint(FORBIDDEN_CALLS)
    assert names.isdisjoint(FORBIDDEN_NAMES)
    assert roots.isdisjoint(FORBIDDEN_IMPORTS)


@every_module
def test_modules_are_imported_by_name_in_tables_only(module):
    used = {node.id for node in nodes(module) if isinstance(node, ast.Name)}
    used |= {node.attr for node in nodes(module) if isinstance(node, ast.Attribute)}
    dynamic = not used.isdisjoint({"import_module", "spec_from_file_location", "run_module", "run_path"})

    assert dynamic == (module in IMPORTERS)


def test_tables_of_names_are_seen():
    assert "calmap.cli.bestref" in imports("calmap.cli.main")
    assert "calmap.model.mapping" in imports("calmap")


@pytest.mark.parametrize("package", ["calmap", "reduce"])
def test_import_is_light(package):
    code = f"import sys, {package}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CHECKOUT
    )

    assert loaded.stdout.split() == []
