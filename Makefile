# Sluice. "make demo" and "make test" need nothing but Debian or Ubuntu with Swift: they install, build and run.
DURATION ?=

RUNS ?= 200
SEED ?= 1

.PHONY: help demo test exhaustive simulate soak lint docs clean dependencies

help:
	@echo "make demo [DURATION=40]  the whole service on this machine, with data; without DURATION until Ctrl-C"
	@echo "make test                all tests"
	@echo "make exhaustive          all tests, with those over every float32"
	@echo "make simulate [RUNS=200] [SEED=1]  the engine in a simulated world with faults, a run for each seed"
	@echo "make soak                ten minutes of the demo's service with retrainings, judged; leaves soak/"
	@echo "make lint                the format of all Swift sources"
	@echo "make docs                the documentation catalogue as a web site in .build/docs; fails on a broken link"
	@echo "make clean               removes what was built"

demo: dependencies
	swift build -c release --product sluice
	.build/release/sluice demo $(if $(DURATION),--duration $(DURATION))

# Swift Testing only, so that its summary is the last line.
test: dependencies
	swift build --build-tests
	swift test --skip-build --disable-xctest

exhaustive: dependencies
	SLUICE_EXHAUSTIVE=1 swift test -c release -Xswiftc -enable-testing --disable-xctest

simulate: dependencies
	swift build --product sluice-simulate
	.build/debug/sluice-simulate --seed $(SEED) --runs $(RUNS)

soak: dependencies
	@command -v python3 > /dev/null || scripts/install-dependencies python3
	swift build -c release --product sluice
	scripts/soak --sluice .build/release/sluice

lint:
	swift format lint --strict --recursive --parallel Sources Tests Package.swift

docs:
	docc convert Sources/sluice/Sluice.docc --fallback-display-name Sluice --fallback-bundle-identifier sluice \
		--warnings-as-errors --output-path .build/docs

clean:
	rm -rf .build

dependencies:
	@scripts/install-dependencies
