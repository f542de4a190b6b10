# Everything here works on a bare machine: the first command makes .venv and says what is missing.
PYTHON ?= python3
RUN = $(PYTHON) local/bootstrap.py run
TEST = $(PYTHON) local/bootstrap.py test
# Into the world that `make run` keeps going in another terminal.
INSIDE = test -f var/env.sh || { echo "takedown: nothing runs here; say: make run" >&2; exit 1; }; . ./var/env.sh;
export PORT FRESH TERM_HOURS T W N

.DEFAULT_GOAL := help
.PHONY: help run live world manage shell test drill check bench messages format lock clean

help:  ## This list
	@sed -n 's/^\([a-z]*\):.*##  */  make \1 \t/p' Makefile | expand -t 18

run:  ## The whole system with its demo world (PORT=8000, FRESH=1 starts over, TERM_HOURS=0.05)
	@$(RUN) local.run

live:  ## Send a notice through the running world and watch it being answered
	@$(INSIDE) python manage.py demo --live

world:  ## The running programs; DO="kill worker-sweeps" (stop, start, restart, pause, resume)
	@$(INSIDE) python -m local.control $(or $(DO),list)

manage:  ## A management command in the running world: A="verify"
	@$(INSIDE) python manage.py $(or $(A),help)

shell:  ## A Python shell in the running world
	@$(INSIDE) python manage.py shell

test:  ## Every test (T=tests/cases or T="-k overdue" for some)
	@$(TEST) local.test

drill:  ## The fault drills: slow, they kill and hang things
	@$(TEST) local.test -m drill

check:  ## Format, lint, types, import contracts, translations, migrations, API description, ...
	@$(TEST) local.check

bench:  ## The workloads, as ratios, into var/bench.json (W=2 N=1000000 for one of them at a size)
	@$(TEST) bench

messages:  ## Bring the texts of the code into locale/
	@$(TEST) local.messages update

format:  ## Put code and templates in their form
	@$(TEST) ruff check -q --fix-only . && $(TEST) ruff format .

lock:  ## Choose the newest allowed versions anew (needs the package index)
	@$(TEST) local.lock

clean:  ## Remove the environment and all data, the demo world's too
	@! test -e var/run.lock || flock -n var/run.lock true || { echo "takedown: stop \`make run\` first" >&2; exit 1; }
	rm -rf .venv var .mypy_cache .ruff_cache .import_linter_cache .hypothesis
