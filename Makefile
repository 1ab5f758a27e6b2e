# make demo    build the four-namespace network, carry traffic through it, show it, take it down
# make check   prove everything: formatting, the embedded datapath, all tests, real peers
# make bench   the datapath and the netlink library beside what one would use instead; ratios within one run. Twenty
#              minutes on a machine that does nothing else; make bench-quick: an impression, in three
# make profile where the time goes in the bench's rows about frames, here and in the guest; a quarter of an hour
# make fuzz    the datapath against its reference on FUZZ_FRAMES frames, a hundred times what make check compares
# make faults  commands killed at FAULT_ROUNDS random instants, and at every place with everything that could come next
# make tsan    the tests of RouteNetlink and BPF under ThreadSanitizer; make asan: under AddressSanitizer, with leaks
#
# All of them install what they need (Debian packages, with apt-get), mount a BPF file system if there is none, need root, and
# work again after a run that was interrupted.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: all setup setup-check bpffs build release demo check faults fuzz fuzz-native bench bench-quick bench-netlink figures profile \
	bench-build bench-smoke test test-build lint format bpf bpf-check downstream foreign-tools clean tsan asan

# What building needs, and what testing needs beyond that: witnesses and peers that we did not write.
BUILD_PACKAGES := libbpf-dev libmnl-dev libelf-dev zlib1g-dev linux-libc-dev pkg-config
CHECK_PACKAGES := iproute2 iputils-ping bpftool ethtool tcpdump tshark socat jq procps xxd clang-format dpkg-dev \
	qemu-system-x86 busybox-static cpio kmod
BUILD_DIR ?= .build
GUEST_CACHE := $(abspath $(BUILD_DIR))/guest
FUZZ_FRAMES ?= 100000000
FAULT_ROUNDS ?= 1000
SWIFT_BUILD := swift build --scratch-path $(BUILD_DIR)
RELEASE_FLAGS := -c release --static-swift-stdlib --product pwctl
PWCTL := $(BUILD_DIR)/release/pwctl
STRICT := -Xswiftc -warnings-as-errors
SAY := @printf '\n== %s\n'

all: build

setup:
	@$(call install,$(BUILD_PACKAGES))

setup-check: setup
	@$(call install,$(CHECK_PACKAGES))

# Installs only what is missing, so that a second run asks nobody for anything.
define install
missing=(); \
for package in $(1); do \
	dpkg-query -W -f '$${Status}' "$$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$$package"); \
