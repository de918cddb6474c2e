# What there is to do here. `make` alone lists it.

# Where cargo puts what it builds.
OUT = $${CARGO_TARGET_DIR:-target}
# For `make run`: arguments of the relay, such as ARGS="--config my.toml".
ARGS =
# For `make bench`: arguments of the load tool, such as LOAD="--bun PROGRAM" for uWebSockets in the same tables.
LOAD =
# For `make fuzz`: seconds that each target runs.
SECONDS_EACH = 60
FUZZ_TARGETS = frame v1 rules settings

.PHONY: help run test bench bench-quick lint deny fuzz examples

help: ## List what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: ## Build the relay and serve on http://127.0.0.1:8000 (ARGS="--config FILE")
	cargo run --release --locked --bin gischat-relay -- serve $(ARGS)

# The documentation's tests go first, so that the run closes on the tests themselves.
test: ## Install what the tests need, where that is missing, and run them all
	sh tests/needs.sh
	cargo test --workspace --locked --doc
	cargo test --workspace --locked --lib --bins --tests --examples

bench: ## Measure the relay beside others, write docs/PERFORMANCE.md, and time the path of a message (20 minutes)
	cargo build --release --locked --workspace
	"$(OUT)/release/gischat-load" --relay "$(OUT)/release/gischat-relay" --docs docs $(LOAD)
	cargo bench --locked --bench message

bench-quick: ## All workloads in miniature: do they run, is nothing lost? (under a minute)
	cargo build --release --locked --workspace
	"$(OUT)/release/gischat-load" --relay "$(OUT)/release/gischat-relay" --quick

lint: ## Format, clippy and documentation, warnings denied
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

deny: ## Check dependencies: bans, licences, sources (needs cargo-deny)
	cargo deny --locked check bans licenses sources

fuzz: ## Fuzz each target for a minute (needs nightly and cargo-fuzz; SECONDS_EACH=600)
	sh fuzz/seed.sh
	for target in $(FUZZ_TARGETS); do \
		cargo +nightly fuzz run "$$target" -- -max_total_time=$(SECONDS_EACH) -timeout=10 || exit 1; \
	done

examples: ## Renew examples/relay.toml, which lists every setting
	UPDATE_EXAMPLES=1 cargo test --locked --lib the_example_file_is_the_listing_of_all_settings
