# Two commands on a fresh machine: `make run` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet -c constraints.txt
INSTALLED := $(VENV)/.installed
OPTIONAL := $(VENV)/.optional
WORKERS ?= 2

# The value of a variable as one word of the shell, whatever is in it; nothing if it is empty.
quoted = $(if $(1),'$(subst ','\'',$(1))')
given = $(call quoted,$(value $(1)))
# The same for the name of a folder, made absolute.
ABSOLUTE := import os, sys; print(os.path.abspath(os.path.expanduser(sys.argv[1])))
absolute = $(if $(value $(1)),$(shell $(PYTHON) -c '$(ABSOLUTE)' $(call given,$(1))))

# Notebooks run in their own folder, so a relative data folder is made absolute here.
ifdef COURSE_DATA
override COURSE_DATA := $(call absolute,COURSE_DATA)
ifndef COURSE_DATA
$(error COURSE_DATA cannot be read: $(PYTHON) did not run)
endif
export COURSE_DATA
endif
export TOKENIZERS_PARALLELISM := false
export PYDEVD_DISABLE_FILE_VALIDATION := 1

.PHONY: help run test lab exercises book wheel grade store bench oldest canary release colab browser device address lint clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 12

# An environment works only in the folder that it was made in, whose path the stamp holds: a
# copied or moved folder begins again, else it would import the helpers of the original.
HERE := $(shell pwd -P)
MADE_IN := $(shell cat $(INSTALLED) 2>/dev/null)
ifneq ($(MADE_IN),$(HERE))
.PHONY: $(INSTALLED)
CLEAR := --clear
endif

$(INSTALLED): requirements.txt requirements-dev.txt constraints.txt pyproject.toml
	@$(PYTHON) -c "import sys; v = sys.version_info; sys.exit(not (3, 11) <= v[:2] <= (3, 13) and f'Python 3.11 to 3.13 is needed, this is {v.major}.{v.minor}: make PYTHON=python3.12 run')"
	$(PYTHON) -m venv $(CLEAR) $(VENV)
	$(PIP) torch==2.13.0
	$(PIP) -r requirements-dev.txt -e .
	@pwd -P > $@

$(OPTIONAL): $(INSTALLED) requirements-optional.txt
	$(PIP) --only-binary :all: -r requirements-optional.txt
	@touch $@

run: $(INSTALLED)  ## execute every notebook (or NOTEBOOKS="00 01"); read build/book/index.html
	$(BIN)/python -m tools.run_notebooks --jobs $(WORKERS) $(NOTEBOOKS)

# Notebooks and tests run side by side, each on one thread. A notebook stays in one process.
test: lint  ## ruff, mypy, pytest, and nbval: every notebook against its stored outputs
	OMP_NUM_THREADS=1 COURSE_OFFLINE=1 $(BIN)/pytest -n $(WORKERS) --dist loadgroup \
		--nbval --nbval-current-env --nbval-sanitize-with tests/nbval.cfg \
		notebooks tests

lint: $(INSTALLED)  ## ruff and mypy alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lab: $(INSTALLED)  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=.

exercises: $(INSTALLED)  ## derive the student edition, exercises/, from notebooks/
	$(BIN)/python -m tools.make_exercises

book: $(INSTALLED)  ## make the book of the stored outputs, nothing is run; read build/book/index.html
	$(BIN)/python -m tools.book

wheel: $(INSTALLED)  ## build the package, helpers and lessons, as one file: dist/*.whl
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	@ls dist/*.whl

# A roster, a sandbox and more options for `grade`, each only if it is given.
ROSTERED = $(if $(value ROSTER), --roster $(call quoted,$(call absolute,ROSTER)))
BOXED = $(if $(value SANDBOX), --sandbox $(call given,SANDBOX))$(if $(OPTIONS), $(OPTIONS))
NAMED = $(if $(ALL),all,$(call given,NOTEBOOK))

grade: $(INSTALLED)  ## for teachers: make grade NOTEBOOK=01_vocabulary (or ALL=1) SUBMITTED=a/folder
	$(BIN)/python -m tools.grade $(NAMED) $(call quoted,$(call absolute,SUBMITTED))$(ROSTERED)$(BOXED)

store: $(INSTALLED)  ## for authors: run the notebooks and store their outputs
	$(BIN)/python -m tools.run_notebooks --store $(NOTEBOOKS)
	$(BIN)/python -m tools.make_exercises

bench: $(INSTALLED)  ## how fast, against what: one table (fastText only if it has a wheel here)
	-@$(MAKE) --no-print-directory $(OPTIONAL)
	$(BIN)/python -m benchmarks

colab: $(INSTALLED)  ## rehearse Colab: each notebook alone in an empty folder, Colab's versions
	$(BIN)/python -m tools.rehearse_colab $(if $(FREEZE),--freeze $(call given,FREEZE)) $(NOTEBOOKS)

oldest:  ## the tests of helpers and lessons with the oldest versions that requirements.txt admits
	$(PYTHON) -m venv --clear build/oldest
	sed -n 's/>=/==/p' requirements.txt > build/oldest/bounds.txt
	build/oldest/bin/python -m pip install --quiet -c build/oldest/bounds.txt -r requirements.txt \
		pytest pytest-timeout pytest-xdist colorspacious nbclient nbformat
	OMP_NUM_THREADS=1 COURSE_OFFLINE=1 build/oldest/bin/python -m pytest -n $(WORKERS) \
		tests/helpers tests/lessons

canary:  ## both editions, executed with the newest releases of everything
	$(PYTHON) -m venv --clear build/canary
	build/canary/bin/python -m pip install --quiet -r requirements-dev.txt -e .
	build/canary/bin/python -m tools.run_notebooks --output build/canary/worked
	build/canary/bin/python -m tools.run_notebooks --folder exercises --output build/canary/gaps

release: $(INSTALLED)  ## build and check what a tag publishes: make release TAG=v0.2.0
	@grep -qx 'version = "$(TAG:v%=%)"' pyproject.toml || \
		{ echo "The tag $(TAG) is not v and the version of pyproject.toml."; exit 1; }
	rm -rf dist
	$(PIP) build twine
	$(BIN)/python -m build --outdir dist
	$(BIN)/python -m twine check --strict dist/*

browser: $(OPTIONAL)  ## JupyterLab and the pages in a real Chromium; screenshots in build/browser
	$(BIN)/pytest tests/browser

device: $(INSTALLED)  ## helpers on a pretended GPU, compiled by g++; and NOTEBOOKS="03 09" if given
	OMP_NUM_THREADS=1 COURSE_OFFLINE=1 $(BIN)/python -m pytest -p tests.device.pretended tests/device
	$(if $(NOTEBOOKS),COURSE_OFFLINE=1 $(BIN)/python -m tests.device.notebooks $(NOTEBOOKS))

address: $(INSTALLED)  ## for forks: make address REPOSITORY=https://github.com/OWNER/NAME
	$(BIN)/python -m tools.set_address $(call given,REPOSITORY)

clean:  ## remove what the other targets made (not the data)
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .mypy_cache *.egg-info
