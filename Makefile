# `make demo` runs the main job and `make test` proves it; both install what they need into .venv first.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
STAMP := .venv/installed
STATIC := node/console/static
# proto/generate.py starts buf and protoc plugins by name.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# The tests start hundreds of processes: compiled once, each is there half a second earlier.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup assets demo test test-fast check bite bench bench-audit screenshots clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 20

setup: $(STAMP) $(STATIC)  ## install into .venv what pyproject.toml names, and build the console's assets (again only when they change)

# The first Python that is new enough and can make environments. Debian's lacks ensurepip until python3-venv is installed, and
# a pyenv shim may stand for a version that is not there: so each candidate is run, not merely found.
$(STAMP): pyproject.toml
	@old=""; python=""; \
	for candidate in python3.13 python3.12 python3.11 python3; do \
	  "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  if "$$candidate" -c 'import ensurepip, venv' 2>/dev/null; then python="$$candidate"; break; fi; \
	  old="$${old:-$$candidate}"; \
	done; \
	if [ -z "$$python" ] && [ -n "$$old" ]; then \
	  echo "$$old cannot make a virtual environment. On Debian or Ubuntu run: apt-get install python3-venv; then run make again." >&2; exit 1; \
	fi; \
	if [ -z "$$python" ]; then \
	  echo "No Python 3.11 or newer was found. Install one (Debian, Ubuntu: apt-get install python3 python3-venv); then run make again." >&2; exit 1; \
	fi; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then rm -rf .venv; "$$python" -m venv .venv; fi; \
	echo "installing into .venv; the first time takes about a minute"; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' \
	  || { echo "Installation failed: pip's message stands above. It needs the network, or a package index that pip is configured for." >&2; exit 1; }; \
	touch $(STAMP)

# Without Node.js a node runs, and says that it has no console; only the tests insist on it.
$(STATIC): node/console/web/package-lock.json $(wildcard node/console/web/*.scss node/console/web/*.js) node/console/web/build.sh | $(STAMP)
	@if ! command -v npm >/dev/null; then \
	  echo "npm was not found: nodes run without the web console. On Debian or Ubuntu: apt-get install nodejs npm; then run make again." >&2; \
	else \
	  echo "building the console's assets"; node/console/web/build.sh && touch $(STATIC) || \
	  echo "The console's assets were not built: npm's message stands above. Nodes run without the web console; run make again to try again." >&2; \
	fi

assets: setup
	@test -d $(STATIC) || { echo "The tests need the console's assets, which npm builds. On Debian or Ubuntu run: apt-get install nodejs npm; then run make again." >&2; exit 1; }

demo: setup  ## two countries exchange an alert, step by step
	@$(BIN)/exchange demo

check: assets  ## lint, types, layers, generated code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python proto/generate.py --check

# The last run starts node processes, so it has the cores to itself. It adds to the first run's coverage data and holds the gate:
# every branch of the treaty.
test: check  ## everything: check, all tests, full branch coverage of exchange/, each check bites
	$(BIN)/pytest -n 2 --dist loadfile -m "not system and not slow" --cov --cov-report=
	$(MAKE) --no-print-directory bite
	$(BIN)/pytest -n 2 -m system tests/browser
	$(BIN)/pytest -n 2 -m "slow and not system" --cov --cov-append --cov-report=
	$(BIN)/pytest -m system --ignore=tests/browser --cov --cov-append --cov-report=term --cov-fail-under=100

test-fast: assets  ## the tests that take no process and no patience: under 3 minutes
	$(BIN)/pytest -n 2 --dist loadfile -m "not system and not slow and not thorough"

bite: setup  ## disable each numbered check in turn; at least one test of its name must turn red
	$(BIN)/python tests/bite.py

screenshots: assets  ## the pictures of the console in docs/screenshots
	CONSOLE_SCREENSHOTS=docs/screenshots $(BIN)/pytest tests/browser/test_screenshots.py

bench: setup  ## throughput and latency of two nodes on this machine
	$(BIN)/python -m benchmarks.throughput

bench-audit: setup  ## what an audit costs at 10,000, 100,000 and 1,000,000 entries
	$(BIN)/python -m benchmarks.audit

clean:  ## remove what make and the tests made
	rm -rf .venv node/console/static node/console/web/node_modules build dist demo-data certs-example/out .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
