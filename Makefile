# personalize: build, test, install. `make help` tells what there is.

LUA_VERSION ?= 5.4
LUA_VERSIONS ?= 5.1 5.2 5.3 5.4 luajit
PREFIX ?= /usr/local
# As a shell reads it, which leaves this to make; a relative one is ours.
PLACE = $(if $(filter /%,$(PREFIX)),$(PREFIX),$(if $(filter ~ ~/%,$(PREFIX)),$(HOME)$(PREFIX:~%=%),$(CURDIR)/$(PREFIX)))
CFLAGS ?= -O2 -g

# Everything built lies below here; a build with other flags gets another.
OUT ?= build
B = $(OUT)/$(LUA_VERSION)

# LuaJIT loads what Lua 5.1 loads, from the same folders.
LUA_ABI = $(LUA_VERSION:luajit=5.1)
LUA_NAME = $(if $(filter luajit,$(LUA_VERSION)),luajit,lua$(LUA_VERSION))
LUA ?= $(shell command -v $(LUA_NAME) || command -v lua$(subst .,,$(LUA_ABI)) || echo lua)

# Debian, Fedora, Alpine and Homebrew each name Lua's pkg-config file in their
# own way. Looked up when used: `deps` may have installed it in the meantime.
LUA_PC = $(firstword $(foreach p,$(LUA_NAME) lua-$(LUA_ABI) lua$(subst .,,$(LUA_ABI)), \
	$(shell pkg-config --exists $p && echo $p)))
LUA_CFLAGS = $(if $(LUA_INCDIR),-I$(LUA_INCDIR),$(shell pkg-config --cflags $(LUA_PC)))
LUA_LIBS ?= $(shell pkg-config --libs $(LUA_PC))
# $(call in_folder,DIR,LIBRARY): where the loader does not look by itself, too.
in_folder = -L$1 $(if $(filter /usr/% /lib%,$1),,-Wl,-rpath,$1) -l$2
CURL_CFLAGS ?= $(if $(CURL_INCDIR),-I$(CURL_INCDIR),$(shell pkg-config --cflags libcurl))
CURL_LIBS ?= $(if $(CURL_LIBDIR),$(call in_folder,$(CURL_LIBDIR),curl),$(shell pkg-config --libs libcurl))
CRYPTO_CFLAGS ?= $(if $(OPENSSL_INCDIR),-I$(OPENSSL_INCDIR),$(shell pkg-config --cflags libcrypto))
CRYPTO_LIBS ?= $(if $(OPENSSL_LIBDIR),$(call in_folder,$(OPENSSL_LIBDIR),crypto),$(shell pkg-config --libs libcrypto))

# $(call known,FLAGS): those that the compiler takes without a word.
known = $(foreach f,$1,$(shell echo 'int main(void) { return 0; }' | \
	$(CC) -O2 -Werror $f -include stdlib.h -x c -o /dev/null - 2>/dev/null && echo '$f'))
# _FORTIFY_SOURCE wants the optimiser, and gets in the sanitizers' way.
unoptimised = $(filter-out -O1 -O2 -O3 -Os -Og -Oz -O -Ofast,$(or $(lastword $(filter -O%,$(CFLAGS))),-O0))
fortify = $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS))$(findstring -fsanitize,$(CFLAGS))$(unoptimised),,\
	$(addprefix -U_FORTIFY_SOURCE ,$(firstword $(call known,-D_FORTIFY_SOURCE=3 -D_FORTIFY_SOURCE=2))))
# Against the errors of C: looked up once, when first used. CFLAGS and LDFLAGS
# come later on the command line, and win; empty, these leave it out.
HARDEN = $(eval HARDEN := $(call known,-fstack-protector-strong -fstack-clash-protection) $(fortify))$(HARDEN)
HARDEN_LINKED = $(eval HARDEN_LINKED := $(call known,$(RELRO)))$(HARDEN_LINKED)
RELRO = -Wl,-z,relro -Wl,-z,now

# All of a library is optimised as one, where that can be; not for tests, which
# are many programs of the same objects. LTO= leaves it out, as does -fno-lto.
LTO = $(eval LTO := $(lto))$(LTO)
lto = $(if $(findstring -DPZ_TEST,$(CPPFLAGS))$(findstring -fsanitize,$(CFLAGS))$(findstring -flto,$(CFLAGS))$(findstring -fno-lto,$(CFLAGS))$(filter -Og,$(CFLAGS))$(unoptimised),,\
	$(firstword $(call known,-flto=auto -flto)))

