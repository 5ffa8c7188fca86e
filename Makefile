# make demo   the method on a small data set, in minutes on a CPU
# make test   lint, then all tests once per backend
# make test-nightly   some tests with the nightly build of Keras; may fail
# make lint   style and types
# make gpu-kit  what a GPU machine without a network needs, in build/gpu-kit
# make clean  remove the environment and what was built
#
# Another interpreter:  make test PYTHON=/path/to/python3.11
# CIFAR-10 from elsewhere:  make gpu-kit DATA_DIR=PATH
# One backend, one file:  make test BACKENDS=jax PYTEST_ARGS=tests/library/test_losses.py

PYTHON ?= python3.11
VENV ?= .venv
BACKENDS ?= tensorflow jax torch
JOBS ?= 2
PYTEST_ARGS ?=

python := $(VENV)/bin/python

# Before a release of Keras: what it changes for us, most of all on JAX, where several
# steps at once become one `lax.scan`. Warnings of the nightly build's own stay warnings.
NIGHTLY ?= keras-nightly==3.16.0.dev2026102704
NIGHTLY_TESTS ?= $(addprefix tests/library/test_, steps_per_execution.py \
  m2m_model_training.py callbacks.py resampled_dataset.py)

.PHONY: demo test test-nightly lint gpu-kit clean

demo: $(VENV)/.demo
	$(python) -m tasks.digits_lt

# One process per backend, because Keras picks its backend at import. A failure
# does not keep the others from running. What no backend has a part in is tested by the
# first alone. Files go to the processes in the
# order of their names: in xdist's own order, most tests first, a costly file of few
# tests comes last, and one process waits for the other.
test: $(VENV)/.tests
	@failed=; which=; \
	$(MAKE) --no-print-directory lint || failed="$$failed lint"; \
	for backend in $(BACKENDS); do \
	  echo "== KERAS_BACKEND=$$backend"; \
	  KERAS_BACKEND=$$backend $(python) -m pytest -q -n $(JOBS) --dist loadfile \
	    --no-loadscope-reorder --durations 5 $$which $(PYTEST_ARGS) || \
	    failed="$$failed $$backend"; \
	  which="-m not(no_backend)"; \
	done; \
	if [ -n "$$failed" ]; then echo "FAILED:$$failed"; exit 1; fi; \
	echo "passed: lint $(BACKENDS)"

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

gpu-kit: $(VENV)/.demo
	$(python) benchmarks/gpu_kit/pack.py build/gpu-kit $(if $(DATA_DIR),--data_dir=$(DATA_DIR))

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

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find keras_m2m tasks tests -name __pycache__ -prune -exec rm -rf {} +
