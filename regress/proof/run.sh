#!/bin/sh
# Frama-C's proofs: what sees bytes from outside before anybody has checked
# them has no run-time error (no access beyond its buffers, no overflow of
# signed numbers, no shift or division that means nothing), and does what its
# contract says.  It is the files of the program that are read, with their
# contracts in them; regress/proof/include says what libraries promise.  A
# function that is not there, a goal that is not proved: a failure.  A word
# given: only files with it in their names.
set -u

cd "$(dirname "$0")/../.." || exit 1
out=regress/out/proof
only=${1:-}
passed=0 failed=0 functions=0
mkdir -p $out
share=$(frama-c -print-share-path) || exit 1
WHY3CONFIG=$PWD/$out/why3.conf
export WHY3CONFIG
[ -s "$WHY3CONFIG" ] || why3 config detect >$out/why3.log 2>&1
include="-nostdinc -Iregress/proof/include -I$share/libc -Irisad
    -Irisad/compat/include -idirafter /usr/include/$(gcc -print-multiarch)
    -D_GNU_SOURCE -D__FC_MACHDEP_X86_64"

# frama FILE DEFINES OPTIONS...
frama() {
	file=$1 defines=$2
	shift 2
	frama-c -machdep gcc_x86_64 -c11 -no-frama-c-stdlib \
	    -cpp-extra-args="$(echo $include $defines)" \
	    -wp -wp-rte -wp-literals -wp-fct "$fns" "$@" "$file"
}

# prove FILE DEFINES FUNCTION...: the prover may take a byte for a byte of
# the other sign, as the code does; any other cast would make it unsound, so
# there may be none.
prove() {
	file=$1 defines=$2
	shift 2
	case $file in *"$only"*) ;; *) return ;; esac
	fns=$(echo "$*" | tr ' ' ,)
	log=$out/$(echo "$file" | tr / -).log
	frama "$file" "$defines" -wp-prover none >"$log.casts" 2>&1
	bad=$(sed -n 's/.*Cast with incompatible pointers types//p' \
	    "$log.casts" | grep -cvE \
	    '^ \(source: [su]int8\*\) \(target: [su]int8\*\)$')
	frama "$file" "$defines" -wp-model Typed+Cast -wp-prover cvc4,z3 \
	    -wp-timeout 60 -wp-par 2 >"$log" 2>&1
	status=$?
	missing=0
	for fn in "$@"; do
		grep -qE "Goal typed(_cast)?_${fn}_" "$log" && continue
		echo "$file: $fn: nothing was proved of it"
		missing=$((missing + 1))
	done
	p=0 n=1
	eval "$(sed -n \
	    's/^\[wp\] Proved goals: *\([0-9]*\) \/ \([0-9]*\)$/p=\1 n=\2/p' \
	    "$log")"
	if [ $status -ne 0 ] || [ "$p" -ne "$n" ]; then
		grep -E -A2 'Error|Failure|Failed|Timeout' "$log" | head -40
	fi
	[ "$bad" -eq 0 ] || echo "$file: $bad casts that the prover can not see"
	[ $status -eq 0 ] || missing=$((missing + 1))
	echo "$file: $# functions, $p of $n goals"
	functions=$((functions + $#))
	passed=$((passed + p))
	failed=$((failed + n - p + missing + bad))
}

bytes="-DPROOF_TO=char -DPROOF_FROM=char -DPROOF_SAME=1"
words="-DPROOF_TO=uint64_t -DPROOF_FROM=uint8_t"

prove risad/websocket.c "" ws_number ws_check_first ws_length ws_head \
    ws_unmask8 ws_unmask ws_code_valid ws_close ws_control ws_frame_head
prove risad/utf8.c "$words" utf8_lead utf8_ascii utf8_feed utf8_valid \
    utf8_length
prove risad/util.c "" hex_encode hex_digit hex_decode b64url_encode \
    b64url_digit b64url_decode label_valid
prove risad/http.c "$bytes -DPROOF_LITERALS" is_alnum is_tchar is_uri lower \
    hex_digit percent trim scan_byte parse_request_line parse_version \
    parse_method parse_target parse_path parse_query segment_bad \
    parse_labels parse_port parse_length query_decode cookie_octets \
    quality_zero websocket_key
prove risad/compat/imsg-buffer.c "" ibuf_seek ibuf_data ibuf_size ibuf_left \
    ibuf_rewind ibuf_skip ibuf_get ibuf_get_n8 ibuf_get_n16 ibuf_get_n32 \
    ibuf_get_n64 ibuf_get_ibuf ibuf_get_strbuf ibuf_from_buffer
prove risad/compat/imsg.c "" imsg_length

echo "$functions functions"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
