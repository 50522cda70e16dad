/*
 * Copyright (c) 2026 The risad authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <stdlib.h>
#include <string.h>

#include "websocket.h"

#define WS_GUID		"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define WS_MAXKEY	64		/* a good key has 24 */

#define WS_FIN		0x80
#define WS_RESERVED	0x70
#define WS_OPCODE	0x0f
#define WS_CONTROL	0x08
#define WS_MASK		0x80
#define WS_LENGTH	0x7f
#define WS_LEN16	126
#define WS_LEN64	127

struct ws_frame {
	uint8_t		*wf_data;	/* payload */
	uint64_t	 wf_len;
	size_t		 wf_head;	/* bytes before the payload */
	uint8_t		 wf_fin;
	uint8_t		 wf_op;
};

static uint64_t	 ws_number(const uint8_t *, size_t);
static int	 ws_check_first(const struct ws_parser *, const uint8_t *,
		    size_t);
static int	 ws_length(struct ws_frame *, const uint8_t *, size_t);
static int	 ws_head(const struct ws_parser *, struct ws_frame *,
		    uint8_t *, size_t);
static void	 ws_unmask8(uint8_t *restrict, const uint8_t *restrict);
static void	 ws_unmask(uint8_t *restrict, size_t,
		    const uint8_t *restrict);
static int	 ws_append(struct ws_parser *, const uint8_t *, size_t);
static int	 ws_data(struct ws_parser *, struct ws_frame *,
		    struct ws_event *);
static int	 ws_code_valid(uint64_t);
static int	 ws_close(struct ws_parser *, struct ws_event *);
static int	 ws_control(struct ws_parser *, struct ws_frame *,
		    struct ws_event *);

int
ws_accept_key(const char *key, char *dst, size_t dstlen)
{
	char		 text[WS_MAXKEY + sizeof(WS_GUID)];
	uint8_t		 md[SHA_DIGEST_LENGTH];

	if (dstlen < WS_ACCEPTLEN || strlen(key) > WS_MAXKEY)
		return (-1);
	strlcpy(text, key, sizeof(text));
	strlcat(text, WS_GUID, sizeof(text));
	if (SHA1((const uint8_t *)text, strlen(text), md) == NULL)
		return (-1);
	EVP_EncodeBlock((uint8_t *)dst, md, sizeof(md));
	return (0);
}

void
ws_init(struct ws_parser *wp, size_t max)
{
	memset(wp, 0, sizeof(*wp));
	wp->wp_max = max;
}

void
ws_clear(struct ws_parser *wp)
{
	free(wp->wp_msg);
	ws_init(wp, wp->wp_max);
}

/*@ requires len <= 8 && \valid_read(p + (0 .. len - 1));
    assigns \nothing;
    ensures len == 2 ==> \result == p[0] * 256 + p[1]; */
static uint64_t
ws_number(const uint8_t *p, size_t len)
{
	uint64_t	 n = 0;
	size_t		 i;

	/*@ loop invariant 0 <= i <= len;
	    loop invariant i == 0 ==> n == 0;
	    loop invariant i == 1 ==> n == p[0];
	    loop invariant i == 2 ==> n == p[0] * 256 + p[1];
	    loop assigns i, n;
	    loop variant len - i; */
	for (i = 0; i < len; i++)
		n = n * 256 + p[i];
	return (n);
}

/*
 * The first two bytes tell most of what can be wrong; each is looked at as
 * soon as it is here.  Returns 0 or the code to close with.
 */
/*@ requires \valid_read(wp) && len > 0 && \valid_read(p + (0 .. len - 1));
    assigns \nothing;
    ensures \result == 0 || \result == WS_CODE_PROTO;
    ensures \result == 0 ==> (p[0] & WS_RESERVED) == 0;
    ensures \result == 0 && len >= 2 ==> (p[1] & WS_MASK) != 0;
    ensures \result == 0 && len >= 2 &&
	((uint8_t)(p[0] & WS_OPCODE) & WS_CONTROL) != 0 ==>
	(p[1] & WS_LENGTH) <= WS_MAXCONTROL; */
