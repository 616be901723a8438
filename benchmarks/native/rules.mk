# The C programs that benchmarks run.
BENCHMARK_PROGRAMS := $(addprefix $(TOP)/dist/native/,nss-lookup resident spawn-times call-loop)

$(BENCHMARK_PROGRAMS): $(TOP)/dist/native/%: $(TOP)/benchmarks/native/%.c
	@mkdir -p $(dir $@)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS_HARDEN) $(LDFLAGS) -o $@ $<

# dynuser-helper without one of its tunings, below dist/native/without: the linker puts a function of benchmarks/native/without/ in
# place of each that is named here.
WITHOUT_kept_threads := known_prepare
WITHOUT_nss_shortcuts := pid1_question_begin pid1_lookup_enable sources_leave_out_systemd
BENCHMARK_HELPERS := $(addprefix $(TOP)/dist/native/without/,kept_threads nss_shortcuts)

$(BENCHMARK_HELPERS): $(TOP)/dist/native/without/%: $(TOP)/benchmarks/native/without/%.c $(HELPER_OBJECTS)
	@mkdir -p $(dir $@)
	$(CC) $(ALL_CFLAGS) -Ihelper $(LDFLAGS_HARDEN) $(LDFLAGS) -pie $(addprefix -Wl$(comma)--wrap=,$(WITHOUT_$*)) -o $@ $^

# dynuser-run without one of its tunings, next to a helper, which it looks for there.
WITHOUT_early_images := image_get_ready

$(TOP)/dist/native/without/early_images: $(TOP)/benchmarks/native/without/early_images.c $(RUN_OBJECTS)
	@mkdir -p $(dir $@)
	$(RUN_CC) $(RUN_CFLAGS) -Irun $(LDFLAGS_HARDEN) $(LDFLAGS) $(RUN_LINK) -Wl,--wrap=$(WITHOUT_early_images) -o $@ $^

# The same lookups through a C library without NSS modules.
BENCHMARK_MUSL := $(if $(MUSL_CC),$(TOP)/dist/native/nss-lookup-musl)

$(TOP)/dist/native/nss-lookup-musl: $(TOP)/benchmarks/native/nss-lookup.c
	@mkdir -p $(dir $@)
	$(MUSL_CC) -O2 -D_GNU_SOURCE -static -o $@ $<

benchmarks: $(BENCHMARK_PROGRAMS) $(BENCHMARK_HELPERS) $(TOP)/dist/native/without/early_images $(BENCHMARK_MUSL)

.PHONY: benchmarks