STRICT ?= -std=c99 -fvisibility=hidden -Wall -Wextra -Wpedantic -Wshadow \
	-Wconversion -Wstrict-prototypes -Wvla $(if $(WERROR),-Werror)
COMPILE = $(CC) $(STRICT) -fPIC $(HARDEN) $(LTO) $(CPPFLAGS) $(CFLAGS) $(INCLUDES) -MMD -MP -c -o $@ $<
LIBRARY = $(if $(filter Darwin,$(shell uname)),-bundle -undefined dynamic_lookup,-shared)
PROGRAM = $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^)

Q = $(if $(V),,@)
SAY = $(if $(V),,@echo '  $1 $(patsubst src/%,%,$2)')
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
MAKE_ALSO = $(MAKE) --no-print-directory
MAKE_MANY = $(MAKE_ALSO) $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))

# -- What is built of what ---------------------------------------------------
# The libraries keep apart what loads libcurl and what must not (in nginx).
# A new source in src/core, src/io or src/binding belongs to personalize.core,
# unless it is named here as one that needs libcurl.
CURL_ONLY = $(wildcard src/io/pz_connection*.c src/io/pz_curl*.c src/binding/lpz_curl*.c) \
	src/io/pz_exchange.c src/io/pz_failure.c src/io/pz_pool.c src/io/pz_unknown_name.c
CURL_SOURCES = $(CURL_ONLY) src/binding/lpz.c src/binding/lpz_headers.c \
	$(addprefix src/core/pz_,address.c buf.c head.c http1.c http1_request.c proxy.c text.c uri.c) \
	src/io/pz_fork.c src/io/pz_sys.c
