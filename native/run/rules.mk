# dynuser-run: the exec-chain launcher. Its symbols are bound at load, which for so few costs less than resolving them one by one.
# If musl-gcc is installed, it is a static program of musl: without the dynamic linker, and without what glibc asks of the processor, it
# starts six times faster, which counts before every service, and it runs in any container as a single file. Otherwise, and with
# sanitizers, which musl does not have, it is a dynamic program of the system's libc.

RUN_SOURCES := $(wildcard run/*.c run/*/*.c) \
	$(addprefix common/,deadline.c descriptor.c digits.c json.c json_write.c passing.c string_list.c varlink.c)

MUSL_CC ?= $(shell command -v musl-gcc)
RUN_IS_STATIC := $(if $(filter 1,$(SANITIZE)),,$(MUSL_CC))

ifneq ($(RUN_IS_STATIC),)
RUN_OBJ := $(OBJ)/static
RUN_CC := $(MUSL_CC)
# musl-gcc sees only its own headers. Those of the kernel belong to no libc. Those of glibc next to them must stay out of sight: they
# would silently stand in for what musl lacks.
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
# Names the compiler that the program was linked with; with another one it is linked again, even if no file is newer.
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
