#!/bin/sh
# All tests, and their sum.  A part that is missing, crashes, or says no counts
# is a failure.  Words given: only the parts whose
# names begin with one of them ("unit", "system/http", "fuzz").  With LONG=1 in
# the environment they try more, and have more time.
set -u

# -one SECONDS SCRIPT: a script of a lane, for ourselves.
one=
if [ "${1-}" = -one ]; then
	one=$3 each=$2
	set --
fi

cd "$(dirname "$0")/.." || exit 1
out=regress/out
passed=0 failed=0
failures=
wanted="$*"
long=1
case ${LONG:-0} in 0) ;; *) long=24 ;; esac

mkdir -p $out
[ "$(id -u)" -eq 0 ] || {
	echo "must be root: risad's processes drop to users of their own" >&2
	echo "0 passed, 1 failed"
	exit 1
}

wants() {
	[ -n "$wanted" ] || return 0
	for w in $wanted; do
		case $1 in "$w"*) return 0 ;; esac
	done
	return 1
}

# The counts in a log: a line of ours, or what node's test runner ends with.
# Without either, nothing.
counts() {
	awk '/^[0-9]+ passed, [0-9]+ failed$/ { p = $1; f = $3; ours = 1 }
	    ours || NF != 3 || $3 !~ /^[0-9]+$/ { next }
	    $2 == "pass" { p = $3; f = 0 }
	    $2 == "fail" || $2 == "cancelled" { f += $3 }
	    END { if (p != "" && f != "") print p + 0, f + 0 }' "$1"
}

# run NAME SECONDS COMMAND...: run it for at most so long, into its log.
run() {
	log=$out/$(echo "$1" | tr / -).log limit=$2
	shift 2
	start=$(date +%s)
	timeout -k 20 "$limit" "$@" >"$log" 2>&1 </dev/null
	echo "$? $(($(date +%s) - start)) $limit" >"$log.end"
}

# told NAME: count what it has left, report.
told() {
	log=$out/$(echo "$1" | tr / -).log
	status=1 took=0 limit=0
	[ ! -e "$log.end" ] || read -r status took limit <"$log.end"
	got=$(counts "$log")
	p=${got%% *} f=${got##* }
	why=
	if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
		why="longer than $limit seconds"
	elif [ -z "$got" ]; then
		why="no counts, exit $status"
	elif [ "$f" -eq 0 ] && [ "$status" -ne 0 ]; then
		why="exit $status"
	elif [ $((p + f)) -eq 0 ]; then
		why="nothing was tested"
	fi
	p=${p:-0} f=${f:-0}
	[ -z "$why" ] || f=$((f + 1))
	echo "$1: $p passed, $f failed ($took s)${why:+: $why}"
	[ "$f" -eq 0 ] || {
		tail -n 60 "$log" | sed 's/^/    /'
		failures="$failures $log"
	}
	passed=$((passed + p))
	failed=$((failed + f))
}

if [ -n "$one" ]; then
	name=${one#regress/}
	run "${name%.py}" "$each" python3 -B "$one"
	exit 0
fi

# Once more at the end, where it is looked for: which tests, and why.
what_failed() {
	for log in $failures; do
		echo "$log:"
		awk '/^FAIL / { print }
		    /^ *not ok / { on = 1 }
		    /^ *(code|stack):/ { on = 0 }
		    on && NF && !/^ *(---|duration|type:|failureType)/' "$log" |
		    head -n 24 | cut -c -160 | sed 's/^ */    /'
	done
}

part() {
	wants "$1" || return 0
	run "$@"
	told "$1"
}

# A part whose files are not there has not run.
lacks() {
	wants "$1" || return 0
	echo "$1: 0 passed, 1 failed (0 s): there is none"
	failed=$((failed + 1))
}

# scripts SECONDS DIR...: each script of a directory is a part.  Three at a
# time: each has a daemon of its own, and they wait more than they work.
scripts() {
	each=$(($1 * long))
	shift
	names=
	for dir in "$@"; do
		[ -n "$(ls "$dir"/*.py 2>/dev/null)" ] ||
		    lacks "${dir#regress/}"
		for s in "$dir"/*.py; do
			name=${s#regress/}
			name=${name%.py}
			[ -e "$s" ] && wants "$name" && names="$names $name"
		done
	done
	for name in $names; do
		rm -f "$out/$(echo "$name" | tr / -).log.end"
		echo "regress/$name.py"
	done | xargs -P 3 -I '{}' sh regress/run.sh -one "$each" '{}'
	for name in $names; do
		told "$name"
	done
}

# Beside the others: browsers wait more than they work, and what only works
# comes after them.
beside() {
	wants page && run page 1500 sh -ec 'cd regress/page
	    npm ci --no-audit --no-fund --silent
	    exec node --test'
	wants proof && run proof $((900 * long)) sh regress/proof/run.sh
	wants fuzz && run fuzz $((900 * long)) sh regress/fuzz/run.sh 20
}

rm -f $out/page.log.end $out/proof.log.end $out/fuzz.log.end
beside &
other=$!
for sh in unit config; do
	if [ -e regress/$sh/run.sh ]; then
		part $sh $((1500 * long)) sh regress/$sh/run.sh
	else
		lacks $sh
	fi
done
part web 300 sh -ec 'cd risad/web
    [ -d node_modules ] || npm ci --no-audit --no-fund --silent
    exec npm test --silent'
scripts 600 regress/system regress/attack
wait "$other"
for name in page proof fuzz; do
	if [ ! -d regress/$name ]; then
		lacks $name
	elif wants $name; then
		told $name
	fi
done

what_failed
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
