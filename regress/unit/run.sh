#!/bin/sh
# Build each test with the files that it tests, plain and under ASan and
# UBSan, run both, and add up.  Names given: only those tests.
set -u

cd "$(dirname "$0")/../.." || exit 1
out=regress/out/unit
mkdir -p "$out"
libs=$(pkg-config --libs libevent libtls libcrypto libssl sqlite3 jansson \
    libbsd-overlay)
flags="-std=gnu11 -g -O1 -D_GNU_SOURCE -DLIBBSD_OPENBSD_VIS -Irisad
    -Irisad/compat/include -Iregress/unit -Wall -Wextra -Werror
    -Wno-unused-parameter $(pkg-config --cflags libevent libtls jansson \
    libbsd-overlay)"
san="-fsanitize=address,undefined -fno-sanitize-recover=all
    -fno-omit-frame-pointer"
imsg="risad/compat/imsg.c risad/compat/imsg-buffer.c"
maps=$(ls risad/web/maps/*.json)

passed=0 failed=0

# count LOG STATUS: the last line has the numbers; a crash is one failure.
count() {
	p=$(sed -n 's/^\([0-9]*\) passed, [0-9]* failed$/\1/p' "$1" | tail -1)
	f=$(sed -n 's/^[0-9]* passed, \([0-9]*\) failed$/\1/p' "$1" | tail -1)
	if [ -z "$p" ] || { [ "$2" -ne 0 ] && [ "$f" -eq 0 ]; }; then
		f=$((${f:-0} + 1))
		echo "$1: exit $2" >&2
	fi
	[ "$f" -eq 0 ] || tail -20 "$1" >&2
	passed=$((passed + ${p:-0}))
	failed=$((failed + f))
}

# unit KIND NAME ARGS -- SOURCES: KIND "plain" skips the sanitizers, for what
# runs under a filter of system calls that they would break.
unit() {
	kind=$1 name=$2 args=
	shift 2
	while [ "$1" != -- ]; do args="$args $1"; shift; done
	shift
	case " ${only:-$name} " in *" $name "*) ;; *) return ;; esac
	for how in plain san; do
		[ "$how" = plain ] || [ "$kind" = both ] || continue
		[ "$how" = plain ] && cc=gcc extra= || { cc=clang extra=$san; }
		if ! $cc $flags $extra -o "$out/$name.$how" \
		    "regress/unit/$name.c" "$@" $libs -largon2 -lm \
		    >"$out/$name.$how.log" 2>&1; then
			echo "$name: does not compile with $cc" >&2
			tail -20 "$out/$name.$how.log" >&2
			failed=$((failed + 1))
			continue
		fi
		timeout 300 "$out/$name.$how" $args >"$out/$name.$how.log" 2>&1
		count "$out/$name.$how.log" $?
	done
}

only="$*"
. regress/unit/tests.sh
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
