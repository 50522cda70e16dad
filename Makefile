# risad: make, make demo, make regress, make lint, make bench, make install.
# For GNU make and BSD make; what differs between systems is in the file that
# is included.

OS !=		uname -s
include risad/compat/${OS}.mk

PREFIX ?=	/usr/local
DESTDIR ?=
SYSCONFDIR ?=	/etc/risad
DEMO_DIR ?=	demo
DEMO_PORT ?=	8443

CFLAGS +=	-std=gnu11 -g -O2 -fPIE -fstack-protector-strong
CFLAGS +=	-Wall -Wextra -Werror -Wconversion -Wno-sign-conversion \
		-Wshadow -Wstrict-prototypes -Wmissing-prototypes \
		-Wpointer-arith -Wwrite-strings -Wundef -Wvla
# Wherever and whenever it is built, the same comes of it.
CFLAGS +=	-Wdate-time -ffile-prefix-map="$$(pwd)"=.
CPPFLAGS +=	-Irisad

SRCS =		risad/access.c \
		risad/api.c \
		risad/api_admin.c \
		risad/api_factor.c \
		risad/api_guest.c \
		risad/api_import.c \
		risad/api_passkey.c \
		risad/api_password.c \
		risad/api_record.c \
		risad/api_reply.c \
		risad/api_signin.c \
		risad/api_talk.c \
		risad/ask.c \
		risad/audit.c \
		risad/auth.c \
		risad/auth_address.c \
		risad/auth_answer.c \
		risad/auth_attack.c \
		risad/auth_device.c \
		risad/auth_factor.c \
		risad/auth_failure.c \
		risad/auth_guest.c \
		risad/auth_hash.c \
		risad/auth_passkey.c \
		risad/auth_policy.c \
		risad/auth_request.c \
		risad/auth_throttle.c \
		risad/bus.c \
		risad/call.c \
		risad/config.c \
		risad/conn.c \
		risad/control.c \
		risad/csv.c \
		risad/db.c \
		risad/db_copy.c \
		risad/db_log.c \
		risad/db_stmt.c \
		risad/db_wal.c \
		risad/door.c \
		risad/earshot.c \
		risad/floor.c \
		risad/grant.c \
		risad/hash.c \
		risad/hash_otp.c \
		risad/hash_webauthn.c \
		risad/hold.c \
		risad/htdocs.c \
		risad/http.c \
		risad/http_reply.c \
		risad/json.c \
		risad/keyfile.c \
		risad/keys.c \
		risad/keys_engine.c \
		risad/knock.c \
		risad/ledger.c \
		risad/limit.c \
		risad/log.c \
		risad/login.c \
		risad/manifest.c \
		risad/map.c \
		risad/msg.c \
		risad/network.c \
		risad/office.c \
		risad/parse.c \
		risad/person.c \
		risad/policy.c \
		risad/proc.c \
		risad/proof.c \
		risad/proxy.c \
		risad/quota.c \
		risad/risad.c \
		risad/reseal.c \
		risad/role.c \
		risad/room.c \
		risad/say.c \
		risad/say_talk.c \
		risad/seal.c \
		risad/session.c \
		risad/spawn.c \
		risad/stmt.c \
		risad/strength.c \
		risad/storage.c \
		risad/storage_access.c \
		risad/storage_admin.c \
		risad/storage_alert.c \
		risad/storage_auth.c \
		risad/storage_backup.c \
		risad/storage_check.c \
		risad/storage_clock.c \
		risad/storage_confirm.c \
		risad/storage_cmd_floor.c \
		risad/storage_cmd_record.c \
		risad/storage_cmd_tenant.c \
		risad/storage_cmd_user.c \
		risad/storage_control.c \
		risad/storage_data.c \
		risad/storage_end.c \
		risad/storage_export.c \
		risad/storage_exported.c \
		risad/storage_factor.c \
		risad/storage_fence.c \
		risad/storage_generation.c \
		risad/storage_guest.c \
		risad/storage_import.c \
		risad/storage_lock.c \
		risad/storage_log.c \
		risad/storage_network.c \
		risad/storage_note.c \
		risad/storage_operator.c \
		risad/storage_passkey.c \
		risad/storage_password.c \
		risad/storage_place.c \
		risad/storage_restore.c \
		risad/storage_retain.c \
		risad/storage_erase.c \
		risad/storage_hold.c \
		risad/storage_role.c \
		risad/storage_show.c \
		risad/storage_sign.c \
		risad/storage_rotate.c \
		risad/storage_signin.c \
		risad/storage_task.c \
		risad/storage_talk.c \
		risad/storage_way.c \
		risad/talk.c \
		risad/talk_bubble.c \
		risad/talk_lead.c \
		risad/tick.c \
		risad/turn.c \
		risad/utf8.c \
		risad/util.c \
		risad/walk.c \
		risad/way.c \
		risad/websocket.c \
		${COMPAT}
