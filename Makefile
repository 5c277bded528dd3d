# wxpay: make help

ROOMS := base wire pay web wechat store flow

# Who may include whom: the rule, the order of linking, and the check.
see_base   :=
see_wire   := base
see_pay    := base
see_web    := wire base
see_wechat := pay wire base
see_store  := pay base
see_flow   := store wechat pay wire base

# Each outside library is known to one room: its headers, and how to link it.
headers_base   := libconfig
headers_wire   := libxml jansson openssl qrencode
headers_web    := fcgi
headers_wechat := curl
headers_store  := libpq postgresql
libs_base      := -lconfig
libs_wire      := -lxml2 -ljansson -lqrencode -lcrypto
libs_web       := -lfcgi
libs_wechat    := -lcurl
libs_store     := -lpq

# gcc is what production runs; clang, san and fuzz are built beside it.
VARIANT := $(if $(SAN),san,gcc)
O := build/$(VARIANT)
BIN := $(if $(filter gcc,$(VARIANT)),build,$(O))
CC := $(if $(filter gcc,$(VARIANT)),gcc,clang)
PREFIX ?= /usr/local
VERSION := 0.1

CPPFLAGS := -D_GNU_SOURCE -Ilib -include base/banned.h -MMD -MP
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wvla -Walloca -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wformat=2 -Wconversion \
	-Wsign-conversion -Wimplicit-fallthrough -Wnull-dereference -Wundef
HARDENING := -fstack-protector-strong -fstack-clash-protection \
	-fno-delete-null-pointer-checks -fno-strict-overflow \
	-fno-strict-aliasing -fno-common -fvisibility=hidden -fexceptions \
	-fPIE $(if $(filter x86_64,$(shell uname -m)),-fcf-protection=full)
FORTIFY := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -U_FORTIFY_SOURCE

flags_gcc := -O2 $(FORTIFY) -ftrivial-auto-var-init=zero -Wtrampolines \
	-Wbidi-chars=any -Wduplicated-cond -Wlogical-op -Warith-conversion \
	-Wstack-usage=16384
flags_clang := -O2 $(FORTIFY)
flags_san := -O1 $(SANITIZE)
flags_fuzz := -O1 $(SANITIZE) -fsanitize=fuzzer-no-link
CFLAGS := -std=c11 -g $(WARNINGS) $(HARDENING) $(flags_$(VARIANT))

linkflags_san := $(SANITIZE)
linkflags_fuzz := $(SANITIZE) -fsanitize=fuzzer
LDFLAGS := -pie $(linkflags_$(VARIANT)) -Wl,-z,relro,-z,now,-z,noexecstack \
	-Wl,-z,nodlopen,-z,separate-code \
	-Wl,--as-needed,--no-copy-dt-needed-entries,--build-id=sha1

# These two lie outside /usr/include itself.  Evaluated when a file is
# compiled, for pkg-config may have to be installed first.
system = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(1)))
$(O)/lib/wire/%.o: CPPFLAGS += $(call system,libxml-2.0)
$(O)/lib/store/%.o $(O)/tests/store/%.o $(O)/tests/sandbox/%.o: \
	CPPFLAGS += $(call system,libpq)

objects = $(patsubst %.c,$(O)/%.o,$(wildcard $(1)))
archives = $(patsubst %,$(O)/lib%.a,$(1))

# The rooms that room $(1) stands on, itself first, in the order of linking.
LINK_ORDER := flow wechat store web pay wire base
under = $(1) $(foreach r,$(see_$(1)),$(call under,$(r)))
stands_on = $(filter $(call under,$(1)),$(LINK_ORDER))
libs_of = $(foreach r,$(1),$(libs_$(r)))

