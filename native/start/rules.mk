# dynuserd, dynuserctl and dynuser-fleetd: one program under three names, which becomes Node on the bundle beside it. Static with either
# libc, so that LD_PRELOAD and the like have no effect before it has dropped them; dynamic if the system has no static libc.

START_SOURCES := $(wildcard start/*.c)
START_OBJECTS := $(START_SOURCES:%.c=$(RUN_OBJ)/%.o)
START_IS_STATIC := $(or $(RUN_IS_STATIC),$(if $(filter 1,$(SANITIZE)),,$(wildcard $(shell $(CC) -print-file-name=libc.a))))
START_LINK := $(if $(START_IS_STATIC),-static-pie,-pie)
START_PROGRAMS := $(addprefix $(OUT)/,dynuserd dynuserctl dynuser-fleetd)

all: $(START_PROGRAMS)

ifneq ($(RUN_IS_STATIC),)
$(START_OBJECTS): | $(RUN_KERNEL)
endif

$(START_PROGRAMS): $(START_OBJECTS) $(RUN_LINKED)
	@mkdir -p $(OUT)
	$(RUN_CC) $(RUN_CFLAGS) $(LDFLAGS_HARDEN) $(LDFLAGS) $(START_LINK) -o $@ $(START_OBJECTS)
