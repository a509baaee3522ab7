"""Write the repository's address into every badge and set-up cell, as for a fork.

    python -m tools.set_address https://github.com/OWNER/NAME

The address stands in pyproject.toml (project.urls, Repository). This replaces it there, in
README.md, two documents and CITATION.cff, and in the notebooks of both editions. Without an
argument it prints the address.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

from helpers.storage import atomic_write

PROJECT = Path(__file__).resolve().parent.parent
#: the files besides the notebooks that name the address; the one it is read from comes last, so
#: that what was interrupted can be called again
DOCUMENTS = ("README.md", "docs/teachers.md", "docs/torchtext.md", "CITATION.cff", "pyproject.toml")
ADDRESS = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?")


def repository(project: Path = PROJECT) -> str:
    """Return OWNER/NAME of the repository, as pyproject.toml has it.

    Raises
    ------
    ValueError
        If it is no address at github.com: Colab opens notebooks from there only.
    """
    return owner_and_name(_settings(project)["urls"]["Repository"])


def version(project: Path = PROJECT) -> str:
    """Return the course's version, as pyproject.toml has it: set-up cells ask for its tag."""
    return _settings(project)["version"]


def _settings(project: Path) -> dict:
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def owner_and_name(address: str) -> str:
    """Return OWNER/NAME of an address at github.com; raise ValueError for any other."""
    if not (found := ADDRESS.fullmatch(address)):
        raise ValueError(
            f"{address!r} is not an address like https://github.com/OWNER/NAME. Colab opens "
            "notebooks from github.com."
        )
    return found[1]


COLAB = "https://colab.research.google.com"


def in_colab(name: str, path: str) -> str:
    """Return the address that opens `path`, like notebooks/x.ipynb, in Colab."""
    return f"{COLAB}/github/{name}/blob/main/{path}"


def badge(name: str, path: str) -> str:
    """Return the Markdown of the badge that opens `path` in Colab."""
    return f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({in_colab(name, path)})"


def main(arguments: list[str] | None = None) -> int:
    """Print the address, or replace it everywhere."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", nargs="?", help="like https://github.com/OWNER/NAME")
    parser.add_argument("--project", type=Path, default=PROJECT)
    options = parser.parse_args(arguments)
    old = repository(options.project)
    if options.address is None:
        print(f"https://github.com/{old}")
        return 0
    try:
        new = owner_and_name(options.address)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    editions = (options.project / "notebooks", options.project / "exercises")
    files = [path for folder in editions for path in sorted(folder.glob("*.ipynb"))]
    files += [options.project / name for name in DOCUMENTS]
    for path in files:
        text = path.read_text(encoding="utf-8")
        renewed = re.sub(rf"(github(?:\.com)?/){re.escape(old)}(?![\w.-])", rf"\g<1>{new}", text)
        if renewed != text:
            with atomic_write(path) as file:
                file.write(renewed.encode())
    print(f"https://github.com/{old} is now https://github.com/{new}, in {len(files)} files.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
