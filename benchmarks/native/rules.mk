# The C programs that benchmarks run: dist/native/nss-lookup, dist/native/resident.
BENCHMARK_PROGRAMS := $(TOP)/dist/native/nss-lookup $(TOP)/dist/native/resident

$(BENCHMARK_PROGRAMS): $(TOP)/dist/native/%: $(TOP)/benchmarks/native/%.c
	@mkdir -p $(dir $@)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS_HARDEN) $(LDFLAGS) -o $@ $<

benchmarks: $(BENCHMARK_PROGRAMS)

.PHONY: benchmarks
