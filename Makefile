# Everything here works on a bare machine: the first command makes .venv and says what is missing.
PYTHON ?= python3
READY = $(PYTHON) local/bootstrap.py
export PORT FRESH TERM_HOURS T

.DEFAULT_GOAL := help
.PHONY: help run test

help:  ## This list
	@sed -n 's/^\([a-z]*\):.*##/  make \1 \t/p' Makefile | expand -t 18

run:  ## The whole system with its demo world (PORT=8000, FRESH=1 starts over, TERM_HOURS=0.05)
	@$(READY) run local.run

test:  ## Every test (T=tests/cases or T="-k overdue" for some)
	@$(READY) test local.test