static int
ws_check_first(const struct ws_parser *wp, const uint8_t *p, size_t len)
{
	uint8_t		 op = p[0] & WS_OPCODE;

	if (p[0] & WS_RESERVED)
		return (WS_CODE_PROTO);	/* no extension was agreed upon */
	if ((op & ~WS_CONTROL) > WS_OP_BINARY)
		return (WS_CODE_PROTO);
	if ((op & WS_CONTROL) && !(p[0] & WS_FIN))
		return (WS_CODE_PROTO);
	if (op == WS_OP_CONT && wp->wp_op == 0)
		return (WS_CODE_PROTO);	/* continues nothing */
	if ((op == WS_OP_TEXT || op == WS_OP_BINARY) && wp->wp_op != 0)
		return (WS_CODE_PROTO);	/* the last one is not over */
	if (len < 2)
		return (0);
	if (!(p[1] & WS_MASK))
		return (WS_CODE_PROTO);
	if ((op & WS_CONTROL) && (p[1] & WS_LENGTH) > WS_MAXCONTROL)
		return (WS_CODE_PROTO);
	return (0);
}

/* Returns 1, 0 for more, or -1 for a length that has a shorter form. */
/*@ requires \valid(wf) && len >= 2 && \valid_read(p + (0 .. len - 1));
    requires \separated(wf, p + (0 .. len - 1));
    assigns wf->wf_len, wf->wf_head;
    ensures \result == -1 || \result == 0 || \result == 1;
    ensures \result == 1 ==> wf->wf_len <= INT64_MAX;
    ensures \result == 1 ==> 6 <= wf->wf_head <= WS_MAXHEAD;
    ensures \result == 1 ==> wf->wf_head <= len + 4;
    ensures \result == 1 && (p[1] & WS_LENGTH) < WS_LEN16 ==>
	wf->wf_len == (p[1] & WS_LENGTH) && wf->wf_head == 6;
    ensures \result == 1 && wf->wf_head == 8 ==>
	wf->wf_len == p[2] * 256 + p[3] && wf->wf_len >= WS_LEN16;
    ensures \result == 1 && wf->wf_head == 14 ==> wf->wf_len > UINT16_MAX; */
static int
ws_length(struct ws_frame *wf, const uint8_t *p, size_t len)
{
	size_t		 n = 0;
	uint64_t	 min = 0;

	wf->wf_len = p[1] & WS_LENGTH;
	if (wf->wf_len == WS_LEN16) {
		n = 2;
		min = WS_LEN16;
	} else if (wf->wf_len == WS_LEN64) {
		n = 8;
		min = UINT16_MAX + 1;
	}
	if (len < 2 + n)
		return (0);
	if (n > 0)
		wf->wf_len = ws_number(p + 2, n);
	if (wf->wf_len < min || wf->wf_len > INT64_MAX)
		return (-1);
	wf->wf_head = 2 + n + 4;
	return (1);
}

/* Returns 1 with a whole frame, 0 for more, or the code to close with. */
/*@ requires \valid_read(wp) && wp->wp_len <= wp->wp_max;
    requires \valid(wf) && \valid_read(buf + (0 .. len - 1));
    requires \separated(wf, wp, buf + (0 .. len - 1));
    assigns *wf;
    ensures \result == 0 || \result == 1 || \result == WS_CODE_PROTO ||
	\result == WS_CODE_BIG;
    ensures \result == 1 ==> wf->wf_head <= len &&
	wf->wf_len <= len - wf->wf_head;
    ensures \result == 1 ==> 6 <= wf->wf_head <= WS_MAXHEAD;
    ensures \result == 1 ==> wf->wf_data == buf + wf->wf_head;
    ensures \result == 1 && (wf->wf_op & WS_CONTROL) == 0 ==>
	wf->wf_len <= wp->wp_max - wp->wp_len;
    ensures \result == 1 && (wf->wf_op & WS_CONTROL) != 0 ==>
	wf->wf_len <= WS_MAXCONTROL; */
