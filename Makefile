# make demo   scan the example recordings with the shipped detector (makes .venv-demo; no torch)
# make test   the quick tests (makes .venv)
# make lint types slow bare   what .ci/run checks besides
# make picture   draw docs/timeline.svg anew; for a new shipped detector
# make net   train it from the rebuilt corpus, for a day and in pieces; docs/training.md says how

PYTHON ?= python3
WORKERS ?= 2
EXAMPLES := examples/recordings

DEV := .venv/bin
DEMO := .venv-demo/bin
BARE := .venv-bare/bin
SOURCES := $(shell find src -type f -not -name '*.pyc')
PIP := -m pip install --quiet --disable-pip-version-check --no-compile
NEW_ENOUGH := $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'

.PHONY: demo test slow lint types bare picture net clean

demo: .venv-demo/.stamp
	@$(DEMO)/glottis scan -r $(EXAMPLES)
	@cat examples/verdicts.txt

test: .venv/.stamp
	OMP_NUM_THREADS=1 $(DEV)/python -m pytest -n $(WORKERS) -m 'not slow'

slow: .venv/.stamp
	$(DEV)/python -m pytest -m slow || test $$? -eq 5

lint: .venv/.stamp
	$(DEV)/ruff check
	$(DEV)/ruff format --check

types: .venv/.stamp
	$(DEV)/mypy

# The wheel alone, without extras, scans the examples and brings in nothing heavy.
bare: .venv/.stamp
	rm -rf .venv-bare dist
	$(DEV)/python -m build --wheel --outdir dist >/dev/null
	$(PYTHON) -m venv .venv-bare
	$(BARE)/python $(PIP) -c constraints.txt dist/*.whl
	cd $(EXAMPLES) && $(CURDIR)/$(BARE)/glottis scan -r --format jsonl .
	$(BARE)/python tests/packaging/bare.py $(EXAMPLES)

picture: .venv/.stamp
	$(DEV)/python examples/picture.py

# Three runs, each of which learns from the one before; one that was cut goes on.
net: runs/further/bundle/bundle.json
runs/further/bundle/bundle.json: runs/default/bundle/bundle.json
runs/default/bundle/bundle.json: runs/teacher/bundle/bundle.json
runs/%/bundle/bundle.json: | .venv/.stamp
	$(DEV)/glottis train recipes/$*.toml

clean:
	rm -rf .venv .venv-demo .venv-bare dist build

.venv/.stamp: pyproject.toml constraints.txt
	@$(NEW_ENOUGH)
	test -x $(DEV)/python || $(PYTHON) -m venv .venv
	$(DEV)/python $(PIP) -c constraints.txt -e '.[dev]'
	@touch $@

.venv-demo/.stamp: pyproject.toml constraints.txt $(SOURCES)
	@$(NEW_ENOUGH)
	@test -x $(DEMO)/python || $(PYTHON) -m venv .venv-demo
	@$(DEMO)/python $(PIP) -c constraints.txt .
	@touch $@
