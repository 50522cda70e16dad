#!/bin/sh
# What others say of how risad speaks TLS, HTTP and WebSocket: scanners that
# are not ours, and the RFCs case by case.  Each part prints its table, and the
# sum stands at the end.
set -u

cd "$(dirname "$0")/../.." || exit 1
out=regress/out/conformance
passed=0 failed=0
mkdir -p $out
LONG=1
export LONG

for part in system/tls conformance/tls system/httpd system/smuggle \
    system/websocket system/frames; do
	log=$out/$(echo $part | tr / -).log
	echo "$part:"
	timeout -k 20 3600 python3 -B regress/$part.py >"$log" 2>&1 </dev/null
	status=$?
	sed 's/^/    /' "$log"
	p=$(sed -n 's/^\([0-9]*\) passed, [0-9]* failed$/\1/p' "$log" | tail -1)
	f=$(sed -n 's/^[0-9]* passed, \([0-9]*\) failed$/\1/p' "$log" | tail -1)
	if [ -z "$p" ] || { [ $status -ne 0 ] && [ "$f" -eq 0 ]; }; then
		f=$((${f:-0} + 1))
		echo "    exit $status"
	fi
	passed=$((passed + ${p:-0}))
	failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