PROGRAMS := $(BIN)/pay $(BIN)/notify $(BIN)/refund
WXPAYCTL := $(if $(wildcard ops/*.c),$(BIN)/wxpayctl)
SANDBOX := $(if $(wildcard tests/sandbox/*.c),$(BIN)/sandbox)
UNIT_TESTS := $(foreach r,$(ROOMS),$(patsubst %.c,$(O)/%,\
	$(wildcard tests/$(r)/test_*.c)))
FUZZERS := $(patsubst %.c,$(O)/%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAYS := $(patsubst $(O)/tests/fuzz/fuzz_%,$(O)/tests/fuzz/replay_%,$(FUZZERS))
# make V=1 shows the commands themselves.
Q := $(if $(V),,@)
say = $(if $(V),,@echo '  $@')

SOURCES := $(wildcard lib/*/*.c cgi/*.c ops/*.c tests/*/*.c)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all tests fuzzers replays check layers asan fuzz tidy schema bench \
	demo up down install clean help compile_commands.json

all: $(PROGRAMS) $(WXPAYCTL) $(SANDBOX)	## the programs, into build/
tests: $(UNIT_TESTS)
fuzzers: $(FUZZERS)
replays: $(REPLAYS)

$(O)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(say)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

define link
	@mkdir -p $(@D)
	$(say)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(1)
endef

define room
$(O)/lib$(1).a: $(call objects,lib/$(1)/*.c)
	@rm -f $$@
	$$(say)
	$$(Q)ar rcsD $$@ $$^

$(patsubst %.c,$(O)/%,$(wildcard tests/$(1)/test_*.c)): %: %.o \
		$(call archives,$(call stands_on,$(1)))
	$$(call link,$(call libs_of,$(call stands_on,$(1))) -lcmocka -ljansson)

endef
$(eval $(foreach r,$(ROOMS),$(call room,$(r))))

ARCHIVES := $(call archives,$(LINK_ORDER))
LIBS := $(call libs_of,$(LINK_ORDER))
define program
$(BIN)/$(1): $(call objects,cgi/$(1).c cgi/$(1)_*.c) $(ARCHIVES)
	$$(call link,$(LIBS))

endef
$(foreach p,$(notdir $(PROGRAMS)),$(eval $(call program,$(p))))
$(BIN)/sandbox: $(call objects,tests/sandbox/*.c) $(ARCHIVES)
	$(call link,$(LIBS))
$(FUZZERS): %: %.o $(ARCHIVES)
	$(call link,$(LIBS))
# The same targets without libFuzzer, over the corpora of tests/data/fuzz.
$(REPLAYS): $(O)/tests/fuzz/replay_%: $(O)/tests/fuzz/fuzz_%.o \
		$(O)/tests/fuzz/replay.o $(ARCHIVES)
	$(call link,$(LIBS))
$(BIN)/wxpayctl: $(call objects,ops/*.c) $(O)/sql.o $(ARCHIVES)
	$(call link,$(LIBS))
$(O)/ops/%.o $(O)/lib/wechat/%.o: CPPFLAGS += -DVERSION='"$(VERSION)"'

$(O)/tests/bench/notice_cost: $(O)/tests/bench/notice_cost.o $(ARCHIVES)
	$(call link,$(LIBS))

# sql/ as C text, in the order in which migrate runs it.
SQL := sql/roles.sql $(sort $(wildcard sql/migrations/*.sql)) \
	$(sort $(wildcard sql/functions/*.sql)) sql/grants.sql
$(O)/sql.c: $(SQL) Makefile
	@mkdir -p $(@D)
	$(say)
	$(Q){ echo '#include "../../ops/sql.h"'; \
	    echo 'const struct store_script sql_scripts[] = {'; \
	    for f in $(SQL); do \
		echo "{ \"$${f#sql/}\","; \
		sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $$f; \
		echo '},'; \
	    done; \
	    echo '};'; \
	    echo 'const size_t sql_script_count = $(words $(SQL));'; } >$@
$(O)/sql.o: $(O)/sql.c
	$(say)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

-include $(SOURCES:%.c=$(O)/%.d)

# Sees only the rooms of its table, and only its own outside libraries.
either = $(subst $() ,|,$(strip $(1)))
foreign_headers = $(foreach r,$(filter-out $(1),$(ROOMS)),$(headers_$(r)))
define layer
	@! grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' lib/$(1)/*.[ch] \
	    | grep -vE '"($(call either,$(1) $(see_$(1))))/'
	@! grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<($(call either,$(call foreign_headers,$(1))))' \
	    lib/$(1)/*.[ch]

endef
layers:	## who includes whom, and who knows which library
	$(foreach r,$(ROOMS),$(call layer,$(r)))

# Which stack, how, and WeChat's keys; another WeChat; BIN: whose programs.
export RUN PORT API SET KEY_MODE BIN
export WECHAT_URL WECHAT_CA MERCHANT_CERT MERCHANT_KEY WECHAT_PUB_KEY \
	WECHAT_PUB_KEY_ID
up:	## a stack in the background: RUN= PORT= API= KEY_MODE= SET="key=value"
	@tests/stack/packages run
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@tests/stack/up
down:	## stop it, and remove what it made
	@tests/stack/down
demo: up	## a stack, and a real order through it, paid and refunded: API=v3
	@tests/stack/demo

check:	## all tests; ends with "N passed, N failed"
	@tests/stack/packages run check
	@tests/check/run
asan:	## the tests again, under address and undefined sanitizers
	@tests/stack/packages run check
	@tests/check/run asan
fuzz:	## each fuzz target for FUZZ_S seconds (60), from its corpus
	@tests/stack/packages run check
	@$(MAKE) --no-print-directory VARIANT=fuzz fuzzers
	@tests/check/fuzz
tidy:	## what gcc -fanalyzer, clang-tidy and cppcheck find: nothing
	@tests/stack/packages run check
	@tests/check/tidy
schema:	## sql/schema.sql, the dump of what sql/ makes
	@tests/stack/packages run
	@tests/sql/with_postgres tests/sql/dump >sql/schema.sql
bench:	## what a payment costs, beside PostgreSQL alone
	@tests/stack/packages run check
	@$(MAKE) --no-print-directory -j$(shell nproc) all \
	    $(O)/tests/bench/notice_cost
	@tests/bench/run
compile_commands.json:	## for editors: needs bear
	bear -- $(MAKE) -B all tests

NGINX_DIR ?= /etc/nginx
UNIT_DIR ?= /etc/systemd/system
SHARE := $(DESTDIR)$(PREFIX)/share/wxpay
install: all	## DESTDIR= PREFIX= NGINX_DIR= UNIT_DIR=
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(NGINX_DIR) \
	    $(DESTDIR)$(UNIT_DIR) $(DESTDIR)/etc/wxpay/keys \
	    $(SHARE)/pages
	install -m 0755 build/pay build/notify build/refund build/wxpayctl \
	    $(DESTDIR)$(PREFIX)/bin
	install -m 0644 nginx/*.conf $(DESTDIR)$(NGINX_DIR)
	sed -i 's|/usr/local/share|$(PREFIX)/share|' \
	    $(DESTDIR)$(NGINX_DIR)/wxpay.conf
	install -m 0644 nginx/pages/* $(SHARE)/pages
	install -m 0644 ops/systemd/* $(DESTDIR)$(UNIT_DIR)
	sed -i 's|/usr/local/bin|$(PREFIX)/bin|' \
	    $(DESTDIR)$(UNIT_DIR)/wxpay-*.service
	install -m 0644 ops/wxpay.conf $(SHARE)

clean:	## remove build/
	rm -rf build

help:	## this
	@awk -F ':.*## ' '/^[a-z_. ]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' \
	    Makefile
