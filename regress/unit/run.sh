#!/bin/sh
# Link each test twice, with the daemon's own objects and with what clang makes
# of the same sources under ASan and UBSan, run both, and add up.  Names given:
# only those tests.
set -u

cd "$(dirname "$0")/../.." || exit 1
out=regress/out/unit
make -s all || exit 1
rm -rf "$out"
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
case ${LONG:-0} in 0) limit=300 ;; *) limit=7200 ;; esac

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

# objects HOW SOURCES: their names; those for the sanitizers are made when a
# test first wants them.
objects() {
	how=$1
	shift
	for c in "$@"; do
		o=${c%.c}.o
		if [ "$how" = san ]; then
			o=$out/$(echo "$o" | tr / -)
			[ -e "$o" ] || clang $flags $san -c -o "$o" "$c" ||
			    return
		fi
		echo "$o"
	done
}

# unit KIND NAME ARGS -- SOURCES: KIND "plain" skips the sanitizers, for what
# runs under a filter of system calls that they would break.  HOW among ARGS
# is "plain" or "san", for what would take them too long.
unit() {
	kind=$1 name=$2 args=
	shift 2
	while [ "$1" != -- ]; do args="$args $1"; shift; done
	shift
	case " ${only:-$name} " in *" $name "*) ;; *) return ;; esac
	for how in plain san; do
		[ "$how" = plain ] || [ "$kind" = both ] || continue
		[ "$how" = plain ] && cc=gcc || cc="clang $san"
		if ! { objs=$(objects "$how" "$@") &&
		    $cc $flags -o "$out/$name.$how" "regress/unit/$name.c" \
		    $objs $libs -largon2 -loath -lfido2 -lzxcvbn -lm $link
		} >"$out/$name.$how.log" 2>&1; then
			echo "$name: does not compile" >&2
			tail -20 "$out/$name.$how.log" >&2
			failed=$((failed + 1))
			continue
		fi
		words=$(echo "$args" | sed "s/HOW/$how/")
		timeout $limit "$out/$name.$how" $words \
		    >"$out/$name.$how.log" 2>&1
		count "$out/$name.$how.log" $?
	done
}

# reader NAME SCRIPT: what the test prints with -v, another program reads.
reader() {
	case " ${only:-$1} " in *" $1 "*) ;; *) return ;; esac
	"$out/$1.plain" -v | python3 -B "regress/unit/$2" \
	    >"$out/$1.reader.log" 2>&1
	count "$out/$1.reader.log" $?
}

only="$*"
link=
. regress/unit/tests.sh
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