SRCS_CTL =	risactl/drop.c \
		risactl/output.c \
		risactl/output_json.c \
		risactl/parser.c \
		risactl/import.c \
		risactl/keys.c \
		risactl/points.c \
		risactl/risactl.c \
		risactl/zone.c \
		risad/csv.c \
		risad/keypack.c \
		risad/log.c \
		risad/map.c \
		risad/msg.c \
		risad/network.c \
		risad/proof.c \
		risad/role.c \
		risad/seal.c \
		risad/utf8.c \
		risad/util.c \
		risad/way.c \
		${COMPAT_CTL}
HDRS =		risad/*.h risad/compat/*.h risad/compat/include/*.h \
		risad/compat/include/sys/*.h

OBJS =		${SRCS:.c=.o}
OBJS_CTL =	${SRCS_CTL:.c=.o}

all: risad/risad risactl/risactl

.SUFFIXES: .c .o .y
.c.o:
	${CC} ${CPPFLAGS} ${CFLAGS} -c -o $@ $<

# An object is of the flags that stand here, too.
${OBJS} ${OBJS_CTL}: ${HDRS} Makefile risad/compat/${OS}.mk

# Generated code is held to fewer warnings than ours.
risad/parse.c: risad/parse.y
	${YACC} -o $@ risad/parse.y
risad/parse.o: risad/parse.c ${HDRS}
	${CC} ${CPPFLAGS} ${CFLAGS} -Wno-conversion -c -o $@ risad/parse.c

risad/risad: ${OBJS}
	${CC} ${LDFLAGS} -o $@ ${OBJS} ${LDADD}
risactl/risactl: ${OBJS_CTL}
	${CC} ${LDFLAGS} -o $@ ${OBJS_CTL} ${LDADD_CTL}

# The page: sources below risad/web, what browsers get below risad/htdocs.
page: risad/htdocs/index.html
risad/htdocs/index.html: risad/web/package-lock.json risad/web/*.mjs \
    risad/web/src/*.ts* risad/web/src/*/*.ts* risad/web/*.html \
    risad/web/maps/*.json
	cd risad/web && npm ci --no-audit --no-fund --loglevel=error
	cd risad/web && npm run --silent build

packages:
	sh etc/packages.sh build
packages-regress:
	sh etc/packages.sh build regress

demo: packages
	${MAKE} all page
	DEMO_DIR=${DEMO_DIR} DEMO_PORT=${DEMO_PORT} sh etc/demo.sh

# LONG=1: more of everything, for hours.
LONG ?=
regress: packages-regress
	${MAKE} all page
	LONG="${LONG}" sh regress/run.sh

# What people see, for people to look at: regress/out/page.
pictures: packages-regress
	${MAKE} all page
	cd regress/page && npm ci --no-audit --no-fund --silent && \
	    node --test shots.mjs

SECONDS ?=	60
fuzz: packages-regress
	${MAKE} risad/parse.c
	sh regress/fuzz/run.sh ${SECONDS}

# What is proved, and what scanners that are not ours find.
proof: packages-regress
	sh regress/proof/run.sh
conformance: packages-regress
	${MAKE} all page
	sh regress/conformance/run.sh

# What one core carries, beside servers that are not ours.
CASE ?=
bench:
	sh etc/packages.sh build regress bench
	${MAKE} all page
	CASE="${CASE}" python3 regress/bench/run.py

lint: packages-regress
	${MAKE} all page
	sh regress/lint/run.sh

# What an installation consists of: risad.cdx.json, CycloneDX 1.5.
sbom: all page
	CC="${CC}" YACC="${YACC}" node etc/sbom.mjs >risad.cdx.json.new
	mv risad.cdx.json.new risad.cdx.json

install: all page
	sh etc/install.sh "${DESTDIR}" "${PREFIX}" "${SYSCONFDIR}"

clean:
	rm -f risad/risad risactl/risactl risad/parse.c
	rm -f risad/*.o risad/compat/*.o risactl/*.o
	rm -f risad.cdx.json risad.cdx.json.new
	rm -rf risad/htdocs regress/out

.PHONY: all page packages packages-regress demo regress pictures bench \
	fuzz proof conformance lint sbom install clean
