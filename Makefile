# Tasks of this repository. Run `make` to list them.

# Cargo's target directory.
OUT = $${CARGO_TARGET_DIR:-target}
# The cargo profile for `make run` and `make test`; see [profile.fast] in Cargo.toml.
PROFILE = fast
# Tests enable overflow checks and debug assertions for the relay's own code, and build it incrementally.
OWN = profile.$(PROFILE).package.gischat-relay
CHECKED = --profile $(PROFILE) --config $(OWN).overflow-checks=true --config $(OWN).debug-assertions=true \
	--config profile.$(PROFILE).incremental=true
# For `make run`: arguments for the relay, such as ARGS="--config my.toml".
ARGS =
# For `make bench`: arguments for the load tool, such as LOAD="--bun PROGRAM" to include uWebSockets.
LOAD =
# Tests that run at the same time. Most of them wait, so more than there are processors.
TEST_THREADS = 4
# For `make only`: a part of the names of tests.
NAME =
# For `make fuzz`: seconds to run each target, and the targets.
SECONDS_EACH = 60
FUZZ_TARGETS = frame v1 typed image rules settings plugin fold

# For `make plugins`: `INSTALL=--install` installs the tools for Python and JavaScript into target/tools.
INSTALL =

# Files of the kits. Plugins are rebuilt if one changes.
WIT = sdk/wit/filter.wit
PYTHON_KIT = $(wildcard sdk/python/*.py sdk/python/gischat_filter/*.py) $(WIT)
JAVASCRIPT_KIT = $(wildcard sdk/javascript/*.js sdk/javascript/src/*.js) $(WIT)
# If a tool is missing, print how to install it and skip the plugin; with STRICT, fail.
STRICT =
OR_MISSING = $(if $(STRICT),,|| [ $$? -eq 3 ])

.PHONY: help run setup plugins plugins-rust guests test only test-kits bench bench-quick lint deny fuzz examples tables

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: ## Build the relay and its plugins, and serve on http://127.0.0.1:8000 (ARGS="--config FILE")
	@sh plugins/prepare.sh
	cargo run --profile $(PROFILE) --locked --bin gischat-relay -- serve $(ARGS)

setup: ## Install the build tools of all plugins (Debian packages, with sudo unless you are root)
	sh plugins/setup.sh --sudo

plugins: plugins-rust plugins/polite-words/filter.wasm plugins/quiet-hours/filter.wasm ## Build the plugins whose tools are installed

# Cargo rebuilds only what has changed.
plugins-rust:
	sh plugins/build-rust.sh $(OR_MISSING)

plugins/polite-words/filter.wasm: plugins/polite-words/filter.py $(PYTHON_KIT)
	sh plugins/build-python.sh $(INSTALL) polite-words $(OR_MISSING)

plugins/quiet-hours/filter.wasm: plugins/quiet-hours/filter.js $(JAVASCRIPT_KIT)
	sh plugins/build-javascript.sh $(INSTALL) quiet-hours $(OR_MISSING)

# Plugins for tests only.
SAME = tests/guests/same
guests: $(SAME)/python/filter.wasm $(SAME)/javascript/filter.wasm
	sh plugins/build-rust.sh $(patsubst %,./tests/guests/%,hostile likes nicknames same/rust)

$(SAME)/python/filter.wasm: $(SAME)/python/filter.py $(PYTHON_KIT)
	sh plugins/build-python.sh $(INSTALL) ./$(SAME)/python $(OR_MISSING)

$(SAME)/javascript/filter.wasm: $(SAME)/javascript/filter.js $(JAVASCRIPT_KIT)
	sh plugins/build-javascript.sh $(INSTALL) ./$(SAME)/javascript $(OR_MISSING)

test-kits: # The kits for authors and the shipped plugins, natively.
	cargo test --locked --manifest-path sdk/rust/Cargo.toml
	cargo test --locked --manifest-path plugins/Cargo.toml
	cd sdk/python && python3 -m unittest discover -s tests -t .
	cd plugins/polite-words && PYTHONPATH=../../sdk/python python3 -m unittest
	cd $(SAME)/python && PYTHONPATH=../../../../sdk/python python3 -m unittest
	cd sdk/javascript && npm test
	cd plugins/quiet-hours && node --import ../../sdk/javascript/register.js --test

# Documentation tests run first, so that the output ends with the other tests.
test: ## Install what the tests need, if missing, and run all tests
	sh tests/needs.sh
	sh tests/promtool.sh
	sh tests/corpora.sh
	$(MAKE) plugins guests INSTALL=--install STRICT=yes
	$(MAKE) test-kits
	cargo test $(CHECKED) --workspace --locked --doc
	cargo test $(CHECKED) --workspace --locked --lib --bins --tests --examples -- --test-threads=$(TEST_THREADS)

only: ## Run the tests whose names contain NAME (after `make test`, which installs what they need)
	cargo test $(CHECKED) --workspace --locked --lib --bins --tests -- $(NAME)

bench: plugins guests ## Run all benchmarks and write docs/PERFORMANCE.md (30 minutes)
	cargo build --release --locked --workspace
	"$(OUT)/release/gischat-load" --relay "$(OUT)/release/gischat-relay" --docs docs $(LOAD)
	cargo bench --locked --bench matching --bench content --bench message --bench rules --bench plugin

bench-quick: plugins guests ## Run all workloads briefly and check for lost messages (under a minute)
	cargo build $(CHECKED) --workspace --locked
	"$(OUT)/$(PROFILE)/gischat-load" --relay "$(OUT)/$(PROFILE)/gischat-relay" --quick

lint: ## Check format, clippy and documentation, with warnings denied
	cargo fmt --all --check
	for crate in sdk/rust plugins tests/guests; do \
		cargo fmt --all --manifest-path $$crate/Cargo.toml --check || exit 1; \
	done
	sh tests/features.sh
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --manifest-path sdk/rust/Cargo.toml --all-targets --locked -- -D warnings
	cargo clippy --manifest-path plugins/Cargo.toml --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

deny: ## Check dependencies: bans, licences, sources (needs cargo-deny)
	cargo deny --locked check bans licenses sources

fuzz: ## Fuzz each target for a minute (SECONDS_EACH=600)
	sh tests/needs.sh fuzz
	sh fuzz/seed.sh
	RUSTC_WORKSPACE_WRAPPER="$$PWD/fuzz/coverage.sh" \
		cargo build $(CHECKED) -p gischat-relay-fuzz --features libfuzzer --bins --locked
	for target in $(FUZZ_TARGETS); do \
		mkdir -p "fuzz/artifacts/$$target" && "$(OUT)/$(PROFILE)/$$target" -max_total_time=$(SECONDS_EACH) -timeout=10 \
			-artifact_prefix="fuzz/artifacts/$$target/" "fuzz/corpus/$$target" || exit 1; \
	done

examples: ## Regenerate examples/relay.toml, which lists every setting
	UPDATE_EXAMPLES=1 cargo test $(CHECKED) --workspace --locked --lib the_example_file_is_the_listing_of_all_settings

tables: ## Regenerate the table of look-alikes and the results for disguised words in docs/matching
	UPDATE_TABLES=1 cargo test $(CHECKED) --workspace --locked --lib the_table_matches_the_data
	UPDATE_TABLES=1 cargo test $(CHECKED) --workspace --locked --test matching as_often_as_the_documentation_says
