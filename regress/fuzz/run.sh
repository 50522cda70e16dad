#!/bin/sh
# Each fuzz target for so many seconds (60), from its seeds, under ASan and
# UBSan.  What a run finds anew is kept below regress/out/fuzz and used by the
# next one.  A second word names one target.
set -u

cd "$(dirname "$0")/../.." || exit 1
seconds=${1:-60}
only=${2:-}
out=regress/out/fuzz
passed=0 failed=0
mkdir -p $out

pkgs="jansson libbsd-overlay libcrypto libfido2"
flags="-std=gnu11 -g -O1 -D_GNU_SOURCE -Irisad -Irisad/compat/include
    -Wall -Wextra -Werror -Wno-unused-parameter $(pkg-config --cflags $pkgs)
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

# fuzz NAME MAXLEN SOURCES
fuzz() {
	name=$1 max=$2
	shift 2
	[ -z "$only" ] || [ "$only" = "$name" ] || return 0
	log=$out/$name.log
	mkdir -p "$out/$name"
	if ! clang $flags -fsanitize=fuzzer -o "$out/${name}_fuzz" \
	    "regress/fuzz/${name}_fuzz.c" "$@" \
	    $(pkg-config --libs $pkgs) >"$log" 2>&1; then
		echo "$name: does not compile"
		tail -n 20 "$log"
		failed=$((failed + 1))
		return
	fi
	if timeout -k 10 $((seconds + 120)) "$out/${name}_fuzz" \
	    -max_total_time="$seconds" -max_len="$max" -timeout=20 \
	    -rss_limit_mb=1024 -print_final_stats=1 \
	    -artifact_prefix="$out/$name-" "$out/$name" \
	    "regress/fuzz/seeds/$name" >"$log" 2>&1 </dev/null; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
		echo "$name: ${runs:-no} runs"
		[ "${runs:-0}" -gt 0 ] && passed=$((passed + 1)) ||
		    failed=$((failed + 1))
	else
		echo "$name: exit $?"
		tail -n 40 "$log"
		failed=$((failed + 1))
	fi
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
