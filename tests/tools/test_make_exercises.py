"""The generator of the student edition, on small notebooks."""

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tools import make_exercises


def small(
    *, solution: str = "### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
) -> NotebookNode:
    cells = [
        nbformat.v4.new_markdown_cell("# A title", id="title"),
        nbformat.v4.new_markdown_cell("### A.1 · Do it\n*★★☆ · 5 minutes*", id="a-1-task"),
        nbformat.v4.new_code_cell(
            f'def f():\n    """Return one."""\n    {solution}', id="a-1-solution"
        ),
        nbformat.v4.new_code_cell("check.a_1(f)", id="a-1-check"),
        nbformat.v4.new_code_cell("f()", id="a-1-run"),
        nbformat.v4.new_markdown_cell("It is one.", id="a-1-why"),
        nbformat.v4.new_markdown_cell("Not of an exercise.", id="b-why"),
    ]
    cells[3].outputs = [nbformat.v4.new_output("stream", text="✓ A.1\n")]
    return nbformat.v4.new_notebook(cells=cells)


def derived(notebook: NotebookNode) -> dict[str, NotebookNode]:
    return {cell.id: cell for cell in make_exercises.derive(notebook, "05_x").cells}


def with_cell(position: int, cell: NotebookNode, **metadata: object) -> NotebookNode:
    notebook = small()
    cell.metadata |= metadata
    notebook.cells.insert(position, cell)
    return notebook


def test_a_solution_becomes_a_gap_and_the_explanation_is_folded() -> None:
    cells = derived(small())
    assert (
        cells["a-1-solution"].source == 'def f():\n    """Return one."""\n    # Your answer here.'
    )
    assert cells["a-1-check"].outputs == []
    assert cells["a-1-why"].source.startswith("<details><summary>Explanation: open it when your ch")
    assert "\n\nIt is one.\n\n*In the worked notebook" in cells["a-1-why"].source
    assert cells["b-why"].source.startswith("<details><summary>Explanation: open it when you have")
    assert cells["a-1-run"].metadata.jupyter == {"source_hidden": True}
    assert "jupyter" not in cells["a-1-check"].metadata
    assert "how" in cells
    assert cells["a-1-check"].metadata.nbgrader["points"] == 2


def test_an_explanation_leads_to_its_place_in_the_worked_notebook() -> None:
    source = derived(small())["a-1-why"].source
    assert "(../notebooks/05_x.ipynb#cell-id=a-1-why)" in source
    assert "/blob/main/notebooks/05_x.ipynb#scrollTo=a-1-why)" in source


def test_a_badge_leads_to_the_student_edition_itself() -> None:
    badge = "[Colab](https://colab.example/blob/main/notebooks/05_x.ipynb)"
    cells = derived(with_cell(1, nbformat.v4.new_markdown_cell(badge, id="badge")))
    assert cells["badge"].source == badge.replace("notebooks", "exercises")


def test_code_is_folded_only_if_it_goes_on_with_an_answer() -> None:
    cells = derived(with_cell(1, nbformat.v4.new_code_cell("1", id="hook-run")))
    assert "jupyter" not in cells["hook-run"].metadata


def test_pictures_in_words_are_folded_wherever_they_stand() -> None:
    text = "Look.\n\n*Picture: a line\nthat rises.*\n\nWe go on."
    cells = derived(with_cell(1, nbformat.v4.new_markdown_cell(text, id="c-intro")))
    assert cells["c-intro"].source.startswith("Look.\n\n<details>")
    assert cells["c-intro"].source.endswith("</details>\n\nWe go on.")
    assert "*Picture: a line\nthat rises.*\n\n</details>" in cells["c-intro"].source
    caption = nbformat.v4.new_markdown_cell("*Picture: a dot.*", id="c-caption")
    source = derived(with_cell(1, caption))["c-caption"].source
    assert source.startswith(
        "<details><summary>The picture in words</summary>\n\n*Picture: a dot.*"
    )


def test_findings_become_neutral_and_the_sources_metadata_is_dropped() -> None:
    cell = nbformat.v4.new_code_cell('plot("It falls")', id="plot")
    private = {"neutral": {"It falls": "The loss"}, "expect": ["x < 1"], "answers": ["it falls"]}
    cells = derived(with_cell(1, cell, **private))
    assert cells["plot"].source == 'plot("The loss")'
    assert cells["plot"].metadata == {}
    cell = nbformat.v4.new_code_cell('plot("It rises")', id="plot")
    with pytest.raises(ValueError, match="cell plot has no 'It falls'"):
        derived(with_cell(1, cell, **private))


@pytest.mark.parametrize(
    ("before", "answer", "after"),
    [
        ("name = None", "c", 'name = None  # "a", "b" or "c"'),
        ("name = None", "ac", "name = None  # letters out of a, b, c, as one string"),
        ("name = None  # a letter", "c", "name = None  # a letter"),
        ("other = 1\nname = None", "c", "other = 1\nname = None"),
    ],
)
def test_the_gap_of_a_choice_says_which_letters_there_are(before, answer, after) -> None:
    notebook = small()
    notebook.cells[1].source += "\n\n- **a** One.\n- **b** Two.\n- **c** Three."
    notebook.cells[2].source = f'{before}\n### BEGIN SOLUTION\nname = "{answer}"\n### END SOLUTION'
    assert derived(notebook)["a-1-solution"].source == f"{after}\n# Your answer here."


def test_a_class_may_have_several_gaps_each_with_a_check() -> None:
    notebook = small()
    notebook.cells[
        2
    ].source += "\n\ndef g():\n    ### BEGIN SOLUTION\n    pass\n    ### END SOLUTION"
    notebook.cells += [
        nbformat.v4.new_markdown_cell("### A.2 · More\n*★☆☆ · 5 minutes*", id="a-2-task"),
        nbformat.v4.new_code_cell("check.a_2(g)", id="a-2-check"),
    ]
    cells = derived(notebook)
    assert cells["a-1-solution"].source.count(make_exercises.GAP) == 2
    assert cells["a-2-check"].metadata.nbgrader["points"] == 1


def test_a_solution_without_an_end_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="end"):
        derived(small(solution="### BEGIN SOLUTION\n    return 1"))


@pytest.mark.parametrize(("lost", "words"), [("a-1-check", "no cell a-1-check"), ("a-1-task", "★")])
def test_an_exercise_without_check_or_stars_is_an_error(lost: str, words: str) -> None:
    notebook = small()
    notebook.cells = [cell for cell in notebook.cells if cell.id != lost]
    with pytest.raises(ValueError, match=words):
        derived(notebook)


def test_writing_renews_removes_and_then_rests(tmp_path: Path, capsys) -> None:
    source, target = tmp_path / "notebooks", tmp_path / "exercises"
    source.mkdir()
    target.mkdir()
    nbformat.write(small(), source / "a.ipynb")
    (target / "old.ipynb").write_text("{}")
    call = ["--source", str(source), "--target", str(target)]
    assert make_exercises.main([*call, "--check"]) == 1
    assert "old.ipynb is out of date" in capsys.readouterr().err
    assert make_exercises.main(call) == 0
    assert [path.name for path in target.iterdir()] == ["a.ipynb"]
    assert make_exercises.main([*call, "--check"]) == 0
    (target / "a.ipynb").write_text("{}")
    assert make_exercises.main([*call, "--check"]) == 1
