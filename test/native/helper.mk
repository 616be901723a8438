# What the tests of dynuser-helper need, below dist/native/test/helper or dist/native-sanitized/test/helper: an NSS module that
# misbehaves, a maker of things that a UID owns, and the C tests of the helper's parts.

HELPER_TEST := $(TOP)/test/native/helper
HELPER_TEST_OUT := $(if $(filter 1,$(SANITIZE)),$(TOP)/dist/native-sanitized/test/helper,$(TOP)/dist/native/test/helper)
HELPER_PARTS := $(filter-out $(OBJ)/helper/main.o,$(HELPER_OBJECTS))

$(HELPER_TEST_OUT)/libnss_dutest.so.2: $(HELPER_TEST)/libnss_dutest.c
	@mkdir -p $(dir $@)
	$(CC) $(ALL_CFLAGS) -shared -Wl,-soname,libnss_dutest.so.2 $(LDFLAGS) -o $@ $<

$(HELPER_TEST_OUT)/world: $(HELPER_TEST)/world.c
	@mkdir -p $(dir $@)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS_HARDEN) $(LDFLAGS) -pthread -o $@ $<

$(HELPER_TEST_OUT)/giver: $(HELPER_TEST)/giver.c
	@mkdir -p $(dir $@)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS_HARDEN) $(LDFLAGS) -o $@ $<

$(HELPER_TEST_OUT)/%_test: $(HELPER_TEST)/%_test.c $(HELPER_PARTS) $(wildcard $(HELPER_TEST)/*.h)
	@mkdir -p $(dir $@)
	$(CC) $(ALL_CFLAGS) -Ihelper -I$(TOP)/test/native/support $(LDFLAGS_HARDEN) $(LDFLAGS) -pthread -o $@ $(filter-out %.h,$^)

# Tests with a cast or a stage that fills a file of its own.
$(HELPER_TEST_OUT)/end_processes_test: $(HELPER_TEST)/processes_to_end.c $(HELPER_TEST)/pid_namespace.c
$(HELPER_TEST_OUT)/known_threads_test: $(HELPER_TEST)/puppet.c $(HELPER_TEST)/pid_namespace.c
$(HELPER_TEST_OUT)/process_walk_test: $(HELPER_TEST)/processes_to_end.c $(HELPER_TEST)/pid_namespace.c
$(HELPER_TEST_OUT)/ipc_removal_test $(HELPER_TEST_OUT)/ipc_gifts_test: $(HELPER_TEST)/ipc_objects.c

HELPER_TESTS := $(patsubst $(HELPER_TEST)/%.c,%,$(wildcard $(HELPER_TEST)/*_test.c))

helper-tests: $(OUT)/dynuser-helper $(addprefix $(HELPER_TEST_OUT)/,libnss_dutest.so.2 world giver $(HELPER_TESTS))

.PHONY: helper-tests
