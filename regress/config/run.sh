#!/bin/sh
# What risad -n makes of configurations: run.sh /path/to/risad
set -u
umask 077
LC_ALL=C
export LC_ALL

risad=${1:-$(dirname "$0")/../../risad/risad}
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
case $risad in
/*) ;;
*) risad=$(pwd)/$risad ;;
esac
dir=$(mktemp -d "${TMPDIR:-/tmp}/risad-config.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
passed=0
failed=0

pass() {
	passed=$((passed + 1))
}

fail() {
	failed=$((failed + 1))
	echo "FAIL $1" >&2
}

# same NAME FILE1 FILE2
same() {
	if cmp -s "$2" "$3"; then
		pass
	else
		fail "$1"
		diff "$2" "$3" >&2
	fi
}

# refused NAME LINE: the configuration in $dir/x must be refused so.
refused() {
	(cd "$dir" && "$risad" -nv -f x) >"$dir/out" 2>"$dir/err"
	if [ $? -eq 1 ] && [ ! -s "$dir/out" ] &&
	    grep -qxF "$2" "$dir/err"; then
		pass
	else
		fail "$1: expected: $2"
		cat "$dir/err" >&2
	fi
}

accepted() {
	if "$risad" -n -f "$dir/x" 2>"$dir/err"; then
		pass
	else
		fail "$1"
		cat "$dir/err" >&2
	fi
}

# What stands for the number of cores.
cores=$(getconf _NPROCESSORS_ONLN)
session=$cores
[ "$session" -le 16 ] || session=16
hash=$((cores / 2))
[ "$cores" -gt 2 ] || hash=1
[ "$hash" -le 4 ] || hash=4

# Good ones print as expected, and what they print means the same.
for f in "$here"/*.in; do
	name=$(basename "$f" .in)
	cp "$f" "$dir/x"
	"$risad" -nv -f "$dir/x" >"$dir/out" 2>"$dir/err" ||
	    fail "$name: $(cat "$dir/err")"
	sed -e "s/@SESSION@/$session/" -e "s/@HASH@/$hash/" \
	    "$here/$name.ok" >"$dir/ok"
	same "$name" "$dir/ok" "$dir/out"
	cp "$dir/out" "$dir/x"
	"$risad" -nv -f "$dir/x" >"$dir/again" 2>"$dir/err"
	same "$name, printed and read again" "$dir/out" "$dir/again"
done

# Bad ones get exactly the complaints in their "#! LINE: text" comments.
for f in "$here"/*.bad; do
	name=$(basename "$f")
	cp "$f" "$dir/x"
	sed -n 's/^#! /x:/p' "$f" >"$dir/want"
	(cd "$dir" && "$risad" -n -f x) 2>"$dir/err" && fail "$name: accepted"
	same "$name" "$dir/want" "$dir/err"
done

# The example, as it is and with its proposals.
cp "$top/etc/risad.conf" "$dir/x"
accepted etc/risad.conf
sed 's/^#\([a-z]\)/\1/' "$top/etc/risad.conf" >"$dir/x"
accepted "etc/risad.conf with all proposals"

# The examples of the manual.
awk -v dir="$dir" '/^\.Sh/ { on = $2 == "EXAMPLES" }
    /^\.Bd/ && on { n++; copy = 1 } /^\.Ed/ { copy = 0 }
    on && n && !/^[.#]/ && copy { print >(dir "/example" n) }' \
    "$top/man/risad.conf.5"
for n in 1 2 3; do
	mv "$dir/example$n" "$dir/x" || : >"$dir/x"
	accepted "example $n of risad.conf(5)"
done

# Names of domains: labels, lengths, no addresses.
l63=$(awk 'BEGIN { while (i++ < 63) printf "a" }')
for d in localhost a a.b 1a.example x--y.example "$l63" \
    "$l63.$l63.$l63.$(echo "$l63" | cut -c 1-28)"; do
	printf 'site domain "%s"\nlisten on * port 443\n%s\n' "$d" \
	    'tls certificate "/c" key "/k"' >"$dir/x"
	accepted "domain $d"
done
for d in '' . a. .a a..b -a a- a.-b a-.b a_b 'a b' 1 192.0.2.1 a.1 ::1 \
    '*.example' "${l63}a" "$l63.$l63.$l63.$(echo "$l63" | cut -c 1-29)"; do
	printf 'site domain "%s"\n' "$d" >"$dir/x"
	refused "domain $d" 'x:1: site domain: a domain name of at most 220'\
' characters expected'
done

# Macros of the command line win, and must be name=value.
least='listen on * port 443
tls certificate "/c" key "/k"'
printf 'a = "file"\nsite domain $a.example\n%s\n' "$least" >"$dir/x"
"$risad" -nv -f "$dir/x" -D a=line 2>/dev/null | grep -qx \
    'site domain "line.example"' && pass || fail "-D over the file"
"$risad" -nv -f "$dir/x" -D b=line -D a=1 -D a=2 2>/dev/null | grep -qx \
    'site domain "2.example"' && pass || fail "-D twice"
for d in a =b 1a=b a-b=c; do
	"$risad" -n -f "$dir/x" -D "$d" 2>"$dir/err"
	if [ $? -eq 1 ] && grep -qxF -e "-D $d: name=value expected" \
	    "$dir/err"; then
		pass
	else
		fail "-D $d"
	fi
done
printf 'a = "$b"\nb = "x"\nsite domain $a\n%s\n' "$least" >"$dir/x"
refused "no macro in a macro" \
    'x:3: site domain: a domain name of at most 220 characters expected'

# Includes: beside the file, in it, without a last newline, with mistakes.
mkdir "$dir/sub"
printf 'include "sub/a"\n%s' "$least" >"$dir/x"
printf 'include "b"\n' >"$dir/sub/a"
printf 'site domain "included.example"' >"$dir/sub/b"
accepted include
(cd "$dir" && "$risad" -nv -f x) 2>/dev/null | grep -qx \
    'site domain "included.example"' && pass || fail "include: domain"
printf '\n\nsite\n' >>"$dir/sub/b"
refused "mistake in an include" 'sub/b:3: expected domain, country or port,'\
' got the end of the line'
printf '\ninclude "x"\n' >"$dir/x"
refused "include of itself" "x:2: include: at most 8 files deep expected"
for i in 1 2 3 4 5 6 7; do
	printf 'include "%d"\n' $((i + 1)) >"$dir/sub/$i"
done
printf 'site domain "deep.example"\n' >"$dir/sub/8"
printf 'include "sub/1"\n%s\n' "$least" >"$dir/x"
accepted "8 includes deep"
printf 'include "9"\n' >"$dir/sub/8"
printf 'site domain "deep.example"\n' >"$dir/sub/9"
refused "9 includes deep" "sub/8:1: include: at most 8 files deep expected"
printf 'include "none"\n' >"$dir/x"
refused "include of nothing" "x:1: none: No such file or directory"
printf 'include "sub"\n' >"$dir/x"
refused "include of a directory" "x:1: sub: a regular file expected"
i=0
: >"$dir/x"
: >"$dir/sub/b"
while [ $i -lt 65 ]; do
	echo 'include "sub/b"' >>"$dir/x"
	i=$((i + 1))
done
refused "many includes" "x:65: include: at most 64 files expected"

# Who may write it, and what it is.
good() {
	printf 'site domain "a.example"\n%s\n' "$least" >"$dir/x"
}
for mode in 620 602 666; do
	good
	chmod $mode "$dir/x"
	refused "mode $mode" \
	    "x: a file expected that only its owner, root, may write"
	chmod 600 "$dir/x"
done
chmod 444 "$dir/x"
accepted "mode 444"
chmod 600 "$dir/x"
if [ "$(id -u)" -eq 0 ]; then
	chown 65534 "$dir/x"
	refused "of somebody else" \
	    "x: a file expected that only its owner, root, may write"
	chown 0 "$dir/x"
fi
good
printf 'include "sub/a"\n' >>"$dir/x"
: >"$dir/sub/a"
chmod 622 "$dir/sub/a"
refused "mode of an include" \
    "x:4: sub/a: a file expected that only its owner, root, may write"
rm "$dir/x"
refused "no file" "x: No such file or directory"
mkfifo "$dir/x"
refused "a pipe" "x: a regular file expected"
rm "$dir/x"
printf 'site country "\377"\n' >"$dir/x"
refused "not UTF-8" "x: UTF-8 expected"
printf 'site country "a\001b"\n' >"$dir/x"
refused "a control character" "x:1: expected no control character"
printf 'site country "a\000b"\n' >"$dir/x"
refused "a NUL" "x:1: expected no control character"
printf 'data \033[2J\n' >"$dir/x"
refused "an escape sequence" \
    'x:1: expected a word, got the character "?"'
awk 'BEGIN { while (i++ < 1100) s = s "a"; print "data /" s }' >"$dir/x"
refused "a long word" "x:1: at most 1023 bytes of text expected"
awk 'BEGIN { while (i++ < 300000) print "#" }' >"$dir/x"
refused "a large file" "x: File too large"
awk 'BEGIN { while (i++ < 100) print "bad" }' >"$dir/x"
(cd "$dir" && "$risad" -n -f x) 2>"$dir/err"
[ "$(grep -c . "$dir/err")" -eq 20 ] && pass || fail "20 complaints, no more"

# Damaged files end in a complaint, or print what means the same; the numbers
# of the generator are always the same.
mkdir "$dir/mut"
perl -e '
	my ($out, $seed, @files) = @ARGV;
	sub dice { $seed = ($seed * 1103515245 + 12345) % 2147483648;
	    return int($seed / 65536) % $_[0] }
	my @text = map { local $/; open(my $f, "<", $_) or die; <$f> } @files;
	for my $i (1 .. 300) {
		my $t = $text[dice(scalar @text)];
		for (0 .. dice(4)) {
			my $at = dice(length $t);
			my $how = dice(4);
			if ($how == 0) {
				substr($t, $at, 1) = chr(dice(256));
			} elsif ($how == 1) {
				substr($t, $at, 1 + dice(8)) = "";
			} elsif ($how == 2) {
				my @bits = ("\"", "\\", "\n", "\$", "=",
				    "#", " ", "\0", "include ", "\\\n");
				substr($t, $at, 0) = $bits[dice(10)];
			} else {
				my $from = dice(length $t);
				substr($t, $at, 0) = substr($t, $from, 20);
			}
		}
		open(my $f, ">", "$out/$i") or die;
		print $f $t;
		close($f) or die;
	}
' "$dir/mut" 1 "$here"/*.in "$top/etc/risad.conf" || fail "no mutations"
good=0
for f in "$dir"/mut/*; do
	"$risad" -nv -f "$f" >"$dir/x" 2>"$dir/err"
	case $? in
	0)
		good=$((good + 1))
		if "$risad" -nv -f "$dir/x" 2>/dev/null |
		    cmp -s - "$dir/x"; then
			pass
		else
			fail "mutation $(basename "$f"): printed, it is another"
		fi ;;
	1)
		if [ -s "$dir/err" ] && [ ! -s "$dir/x" ]; then
			pass
		else
			fail "mutation $(basename "$f"): no word of why"
		fi ;;
	*)
		fail "mutation $(basename "$f"): ends with $?" ;;
	esac
done
if [ $good -ge 20 ] && [ $good -le 280 ]; then
	pass
else
	fail "mutations: $good of 300 accepted"
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
