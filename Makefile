# make demo   the method on a small data set, in minutes on a CPU
# make test   lint, and all tests once per backend
# make test-fast   while you edit: library and tasks on PyTorch, which compiles nothing
# make test-nightly   some tests with the nightly build of Keras; may fail
# make lint   style and types
# make dist   wheel and sdist, in dist/, checked
# make test-matrix   the wheel in clean environments: Pythons, backends, oldest and newest
# make docs   the site, in build/site; make docs-check looks at it in Chromium
# make gpu-kit  what a GPU machine without a network needs, in build/gpu-kit
# make guides  run docs/guides and write their pages into build/guides
# make release-models  the trained networks of a release, in build/release
# make clean  remove the environment and what was built
#
# Another interpreter:  make test PYTHON=/path/to/python3.11
# CIFAR-10 from elsewhere:  make gpu-kit DATA_DIR=PATH
# One backend, one file:  make test BACKENDS=jax TESTS=tests/library/test_losses.py

PYTHON ?= python3.11
VENV ?= .venv
BACKENDS ?= jax tensorflow torch
# One more than cores: while one waits, as for a process that it kills, two others work.
JOBS ?= 3
# A word is a process for each backend; a comma joins paths. In this order the last
# processes end together.
TESTS ?= tests/tasks,tests/house tests/library,keras_m2m
PYTEST_ARGS ?=

python := $(VENV)/bin/python

# Before a release of Keras: what it changes for us, most of all on JAX, where several
# steps at once become one `lax.scan`. Warnings of the nightly build's own stay warnings.
NIGHTLY ?= keras-nightly==3.16.0.dev2026102704
NIGHTLY_TESTS ?= $(addprefix tests/library/test_, steps_per_execution.py \
  m2m_model_training.py callbacks.py resampled_dataset.py)

.PHONY: demo test test-fast test-nightly lint dist test-matrix docs docs-check guides gpu-kit \
  release-models clean

demo: $(VENV)/.demo
	$(python) -m tasks.digits_lt

# Tests are a pool of processes, JOBS of them at a time: each word of TESTS once for each
# backend, since Keras picks its backend at import. So none waits at the end of a backend,
# and the output of each comes whole. What no backend has a part in is tested by the last
# backend alone, PyTorch, which starts fastest. A failure does not keep the others from running.
comma := ,
pool := $(foreach word,$(TESTS),$(addsuffix :$(word),$(BACKENDS)))
backend_of = $(firstword $(subst :, ,$@))
paths_of = $(subst $(comma), ,$(lastword $(subst :, ,$@)))
which_of = $(if $(filter-out $(lastword $(BACKENDS)),$(backend_of)),-m "not no_backend")

test: $(VENV)/.tests
	@$(MAKE) --no-print-directory --jobs=$(JOBS) --keep-going --output-sync=target \
	  lint pool
	@echo "passed: lint $(BACKENDS)"

escaped := $(subst :,\:,$(pool))
.PHONY: pool $(escaped)
pool: $(escaped)
$(escaped):
	@echo "== $@"
	@KERAS_BACKEND=$(backend_of) $(python) -m pytest -q --durations 5 $(which_of) \
	  $(PYTEST_ARGS) $(paths_of)

# The library and the tasks, without the house and what starts processes of its own, on
# the backend that starts first and compiles nothing.
SLOW := tests/tasks/runs/test_resume.py tests/tasks/runs/test_cluster.py \
  tests/tasks/test_command_line.py tests/library/test_models_saved.py
test-fast: $(VENV)/.tests
	@$(MAKE) --no-print-directory --jobs=$(JOBS) --keep-going --output-sync=target \
	  pool BACKENDS=torch TESTS="tests/tasks tests/library" \
	  PYTEST_ARGS="$(addprefix --ignore=,$(SLOW))"

test-nightly: $(VENV)/.tests
	$(python) -m pip install --quiet --upgrade --no-deps --target $(VENV)/nightly \
	  '$(NIGHTLY)'
	@failed=; \
	for backend in $(BACKENDS); do \
	  echo "== KERAS_BACKEND=$$backend, $(NIGHTLY)"; \
	  PYTHONPATH=$(VENV)/nightly KERAS_BACKEND=$$backend $(python) -m pytest -q \
	    -W 'ignore:__array__ implementation:DeprecationWarning' $(NIGHTLY_TESTS) || \
	    failed="$$failed $$backend"; \
	done; \
	if [ -n "$$failed" ]; then echo "FAILED:$$failed"; exit 1; fi

lint: $(VENV)/.tests
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy keras_m2m

# In an environment of its own: what tests need is not changed by it.
dist:
	rm -rf dist $(VENV)-dist
	$(PYTHON) -m venv $(VENV)-dist
	$(VENV)-dist/bin/python -m pip install --quiet build twine
	$(VENV)-dist/bin/python -m build --outdir dist .
	$(VENV)-dist/bin/python -m twine check --strict dist/*

# PYTHONS may be paths. One cell:  make test-matrix CELLS=jax-3.12-oldest
PYTHONS ?= python3.11 python3.12 python3.13
CELLS ?=
test-matrix: dist
	$(PYTHON) tests/matrix.py --pythons $(PYTHONS) --cells $(CELLS)

# A link that leads nowhere, and a page without a place, are errors. Nothing of it needs a
# network once it is installed.
docs: $(VENV)/.docs guides
	NO_MKDOCS_2_WARNING=1 $(python) -m mkdocs build --quiet

docs-check: docs
	$(python) -m docs.site.look build/site build/pictures

gpu-kit: $(VENV)/.demo
	$(python) benchmarks/gpu_kit/pack.py build/gpu-kit $(if $(DATA_DIR),--data_dir=$(DATA_DIR))

# Guides are run again where they, or the code that they show, have changed.
guides := $(patsubst docs/guides/%.py,build/guides/%.md,$(wildcard docs/guides/*.py))
guides: $(VENV)/.docs $(VENV)/.tests
	@$(MAKE) --no-print-directory --jobs=$(JOBS) --output-sync=target $(guides)

build/guides/%.md: docs/guides/%.py docs/site/guides.py $(wildcard keras_m2m/*.py keras_m2m/*/*.py)
	$(python) -m docs.site.guides $< build/guides

# With the data of Reuters and Twitter:  make release-models DATA=PATH
release-models: $(VENV)/.tests
	KERAS_BACKEND=jax $(python) benchmarks/release_models.py --data_dir=$(DATA)

# The stamps below make each installation happen once.
$(VENV)/.venv:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo: requirements.txt $(VENV)/.venv
	$(python) -m pip install --quiet -r requirements.txt
	touch $@

$(VENV)/.tests: setup.py requirements.txt $(VENV)/.venv
	$(python) -m pip install --quiet --editable '.[tests]'
	touch $@

$(VENV)/.docs: setup.py requirements.txt $(VENV)/.venv
	$(python) -m pip install --quiet --editable '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-dist build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find keras_m2m tasks tests -name __pycache__ -prune -exec rm -rf {} +
