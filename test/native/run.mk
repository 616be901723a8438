# The C tests of dynuser-run's parts, below dist/native/test/run or dist/native-sanitized/test/run. Compiled as the launcher is.

RUN_TEST := $(TOP)/test/native/run
RUN_TEST_OUT := $(if $(filter 1,$(SANITIZE)),$(TOP)/dist/native-sanitized/test/run,$(TOP)/dist/native/test/run)
RUN_PARTS := $(filter-out $(RUN_OBJ)/run/main.o,$(RUN_OBJECTS))
RUN_TESTS := $(patsubst $(RUN_TEST)/%.c,%,$(wildcard $(RUN_TEST)/*_test.c))

$(RUN_TEST_OUT)/%_test: $(RUN_TEST)/%_test.c $(RUN_PARTS) $(RUN_LINKED)
	@mkdir -p $(dir $@)
	$(RUN_CC) $(RUN_CFLAGS) -Irun -I$(TOP)/test/native/support $(LDFLAGS_HARDEN) $(LDFLAGS) $(RUN_LINK) -o $@ $(filter-out $(RUN_LINKED),$^)

run-tests: $(OUT)/dynuser-run $(addprefix $(RUN_TEST_OUT)/,$(RUN_TESTS))

# Read the filters of a process, and make calls below them, for tests of the launcher as a whole.
FILTER_PROGRAMS := $(addprefix $(RUN_TEST_OUT)/,asked_filter filter_dump other_abis)

$(FILTER_PROGRAMS): $(RUN_TEST_OUT)/%: $(RUN_TEST)/%.c
	@mkdir -p $(dir $@)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -static -o $@ $<

filter-programs: $(FILTER_PROGRAMS)

.PHONY: run-tests filter-programs
