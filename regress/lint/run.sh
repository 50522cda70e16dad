#!/bin/sh
# What can be said of the sources without running them.  Each finding is a
# line; each check without findings has passed.  Names given: only those.
set -u

cd "$(dirname "$0")/../.." || exit 1
top=$(pwd)
out=regress/out/lint
passed=0 failed=0
only="$*"
mkdir -p $out

# check NAME WHAT COMMAND...
check() {
	name=$1 what=$2
	shift 2
	case " ${only:-$name} " in *" $name "*) ;; *) return 0 ;; esac
	if "$@" >"$out/$name.log" 2>&1 </dev/null; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "$name: not so: $what"
		tail -n 100 "$out/$name.log" | sed 's/^/    /'
	fi
}

# In a copy, so that objects of another compiler do not get mixed up.  What make
# all has built before is of the first, which takes a warning for an error.
compiles() {
	dir=$out/build-$1
	rm -rf "$dir"
	mkdir -p "$dir/risad" "$dir/risactl"
	cp Makefile "$dir"
	cp risad/*.[chy] "$dir/risad"
	cp risactl/*.[ch] "$dir/risactl"
	cp -R risad/compat "$dir/risad"
	find "$dir" -name '*.o' -exec rm -f {} +
	rm -f "$dir/risad/parse.c"
	nice make -C "$dir" -k -j2 CC="$1" all >"$dir/log" 2>&1
	status=$?
	grep -E ': (fatal )?(error|warning):|undefined reference' "$dir/log"
	[ $status -eq 0 ] || tail -n 3 "$dir/log"
	# Before the path: a compiler that only warns has not passed either.
	! grep -q 'warning:' "$dir/log" && [ $status -eq 0 ]
}

# cppcheck does not read the system's headers: the macros that declare whole
# functions are given to it.  Suppressions, each with its reason, are in a file.
static_analysis() {
	set -- risad/*.c risad/compat/*.c risactl/*.c
	for f; do
		shift
		[ "$f" = risad/parse.c ] || set -- "$@" "$f"
	done
	cppcheck --std=c11 --enable=warning,performance,portability --quiet \
	    -j2 --error-exitcode=1 -I risad -I risad/compat/include \
	    -I /usr/include/bsd --include=/usr/include/bsd/sys/queue.h \
	    --include=/usr/include/bsd/sys/tree.h -D_GNU_SOURCE \
	    -DLIBBSD_OVERLAY -D__linux__ -D__x86_64__ \
	    --suppressions-list=regress/lint/cppcheck.txt \
	    --template='{file}:{line}: {severity}: {message} [{id}]' "$@"
}

# In the tree that man(1) expects, so that references among them are found;
# whether this machine has the system's pages is not our business.
manuals() {
	rm -rf $out/man
	for f in man/*.[1-9]; do
		mkdir -p "$out/man/man${f##*.}"
		cp "$f" "$out/man/man${f##*.}"
	done
	MANPATH=$top/$out/man mandoc -Tlint -W style man/*.[1-9] \
	    >$out/mandoc.all 2>&1
	! grep -Ev -e 'not found: Xr ([^r]|r[^i]|ri[^s]|ris[^a])' \
	    -e 'outdated mandoc.db' $out/mandoc.all
}

# Those that are named in the sources' comments and in each other.
manual_set() {
	for f in risad.8 risactl.8 risad.conf.5 risa-protocol.7; do
		[ -e "man/$f" ] || { echo "man/$f: missing"; bad=1; }
	done
	[ -z "${bad:-}" ]
}

types() (
	cd risad/web || exit 1
	[ -d node_modules ] || npm ci --no-audit --no-fund --silent || exit 1
	npx --no-install tsc --noEmit
)

shells() {
	bad=0
	for f in $(find etc regress -name '*.sh' -not -path '*/node_modules/*' \
	    -not -path 'regress/out/*') etc/risad.rc; do
		sh -n "$f" || bad=1
	done
	bash -n .ci/run || bad=1
	return $bad
}

# The unit as systemd reads it, where there is systemd.
unit() {
	command -v systemd-analyze >/dev/null 2>&1 || return 0
	rm -rf $out/unit
	mkdir -p $out/unit
	# It looks whether the program is there; here it is elsewhere.
	sed "s,^\(ExecStart[a-zA-Z]*=\)[^ ]*,\1/bin/true," etc/risad.service \
	    >$out/unit/risad.service
	cp etc/risad.socket $out/unit
	systemd-analyze verify --man=no $out/unit/risad.service \
	    $out/unit/risad.socket >$out/unit/log 2>&1 &&
	    [ ! -s $out/unit/log ] || { cat $out/unit/log; return 1; }
}

# The count is printed also when it is small enough.
root_lines() {
	python3 -B regress/lint/root.py >$out/root.lines
	status=$?
	tail -n 1 $out/root.lines >&3
	cat $out/root.lines
	return $status
}

check clang "compiles with clang without a warning" compiles clang
check cppcheck "cppcheck finds nothing" static_analysis
check mandoc "mandoc finds nothing in the manual pages" manuals
check manuals "the manual pages are there" manual_set
check tsc "the page's types fit" types
check shell "shell scripts can be parsed" shells
check unit "systemd understands the unit" unit
exec 3>&1
check root "at most 1500 lines run as root after the start" root_lines
while IFS=: read -r name what; do
	check "$name" "$what" python3 -B regress/lint/text.py "$name"
done <<END
$(python3 -B regress/lint/text.py -l)
END

echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
