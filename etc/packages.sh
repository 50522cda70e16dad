#!/bin/sh
# Install the Debian packages that are missing, for what is named: build,
# regress, bench.  On other systems say what is needed and go on.
set -eu

build="gcc make byacc pkg-config libevent-dev libtls-dev libssl-dev
    libsqlite3-dev libbsd-dev libjansson-dev libargon2-dev liboath-dev
    libfido2-dev libzxcvbn-dev nodejs npm openssl curl ca-certificates"
regress="clang libclang-rt-14-dev cppcheck mandoc
    chromium-headless-shell fonts-noto-cjk python3 python3-cryptography
    sqlite3 strace gdb procps iproute2 coturn systemd binutils
    nbdkit libnbd-bin fuse3 e2fsprogs kmod mount libc6-dev frama-c-base why3
    cvc4 z3 sslscan testssl.sh git"
# The page is measured in the browser that people have.
bench="chromium"

want=
for set in "$@"; do
	case $set in
	build) want="$want $build" ;;
	regress) want="$want $regress" ;;
	bench) want="$want $bench" ;;
	*) echo "usage: packages.sh [build] [regress] [bench]" >&2; exit 2 ;;
	esac
done

if ! command -v apt-get >/dev/null 2>&1; then
	echo "not Debian: these must be installed, by whatever name:" $want
	exit 0
fi

missing=
for p in $want; do
	# A tool installed by other means serves as well.
	case $p in
	nodejs) command -v node >/dev/null 2>&1 && continue ;;
	npm) command -v npm >/dev/null 2>&1 && continue ;;
	esac
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
	    grep -q 'install ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ]; then
	echo "not root; missing packages:$missing" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends $missing
