# `make learn` and `make test` set up .venv first; nothing else on the machine is touched.

PYTHON ?= python3
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Commands are printed as a user types them, so the environment's programs come first.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Without bytecode every start of `synth` compiles its imports again.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1

READY := .venv/.ready
FLOWS ?= datasets/three-tier/flows/conntrack
CLUSTER ?= datasets/three-tier/cluster
ANSWERS ?= datasets/three-tier/answers.yaml
OUT ?= build/three-tier
TOPOLOGY ?= datasets/recorder/three-tier.yaml
RECORDING ?= build/recording
MATRIX ?= daily
JUDGE ?=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: learn
learn: $(READY) ## learn the policies of the three-tier example into build/three-tier
	synth learn $(FLOWS) --cluster $(CLUSTER) $(ANSWERS:%=--accept %) --out $(OUT)

.PHONY: test
test: $(READY) ## lint, types, import rules, spelling, tests; with CI=true the slow tests too
	@python tests/run_stages.py

.PHONY: judge
judge: $(READY) ## judge the learner where the truth is known: MATRIX=small|daily|full
	@python -m benchmarks.judge --matrix $(MATRIX) --out build/judge $(JUDGE)

.PHONY: stress
stress: $(READY) ## ten million edges
	pytest -m stress

.PHONY: bugs
bugs: $(READY) ## seed one-line bugs into the evaluator and the policy reader: which tests notice
	@python -m tests.seeded_bugs.seed

.PHONY: record
record: $(READY) ## record an application again, as root: TOPOLOGY=… into RECORDING=…
	python -m datasets.recorder $(TOPOLOGY) --out $(RECORDING)

.PHONY: golden
golden: $(READY) ## rewrite the golden folders; review the result as a diff
	pytest --golden-update tests/golden

.PHONY: docs
docs: $(READY) ## rewrite the pages of docs/ that are readings of the code
	python docs/generate.py

.PHONY: format
format: $(READY) ## format the code and apply the safe fixes
	ruff check --fix-only .
	ruff format .

.PHONY: requirements
requirements: build/uv/bin/uv pyproject.toml ## pin pyproject.toml into requirements.txt; UPGRADE=--upgrade for newer
	build/uv/bin/uv pip compile pyproject.toml --extra test --group build \
	    --universal --python-version 3.11 --generate-hashes $(UPGRADE) --quiet \
	    --no-header --no-emit-index-url --no-emit-find-links --output-file requirements.txt

.PHONY: clean
clean: ## remove the environment, build results and caches
	rm -rf .venv build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache \
	    .import_linter_cache .coverage
	find synth tests -name __pycache__ -prune -exec rm -rf {} +

# --- set-up -----------------------------------------------------------------------------------

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "synth needs Python 3.11 or newer. Got $$($(PYTHON) --version 2>/dev/null || echo nothing)" \
	         "from '$(PYTHON)' instead. Name another: make PYTHON=/path/to/python3" >&2; exit 2; }
	@.venv/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --require-hashes -r requirements.txt
	.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

build/uv/bin/uv:
	$(PYTHON) -m venv build/uv
	build/uv/bin/python -m pip install --quiet uv
