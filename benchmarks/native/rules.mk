# The C programs that benchmarks run: dist/native/nss-lookup.

$(TOP)/dist/native/nss-lookup: $(TOP)/benchmarks/native/nss-lookup.c
	@mkdir -p $(dir $@)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS_HARDEN) $(LDFLAGS) -o $@ $<

benchmarks: $(TOP)/dist/native/nss-lookup

.PHONY: benchmarks
