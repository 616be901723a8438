# libnss_dynuser.so.2: links against libc alone, its symbols bound at load, so that a lookup never runs the linker.

NSS_LIBRARY := $(OUT)/libnss_dynuser.so.2
NSS_SOURCES := $(wildcard nss/*.c) common/identity.c common/deadline.c common/descriptor.c common/varlink.c common/json.c common/name_switch.c
NSS_OBJECTS := $(NSS_SOURCES:%.c=$(OBJ)/%.o)

$(NSS_LIBRARY): $(NSS_OBJECTS) nss/libnss_dynuser.map
	@mkdir -p $(dir $@)
	$(CC) -shared -Wl,-soname,libnss_dynuser.so.2 -Wl,--version-script=nss/libnss_dynuser.map \
		$(LDFLAGS_HARDEN) $(LDFLAGS) -o $@ $(NSS_OBJECTS)

nss: $(NSS_LIBRARY)
all: nss

.PHONY: nss
