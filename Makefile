# Facturino Connect. `make` alone tells what there is. Needs a Python 3.11 or newer; everything else is installed
# into .venv/ and kept in .local/.

PYTHON ?= python3
ARGS ?=
VENV := .venv/bin/python

# Checks read the settings but meet no server; these values lead nowhere.
lint openapi: export DJANGO_SETTINGS_MODULE = config.settings.dev
lint openapi: export SECRET_KEY = only-for-checks
lint openapi: export FC_ENCRYPTION_KEYS = checks:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
lint openapi: export DATABASE_URL = postgresql://nobody@127.0.0.1:1/nowhere
lint openapi: export DATABASE_OWNER_URL = postgresql://nobody@127.0.0.1:1/nowhere
lint openapi: export REDIS_URL = redis://127.0.0.1:1/0

.DEFAULT_GOAL := help
.PHONY: help run test lint soak bench openapi compatibility requirements reset shell runtime dev

help: ## Show this list
	@echo "Facturino Connect:"
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## (.*)/\1|\2/' | \
		while IFS='|' read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done
	@echo
	@echo "Settings: PORT=8001 make run, PYTHON=python3.12 make run; the others are explained in .env.example."

run: runtime ## Start the whole product with demo data; Ctrl-C stops it
	@exec $(VENV) -m demo.run

test: dev ## Run all tests; ARGS="tests/ledger -k name" for a part of them
	@$(VENV) -m pytest -n 3 $(ARGS)

lint: dev ## Check style, types, architecture, migrations and the API description
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .
	$(VENV) -m mypy .
	$(VENV) -c "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
	$(VENV) manage.py makemigrations --check --dry-run
	$(VENV) manage.py openapi --check

soak: dev ## Run the long versions of the tests
	@$(VENV) -m pytest -m soak $(ARGS)

bench: dev ## Measure; each benchmark prints ratios to a baseline of the same run
	@$(VENV) -m benchmarks $(ARGS)

openapi: dev ## Write the API description anew
	@$(VENV) manage.py openapi

compatibility: dev ## Write docs/stripe-compatibility.md from the tests of Stripe's SDK
	@$(VENV) -m pytest tests/sdk -q --compatibility=write

requirements: dev ## Compile the requirement files; ARGS=--upgrade takes the newest versions
	@$(VENV) deploy/compile_requirements.py $(ARGS)

reset: ## Forget all local data; FORCE=1 does not ask
	@if [ -d .local ]; then $(MAKE) --no-print-directory runtime && $(VENV) -m demo.run reset; \
		else echo "There is nothing to forget: .local/ does not exist."; fi

shell: runtime ## Open a Python shell in the demo's test environment while `make run` runs
	@exec $(VENV) -m demo.run shell

runtime dev:
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no program $(PYTHON); install Python 3.11 or newer, or name it: make run PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" deploy/bootstrap.py $@
