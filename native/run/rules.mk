# dynuser-run: the exec-chain launcher. Links against libc alone; its symbols are bound at load, which for so few costs less
# than resolving them one by one.
RUN_SOURCES := $(wildcard run/*.c) $(addprefix common/,varlink.c deadline.c json.c json_string.c json_write.c utf8.c)
RUN_OBJECTS := $(RUN_SOURCES:%.c=$(OBJ)/%.o)

all: $(OUT)/dynuser-run

$(OUT)/dynuser-run: $(RUN_OBJECTS)
	@mkdir -p $(OUT)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS_HARDEN) $(LDFLAGS) -pie -o $@ $^
