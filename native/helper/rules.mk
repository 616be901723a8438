# dynuser-helper: asks NSS, IPC and /proc for the daemon, ends what a UID leaves behind, and walks trees.
HELPER_OBJECTS := $(patsubst helper/%.c,$(OBJ)/helper/%.o,$(wildcard helper/*.c helper/*/*.c)) \
	$(patsubst %,$(OBJ)/common/%.o,deadline descriptor identity json name_switch passing varlink)

$(OBJ)/helper/%.o: ALL_CFLAGS += -Ihelper

all: $(OUT)/dynuser-helper

$(OUT)/dynuser-helper: $(HELPER_OBJECTS)
	@mkdir -p $(OUT)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS_HARDEN) $(LDFLAGS) -pie -o $@ $^ -ldl
