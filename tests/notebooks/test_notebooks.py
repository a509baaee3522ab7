"""The notebooks as documents: complete, readable, and in step with `helpers`."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tools import book, set_address

PROJECT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
MODULES = sorted(
    path.stem for path in (PROJECT / "helpers").glob("*.py") if path.stem != "__init__"
)

#: what the course promises to teach in its own cells, and where
TAUGHT = {
    "00_pytorch_primer": {"pick_device"},
    "01_vocabulary": {"Vocabulary", "basic_english"},
    "02_dataset": {"BagOfWordsDataset", "BagLinear", "SumOfRows"},
    "04_mlp": {"OneHotMLP", "word_contributions"},
    "05_loss_and_training": {"classification_loss", "mean_loss", "set_seed", "train_epoch"},
    "06_evaluation_and_perplexity": {"predicted_classes", "Evaluation", "evaluate", "fit"},
    "07_choosing": {"paired_interval"},
    "09_lora_layer": {"LoRALinear", "parameter_counts"},
    "12_abalone_classification": {
        *("split_indices", "standardize", "one_hot", "make_features", "make_mlp"),
        *("Batches", "paired_interval"),
    },
}

#: answers that may be simpler than what helpers has under the same name
SIMPLER = {"09_lora_layer": {"add_adapters"}}

#: modules of rooms that go on with the answers of their notebook: the same code in both
CONTINUED = {"10_lora_at_work": ["lessons.n10_lora_at_work.work"]}

#: the first code cell of every notebook
SET_UP = """\
# On Colab, this installs the course's package. Anywhere else it does nothing.
import glob
import sys
from importlib import metadata, util

if "google.colab" in sys.modules and not any(metadata.distributions(name="bag-of-words-to-lora")):
    course = "git+https://github.com/OWNER/NAME@vVERSION"
    course = (glob.glob("bag_of_words_to_lora-*.whl") or [course])[0]
    remedy = "Not installed, see above. Put the course's .whl file beside this, and run it again."
    !pip install --quiet {course} || echo "{remedy}"