static int
ws_head(const struct ws_parser *wp, struct ws_frame *wf, uint8_t *buf,
    size_t len)
{
	int		 code;

	if (len == 0)
		return (0);
	if ((code = ws_check_first(wp, buf, len)) != 0)
		return (code);
	if (len < 2)
		return (0);
	wf->wf_fin = buf[0] & WS_FIN;
	wf->wf_op = buf[0] & WS_OPCODE;
	switch (ws_length(wf, buf, len)) {
	case -1:
		return (WS_CODE_PROTO);
	case 0:
		return (0);
	}
	/* wp_len never exceeds wp_max; a control frame is no part of it */
	if (!(wf->wf_op & WS_CONTROL) && wf->wf_len > wp->wp_max - wp->wp_len)
		return (WS_CODE_BIG);
	if (len < wf->wf_head || len - wf->wf_head < wf->wf_len)
		return (0);
	wf->wf_data = buf + wf->wf_head;
	return (1);
}

/* What the provers are not told: a ^ b is b ^ a. */
/*@ axiomatic Xor {
	logic integer xor(integer a, integer b);
	axiom xor_is: \forall integer a, b; xor(a, b) == (a ^ b);
	axiom xor_either: \forall integer a, b; xor(a, b) == xor(b, a);
    } */

/* Eight bytes, which compilers make one operation of. */
/*@ requires \valid(p + (0 .. 7)) && \valid_read(m + (0 .. 7));
    requires \separated(p + (0 .. 7), m + (0 .. 7));
    assigns p[0 .. 7];
    ensures \forall integer k; 0 <= k < 8 ==> p[k] == \old(xor(p[k], m[k])); */
static void
ws_unmask8(uint8_t *restrict p, const uint8_t *restrict m)
{
	size_t		 i;

	/*@ loop invariant 0 <= i <= 8;
	    loop invariant \forall integer k; 0 <= k < i ==>
		p[k] == \at(xor(p[k], m[k]), Pre);
	    loop invariant \forall integer k; i <= k < 8 ==>
		p[k] == \at(p[k], Pre);
	    loop assigns i, p[0 .. 7];
	    loop variant 8 - i; */
	for (i = 0; i < 8; i++)
		p[i] ^= m[i];
}

/* With the four bytes of the mask twice. */
/*@ requires \valid(p + (0 .. len - 1)) && \valid_read(m + (0 .. 7));
    requires \separated(p + (0 .. len - 1), m + (0 .. 7));
    assigns p[0 .. len - 1];
    ensures \forall integer k; 0 <= k < len ==>
	p[k] == \old(xor(p[k], m[k % 8])); */
static void
ws_unmask(uint8_t *restrict p, size_t len, const uint8_t *restrict m)
{
	size_t		 i;

	/*@ loop invariant 0 <= i <= len && i % 8 == 0;
	    loop invariant \forall integer k; 0 <= k < i ==>
		p[k] == \at(xor(p[k], m[k % 8]), Pre);
	    loop invariant \forall integer k; i <= k < len ==>
		p[k] == \at(p[k], Pre);
	    loop assigns i, p[0 .. len - 1];
	    loop variant len - i; */
	for (i = 0; len - i >= 8; i += 8)
		ws_unmask8(p + i, m);
	/*@ loop invariant 0 <= i <= len;
	    loop invariant \forall integer k; 0 <= k < i ==>
		p[k] == \at(xor(p[k], m[k % 8]), Pre);
	    loop invariant \forall integer k; i <= k < len ==>
		p[k] == \at(p[k], Pre);
	    loop assigns i, p[0 .. len - 1];
	    loop variant len - i; */
	for (; i < len; i++)
		p[i] ^= m[i % 8];
}

