#!/bin/sh
# The users that risad's processes become, one for each kind, and the empty
# directory that most of them see as the root.
set -eu

empty=${1:-/var/empty}
for name in _risasess _risaauth _risakeys _risahash _risastor; do
	if id "$name" >/dev/null 2>&1; then
		continue
	fi
	if command -v useradd >/dev/null 2>&1 && [ "$(uname)" = Linux ]; then
		useradd --system --no-create-home --home-dir /nonexistent \
		    --shell /usr/sbin/nologin --user-group "$name"
	else
		groupadd "$name" 2>/dev/null || true
		useradd -g "$name" -d /var/empty -s /sbin/nologin \
		    -c "risad" "$name"
	fi
done
[ -d "$empty" ] || mkdir -p "$empty"
chown 0:0 "$empty"
chmod 755 "$empty"
