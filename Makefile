# Leaver's daily commands; `make` alone lists them.  Needs Python 3.11 or newer, nothing else.

DEPLOY := config/deploy/requirements.txt
TESTS := tests/requirements.txt
INSTALL := .ci/requirements.txt
BIN := .venv/bin
# With extras: of a pin without its extra, pip looks at the newest version, for which there is no hash.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-strip-extras --no-emit-index-url --no-header $(ARGS)

.PHONY: help install tools demo check test mutants bench-drain bench-console lock clean

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

install: ## make .venv, with the command .venv/bin/leaver
	@.ci/venv .venv $(DEPLOY)

tools:
	@.ci/venv .venv $(DEPLOY) $(TESTS)

demo: install ## rehearse one leaver on this machine (ARGS=--once: then stop)
	@$(BIN)/leaver demo $(ARGS)

check: tools ## format, lint, types, import contracts, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell

test: tools ## check, then the whole suite on every Python from 3.11 on found here
	@$(BIN)/python .ci/test.py

mutants: tools ## post 10,000 mutants of what each sender sends, half of them signed anew
	@LEAVER_MUTANTS=10000 $(BIN)/pytest -q --timeout 3600 tests/webhook/test_mutants.py $(ARGS)

bench-drain: tools ## how fast 2,000 leavers drain; takes five minutes
	@$(BIN)/python -m tests.bench.drain $(ARGS)

bench-console: tools ## how fast the console is over a million jobs; takes ten minutes
	@$(BIN)/python -m tests.bench.console $(ARGS)

lock: tools ## pin pyproject.toml anew into every requirements.txt (ARGS=--upgrade: newer versions)
	$(BIN)/python -m pip install -qq --require-hashes -r $(INSTALL)
	$(LOCK) --group build pyproject.toml --output-file $(DEPLOY)
	$(LOCK) --group test --constraint $(DEPLOY) --output-file $(TESTS)
	$(LOCK) --group install --output-file $(INSTALL)

clean: ## remove environments and caches; var/ and leaver.toml stay
	rm -rf .venv .venv-* .*_cache .hypothesis .coverage .coverage.* dist
	find . -name __pycache__ -prune -exec rm -rf {} +