/* Grow in doubles so that many small fragments stay cheap; max bounds it. */
static int
ws_append(struct ws_parser *wp, const uint8_t *p, size_t len)
{
	uint8_t		*msg;
	size_t		 size = wp->wp_size == 0 ? 512 : wp->wp_size;

	if (len == 0)
		return (0);
	while (size < wp->wp_len + len)
		size *= 2;
	if (size != wp->wp_size) {
		if ((msg = realloc(wp->wp_msg, size)) == NULL)
			return (-1);
		wp->wp_msg = msg;
		wp->wp_size = size;
	}
	memcpy(wp->wp_msg + wp->wp_len, p, len);
	wp->wp_len += len;
	return (0);
}

/*
 * A message, or a piece of one.  A whole message in one frame is used where
 * it lies; pieces are collected.  Returns 0 or the code to close with.
 */
static int
ws_data(struct ws_parser *wp, struct ws_frame *wf, struct ws_event *we)
{
	uint8_t		 op;

	op = wf->wf_op == WS_OP_CONT ? wp->wp_op : wf->wf_op;
	if (op == WS_OP_TEXT) {
		if (!utf8_feed(&wp->wp_utf8, wf->wf_data, wf->wf_len))
			return (WS_CODE_TEXT);
		if (wf->wf_fin && wp->wp_utf8.us_need != 0)
			return (WS_CODE_TEXT);
	}
	we->we_data = wf->wf_data;
	we->we_len = wf->wf_len;
	if (!wf->wf_fin || wf->wf_op == WS_OP_CONT) {
		if (ws_append(wp, wf->wf_data, wf->wf_len) == -1)
			return (WS_CODE_INTERN);
		if (wp->wp_len > 0)
			we->we_data = wp->wp_msg;
		we->we_len = wp->wp_len;
	}
	wp->wp_op = op;
	if (wf->wf_fin) {
		we->we_type = op == WS_OP_TEXT ? WS_TEXT : WS_BINARY;
		wp->wp_op = 0;
	}
	return (0);
}

/* What a peer may send: RFC 6455, section 7.4, and 1010, 1011 after it. */
/*@ assigns \nothing;
    ensures \result == 1 <==> 1000 <= code < 5000 && code != 1004 &&
	code != 1005 && code != 1006 && !(1012 <= code < 3000);
    ensures \result == 0 || \result == 1; */
static int
ws_code_valid(uint64_t code)
{
	return ((code >= 1000 && code <= 1003) ||
	    (code >= 1007 && code <= 1011) ||
	    (code >= 3000 && code <= 4999));
}

/*@ requires \valid(wp) && \valid(we) && \separated(wp, we);
    requires \valid_read(we->we_data + (0 .. we->we_len - 1));
    requires \separated(we, we->we_data + (0 .. we->we_len - 1));
    requires \separated(wp, we->we_data + (0 .. we->we_len - 1));
    assigns *we, wp->wp_closed;
    ensures \result == 0 || \result == WS_CODE_PROTO ||
	\result == WS_CODE_TEXT;
    ensures \result == 0 ==> we->we_type == WS_CLOSE && wp->wp_closed == 1;
    ensures \result == 0 ==> 1000 <= we->we_code < 5000;
    ensures \old(we->we_len) == 1 ==> \result == WS_CODE_PROTO; */
static int
ws_close(struct ws_parser *wp, struct ws_event *we)
{
	uint64_t	 code = WS_CODE_NONE;

	if (we->we_len == 1)
		return (WS_CODE_PROTO);
	if (we->we_len >= 2) {
		code = ws_number(we->we_data, 2);
		if (!ws_code_valid(code))
			return (WS_CODE_PROTO);
		we->we_data += 2;
		we->we_len -= 2;
		if (!utf8_valid(we->we_data, we->we_len))
			return (WS_CODE_TEXT);
	}
	we->we_code = (uint16_t)code;
	we->we_type = WS_CLOSE;
	wp->wp_closed = 1;
	return (0);
}

