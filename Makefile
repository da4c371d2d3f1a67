PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8001
PACKAGE = secure_mcp_gateway
CHECKERS = ruff==0.17.6 mypy==2.4.1 vermin==1.9.2
# Both need Python 3.11; what needs them is skipped on an older one.
FUZZERS = "schemathesis==4.32.5; python_version >= '3.11'" "openapi-spec-validator==0.9.0; python_version >= '3.11'"
SERVERS = "uvicorn[standard]==0.54.0" fastapi==0.165.0
GUIDED = atheris>=2.3,<4
DESCRIPTIONS = openapi-spec-validator==0.9.0 openapi-python-client==0.29.1
BROWSED = playwright-core@1.60.0 axe-core@4.14.1

.PHONY: run test check crash hostile fuzz bench bench-quick openapi browser clean FORCE

# Start the management API as it stands here; its store stays in .run/ from one run to the next.
run:
	$(PYTHON) -m $(PACKAGE) --store .run/store.json system start-api --init --host $(HOST) --port $(PORT)

# Run the tests, or those of some modules: make test TESTS="store web.test_request"
test:
	@$(PYTHON) -m tests $(TESTS)

# Check style, types, the lowest Python, the rules of the house and the wheel.
check: .tools/check/installed
	.tools/check/bin/ruff check .
	.tools/check/bin/mypy --strict $(PACKAGE)
	.tools/check/bin/vermin --quiet --no-tips --violations --target=3.9- $(PACKAGE) tests
	$(PYTHON) -m tests test_house
	.tools/check/bin/python -m tests.wheel_check

# Prove what the store promises: power cuts, kills, failing system calls, random histories, tampering. As root, on Linux.
# A part alone, or a bounded share of all: make crash CRASH="power", make crash CRASH="--quick"
crash:
	@$(PYTHON) -m tests.crash $(CRASH)

# Attack the admin API as whatever is on its network may. A part alone, or a bounded share of all:
# make hostile HOSTILE="requests", make hostile HOSTILE="--quick"
hostile:
	@$(PYTHON) -m tests.hostile $(HOSTILE)

# Fuzz what the admin API reads and answers, with schemathesis and atheris. A part alone, or a bounded share of all:
# make fuzz FUZZ="readers", make fuzz FUZZ="--quick"
fuzz: .tools/fuzz/installed
	@.tools/fuzz/bin/python -m tests.fuzz $(FUZZ)

# Not every Python has a wheel of atheris; its part is skipped then.
.tools/fuzz/installed: .tools/fuzz.versions
	rm -rf .tools/fuzz
	$(PYTHON) -m venv .tools/fuzz
	.tools/fuzz/bin/python -m pip install --quiet $(FUZZERS)
	-.tools/fuzz/bin/python -m pip install --quiet --only-binary :all: "$(GUIDED)"
	touch $@

# Have the API's description judged by openapi-spec-validator, and a client made from it by openapi-python-client.
openapi: .tools/openapi/installed
	@.tools/openapi/bin/python -m tests.openapi_check

.tools/openapi/installed: .tools/openapi.versions
	rm -rf .tools/openapi
	$(PYTHON) -m venv .tools/openapi
	.tools/openapi/bin/python -m pip install --quiet $(DESCRIPTIONS)
	touch $@

# Use the pages as a person does, in a headless Chromium (Debian: chromium nodejs npm); pictures are in .tools/browser/shots.
# A part alone, or a bounded share of all: make browser BROWSER="tries", make browser BROWSER="--quick"
browser: .tools/browser/installed
	@$(PYTHON) -m tests.browser $(BROWSER)

# Where they cannot be had, the parts say so and are skipped.
.tools/browser/installed: .tools/browser.versions
	mkdir -p .tools/browser
	-cd .tools/browser && rm -rf node_modules && npm install --prefix . --no-audit --no-fund --silent $(BROWSED) && touch installed

# Measure how fast it is, beside references in the same run. A part alone: make bench BENCH="writes"
bench: .tools/bench/installed
	@$(PYTHON) -m tests.bench $(BENCH)

# The same with what needs nothing but Python, and a bounded share of it.
bench-quick:
	@$(PYTHON) -m tests.bench --quick $(BENCH)

# What the API is compared with, and wrk for the load; a row says so where it lacks them.
.tools/bench/installed: .tools/bench.versions
	rm -rf .tools/bench
	$(PYTHON) -m venv .tools/bench
	-.tools/bench/bin/python -m pip install --quiet $(SERVERS)
	-cd .tools/bench && apt-get download -qq wrk libluajit-5.1-2 && for each in *.deb; do dpkg-deb -x $$each wrk; done
	touch $@

.tools/check/installed: .tools/check.versions
	rm -rf .tools/check
	$(PYTHON) -m venv .tools/check
	.tools/check/bin/python -m pip install --quiet $(CHECKERS)
	touch $@

# Each of these is an environment of its own, made again when its own versions above change and not else: their files tell.
.tools/check.versions: export VERSIONS = $(CHECKERS)
.tools/fuzz.versions: export VERSIONS = $(FUZZERS) $(GUIDED)
.tools/openapi.versions: export VERSIONS = $(DESCRIPTIONS)
.tools/browser.versions: export VERSIONS = $(BROWSED)
.tools/bench.versions: export VERSIONS = $(SERVERS)
.tools/%.versions: FORCE
	@mkdir -p .tools
	@printf '%s\n' "$$VERSIONS" | cmp -s - $@ || printf '%s\n' "$$VERSIONS" >$@
FORCE:

# Remove what checking left; .run/ stays, for it holds a store.
clean:
	rm -rf .tools .mypy_cache .ruff_cache build dist *.egg-info
	find $(PACKAGE) tests -name __pycache__ -prune -exec rm -rf {} +
