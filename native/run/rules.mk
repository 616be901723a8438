# dynuser-run: the exec-chain launcher. Its symbols are bound at load, which for so few costs less than resolving them one by one.
# Where musl-gcc is there it is a static program of musl: what stands in front of every service starts six times faster without
# the dynamic linker and without what glibc asks of the processor, and runs in any container as a single file. Everywhere else,
# and with sanitizers, which musl has none of, it is a dynamic program of the system's libc.

RUN_SOURCES := $(wildcard run/*.c run/*/*.c) \
	$(addprefix common/,deadline.c descriptor.c digits.c json.c json_write.c passing.c string_list.c varlink.c)

MUSL_CC ?= $(shell command -v musl-gcc)
RUN_IS_STATIC := $(if $(filter 1,$(SANITIZE)),,$(MUSL_CC))

ifneq ($(RUN_IS_STATIC),)
RUN_OBJ := $(OBJ)/static
RUN_CC := $(MUSL_CC)
# musl-gcc sees its own headers alone. Those of the kernel belong to no libc; those of glibc beside them must stay out of sight,
# where they would fill holes of musl's without a word.
RUN_KERNEL := $(RUN_OBJ)/kernel
RUN_CFLAGS := $(filter-out -fPIC,$(ALL_CFLAGS)) -Irun -fPIE -isystem $(RUN_KERNEL)
RUN_LINK := -static-pie
else
RUN_OBJ := $(OBJ)
RUN_CC := $(CC)
RUN_CFLAGS := $(ALL_CFLAGS)
$(OBJ)/run/%.o: ALL_CFLAGS += -Irun
RUN_LINK := -pie
endif

RUN_OBJECTS := $(RUN_SOURCES:%.c=$(RUN_OBJ)/%.o)
# Says with which compiler the program was linked; with another one it is linked anew, though nothing is newer.
RUN_LINKED := $(OBJ)/dynuser-run.linked
RUN_RELINK := $(if $(filter-out $(RUN_CC),$(file <$(RUN_LINKED))),relink)

all: $(OUT)/dynuser-run

ifneq ($(RUN_IS_STATIC),)
$(RUN_OBJECTS): | $(RUN_KERNEL)

# Where the other compiler finds them: /usr/include, and for <asm/> mostly a directory of the architecture.
$(RUN_KERNEL):
	@mkdir -p $@
	@for header in linux/mount.h asm/unistd.h asm-generic/unistd.h; do \
		found=$$(echo "#include <$$header>" | $(if $(findstring musl-gcc,$(CC)),cc,$(CC)) -E -x c - | sed -n "s|^# [0-9]* \"\(/.*\)/$$header\".*|\1|p" | head -n 1); \
		ln -sfn "$$found/$${header%/*}" "$@/$${header%/*}"; \
	done

$(RUN_OBJ)/%.o: %.c
	@mkdir -p $(dir $@)
	$(RUN_CC) $(RUN_CFLAGS) -MMD -MP -c -o $@ $<

-include $(wildcard $(RUN_OBJ)/*/*.d $(RUN_OBJ)/*/*/*.d)

# The helper, too, can be built with it (make CC=musl-gcc …/dynuser-helper), as it is on hosts of musl.
ifneq ($(findstring musl-gcc,$(CC)),)
$(HELPER_OBJECTS): ALL_CFLAGS += -isystem $(RUN_KERNEL)
$(HELPER_OBJECTS): | $(RUN_KERNEL)
endif
endif

$(OUT)/dynuser-run: $(RUN_OBJECTS) $(RUN_RELINK)
	@mkdir -p $(OUT)
	$(RUN_CC) $(RUN_CFLAGS) $(LDFLAGS_HARDEN) $(LDFLAGS) $(RUN_LINK) -o $@ $(RUN_OBJECTS)
	@echo $(RUN_CC) >$(RUN_LINKED)

$(RUN_LINKED): $(OUT)/dynuser-run ;

.PHONY: relink