CORE_SOURCES = $(filter-out $(CURL_ONLY),$(wildcard src/core/*.c src/io/*.c src/binding/*.c))
LUA_FILES = $(shell find src/personalize -name '*.lua' | LC_ALL=C sort)
COMMANDS = $(wildcard src/bin/*)
C_TESTS = $(patsubst spec/c/%.c,$(OUT)/c/%,$(wildcard spec/c/*_test.c))
FUZZED = $(filter-out run,$(patsubst spec/fuzz/%.c,%,$(wildcard spec/fuzz/*.c)))
VERSION = $(shell sed -n 's/^return "\(.*\)"/\1/p' src/personalize/version.lua)

# src/core and src/io know no Lua, so their objects serve every version of it.
objects = $(patsubst src/%.c,$(OUT)/%.o,$(filter-out src/binding/%,$1)) \
	$(patsubst src/%.c,$B/%.o,$(filter src/binding/%,$1))
CORE_OBJECTS = $(call objects,$(CORE_SOURCES))
CURL_OBJECTS = $(call objects,$(CURL_SOURCES))
PLAIN_OBJECTS = $(sort $(filter-out $B/%,$(CORE_OBJECTS) $(CURL_OBJECTS)))
LIBRARIES = $B/personalize/core.so $B/personalize/curl.so

all: $(LIBRARIES) ## build for LUA_VERSION (5.1, 5.2, 5.3, 5.4, luajit; 5.4 if not said)

$B/personalize/core.so: $(CORE_OBJECTS)
$B/personalize/core.so: LIBS = $(CRYPTO_LIBS) -lm -lpthread
$B/personalize/curl.so: $(CURL_OBJECTS)
$B/personalize/curl.so: LIBS = $(CURL_LIBS) -lm -lpthread
$(LIBRARIES):
	@mkdir -p $(@D)
	$(call SAY,LD,$@)
	$Q$(CC) $(HARDEN) $(HARDEN_LINKED) $(LTO) $(CFLAGS) $(LDFLAGS) $(LIBRARY) -o $@ $^ $(LIBS)

# Each room sees the headers that it may use, and no others.
$(OUT)/core/pz_crypto.o: INCLUDES = $(CRYPTO_CFLAGS)
$(OUT)/io/%.o: INCLUDES = $(CURL_CFLAGS)
$B/binding/%.o: INCLUDES = $(LUA_CFLAGS)
$(PLAIN_OBJECTS): $(OUT)/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$Q$(COMPILE)
$B/binding/%.o: src/binding/%.c Makefile | headers
	@mkdir -p $(@D)
	$(call SAY,CC,$< ($(LUA_VERSION)))
	$Q$(COMPILE)

headers:
	@[ -n "$(LUA_INCDIR)$(LUA_PC)" ] || { \
	  echo "No headers of Lua $(LUA_VERSION) found: 'make deps', or give LUA_INCDIR=DIR." >&2; exit 1; }

# One program a file, linked with all that needs neither Lua nor libcurl.
$(OUT)/c/%_test.o: INCLUDES = $(shell pkg-config --cflags cmocka)
$(OUT)/c/%.o: spec/c/%.c Makefile
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$Q$(COMPILE)
$(OUT)/c/%_test: $(OUT)/c/%_test.o $(filter $(OUT)/core/% $(OUT)/io/%,$(CORE_OBJECTS))
	$(call SAY,LD,$@)
	$Q$(PROGRAM) $(shell pkg-config --libs cmocka) $(CRYPTO_LIBS) -lm -lpthread

# A program that feeds a fuzz target its corpus, and with clang the fuzzer.
$(OUT)/fuzz/%.o: spec/fuzz/%.c Makefile
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$Q$(COMPILE)
$(OUT)/fuzz/%_run: $(OUT)/fuzz/%.o $(OUT)/fuzz/run.o $(filter $(OUT)/core/%,$(CORE_OBJECTS))
	$(call SAY,LD,$@)
	$Q$(PROGRAM) $(CRYPTO_LIBS) -lm
$(OUT)/fuzz/%_fuzz: $(OUT)/fuzz/%.o $(filter $(OUT)/core/%,$(CORE_OBJECTS))
	$(call SAY,LD,$@)
	$Q$(PROGRAM) -fsanitize=fuzzer $(CRYPTO_LIBS) -lm
# Without libcurl: a script stands in its place.
$(OUT)/fuzz/exchange_run $(OUT)/fuzz/exchange_fuzz: $(OUT)/io/pz_exchange.o $(OUT)/io/pz_failure.o
.PRECIOUS: $(OUT)/c/%.o $(OUT)/fuzz/%.o $B/binding/%.o

# -- Trying it ---------------------------------------------------------------
deps: ## install what everything here needs (Debian, root); elsewhere say what to install
	@spec/support/deps test

demo: ## delete 100,000 users, from a file to a receipt, against a local AWS over TLS
	@spec/support/deps demo
	@+$(MAKE_MANY) all
	@{ echo USER_ID; seq -f 'user-%.0f' 100000; } >$(OUT)/users.csv
	@spec/support/run-suites --lua $(LUA_VERSION) run spec/support/with-local-aws \
	  --tls --versioning --job-seconds 3 -- sh -c 'set -x; \
	  "$$LUA" src/bin/personalize delete-users $(OUT)/users.csv --name gdpr-demo --part-size 500000 \
	    --dataset-group "$$PERSONALIZE_DATASET_GROUP_ARN" --role "$$PERSONALIZE_ROLE_ARN" \
	    --bucket "$$PERSONALIZE_BUCKET" --prefix erasure --ticket GDPR-42 \
	    --wait --poll 0.5 --cleanup --receipt $(OUT)/receipt.json >/dev/null && \
	  cat $(OUT)/receipt.json && \
	  "$$LUA" src/bin/personalize verify-receipt $(OUT)/receipt.json $(OUT)/users.csv'

demo-nginx: ## the example of a service inside nginx, asked with curl, against a local AWS over TLS
	@spec/support/deps nginx
	@+$(MAKE_MANY) all-5.1
	@printf 'USER_ID\n%s\n%s\n%s\n' alice bob 4711 >$(OUT)/users.csv
	@spec/support/run-suites --lua luajit run spec/support/with-local-aws \
	  --tls --versioning --job-seconds 3 --object erasure/users.csv=$(OUT)/users.csv -- spec/support/demo-nginx

test: ## every suite on every Lua; the last line is 'N passed, N failed'
	@spec/support/deps test
	@+$(MAKE_MANY) everything rock
	@spec/support/run-suites --lua "$(LUA_VERSIONS)" test

vectors: ## only the specs that read $PERSONALIZE_VECTORS
	@spec/support/deps test
	@+$(MAKE_MANY) all-5.1 all-5.4
	@spec/support/run-suites --lua "5.4 luajit" vectors

# Leaks and undefined behaviour show best without the optimiser's rewriting.
SANITIZED = OUT=build/checked CFLAGS="-O1 -g -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined" CPPFLAGS=-DPZ_TEST
CHECK_VERSIONS ?= $(filter-out luajit,$(LUA_VERSIONS))

check: ## C tests and specs under the address and undefined behaviour sanitizers
	@spec/support/deps test
	@+$(MAKE_MANY) $(CHECK_VERSIONS:%=all-%)
	@+$(MAKE_MANY) $(SANITIZED) c-programs $(CHECK_VERSIONS:%=host-%)
	@spec/support/run-suites --lua "$(CHECK_VERSIONS)" check

# Each for FUZZ_SECONDS; what it finds is added to no corpus.
FUZZING = OUT=build/fuzzed CC=clang CFLAGS="-O1 -g -fno-omit-frame-pointer \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined"
FUZZ_SECONDS ?= 60

fuzz: ## every fuzz target for FUZZ_SECONDS (60), with clang's libFuzzer
	@+$(MAKE_MANY) $(FUZZING) $(FUZZED:%=build/fuzzed/fuzz/%_fuzz)
	@for name in $(FUZZED); do mkdir -p build/fuzzed/corpus/$$name; \
	  build/fuzzed/fuzz/$${name}_fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=4096 \
	    -print_final_stats=1 -artifact_prefix=build/fuzzed/$$name- \
	    build/fuzzed/corpus/$$name spec/fuzz/corpus/$$name 2>build/fuzzed/$$name.log || \
	    { tail -40 build/fuzzed/$$name.log >&2; exit 1; }; \
	  echo "  $$name: $$(sed -n 's/^stat::number_of_executed_units: *//p' build/fuzzed/$$name.log) runs"; done

bench: ## time and memory, a line of JSON each
	@+$(MAKE_MANY) all-5.1 all-5.4
	@spec/support/run-suites --lua $(LUA_VERSION) run spec/bench/run

soak: ## what takes too long for `make test`
	@+$(MAKE_MANY) all-5.1 all-5.4
	@spec/support/run-suites --lua $(LUA_VERSION) run spec/bench/soak
	@PERSONALIZE_SOAK=1 spec/support/run-suites --lua luajit nginx

lint: ## warnings of gcc and clang, luacheck, and the rules of the house
	@spec/support/deps lint
	@+$(MAKE_MANY) everything OUT=build/lint/gcc CC=gcc LTO= WERROR=1
	@+$(MAKE_MANY) everything OUT=build/lint/clang CC=clang LTO= WERROR=1
	@+$(MAKE_MANY) rock
	@spec/support/lint

# The same for other versions, by a make of its own for each; what they share
# stands before it, so that no two of them make it at once.
# LuaJIT's specs run on what was built for 5.1: one library is for both.
everything: $(LUA_VERSIONS:%=all-%) $(if $(filter luajit,$(LUA_VERSIONS)),all-5.1) c-tests
all-%: $(PLAIN_OBJECTS)
	@+$(MAKE_ALSO) all LUA_VERSION=$*
host-%: $(PLAIN_OBJECTS)
	@+$(MAKE_ALSO) $(OUT)/$*/host LUA_VERSION=$*
# With the hook that lets an allocation fail, which the libraries never have.
c-tests:
	@+$(MAKE_ALSO) c-programs OUT=$(OUT)/hooked CPPFLAGS="$(CPPFLAGS) -DPZ_TEST"
c-programs: $(C_TESTS) $(FUZZED:%=$(OUT)/fuzz/%_run)
	@:

# A Lua of our own, with all of the C in it: sanitizers want to be in the
# program, and its allocator can refuse.
$B/host.o: INCLUDES = $(LUA_CFLAGS)
$B/host.o: spec/support/host.c Makefile
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$Q$(COMPILE)
$B/host: $B/host.o $(sort $(CORE_OBJECTS) $(CURL_OBJECTS))
	$(call SAY,LD,$@)
	$Q$(PROGRAM) -rdynamic $(LUA_LIBS) $(CURL_LIBS) $(CRYPTO_LIBS) -lm -lpthread -ldl

# -- Installing --------------------------------------------------------------
SHARE = $(DESTDIR)$(PLACE)/share/lua/$(LUA_ABI)/personalize
LIB = $(DESTDIR)$(PLACE)/lib/lua/$(LUA_ABI)/personalize
BIN = $(DESTDIR)$(PLACE)/bin
# Each Lua has a command of its own. The plain name is the first one's, until
# that is uninstalled.
OWN = personalize-$(LUA_NAME)
SAME_FOLDERS = $(if $(filter 5.1,$(LUA_ABI)),personalize-lua5.1 personalize-luajit,$(OWN))

# Readable by all, whatever the umask of whoever installs.
LAY = umask 022; set -e; \
	for file in $(LUA_FILES:src/personalize/%=%); do \
	  mkdir -p "$(SHARE)/$$(dirname $$file)"; \
	  install -m 644 "src/personalize/$$file" "$(SHARE)/$$file"; done; \
	mkdir -p "$(LIB)" "$(BIN)"; install -m 755 $(LIBRARIES) "$(LIB)"; \
	find "$(SHARE)" "$(LIB)" -type d -exec chmod 755 {} +
# Is the plain name this Lua's? (It was a file of its own once.)
PLAIN = "$(BIN)/personalize"
IS_OURS = [ "$$(readlink $(PLAIN))" = $(OWN) ] || { [ ! -L $(PLAIN) ] && \
	head -n 1 $(PLAIN) 2>/dev/null | grep -qx '\#!/usr/bin/env $(notdir $(LUA))'; }
# A path as Lua and then sed read it.
quoted = $$(printf '%s' "$1" | sed -e 's/[\\"]/\\&/g' -e 's/[\\&|]/\\&/g')

install: all ## into PREFIX (/usr/local), below DESTDIR, for LUA_VERSION
	@$(LAY)
	@# The plain name 'lua' may be any version; the command needs this one.
	@umask 022; set -e; \
	share="$(call quoted,$(PLACE)/share/lua/$(LUA_ABI))"; lib="$(call quoted,$(PLACE)/lib/lua/$(LUA_ABI))"; \
	sed -e '1s|^#!.*|#!/usr/bin/env $(notdir $(LUA))|' \
	  -e "s|^local share, lib\$$|local share, lib = \"$$share\", \"$$lib\"|" \
	  src/bin/personalize >"$(BIN)/$(OWN)"; \
	chmod 755 "$(BIN)/$(OWN)"; \
	echo "personalize $(VERSION) for $(LUA_NAME) is in $(DESTDIR)$(PLACE), its command is $(OWN)"; \
	if [ ! -e $(PLAIN) ] || $(IS_OURS); then ln -sf $(OWN) $(PLAIN); \
	else echo 'The command '$(PLAIN)' stays that of another Lua'; fi

uninstall: ## take away what install laid
	@if $(IS_OURS); then rm -f $(PLAIN); fi
	@rm -f "$(BIN)/$(OWN)"
	@for other in $(SAME_FOLDERS); do \
	  if [ -e "$(BIN)/$$other" ]; then exit 0; fi; done; rm -rf "$(SHARE)" "$(LIB)"

# For luarocks, which knows where things are and makes a command that finds
# its modules; see the rockspec.
install-rock: all
	@$(LAY)
	@install -m 755 $(COMMANDS) "$(BIN)"

rock: ## pack the tree as a source rock into build/
	@spec/support/rock pack

clean: ## remove all that was built, and what luarocks left
	@rm -rf build
	@rm -f *.rock *.o *.so src/*/*.o src/*/*.so personalize/*.so

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1 \2/p' Makefile | \
	  awk '{ name = $$1; $$1 = ""; printf "  make %-10s%s\n", name, $$0 }'
	@echo "Variables: LUA_VERSION LUA_INCDIR PREFIX DESTDIR CC CFLAGS LDFLAGS HARDEN= HARDEN_LINKED= LTO= WERROR=1 V=1"

-include $(wildcard $(OUT)/*/*.d $(OUT)/*/*/*.d)

.DEFAULT_GOAL := all
.PHONY: all headers deps demo demo-nginx test vectors check fuzz bench soak lint everything c-tests c-programs install uninstall install-rock rock clean help
