# The C tests of the NSS module and of what it is made of, below dist/native/test or dist/native-sanitized/test.

TEST := $(TOP)/test/native
TEST_OUT := $(if $(filter 1,$(SANITIZE)),$(TOP)/dist/native-sanitized/test,$(TOP)/dist/native/test)
TEST_CFLAGS := -I$(TEST)/support -Inss $(if $(filter 1,$(SANITIZE)),-DTEST_SANITIZED)

# Those that load the module as glibc does, and those that are linked with the parts that they try.
TEST_LOADING := lookup_test memberships_test buffer_test enumeration_test threads_test cancel_test hostile_test probe
TEST_LINKING := json_test reply_test fuzz_test fork_lock_test varlink_test

TEST_SUPPORT := users module record leftovers server
TEST_SUPPORT_OBJECTS := $(TEST_SUPPORT:%=$(OBJ)/test/support/%.o)

$(OBJ)/test/%.o: $(TEST)/%.c
	@mkdir -p $(dir $@)
	$(CC) $(ALL_CFLAGS) $(TEST_CFLAGS) -MMD -MP -c -o $@ $<

$(TEST_LOADING:%=$(TEST_OUT)/%): $(TEST_OUT)/%: $(OBJ)/test/%.o $(TEST_SUPPORT_OBJECTS) $(OBJ)/common/identity.o
$(TEST_OUT)/hostile_test $(TEST_OUT)/cancel_test: $(OBJ)/test/hostile_servers.o
$(TEST_OUT)/json_test: $(OBJ)/test/json_test.o $(OBJ)/common/json.o
$(TEST_OUT)/reply_test $(TEST_OUT)/fuzz_test: $(TEST_OUT)/%: $(OBJ)/test/%.o $(OBJ)/nss/reply.o \
	$(addprefix $(OBJ)/common/,identity.o json.o)
$(TEST_OUT)/fork_lock_test: $(OBJ)/test/fork_lock_test.o $(OBJ)/nss/fork_lock.o $(OBJ)/common/deadline.o
$(TEST_OUT)/varlink_test: $(OBJ)/test/varlink_test.o $(addprefix $(OBJ)/test/support/,users.o leftovers.o) \
	$(addprefix $(OBJ)/common/,varlink.o deadline.o)

$(TEST_LOADING:%=$(TEST_OUT)/%) $(TEST_LINKING:%=$(TEST_OUT)/%):
	@mkdir -p $(dir $@)
	$(CC) $(LDFLAGS_HARDEN) $(LDFLAGS) -o $@ $^

nss-tests: $(NSS_LIBRARY) $(TEST_LOADING:%=$(TEST_OUT)/%) $(TEST_LINKING:%=$(TEST_OUT)/%)

-include $(wildcard $(OBJ)/test/*.d $(OBJ)/test/support/*.d)

.PHONY: nss-tests
