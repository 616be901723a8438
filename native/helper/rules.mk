# dynuser-helper: asks NSS, IPC and /proc for the daemon, and walks trees for it.
HELPER_OBJECTS := $(patsubst helper/%.c,$(OBJ)/helper/%.o,$(wildcard helper/*.c))

all: $(OUT)/dynuser-helper

$(OUT)/dynuser-helper: $(HELPER_OBJECTS)
	@mkdir -p $(OUT)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS_HARDEN) $(LDFLAGS) -pie -o $@ $^
