# make run    start the server          make test   run every test
# make check  format, lint, types, ...  make help   the rest
#
# Everything is installed into .venv/. Stamp files in it say what is there, so that a second run
# goes straight on, and a changed requirements file is installed again.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000

PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input
MANAGE := $(PY) manage.py
TEMPLATES = $$(find templates -name '*.html')

.PHONY: run
run: .venv/.mysql ## Start the server on http://$(HOST):$(PORT)
	@$(MANAGE) migrate --no-input --verbosity 0
	@$(MANAGE) collectstatic --no-input --verbosity 0
	@FILESERVER_PARENT_PID=$$PPID exec $(MANAGE) serve --host "$(HOST)" --port "$(PORT)"

.PHONY: test
test: .venv/.dev ## Run the whole test suite, on the database that DATABASE_URL names
	$(PY) -m pytest

# What brings databases of its own is the same on each: `make test` has run it.
.PHONY: test-servers
test-servers: .venv/.dev ## Run it at FILESERVER_TEST_MYSQL_URL and FILESERVER_TEST_POSTGRES_URL
	DATABASE_URL="$${FILESERVER_TEST_MYSQL_URL:?names no server}" $(PY) -m pytest -m "not own_servers"
	DATABASE_URL="$${FILESERVER_TEST_POSTGRES_URL:?names no server}" $(PY) -m pytest -m "not own_servers"

.PHONY: check
check: .venv/.dev ## Check format, lint, types, templates, migrations, deployment, translations
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/djade --check --target-version 5.2 $(TEMPLATES)
	$(PY) -m djhtml --check --tabwidth 2 $(TEMPLATES)
	git ls-files -co --exclude-standard -- '*.py' | xargs $(PY) -m django_upgrade --check --target-version 5.2
	$(PY) -m codespell_lib
	$(MANAGE) makemigrations --check --dry-run
	$(MANAGE) spectacular --validate --fail-on-warn --file /dev/null
	@echo "$(MANAGE) check --deploy, as a protected server"; \
	dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	env FILESERVER_DATA_DIR="$$dir" FILESERVER_ACCESS=private \
		FILESERVER_ALLOWED_HOSTS=files.example.org $(MANAGE) check --deploy --fail-level WARNING
	@find . -path "./.venv*" -prune -o -name '*.po' -print | while read -r file; do \
		echo "msgfmt --check $$file"; \
		msgfmt --check --output-file=/dev/null "$$file" || exit 1; \
	done

.PHONY: format
format: .venv/.dev ## Format code and templates in place
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .
	-.venv/bin/djade --target-version 5.2 $(TEMPLATES)
	-$(PY) -m djhtml --tabwidth 2 $(TEMPLATES)

.PHONY: migrate
migrate: .venv/.mysql ## Bring the database up to date
	$(MANAGE) migrate --no-input

.PHONY: mysql
mysql: ## Try again to install the MySQL driver
	@rm -f .venv/.mysql
	@$(MAKE) --no-print-directory .venv/.mysql

.PHONY: bench
bench: .venv/.base .venv-bench/.peers ## Measure this server beside its peers (BENCH=--quick: 5 minutes)
	$(PY) benchmarks/run.py $(BENCH)

.PHONY: clean
clean: ## Remove the environment and what the tools left; data in var/ stays
	rm -rf .venv .venv-bench .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- the environment ------------------------------------------------------------------------

.venv/.base: requirements-base.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed as $(PYTHON) (or: make PYTHON=/path/to/python3.11)." >&2; \
		exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv || { \
		echo "No virtual environment could be made in .venv: install Python's venv module" \
			"(on Debian and Ubuntu: apt-get install python3-venv) and run make again." >&2; \
		exit 1; }
	$(PIP) install --quiet --only-binary :all: -r requirements-base.txt
	@touch $@

# Never a reason to stop: SQLite and PostgreSQL need none of it.
.venv/.mysql: requirements.txt .venv/.base
	@if $(PIP) install --quiet --no-index -r requirements.txt >/dev/null 2>&1; then :; else \
		ready() { command -v gcc && command -v pkg-config && \
			{ pkg-config --exists mysqlclient || pkg-config --exists libmariadb || \
			  pkg-config --exists mariadb; } && \
			$(PY) -c 'import os, sysconfig; open(os.path.join(sysconfig.get_path("include"), "Python.h"))'; }; \
		{ if ! ready && [ "$$(id -u)" = 0 ] && command -v apt-get; then \
			export DEBIAN_FRONTEND=noninteractive; \
			apt-get update; \
			apt-get install -y --no-install-recommends libmariadb-dev pkg-config gcc libc6-dev python3-dev; \
		fi; $(PIP) install -r requirements.txt; } >.venv/mysql.log 2>&1 </dev/null || \
		echo "Going on without MySQL: mysqlclient could not be built (see .venv/mysql.log;" \
			"'make mysql' tries again). SQLite and PostgreSQL work."; \
	fi
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.base .venv/.mysql
	$(PIP) install --quiet --only-binary :all: -r requirements-dev.txt
	@touch $@

# Peers that cannot be had are left out of the benchmark, which says so.
.venv-bench/.peers: benchmarks/requirements.txt
	@$(PYTHON) -m venv --clear .venv-bench
	@.venv-bench/bin/python -m pip --disable-pip-version-check --no-input install --quiet \
		--only-binary :all: -r benchmarks/requirements.txt && touch $@ || \
		echo "Going on without some peers: they could not be installed." >&2
