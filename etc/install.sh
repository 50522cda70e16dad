#!/bin/sh
# install.sh DESTDIR PREFIX SYSCONFDIR: what "make install" does.  A risad.conf
# that is there is left alone.  Users and directories of this machine are made
# only when nothing is staged for another one, that is, DESTDIR is empty.
set -eu

[ $# -eq 3 ] || { echo "usage: install.sh destdir prefix sysconfdir" >&2
    exit 2; }
top=$(cd "$(dirname "$0")/.." && pwd)
destdir=$1 prefix=$2 sysconfdir=$3
os=$(uname)
conf=$sysconfdir/risad.conf
mandir=$prefix/share/man
[ "$os" = Linux ] || mandir=$prefix/man

# put MODE SOURCE TARGET: as root's where we are root.
put() {
	mkdir -p "$destdir$(dirname "$3")"
	cp "$2" "$destdir$3.new"
	chmod "$1" "$destdir$3.new"
	[ "$(id -u)" -ne 0 ] || chown 0:0 "$destdir$3.new"
	mv -f "$destdir$3.new" "$destdir$3"
}

# The same, with the paths of this installation in place of the usual ones.
put_paths() {
	sed -e "s,/usr/local/,$prefix/,g" -e "s,/etc/risad,$sysconfdir,g" \
	    "$2" >"$work"
	put "$1" "$work" "$3"
}

work=$(mktemp)
trap 'rm -f "$work"' EXIT
[ -e "$top/risad/htdocs/index.html" ] || {
	echo "no page: run make first" >&2
	exit 1
}

put 755 "$top/risad/risad" "$prefix/sbin/risad"
put 755 "$top/risactl/risactl" "$prefix/sbin/risactl"

# Old assets have other names: a new page leaves none of them behind.
rm -rf "$destdir$prefix/share/risad/htdocs"
(cd "$top/risad/htdocs" && find . -type f) | while read -r f; do
	put 644 "$top/risad/htdocs/$f" "$prefix/share/risad/htdocs/${f#./}"
done
for f in "$top"/man/*.[1-9]; do
	put 644 "$f" "$mandir/man${f##*.}/$(basename "$f")"
done

put_paths 644 "$top/etc/risad.conf" "$conf.example"
if [ "$os" = Linux ]; then
	put_paths 644 "$top/etc/risad.service" \
	    "$prefix/lib/systemd/system/risad.service"
	put 644 "$top/etc/risad.socket" \
	    "$prefix/lib/systemd/system/risad.socket"
	put 644 "$top/etc/sysusers.d-risad.conf" \
	    "$prefix/lib/sysusers.d/risad.conf"
	put 644 "$top/etc/tmpfiles.d-risad.conf" \
	    "$prefix/lib/tmpfiles.d/risad.conf"
	put 644 "$top/etc/nftables.conf" \
	    "$prefix/share/risad/examples/nftables.conf"
else
	put_paths 555 "$top/etc/risad.rc" \
	    "$prefix/share/risad/examples/risad.rc"
	put 644 "$top/etc/pf.conf" "$prefix/share/risad/examples/pf.conf"
fi
put 644 "$top/etc/turnserver.conf" \
    "$prefix/share/risad/examples/turnserver.conf"

[ -z "$destdir" ] || exit 0
if [ "$(id -u)" -ne 0 ]; then
	echo "not root: users and the data directory are not made" >&2
	exit 0
fi
sh "$top/etc/users.sh" /var/empty
chown 0:0 "$sysconfdir"
chmod 755 "$sysconfdir"
if [ ! -e /var/lib/risad ]; then
	mkdir -p /var/lib/risad
	chown _risastor /var/lib/risad
	chmod 700 /var/lib/risad
fi
[ -e "$conf" ] || echo "now: risad -k $sysconfdir, a certificate, and $conf" \
    "after $conf.example"
