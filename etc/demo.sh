#!/bin/sh
# A risad to try: two tenants with people and floors in a private directory,
# in the foreground until interrupted.  DEMO_DIR and DEMO_PORT say where; a
# directory that is there already is served as it is.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
port=${DEMO_PORT:-8443}
dir=${DEMO_DIR:-demo}
case $dir in
/*) ;;
*) dir=$top/$dir ;;
esac
risad=$top/risad/risad
ctl="$top/risactl/risactl -s $dir/risad.sock"
pid=

[ "$(id -u)" -eq 0 ] || { echo "demo: must be root: its processes drop to" \
    "users of their own" >&2; exit 1; }

finish() {
	trap - EXIT INT TERM
	if [ -n "$pid" ]; then
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	fi
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

setup() {
	sh "$top/etc/users.sh" "$dir/empty"
	mkdir -p "$dir/keys" "$dir/data"
	chmod 700 "$dir/keys"
	chown _risastor "$dir/data"
	chmod 700 "$dir/data"
	"$risad" -k "$dir/keys" >/dev/null
	names=DNS:localhost,DNS:acme.localhost,DNS:globex.localhost
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$dir/keys/tls.key" -out "$dir/tls.crt" -days 365 \
	    -subj /CN=localhost -addext "subjectAltName=$names" 2>/dev/null
	chmod 400 "$dir/keys/tls.key"
}

# Written anew each time: the port may be another.
configure() {
	cat >"$dir/risad.conf" <<-END
	site domain "localhost"
	site port $port
	listen on 127.0.0.1 port $port tls
	tls certificate "$dir/tls.crt" key "$dir/keys/tls.key"
	data "$dir/data"
	keys master "$dir/keys/master.key" pepper "$dir/keys/pepper.key"
	htdocs "$top/risad/htdocs"
	control socket "$dir/risad.sock"
	chroot "$dir/empty"
	END
	chmod 600 "$dir/risad.conf"
}

# The door is open, and storage is behind it.
serving() {
	$ctl tenant list >/dev/null 2>&1 &&
	    curl -sf -o /dev/null --cacert "$dir/tls.crt" \
	    --resolve "localhost:$port:127.0.0.1" \
	    "https://localhost:$port/healthz"
}

# A person comes in by an invitation, as everybody does.
person() {
	tenant=$1 mail=$2 role=$3 name=$4
	password=$(openssl rand -base64 12)
	token=$($ctl user add "$tenant" "$mail" role "$role" |
	    sed -n 's|.*/invite/\([A-Za-z0-9_-]*\).*|\1|p')
	host=$tenant.localhost:$port
	printf '{"password":"%s","name":"%s"}' "$password" "$name" |
	    curl -sf -o /dev/null --cacert "$dir/tls.crt" \
	    --resolve "$host:127.0.0.1" -H 'Content-Type: application/json' \
	    -H "Origin: https://$host" --data-binary @- \
	    "https://$host/api/v1/invite/$token"
	echo "$tenant $mail $password $role" >>"$dir/credentials.new"
}

populate() {
	rm -f "$dir/credentials.new"
	(umask 077 && : >"$dir/credentials.new")
	$ctl tenant add acme title 'アクメ株式会社' contact admin@acme.example
	$ctl floor add acme '1F ロビー' template lobby
	$ctl floor add acme '3F 開発フロア' template office
	person acme admin@acme.example admin '田中 あかり'
	person acme misaki@acme.example member '佐藤 美咲'
	person acme kenji@acme.example member 'Kenji Ito'
	person acme maria@acme.example member 'Maria'
	$ctl tenant add globex title 'Globex Corporation' \
	    contact admin@globex.example
	$ctl floor add globex Lobby template lobby
	$ctl floor add globex Engineering template office
	person globex admin@globex.example admin 'Hank Scorpio'
	person globex lee@globex.example member 'Lee'
	(umask 077 && $ctl guest add acme floor '1F ロビー' uses 1000 \
	    expires 366d >"$dir/guest")
	mv "$dir/credentials.new" "$dir/credentials"
}

mkdir -p "$dir"
chmod 711 "$dir"
[ -e "$dir/tls.crt" ] || setup
configure
"$risad" -d -f "$dir/risad.conf" &
pid=$!
tries=0
until serving; do
	kill -0 "$pid" 2>/dev/null || { echo "demo: risad has stopped" >&2
	    pid=; exit 1; }
	tries=$((tries + 1))
	[ $tries -lt 300 ] || { echo "demo: no answer" >&2; exit 1; }
	sleep 0.1
done
[ -e "$dir/credentials" ] || populate

echo "The certificate is the demo's own; the browser will ask about it."
echo "  https://acme.localhost:$port/"
echo "  https://globex.localhost:$port/"
echo "A guest of acme comes in by (kept in $dir/guest):"
sed "s|localhost:[0-9]*/|localhost:$port/|; s/^/  /" "$dir/guest"
echo "Tenant, mail address, password, role (kept in $dir/credentials):"
sed 's/^/  /' "$dir/credentials"
echo ready
wait "$pid"
