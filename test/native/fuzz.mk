# The fuzz targets in C. `make fuzz-targets` builds them with libFuzzer, ASan and UBSan below dist/fuzz, which takes a clang that has
# libFuzzer's runtime; `make fuzz-replays` builds the same targets with a main() that tries the files that it is given, below
# dist/native/test/fuzz or dist/native-sanitized/test/fuzz, with any compiler.

FUZZ := $(TOP)/test/native/fuzz
FUZZ_OUT := $(TOP)/dist/fuzz
FUZZ_REPLAY_OUT := $(if $(filter 1,$(SANITIZE)),$(TOP)/dist/native-sanitized/test/fuzz,$(TOP)/dist/native/test/fuzz)

# What each target is linked with.
FUZZ_nss_reply := nss/reply.c $(addprefix common/,identity.c json.c)
FUZZ_json_reader := common/json.c
FUZZ_fleet_snapshot := nss/fleet.c common/identity.c
FUZZ_launch_plan := $(filter-out run/main.c,$(RUN_SOURCES))
FUZZ_helper_protocol := $(filter-out helper/main.c,$(HELPER_OBJECTS:$(OBJ)/%.o=%.c))
FUZZ_INCLUDE_nss_reply := nss
FUZZ_INCLUDE_json_reader := common
FUZZ_INCLUDE_fleet_snapshot := nss
FUZZ_INCLUDE_launch_plan := run
FUZZ_INCLUDE_helper_protocol := helper

comma := ,
# What the helper does to the host, and asks of it: helper_protocol.c stands in for it.
FUZZ_WRAPPED := find_running terminate_processes kill_processes remove_ipc remove_given_ipc remove_account_ipc clear_keyrings \
	find_numbers find_process find_sysv_ipc find_posix_ipc find_owners find_owner
FUZZ_LDFLAGS_helper_protocol := $(addprefix -Wl$(comma)--wrap=,$(FUZZ_WRAPPED)) -pthread

FUZZ_TARGETS := nss_reply json_reader launch_plan helper_protocol fleet_snapshot

FUZZ_CC ?= $(firstword $(foreach compiler,clang clang-22 clang-21 clang-20 clang-19 clang-18 clang-17 clang-16 clang-15 clang-14,\
	$(if $(wildcard $(shell $(compiler) -print-file-name=libclang_rt.fuzzer-$(shell uname -m).a 2>/dev/null) \
	$(shell $(compiler) -print-runtime-dir 2>/dev/null)/libclang_rt.fuzzer*.a),$(compiler))))
FUZZ_CFLAGS := -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

define fuzz_target
$(FUZZ_OUT)/$(1): $(FUZZ)/$(1).c $(FUZZ_$(1)) $(wildcard $(FUZZ)/*.h */*.h */*/*.h)
	@mkdir -p $$(dir $$@)
	$$(if $$(FUZZ_CC),,$$(error there is no clang with the runtime of libFuzzer here; install it (Debian: clang libclang-rt-dev)))
	$$(FUZZ_CC) $(CFLAGS_STANDARD) -w $$(FUZZ_CFLAGS) -I$(FUZZ_INCLUDE_$(1)) -I$(TOP)/test/native/support -I$(FUZZ) \
		$(FUZZ_LDFLAGS_$(1)) -o $$@ $(FUZZ)/$(1).c $(FUZZ_$(1))

$(FUZZ_REPLAY_OUT)/$(1): $(FUZZ)/$(1).c $(FUZZ)/replay.c $(FUZZ_$(1)) $(wildcard $(FUZZ)/*.h */*.h */*/*.h)
	@mkdir -p $$(dir $$@)
	$$(CC) $$(ALL_CFLAGS) -I$(FUZZ_INCLUDE_$(1)) -I$(TOP)/test/native/support -I$(FUZZ) $$(LDFLAGS_HARDEN) $$(LDFLAGS) \
		$(FUZZ_LDFLAGS_$(1)) -o $$@ $(FUZZ)/$(1).c $(FUZZ)/replay.c $(FUZZ_$(1))
endef

$(foreach target,$(FUZZ_TARGETS),$(eval $(call fuzz_target,$(target))))

fuzz-targets: $(FUZZ_TARGETS:%=$(FUZZ_OUT)/%)
fuzz-replays: $(FUZZ_TARGETS:%=$(FUZZ_REPLAY_OUT)/%)

.PHONY: fuzz-targets fuzz-replays