/*@ requires \valid(wp) && \valid_read(wf) && \valid(we);
    requires \valid_read(wf->wf_data + (0 .. wf->wf_len - 1));
    requires \separated(wp, wf, we, wf->wf_data + (0 .. wf->wf_len - 1));
    assigns *we, wp->wp_closed;
    ensures \result == 0 || \result == WS_CODE_PROTO ||
	\result == WS_CODE_TEXT;
    ensures \result == 0 ==> we->we_type == WS_PING ||
	we->we_type == WS_PONG || we->we_type == WS_CLOSE; */
static int
ws_control(struct ws_parser *wp, struct ws_frame *wf, struct ws_event *we)
{
	we->we_data = wf->wf_data;
	we->we_len = wf->wf_len;
	if (wf->wf_op == WS_OP_CLOSE)
		return (ws_close(wp, we));
	we->we_type = wf->wf_op == WS_OP_PING ? WS_PING : WS_PONG;
	return (0);
}

ssize_t
ws_parse(struct ws_parser *wp, uint8_t *buf, size_t len, struct ws_event *we)
{
	struct ws_frame	 wf;
	uint8_t		 mask[8];
	int		 n;

	memset(we, 0, sizeof(*we));
	if (wp->wp_failed != 0) {
		we->we_code = wp->wp_failed;
		return (-1);
	}
	if (wp->wp_closed)
		return ((ssize_t)len);
	if (wp->wp_op == 0 && wp->wp_msg != NULL)
		ws_clear(wp);		/* the caller has had the message */

	memset(&wf, 0, sizeof(wf));
	if ((n = ws_head(wp, &wf, buf, len)) == 0)
		return (0);
	if (n == 1) {
		memcpy(mask, wf.wf_data - 4, 4);
		memcpy(mask + 4, wf.wf_data - 4, 4);
		ws_unmask(wf.wf_data, wf.wf_len, mask);
		if (wf.wf_op & WS_CONTROL)
			n = ws_control(wp, &wf, we);
		else
			n = ws_data(wp, &wf, we);
		if (n == 0)
			return ((ssize_t)(wf.wf_head + wf.wf_len));
		memset(we, 0, sizeof(*we));
	}
	we->we_code = wp->wp_failed = (uint16_t)n;
	return (-1);
}

/*@ requires \valid(dst + (0 .. WS_SENDHEAD - 1));
    assigns dst[0 .. WS_SENDHEAD - 1];
    ensures \result == (len < WS_LEN16 ? 2 : len <= UINT16_MAX ? 4 : 10);
    ensures len < WS_LEN16 ==> dst[1] == len; */
size_t
ws_frame_head(uint8_t *dst, uint8_t op, uint64_t len)
{
	size_t		 i, n = 0;

	dst[0] = WS_FIN | (op & WS_OPCODE);
	if (len < WS_LEN16)
		dst[1] = (uint8_t)len;
	else if (len <= UINT16_MAX) {
		dst[1] = WS_LEN16;
		n = 2;
	} else {
		dst[1] = WS_LEN64;
		n = 8;
	}
	/*@ loop invariant 0 <= i <= n;
	    loop assigns i, len, dst[2 .. WS_SENDHEAD - 1];
	    loop variant i; */
	for (i = n; i > 0; i--) {
		dst[1 + i] = (uint8_t)len;
		len >>= 8;
	}
	return (2 + n);
}

size_t
ws_close_payload(uint8_t *dst, uint16_t code, const char *reason)
{
	size_t		 len;

	if (!ws_code_valid(code))
		return (0);
	dst[0] = (uint8_t)(code >> 8);
	dst[1] = (uint8_t)code;
	if (reason == NULL || !utf8_valid(reason, strlen(reason)))
		return (2);
	if ((len = strlen(reason)) > WS_MAXCONTROL - 2) {
		/* step back over continuation bytes to a whole character */
		len = WS_MAXCONTROL - 2;
		while ((reason[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(dst + 2, reason, len);
	return (2 + len);
}
