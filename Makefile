# Every target brings its own set-up; what is done is skipped (stamp files).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PY := .venv/bin/python
STAGE := scripts/setup/stage.sh
VENV := .venv/.stamp-lock
PACKAGE := .venv/.stamp-package
NODE := node_modules/.stamp
SOLC := build/toolchain/solc-v0.8.30
COMPILED := build/.stamp-compiled
SLITHER := build/slither-venv/.stamp

# Folders too: their time changes when a file is added or removed.
CONTRACTS := $(shell find contracts \( -name '*.sol' -o -type d \) 2>/dev/null)
SUITES := keeper contracts stateful e2e
WORKERS ?= 2
ARGS ?=
STEPS ?= 200000
SEED ?= 1
TRADES ?= 50000
ONLY ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup compile abi demo bench bench-maths bench-gas bench-quant bench-surface test test-stateful-long test-hedge-long test-desk-long test-vault-long test-adversary test-mutants slither check format lock clean distclean

help:  ## this list
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:  ## virtual environment, Python and npm packages, compiler
	@$(MAKE) --no-print-directory -s -j2 $(PACKAGE) $(NODE)
	@$(MAKE) --no-print-directory -s $(SOLC)

$(VENV): requirements/lock.txt scripts/setup/install_python.sh
	@$(STAGE) "python packages" scripts/setup/install_python.sh
	@touch $@

$(PACKAGE): $(VENV) pyproject.toml
	@$(STAGE) "gammadesk command" $(PY) -m pip install --no-input --no-deps -e .
	@touch $@

$(NODE): package.json package-lock.json .npmrc
	@scripts/setup/check_node.sh
	@$(STAGE) "npm packages" npm install --no-audit --no-fund
	@touch $@

$(SOLC): $(NODE) $(PACKAGE) scripts/setup/solc.py
	@$(STAGE) "solidity compiler" $(PY) -m scripts.setup.solc
	@touch $@

compile: setup  ## contracts, with brownie, into build/contracts
	@$(MAKE) --no-print-directory -s $(COMPILED)

$(COMPILED): $(SOLC) $(CONTRACTS) brownie-config.yaml
	@$(STAGE) "compile contracts" $(PY) -m scripts.setup.compile
	@touch $@

abi: compile  ## contract ABIs into the keeper's package data
	@$(PY) -m scripts.export_abis

demo: compile  ## replay a market: DATA=<csv|parquet> START= END= (else a bundled week), NETWORK=anvil|ganache
	@$(PY) -m scripts.demo $(if $(DATA),--data "$(DATA)") $(if $(START),--start "$(START)") \
	    $(if $(END),--end "$(END)") $(if $(NETWORK),--network "$(NETWORK)") $(ARGS)

bench: compile  ## gas and speed measurements
	@$(PY) -m scripts.bench $(ARGS)

bench-gas: compile  ## gas of every transaction that users send: build/bench/gas.json
	@$(PY) -m scripts.bench gas $(ARGS)

bench-quant: setup  ## hedging policies, volatility forecasts (minutes), speed of the Greeks: build/bench/quant.json
	@$(PY) -m scripts.bench pricing policies volatility

bench-maths: compile  ## gas and errors of the option maths, into build/bench/maths.json
	@$(PY) -m scripts.bench.maths $(ARGS)

bench-surface: setup  ## surface fit on option chains (needs market data): build/bench/surface.json and .html
	@$(PY) -m scripts.bench.surface

test: compile  ## all suites; one of them: make test-keeper, with ARGS="-k name"
	@for suite in $(SUITES); do $(MAKE) --no-print-directory -s suite-$$suite; done

test-%: compile
	@$(MAKE) --no-print-directory -s suite-$*

test-hedge-long: compile  ## I-05 on random books and batches: TRIALS=100000 SEED=1
	@$(PY) -m tests.stateful.hedge $(or $(TRIALS),100000) $(SEED)

test-stateful-long: compile  ## a long random search of the clearing room: STEPS=200000 SEED=1
	@$(PY) -m tests.stateful $(STEPS) $(SEED) $(WORKERS)

test-desk-long: compile  ## a long search for money in the desk at constant market: TRADES=50000 SEED=1
	@$(PY) -m tests.stateful.desk_long $(TRADES) $(SEED)

test-adversary: compile  ## I-06: a thief of every key against the vault: ATTEMPTS=400 SEED=1; build/adversary.json
	@$(PY) -m tests.stateful.adversary $(or $(ATTEMPTS),400) $(SEED)

test-vault-long: compile  ## a long random search of the vault: STEPS=100000 SEED=1
	@$(PY) -m tests.stateful.vault_long $(if $(filter command line,$(origin STEPS)),$(STEPS),100000) $(SEED)

test-mutants: setup  ## planted bugs: each patch of tests/mutants must fail its test: ONLY=<part of a name>
	@$(PY) -m scripts.mutants $(ONLY)

slither: setup $(SLITHER)  ## static analysis: every finding must be answered in docs/slither.md
	@$(PY) -m scripts.slither

$(SLITHER): requirements/slither.txt scripts/setup/install_slither.sh
	@$(STAGE) "slither" scripts/setup/install_slither.sh
	@touch $@

# Chain suites share a file's deployment, so a file stays with one worker, which has its own node.
.PHONY: $(SUITES:%=suite-%)
$(SUITES:%=suite-%): suite-%:
	@if [[ -z $$(find tests/$* -name 'test_*.py') ]]; then echo "==> tests/$*: none yet"; exit 0; fi; \
	start=$$SECONDS; echo "==> tests/$*"; \
	$(PY) -m pytest tests/$* -q $(if $(filter-out 0 1,$(WORKERS)),-n $(WORKERS) --dist loadfile) $(ARGS); \
	echo "==> tests/$*: $$((SECONDS - start)) s"

check: setup  ## lint, formatting and types; changes nothing
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	node_modules/.bin/prettier --check 'contracts/**/*.sol'
	node_modules/.bin/solhint --disc --max-warnings 0 'contracts/**/*.sol'

format: setup  ## lint fixes and formatting
	$(PY) -m ruff check --fix
	$(PY) -m ruff format
	node_modules/.bin/prettier --write 'contracts/**/*.sol'

lock: setup  ## requirements/lock.txt anew from requirements/dev.in
	@$(STAGE) "resolve python packages" scripts/setup/relock.sh

clean:  ## what was built, but not what was installed
	rm -rf build

distclean: clean  ## what was installed, too
	rm -rf .venv node_modules