done; \
if [ $${#missing[@]} -gt 0 ]; then \
	echo "== installing $${missing[*]}"; \
	apt-get update -qq; \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$${missing[@]}" >/dev/null; \
fi
endef

bpffs:
	@if ! grep -q ' /sys/fs/bpf bpf ' /proc/mounts; then \
		echo '== mounting a BPF file system at /sys/fs/bpf'; mount -t bpf bpf /sys/fs/bpf; \
	fi

build: setup
	$(SAY) 'building'
	$(SWIFT_BUILD)

release: setup
	$(SAY) 'building pwctl for release (minutes the first time)'
	$(SWIFT_BUILD) $(RELEASE_FLAGS)

demo: release bpffs
	$(SAY) 'pwctl demo'
	$(PWCTL) demo

# The order: what fails fastest first; the test runner's own count last. What builds, or is one thread's work, goes two at
# a time: an optimised build is mostly one thread's, too.
check: setup-check bpffs
	@$(MAKE) --no-print-directory -j2 --output-sync=target \
		lint foreign-tools bpf-check release fuzz-native downstream test-build
	@$(MAKE) --no-print-directory -o setup -o setup-check -o downstream -o test-build bench-smoke test

lint:
	$(SAY) 'formatting'
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Examples Benchmarks
	clang-format --dry-run --Werror $$(git ls-files 'bpf/*.[ch]' 'Sources/*.[ch]' 'Benchmarks/*.[ch]' | grep -v shim.h)

format:
	swift format --in-place --recursive --parallel Package.swift Sources Tests Examples Benchmarks
	clang-format -i $$(git ls-files 'bpf/*.[ch]' 'Sources/*.[ch]' 'Benchmarks/*.[ch]' | grep -v shim.h)

# The product speaks to the kernel itself; it runs no program at all.
foreign-tools:
	$(SAY) 'no foreign tool is executed outside Tests'
	@! grep -rnE 'posix_spawn|\<exec(v|l)[a-z]*\(|popen\(|Glibc\.system\(|\<Process\(\)|\<v?fork\(|/bin/sh' Sources bpf Examples \
		--include='*.swift' --include='*.c' --include='*.h'
	@! grep -rnE '\<system\(' Sources bpf --include='*.c' --include='*.h'

bpf: setup
	$(SAY) 'compiling the datapath'
	$(MAKE) -C bpf

bpf-check: setup
	$(SAY) 'the embedded datapath is what bpf/ says'
	@directory=$$(mktemp -d); trap 'rm -rf "$$directory"' EXIT; \
	$(MAKE) -s -C bpf OUT="$$directory/pseudowire.bpf.o"; \
	cmp "$$directory/pseudowire.bpf.o" Sources/CPseudowireObject/pseudowire.bpf.o \
		|| { echo 'run make bpf and commit the object' >&2; exit 1; }; \
	echo 'same, octet for octet'

# Somebody else's packages, and the bench: they depend on this one by path, build and link with no step of their own. What
# they depend on is compiled for the first, and found by the others.
DOWNSTREAM := $(BUILD_DIR)/Examples
downstream: setup
	$(SAY) 'building Examples and Benchmarks, packages that depend on this one'
	for package in Examples/* Benchmarks; do \
		swift build --package-path "$$package" --scratch-path $(DOWNSTREAM) || exit; \
	done

test-build: setup
	$(SAY) 'building the tests'
	$(SWIFT_BUILD) --build-tests $(STRICT)

# Three processes share the tests, those that take longest first: a guest takes a processor, and most other tests wait more
# than they work. Each has a BPF file system, and so a lock, of its own; the scripts of Interop bring a machine or namespaces
# of their own.
PEER_TESTS := ^InteropTests\.
PURE_TESTS := ^(InternetAddressTests|JSON5Tests|L2TPTests|PseudowireTests|RouteNetlinkTests|FuzzTests)\.
PROGRAM_TESTS := ^DatapathTests\.(?!ScaleTests/)
KILL_TESTS := ^IntegrationTests\.(KillTests|UpgradeTests)/
FAILURE_TESTS := ^IntegrationTests\.(FailureTests|RandomKillTests|RecoveryTests)/
NAMED_TESTS := $(PEER_TESTS) $(PURE_TESTS) $(PROGRAM_TESTS) $(KILL_TESTS) $(FAILURE_TESTS)
# The program that `swift test` would run: several of that at once find each other's build database locked.
SWIFT_TEST := env NO_COLOR=1 PWCTL=$(abspath $(PWCTL)) GUEST_CACHE=$(GUEST_CACHE) \
	$(BUILD_DIR)/debug/swift-pseudowirePackageTests.xctest --testing-library swift-testing --no-parallel

# A privileged test that was skipped has proved nothing.
test: setup-check bpffs test-build
	$(SAY) 'tests; two real kernels take part'
	@log=$(BUILD_DIR)/test; rm -f "$$log".*.log; status=0; \
	corner() { unshare --mount bash -c 'mount -t bpf bpf /sys/fs/bpf && exec "$$@"' bash "$$@"; }; \
	part() { "$${@:2}" 2>&1 | tee "$$log.$$1.log"; }; \
	lane() { local status=0; \
		while (($$#)); do part "$$1" corner $(SWIFT_TEST) --filter "$$2" || status=$$?; shift 2; done; \
		return "$$status"; }; \
	lane peers '$(PEER_TESTS)' & first=$$!; \
	lane kill '$(KILL_TESTS)' failure '$(FAILURE_TESTS)' & second=$$!; \
	part rest $(SWIFT_TEST) $(NAMED_TESTS:%=--skip '%') || status=$$?; \
	lane program '$(PROGRAM_TESTS)' pure '$(PURE_TESTS)' || status=$$?; \
	wait "$$first" || status=$$?; \
	wait "$$second" || status=$$?; \
	printf '\n== what took longest, in seconds\n'; \
	sed -nE 's/^.*Suite "?([^"]*)"? (passed|failed) after ([0-9.]+) .*/\3 \1/p' "$$log".*.log | sort -rn | sed -n 1,15p; \
	left=$$(ip netns list | grep '^pwtest-' || true); \
	if [ -n "$$left" ]; then echo "error: tests have left namespaces: $$left" >&2; status=1; fi; \
	if grep -qiE '(test|suite) .* skipped' "$$log".*.log; then echo 'error: tests were skipped' >&2; status=1; fi; \
	if grep -q '^✘' "$$log".*.log; then \
		printf '\n== what failed\n'; grep -hE '^✘ (Test [^r]|Suite)' "$$log".*.log | cut -c1-600; \
	fi; \
	for part in peers program pure kill failure rest; do \
		grep -E 'Test run with .* (passed|failed)' "$$log.$$part.log" || status=1; \
	done; \
	exit "$$status"

# FAULT_SEED=… takes the same walk again; the seed is printed.
faults: setup-check bpffs release
	$(SAY) 'commands killed at $(FAULT_ROUNDS) random instants'
	$(SWIFT_BUILD) --build-tests $(STRICT)
	PWCTL=$(abspath $(PWCTL)) FAULT_ROUNDS=$(FAULT_ROUNDS) \
		swift test --scratch-path $(BUILD_DIR) --skip-build --disable-xctest --no-parallel --filter 'RandomKillTests|KillTests'

# Bounded in inputs and time; the same inputs each time.
fuzz-native: setup
	$(SAY) 'the datapath, compiled for this machine, under sanitizers'
	$(MAKE) -s -C Tests/Fuzz/native check BUILD=$(abspath $(BUILD_DIR))/fuzz-native

# Optimised, in a directory of its own; FUZZ_SEED=… takes another walk.
fuzz: setup
	$(SAY) 'the datapath against its reference, $(FUZZ_FRAMES) frames'
	FUZZ_FRAMES=$(FUZZ_FRAMES) swift test -c release -Xswiftc -enable-testing --scratch-path $(BUILD_DIR)/fuzz \
		--disable-xctest --filter FuzzTests

# Side by side in one run, on an idle machine; pyroute2 is one of those that are beaten, and no package of Debian 12 is
# new enough.
BENCHMARKS := $(BUILD_DIR)/benchmarks
BUILD_BENCHMARKS := swift build -c release --package-path Benchmarks --scratch-path $(BENCHMARKS)
bench bench-quick: setup-check bpffs release
	$(SAY) 'the datapath beside what one would use instead'
	$(BUILD_BENCHMARKS)
	Tests/Interop/guest/prepare.sh $(GUEST_CACHE) >/dev/null
	$(BENCHMARKS)/release/datapath-bench $(if $(filter bench-quick,$@),--quick) --output $(BUILD_DIR)/bench \
		--pwctl $(abspath $(PWCTL)) --guest $(GUEST_CACHE)
	$(if $(filter bench,$@),$(MAKE) -s bench-netlink)

# What README.md says of speed is what the last `make bench` has found.
FIGURES := Benchmarks/datapath.json
figures: bench-build
	cp $(BUILD_DIR)/bench/datapath.json $(BUILD_DIR)/bench/datapath.svg Benchmarks/
	$(BENCHMARKS)/release/datapath-bench --summarize $(FIGURES) > $(BUILD_DIR)/bench/summary.md
	sed -i -e '/^<!-- figures/,/^<!-- end/ {' -e '/^<!-- figures/ {' -e 'p; r $(BUILD_DIR)/bench/summary.md' -e 'd }' \
		-e '/^<!-- end/ !d }' README.md

bench-netlink: setup
	$(SAY) 'RouteNetlink beside C, iproute2 and pyroute2'
	python3 -m pip install -q --root-user-action ignore --target $(BUILD_DIR)/python pyroute2 || true
	$(BUILD_BENCHMARKS) --product netlink-bench
	PYTHONPATH=$(abspath $(BUILD_DIR))/python $(BENCHMARKS)/release/netlink-bench

profile: setup-check bpffs bench-build
	@$(call install,linux-perf)
	$(SAY) 'where the time goes'
	Benchmarks/profile.sh $(abspath $(BENCHMARKS))/release/datapath-bench
	$(SAY) 'the same in the guest, beside l2tp_eth'
	Tests/Interop/guest/prepare.sh $(GUEST_CACHE) >/dev/null
	Tests/Interop/guest/run.sh $(GUEST_CACHE) 900 "modprobe -a l2tp_eth l2tp_netlink vxlan veth bridge sch_ingress cls_bpf; \
		Benchmarks/profile.sh $(abspath $(BENCHMARKS))/release/datapath-bench"

bench-build: setup
	$(SAY) 'building the bench'
	$(BUILD_BENCHMARKS) --product datapath-bench

# That the bench runs, and that a contender whose frames are wrong gets no figures; what the figures are does not matter.
# Not optimised: it is to work, and measures nothing.
bench-smoke: downstream bpffs
	$(SAY) 'the bench works, and its checks bite'
	$(DOWNSTREAM)/debug/datapath-bench --smoke
	@$(DOWNSTREAM)/debug/datapath-bench --summarize $(FIGURES) | diff - <(sed -n '/^<!-- figures/,/^<!-- end/ { //! p }' README.md) \
		|| { echo 'README.md does not say what $(FIGURES) does; run make figures' >&2; exit 1; }

# In build directories of their own. What Foundation.Process leaks by itself, in tests that ask witnesses, is let pass.
tsan asan: setup-check bpffs
	$(SAY) 'RouteNetlink and BPF under $(if $(filter tsan,$@),ThreadSanitizer,AddressSanitizer)'
	@sanitized=(--sanitize $(if $(filter tsan,$@),thread,address) --scratch-path $(BUILD_DIR)/$@); \
	swift build "$${sanitized[@]}" --build-tests; \
	echo 'leak:Foundation7Process' > $(BUILD_DIR)/$@/suppressions; \
	LSAN_OPTIONS=suppressions=$(abspath $(BUILD_DIR))/$@/suppressions \
		swift test "$${sanitized[@]}" --skip-build --disable-xctest --no-parallel --filter 'RouteNetlinkTests|BPFTests'

clean:
	rm -rf $(BUILD_DIR) Examples/*/.build
