# make verify   discharge every obligation (sets everything up first; KERNEL=no leaves Coq out and says so)
# make test     the test suite (likewise)
# make quick    the part of it that takes under a minute
# make kernel-facts   what the proved checker accepts of the claims, computed again by Coq's kernel (eight minutes of CPU)
# make tables   LaTeX tables from the certificates, and a check of what the paper cites
# make paper     the paper with certificates and experiments, build/paper/absence.pdf (installs TeX from Debian where it is missing)
# make experiments   the QA world, a census, training with planted detectors and backdoors, scaling laws: results and plots in build/experiments (5 minutes)
# make site     a static site of claims, proofs and certificates in build/site (likewise); open index.html
# make bench    timings, ours and the peers' side by side (25 minutes; NETS= is a folder of nets of VNN-COMP)
# make reliability   mutants, tampering, kill -9: how much is noticed (hours; fewer with CASES=, KILLS=, MOST=; see tests/reliability/README.md)
# make debian13   .ci/run in a fresh Debian 13 (root), on a clone of what is committed; RUN='make site' runs that; debian12 likewise
# make docs     pages of the API from the docstrings, build/api/index.html
# make clean    remove what these made, certificates included

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

# The versions that the stated verdicts were made with; LOCK= takes the newest.
LOCK ?= constraints.txt
INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check $(addprefix --constraint ,$(LOCK))

KERNEL ?= yes
DEBIAN_COQ := coq libcoq-mathcomp libcoq-mathcomp-algebra-tactics libcoq-mathcomp-zify \
    libcoq-mathcomp-analysis ocaml-findlib libzarith-ocaml-dev

DEBIAN_TEX := latexmk texlive-latex-recommended lmodern
TEX := paper/absence.tex paper/macros.tex $(wildcard paper/sections/*.tex)

.PHONY: verify kernel-facts test quick tables paper experiments site docs bench reliability debian12 debian13 clean coq chromium tex

verify: .venv/set-up $(if $(filter no,$(KERNEL)),,coq)
	$(BIN)/absence verify $(if $(filter no,$(KERNEL)),--no-kernel)

kernel-facts: verify
	$(BIN)/absence check --kernel

test: .venv/set-up-test coq chromium
	$(BIN)/ruff check .
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# What the claims talk about, and what makes a verdict; no whole chain, no Coq proof of ours, no network.
QUICK := $(wildcard tests/models/test_*.py) tests/checker/kernel tests/checker/numbers tests/checker/independent/test_refusals.py
quick: .venv/set-up-test
	$(BIN)/ruff check .
	$(BIN)/pytest --numprocesses 2 --dist loadfile $(QUICK) tests/test_layering.py tests/test_rooms.py tests/test_names.py

tables: verify
	$(BIN)/absence tables $(TEX)

# With what the experiments found; `absence tables` takes it from build/experiments.
paper: tex verify experiments
	$(BIN)/absence tables $(TEX)
	cd paper && latexmk -pdf -interaction=nonstopmode -halt-on-error -silent -outdir=../build/paper absence.tex
	@! grep -E "LaTeX Warning|Overfull|Package natbib Warning" build/paper/absence.log
	@echo "Wrote build/paper/absence.pdf"

# Written whatever the outcome: what is not proved is shown so, and then `absence site` fails.
site: .venv/set-up-site $(if $(filter no,$(KERNEL)),,coq)
	-$(BIN)/absence verify $(if $(filter no,$(KERNEL)),--no-kernel)
	$(BIN)/absence site

# What takes minutes goes on from where it was interrupted, as far as the independent checker accepts what was kept.
experiments: .venv/set-up-experiments
	$(BIN)/absence scale
	$(BIN)/absence world
	$(BIN)/absence census
	$(BIN)/absence lifetimes
	$(BIN)/absence backdoors --workers $$(nproc)

docs: .venv/set-up-docs
	$(BIN)/python docs/api.py build/api

bench: .venv/set-up-bench coq
	$(BIN)/python bench/verify.py
	$(BIN)/python bench/freed_unit.py
	$(BIN)/python bench/audit_idle.py
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python bench/proved.py
	$(BIN)/python bench/audit_reassign.py
	$(BIN)/python bench/region.py
	$(BIN)/python bench/region_proofs.py
	$(BIN)/python bench/audit_whole.py $(if $(NETS),--data $(NETS))
	$(BIN)/python bench/audit_seconds.py $(if $(NETS),--data $(NETS))
	$(BIN)/python bench/minima.py
	$(BIN)/python bench/price.py
	$(BIN)/python bench/census.py
	$(BIN)/python bench/compress.py $(if $(NETS),--data $(NETS))
	$(BIN)/python bench/recorded.py
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python bench/graph.py $(if $(NETS),--data $(NETS))
	$(BIN)/python bench/recorded_wide.py

CASES ?= 10000
KILLS ?= 10
MOST ?= 1000000
reliability: .venv/set-up-test coq verify
	$(BIN)/python tests/reliability/tampering.py --cases $(CASES)
	$(BIN)/python tests/reliability/proved.py --cases $(CASES)
	$(BIN)/python -W ignore tests/reliability/proved_audits.py --cases $(CASES)
	$(BIN)/python tests/reliability/forging.py --cases $(CASES)
	$(BIN)/python tests/reliability/forged_parts.py --cases $(CASES)
	$(BIN)/python tests/reliability/forged_recordings.py --cases $(CASES)
	$(BIN)/python tests/reliability/forged_graphs.py --cases $(CASES)
	$(BIN)/python tests/reliability/killed.py --kills $(KILLS)
	$(BIN)/python tests/reliability/mutation.py --record-first --most $(MOST)

RUN ?= bash .ci/run
debian12 debian13: debian%:
	.ci/debian $* $(RUN)

# Where Coq cannot be installed, `absence verify` marks what it decides as not checked, and fails. What is too old ends it here.
coq: .venv/set-up
	@{ test -d "$$(coqc -where)/user-contrib/mathcomp/analysis" && ocamlfind query zarith; } >/dev/null 2>&1 || \
	    { apt-get update -q && apt-get install -y -q $(DEBIAN_COQ); } || \
	    echo "Coq could not be installed; install these packages: $(DEBIAN_COQ)"
	@$(BIN)/python -m proof_of_absence.checker.kernel.coq_found

# Tests look at the site's pages in it.
chromium:
	@{ command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null || \
	    { apt-get update -q && apt-get install -y -q --no-install-recommends chromium; } || \
	    { echo "Chromium could not be installed; install the package chromium"; exit 2; }

tex:
	@{ command -v latexmk && kpsewhich booktabs.sty && kpsewhich lmodern.sty; } >/dev/null 2>&1 || \
	    { apt-get update -q && apt-get install -y -q --no-install-recommends $(DEBIAN_TEX); } || \
	    { echo "TeX could not be installed; install these packages: $(DEBIAN_TEX)"; exit 2; }

# Debian's python3 comes without ensurepip, which venv needs.
.venv/set-up: pyproject.toml $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or later is needed; name it with make PYTHON=..."; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	    { apt-get update -q && apt-get install -y -q python3-venv; } || \
	    { echo "install the package python3-venv, or name another Python with make PYTHON=..."; exit 2; }
	$(PYTHON) -m venv .venv
	$(INSTALL) --editable .
	@touch $@

.venv/set-up-%: .venv/set-up
	$(INSTALL) --editable '.[$*]'
	@touch $@

clean:
	rm -rf .venv certificates build paper/tables .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
