# The C programs that benchmarks run.
BENCHMARK_PROGRAMS := $(addprefix $(TOP)/dist/native/,nss-lookup resident spawn-times)

$(BENCHMARK_PROGRAMS): $(TOP)/dist/native/%: $(TOP)/benchmarks/native/%.c
	@mkdir -p $(dir $@)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS_HARDEN) $(LDFLAGS) -o $@ $<

benchmarks: $(BENCHMARK_PROGRAMS)

.PHONY: benchmarks
