# Two commands on a fresh machine: `make run` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# notebooks run in their own folder, so a relative data folder is made absolute here
ifdef COURSE_DATA
export COURSE_DATA := $(abspath $(COURSE_DATA))
endif
export TOKENIZERS_PARALLELISM := false
export PYDEVD_DISABLE_FILE_VALIDATION := 1

.PHONY: help run test lab store bench lint clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 12

$(INSTALLED): requirements.txt requirements-dev.txt constraints.txt pyproject.toml
	@$(PYTHON) -c "import sys; v = sys.version_info; sys.exit(v < (3, 11) and f'Python 3.11 or later is needed, this is {v.major}.{v.minor}: make PYTHON=python3.12 run')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet -c constraints.txt -r requirements-dev.txt -e .
	@touch $@

run: $(INSTALLED)  ## execute every notebook; read the pages from build/index.html
	$(BIN)/python tools/run_notebooks.py

test: lint  ## ruff, pytest, and nbval: every notebook against its stored outputs
	COURSE_OFFLINE=1 $(BIN)/pytest
	COURSE_OFFLINE=1 $(BIN)/pytest --nbval --nbval-current-env --nbval-sanitize-with tests/nbval.cfg -p no:cacheprovider notebooks

lint: $(INSTALLED)  ## ruff alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check helpers tests tools benchmarks

lab: $(INSTALLED)  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=.

store: $(INSTALLED)  ## for authors: run the notebooks and store their outputs
	$(BIN)/python tools/run_notebooks.py --store $(NOTEBOOKS)

bench: $(INSTALLED)  ## how fast, against what: one table
	$(BIN)/python -m benchmarks

clean:  ## remove what the other targets made (not the data)
	rm -rf $(VENV) build .pytest_cache .ruff_cache *.egg-info