for name in ("helpers", "lessons"):
    if (found := util.find_spec(name)) and not found.submodule_search_locations:
        print(f"Rename your file {found.origin}: it hides the course's package {name}.")"""


each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path: Path, kind: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def outputs_of(cell: nbformat.NotebookNode) -> str:
    parts = [output.get("text", "") for output in cell.outputs]
    parts += [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "\n".join(parts)


def test_there_are_notebooks() -> None:
    assert [path.stem[:2] for path in NOTEBOOKS] == [f"{number:02}" for number in range(14)]
    assert set(TAUGHT) <= {path.stem for path in NOTEBOOKS}


@each_notebook
def test_every_code_cell_was_run_and_stored_in_order(path: Path) -> None:
    """nbval silently skips a cell without execution_count, so none may lack it."""
    counts = [cell.execution_count for cell in cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_stored_outputs_have_no_error_warning_or_widget(path: Path) -> None:
    for cell in cells(path, "code"):
        allowed = "raises-exception" in cell.metadata.get("tags", [])
        for output in cell.outputs:
            assert output.output_type != "error" or allowed, cell.id
            assert output.get("name") != "stderr", cell.id
            assert not any("widget" in kind for kind in output.get("data", {})), cell.id
        assert "✗" not in outputs_of(cell), f"{cell.id}: a check refuses the worked answer"


@each_notebook
def test_stored_text_fits_a_hundred_columns(path: Path) -> None:
    for cell in cells(path, "code"):
        tags = cell.metadata.get("tags", [])
        if "raises-exception" in tags:
            continue  # a traceback is as wide as it is
        lines = outputs_of(cell).splitlines()
        assert max(map(len, lines), default=0) <= 100, cell.id


@each_notebook
def test_cells_are_short_and_named(path: Path) -> None:
    ids = [cell.id for cell in nbformat.read(path, as_version=4).cells]
    assert len(set(ids)) == len(ids)
    assert not [name for name in ids if re.fullmatch(r"[0-9a-f]{8}(-.*)?", name)], "random ids"
    for cell in cells(path, "code"):
        assert cell.source.strip(), cell.id
        assert len(cell.source.splitlines()) <= 42, cell.id


@each_notebook
def test_headings_skip_no_level(path: Path) -> None:
    level = 0
    for cell in cells(path, "markdown"):
        text = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
        for marks in re.findall(r"^(#+) ", text, flags=re.MULTILINE):
            assert len(marks) <= level + 1, f"{cell.id}: {marks}"
            level = len(marks)


@each_notebook
def test_every_picture_is_described_in_words(path: Path) -> None:
    all_cells = nbformat.read(path, as_version=4).cells
    for position, cell in enumerate(all_cells):
        shows = any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
        if shows:
            near = all_cells[max(0, position - 2) : position + 4]
            words = "\n".join(other.source for other in near if other.cell_type == "markdown")
            assert "*Picture" in words, cell.id


@each_notebook
def test_every_exercise_is_complete(path: Path) -> None:
    """An exercise has difficulty and minutes, two hints, a gap and a check."""
    ids = {cell.id for cell in cells(path, "code")}
    solutions = {name for name in ids if name.endswith("-solution")}
    for name in solutions:
        stem = name.removesuffix("-solution")
        assert f"{stem}-check" in ids, stem
        cell = next(cell for cell in cells(path, "code") if cell.id == name)
        gaps = cell.source.count("### BEGIN SOLUTION")
        assert cell.source.count("### END SOLUTION") == gaps >= 1, name
        longer = tuple(  # iv-1-b-why is an exercise of its own, not a part of iv-1-b
            f"{other.removesuffix('-solution')}-"
            for other in solutions
            if other.startswith(f"{stem}-") and other != name
        )
        texts = [
            other.source
            for other in cells(path, "markdown")
            if other.id.startswith(f"{stem}-") and not (longer and other.id.startswith(longer))
        ]
        task = "\n".join(texts)
        assert re.search(r"[★☆]{3} · \d+ minutes", task), stem
        assert task.count("<summary>Hint 1</summary>") == 1, stem
        assert task.count("<summary>Hint 2</summary>") == 1, stem


# --- taught once, then shared -----------------------------------------------------------


class Essence(ast.NodeTransformer):
    """Strip what a notebook may leave out: docstrings, annotations, late imports, and guards.

    A late import stands in a function because it is slow; a notebook has it in its set-up.
    A guard is an ``if`` that ends in ``raise``, or a call of a function ``_check…``.
    ``training.evaluate`` in a notebook is ``evaluate`` in its module.
    """

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        return None

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        for argument in [*node.args.args, *node.args.kwonlyargs, *node.args.posonlyargs]:
            argument.annotation = None
        return self._strip(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._strip(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None or not node.simple:
            return node
        return ast.Assign(targets=[node.target], value=self.visit(node.value), lineno=0)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        if isinstance(node.body[-1], ast.Raise) and not node.orelse:
            return None
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        call = node.value
        if isinstance(call, ast.Call) and getattr(call.func, "id", "").startswith("_check"):
            return None
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in MODULES:
            return ast.Name(node.attr, node.ctx)
        return self.generic_visit(node)

    def _strip(self, node: ast.AST) -> ast.AST:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            node.body = node.body[1:]
        return self.generic_visit(node)


def essence(node: ast.AST) -> str:
    return ast.unparse(Essence().visit(node))


def definitions(path: Path) -> dict[str, ast.AST]:
    found = {}
    for cell in cells(path, "code"):
        for node in ast.parse(TransformerManager().transform_cell(cell.source)).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found[node.name] = node
    return found


def public_helpers(*more: str) -> dict[str, list[ast.AST]]:
    """All public definitions by name; two modules may use the same one."""
    found = {}
    for name in (*(f"helpers.{name}" for name in MODULES), *more):
        module = importlib.import_module(name)
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(node)
    return found


def differences(taught: ast.AST, helper: ast.AST) -> list[str]:
    """Names of what is not the same; a class in a notebook may lack methods of the helper."""
    if isinstance(taught, ast.ClassDef) and isinstance(helper, ast.ClassDef):
        methods = {node.name: node for node in helper.body if isinstance(node, ast.FunctionDef)}
        differing = []
        for node in taught.body:
            if isinstance(node, ast.FunctionDef):
                twin = methods.get(node.name)
                if twin is None or essence(node) != essence(twin):
                    differing.append(f"{taught.name}.{node.name}")
        if [ast.unparse(base) for base in taught.bases] != [
            ast.unparse(base) for base in helper.bases
        ]:
            differing.append(f"bases of {taught.name}")
        return differing
    return [] if essence(taught) == essence(helper) else [getattr(taught, "name", "?")]


@each_notebook
def test_what_is_taught_is_what_is_shared(path: Path) -> None:
    helpers = public_helpers(*CONTINUED.get(path.stem, []))
    taught = definitions(path)
    assert TAUGHT.get(path.stem, set()) <= set(taught)
    differing = [
        differences(node, helpers[name][0])
        for name, node in taught.items()
        if name in helpers.keys() - SIMPLER.get(path.stem, set())
        and all(differences(node, helper) for helper in helpers[name])
    ]
    assert not differing


def parse(source: str) -> ast.AST:
    return ast.parse(textwrap.dedent(source)).body[0]


@pytest.mark.parametrize(
    ("taught", "same"),
    [
        ("def f(x):\n    return x + 1", True),
        ('def f(x):\n    "Add one."\n    return x + 1', True),
        ("def f(x):\n    return x + 2", False),
        ("def f(y):\n    return y + 1", False),
        ("def f(x):\n    if x:\n        return 0\n    return x + 1", False),
    ],
)
def test_the_comparison_sees_a_difference(taught: str, same: bool) -> None:
    helper = '''
        def f(x: int) -> int:
            """Add one, for positive numbers."""
            from math import inf
            _check_type(x)
            if x < 0:
                raise ValueError(x)
            return x + 1
    '''
    assert (differences(parse(taught), parse(helper)) == []) is same


def test_the_comparison_sees_a_changed_method() -> None:
    helper = parse("""
        class C:
            def a(self):
                return 1
            def b(self):
                return 2
    """)
    assert not differences(parse("class C:\n    def a(self):\n        return 1"), helper)
    assert differences(parse("class C:\n    def a(self):\n        return 3"), helper) == ["C.a"]
    assert differences(parse("class C:\n    def c(self):\n        return 1"), helper) == ["C.c"]


# --- the project's own words -------------------------------------------------------------


#: each may import those before it, and no other
ORDER = [
    *("storage", "corpus", "abalone", "text", "datasets", "models", "lora", "training", "plots"),
    "torchtext",  # for old notebooks alone
]


def test_module_imports_run_one_way() -> None:
    """helpers imports downwards only; nothing in it imports lessons; a lesson, no other lesson."""
    for path in (PROJECT / "helpers").glob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert "lessons" not in re.findall(r"^(?:from|import) (\w+)", source, re.MULTILINE), path
        imported = re.findall(r"^(?:from|import) helpers\.(\w+)", source, re.MULTILINE)
        for words in re.findall(r"^from helpers import (.+)$", source, re.MULTILINE):
            imported += re.split(r",\s*", words)
        for other in imported:
            assert ORDER.index(other) < ORDER.index(path.stem), f"{path} imports {other}"
    for path in (PROJECT / "lessons").glob("n*/*.py"):
        source = path.read_text(encoding="utf-8")
        rooms = re.findall(r"^(?:from|import) lessons\.(n\w+)", source, re.MULTILINE)
        assert set(rooms) <= {path.parent.name}, path


@pytest.mark.parametrize("edition", ["notebooks", "exercises"])
@each_notebook
def test_badge_and_set_up_cell_have_the_repositorys_address(path: Path, edition: str) -> None:
    """Otherwise: make address."""
    name = set_address.repository()
    notebook = nbformat.read(PROJECT / edition / path.name, as_version=4)
    title, *_ = notebook.cells
    assert set_address.badge(name, f"{edition}/{path.name}") in title.source.splitlines()
    first, second, *_ = (cell for cell in notebook.cells if cell.cell_type == "code")
    assert (first.id, second.id) == ("colab", "setup")
    wanted = SET_UP.replace("OWNER/NAME", name).replace("VERSION", set_address.version())
    assert first.source == wanted, "the tag is that of pyproject's version"
    assert not first.metadata.get("tags"), "nbval must see that it does nothing off Colab"


@each_notebook
def test_networks_run_on_one_thread(path: Path) -> None:
    setup = next(cell.source for cell in cells(path, "code") if cell.id == "setup")
    assert "torch.set_num_threads(1)" in setup
    assert ("from sklearn" in setup) == ("\nthreadpool_limits(1)" in setup)


def test_a_file_that_hides_the_course_is_named(tmp_path: Path) -> None:
    source = next(cell.source for cell in cells(NOTEBOOKS[0], "code") if cell.id == "colab")
    (tmp_path / "helpers.py").write_text("mine = 1")
    (tmp_path / "cell.ipy").write_text(source)
    command = [sys.executable, "-m", "IPython", "--no-banner", "cell.ipy"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"Rename your file {tmp_path / 'helpers.py'}: it hides the course" in done.stdout


def test_readme_leads_to_every_notebook_and_says_how_long_it_takes() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    for path in NOTEBOOKS:
        minutes = book.MINUTES.search(cells(path, "markdown")[0].source)[1]
        row = next(
            line for line in readme.splitlines() if f"/main/notebooks/{path.name}) |" in line
        )
        assert f"| {minutes} |" in row
        for edition in ("notebooks", "exercises"):
            assert f"]({book.colab(edition, path.stem)})" in row
