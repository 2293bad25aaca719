# Needs Python 3.11 or newer and make; everything else goes into .venv.
PYTHON ?= $(or $(shell command -v python3.11),python3)
VENV := .venv
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
READY := $(VENV)/.ready
LENET := conv:6,k5 tanh avgpool conv:16,k5 tanh avgpool flatten linear:120 tanh linear:84 tanh linear:10
INCEPTION := cat[ conv:64,k1 / conv:96,k1 relu conv:128,k3,p1 / conv:16,k1 relu conv:32,k5,p2 / \
	maxpool:k3,s1,p1 conv:32,k1 ]
SHOWN := 00_input.png 01_features.0.png 04_features.3.png predictions.png

.PHONY: help demo test lint pictures clean

help:
	@echo "make demo   install into $(VENV), run the three commands on samples/"
	@echo "make test   install into $(VENV), run the tests"
	@echo "make lint   ruff and mypy"
	@echo "make clean  remove $(VENV) and everything made"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "cnnviz needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Installing into $(VENV); the first time this takes some minutes."
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable ".[dev]"
	@$(VENV)/bin/python -m compileall -q cnnviz  # as pip does for what is not editable
	@touch $@

demo: $(READY)
	@$(RUN) sh samples/demo.sh demo

test: $(READY)
	@$(RUN) python -m pytest

lint: $(READY)
	@$(RUN) ruff check
	@$(RUN) ruff format --check
	@$(RUN) mypy

# What README.md shows, made anew.
pictures: demo
	cp demo/coffee.sobel_x.png $(addprefix demo/scan_3.lenet/,$(SHOWN)) docs/pictures/
	$(RUN) cnnviz featuremaps -m efficientnet_lite0 samples/coffee.png --cam auto -q --overwrite -o demo/coffee
	cp demo/coffee/overview.png docs/pictures/coffee.overview.png
	cp demo/coffee/cam.png docs/pictures/coffee.cam.png
	$(RUN) cnnviz filter samples/chelsea.png -k sobel -q --overwrite -o demo/chelsea.sobel.png \
		--figure docs/pictures/chelsea.sobel.figure.png
	$(RUN) cnnviz shape 1x32x32 $(LENET) -q --overwrite --figure docs/pictures/lenet.chain.svg
	$(RUN) cnnviz shape 192x28x28 "$(INCEPTION)" -q --overwrite --figure docs/pictures/inception.chain.svg
	$(RUN) sh docs/step_pictures.sh docs/pictures
	$(RUN) python docs/explorer_pictures.py

clean:
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
