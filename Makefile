# Two commands on a fresh machine: `make run` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
BROWSER := $(VENV)/.browser
WORKERS ?= 2

# notebooks run in their own folder, so a relative data folder is made absolute here
ifdef COURSE_DATA
ABSOLUTE := import os, sys; print(os.path.abspath(os.path.expanduser(sys.argv[1])))
override COURSE_DATA := $(shell $(PYTHON) -c '$(ABSOLUTE)' '$(COURSE_DATA)')
export COURSE_DATA
endif
export TOKENIZERS_PARALLELISM := false
export PYDEVD_DISABLE_FILE_VALIDATION := 1

.PHONY: help run test lab exercises grade store bench colab browser address lint clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 12

$(INSTALLED): requirements.txt requirements-dev.txt constraints.txt pyproject.toml
	@$(PYTHON) -c "import sys; v = sys.version_info; sys.exit(not (3, 11) <= v[:2] <= (3, 13) and f'Python 3.11 to 3.13 is needed, this is {v.major}.{v.minor}: make PYTHON=python3.12 run')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet -c constraints.txt -r requirements-dev.txt -e .
	@touch $@

run: $(INSTALLED)  ## execute every notebook; read the pages from build/index.html
	$(BIN)/python tools/run_notebooks.py

# Notebooks and tests run side by side, each on one thread. A notebook stays in one process.
test: lint  ## ruff, pytest, and nbval: every notebook against its stored outputs
	OMP_NUM_THREADS=1 COURSE_OFFLINE=1 $(BIN)/pytest -n $(WORKERS) --dist loadgroup \
		--nbval --nbval-current-env --nbval-sanitize-with tests/nbval.cfg \
		notebooks tests

lint: $(INSTALLED)  ## ruff alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check helpers tests tools benchmarks browser

lab: $(INSTALLED)  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=.

exercises: $(INSTALLED)  ## derive the student edition, exercises/, from notebooks/
	$(BIN)/python -m tools.make_exercises

grade: $(INSTALLED)  ## for teachers: make grade NOTEBOOK=01_vocabulary SUBMITTED=a/folder
	$(BIN)/python -m tools.grade $(NOTEBOOK) $(SUBMITTED)

store: $(INSTALLED)  ## for authors: run the notebooks and store their outputs
	$(BIN)/python tools/run_notebooks.py --store $(NOTEBOOKS)
	$(BIN)/python -m tools.make_exercises

bench: $(INSTALLED)  ## how fast, against what: one table (fastText only if it has a wheel here)
	-$(BIN)/pip install --quiet --only-binary :all: -r benchmarks/requirements.txt
	$(BIN)/python -m benchmarks

colab: $(INSTALLED)  ## rehearse Colab: each notebook alone in an empty folder, Colab's versions
	$(BIN)/python -m tools.rehearse_colab $(NOTEBOOKS)

$(BROWSER): $(INSTALLED) requirements-browser.txt
	$(BIN)/pip install --quiet -c constraints.txt -r requirements-browser.txt
	@touch $@

browser: $(BROWSER)  ## JupyterLab and the pages in a real Chromium; screenshots in build/browser
	$(BIN)/pytest browser

address: $(INSTALLED)  ## for forks: make address REPOSITORY=https://github.com/OWNER/NAME
	$(BIN)/python -m tools.set_address $(REPOSITORY)

clean:  ## remove what the other targets made (not the data)
	rm -rf $(VENV) build .pytest_cache .ruff_cache *.egg-info
