#!/bin/sh
# Each fuzz target for so many seconds (60), from its seeds and with its words,
# under ASan and UBSan, two at a time.  What a run finds anew is kept below
# regress/out/fuzz and used by the next one.  A second word names one target.
set -u

# -one SECONDS NAME MAXLEN SOURCES...: a target, for ourselves.
one=
if [ "${1-}" = -one ]; then
	one=1
	shift
fi
cd "$(dirname "$0")/../.." || exit 1
seconds=${1:-60}
only=${2:-}
out=regress/out/fuzz
passed=0 failed=0
mkdir -p $out

pkgs="jansson libbsd-overlay libcrypto libfido2 libevent libtls"
flags="-std=gnu11 -g -O1 -D_GNU_SOURCE -DLIBBSD_OPENBSD_VIS -Irisad
    -Irisad/compat/include -Wall -Wextra -Werror -Wno-unused-parameter
    $(pkg-config --cflags $pkgs)
    -fsanitize=address,undefined -fno-sanitize-recover=all
    -fno-omit-frame-pointer"

# Not every Debian has libFuzzer's archive with clang: say so, do not pass.
if ! echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n)
    { return (p[n - n] == 1 && n == 7); }' | clang -x c -fsanitize=fuzzer \
    -o $out/probe - >$out/probe.log 2>&1; then
	cat $out/probe.log
	echo "clang has no libFuzzer (Debian: libclang-rt-14-dev)"
	echo "0 passed, 1 failed"
	exit 1
fi

# target NAME MAXLEN SOURCES: build it and let it run; the log has the rest.
target() {
	name=$1 max=$2
	shift 2
	log=$out/$name.log words=
	mkdir -p "$out/$name"
	[ ! -e "regress/fuzz/seeds/$name.dict" ] ||
	    words="-dict=regress/fuzz/seeds/$name.dict"
	if ! clang $flags -fsanitize=fuzzer -o "$out/${name}_fuzz" \
	    "regress/fuzz/${name}_fuzz.c" "$@" \
	    $(pkg-config --libs $pkgs) >"$log" 2>&1; then
		echo "$name: does not compile" >"$out/$name.end"
		return
	fi
	timeout -k 10 $((seconds + 120)) "$out/${name}_fuzz" \
	    -max_total_time="$seconds" -max_len="$max" -timeout=20 \
	    -rss_limit_mb=1024 -print_final_stats=1 $words \
	    -artifact_prefix="$out/$name-" "$out/$name" \
	    "regress/fuzz/seeds/$name" >"$log" 2>&1 </dev/null
	status=$?
	[ $status -eq 0 ] || {
		echo "$name: exit $status" >"$out/$name.end"
		return
	}
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	covered=$(sed -n 's/^#.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
	echo "$name: ${runs:-0} runs, ${covered:-0} edges" >"$out/$name.end"
}

if [ -n "$one" ]; then
	shift
	target "$@"
	exit 0
fi

# fuzz NAME MAXLEN SOURCES: one of those to run.
jobs=$out/jobs
: >$jobs
fuzz() {
	[ -z "$only" ] || [ "$only" = "$1" ] || return 0
	rm -f "$out/$1.end"
	echo "$*" >>$jobs
}

fuzz http 32768 risad/http.c risad/http_reply.c risad/utf8.c
fuzz websocket 8192 risad/websocket.c risad/utf8.c
fuzz map 98304 risad/map.c risad/walk.c
fuzz imsg 8192 risad/compat/imsg.c risad/compat/imsg-buffer.c
fuzz msg 32768 risad/msg.c risad/utf8.c risad/compat/imsg.c \
    risad/compat/imsg-buffer.c
fuzz parse 65536 risad/parse.c risad/config.c risad/network.c risad/util.c \
    risad/utf8.c risad/way.c
fuzz proxy 1024 risad/proxy.c risad/network.c
fuzz csv 65536 risad/csv.c risad/utf8.c
fuzz webauthn 16384 risad/hash_webauthn.c risad/util.c risad/utf8.c
fuzz parser 4096 risactl/parser.c risactl/zone.c risad/network.c \
    risad/util.c risad/utf8.c risad/way.c
fuzz seal 4096 risad/seal.c risad/util.c risad/utf8.c
fuzz way 4096 risad/way.c
fuzz say 65536 risad/say.c risad/say_talk.c risad/json.c risad/role.c \
    risad/utf8.c risad/util.c risad/way.c risad/msg.c risad/log.c \
    risad/compat/imsg.c risad/compat/imsg-buffer.c
fuzz api 65536 risad/api.c risad/api_admin.c risad/api_factor.c \
    risad/api_guest.c risad/api_import.c risad/api_passkey.c \
    risad/api_password.c risad/api_record.c risad/api_reply.c \
    risad/api_signin.c risad/api_talk.c risad/access.c risad/ask.c \
    risad/csv.c risad/htdocs.c risad/http.c risad/http_reply.c risad/json.c \
    risad/limit.c risad/login.c risad/network.c risad/policy.c risad/role.c \
    risad/session.c risad/utf8.c risad/util.c risad/way.c risad/websocket.c \
    risad/compat/imsg.c risad/compat/imsg-buffer.c

xargs -P 2 -L 1 sh regress/fuzz/run.sh -one "$seconds" <$jobs
while read -r name rest; do
	end=$(cat "$out/$name.end" 2>/dev/null)
	echo "${end:-$name: has not run}"
	case $end in
	*" 0 runs"*|*" exit "*|*"not compile"|"")
		tail -n 40 "$out/$name.log"
		failed=$((failed + 1)) ;;
	*)	passed=$((passed + 1)) ;;
	esac
done <$jobs

# A target that is not named above would never run.
for f in regress/fuzz/*_fuzz.c; do
	n=$(basename "$f" _fuzz.c)
	grep -q "^fuzz $n " regress/fuzz/run.sh || {
		echo "$n: not in run.sh"
		failed=$((failed + 1))
	}
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
