# One virtual environment, .venv, and nothing outside it. A second run installs nothing.
#   make demo      talking video from the shipped portrait and voice -> demo/talk.mp4
#   make test      the tests that take seconds;  make test-all: all of them
#   make lint      style

PYTHON ?= python3
PYTEST_FLAGS ?= -n 2 --dist loadfile
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
ifeq ($(UV),)
  INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
else
  INSTALL = $(UV) pip install --quiet --python $(BIN)/python
endif
PACKAGE := setup.cfg pyproject.toml

.PHONY: demo test test-all lint clean

demo: $(VENV)/.installed
	@mkdir -p demo
	$(BIN)/vasa generate vasa_jax/examples/portrait.jpg vasa_jax/examples/voice.wav \
	  -o demo/talk.mp4 --seed 5

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_FLAGS)

test-all: $(VENV)/.installed-test
	$(BIN)/python -m pytest $(PYTEST_FLAGS)

lint: $(VENV)/.installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf $(VENV) demo

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Python 3.11 or newer is needed: make PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo 'cannot make a virtual environment: on Debian, apt install python3-venv'; \
	  exit 1; }

# A stamp is newer than what it was made from, or is made again.
$(VENV)/.installed: $(PACKAGE) | $(BIN)/python
	$(INSTALL) -e .
	@touch $@

$(VENV)/.installed-test: $(PACKAGE) | $(BIN)/python
	$(INSTALL) -e '.[test]'
	@touch $(VENV)/.installed $(VENV)/.installed-lint $@

# The linter alone: style can be checked before anything heavy is installed.
$(VENV)/.installed-lint: $(PACKAGE) | $(BIN)/python
	$(INSTALL) "$$(sed -n 's/^ *\(ruff[<>=].*\)/\1/p' setup.cfg)"
	@touch $@
