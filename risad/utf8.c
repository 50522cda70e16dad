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

#include <string.h>

#include "utf8.h"

#define UTF8_HIGHBITS	0x8080808080808080ULL

static int	 utf8_lead(struct utf8_state *, uint8_t);
static size_t	 utf8_ascii(const uint8_t *, size_t);

/*
 * Only the second byte can make a sequence overlong, a surrogate or too
 * large, so the lead byte narrows its range (RFC 3629, section 4).
 */
/*@ requires \valid(us) && us->us_need == 0;
    assigns *us;
    ensures us->us_need <= 3;
    ensures \result == 1 <==> 0xc2 <= c <= 0xf4;
    ensures \result == 0 || \result == 1;
    ensures \result == 1 ==> us->us_need ==
	(c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3);
    ensures \result == 1 ==> us->us_lo ==
	(c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80);
    ensures \result == 1 ==> us->us_hi ==
	(c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf); */
static int
utf8_lead(struct utf8_state *us, uint8_t c)
{
	us->us_lo = 0x80;
	us->us_hi = 0xbf;
	if (c >= 0xc2 && c <= 0xdf)
		us->us_need = 1;
	else if (c >= 0xe0 && c <= 0xef)
		us->us_need = 2;
	else if (c >= 0xf0 && c <= 0xf4)
		us->us_need = 3;
	else
		return (0);

	if (c == 0xe0)
		us->us_lo = 0xa0;
	else if (c == 0xed)
		us->us_hi = 0x9f;
	else if (c == 0xf0)
		us->us_lo = 0x90;
	else if (c == 0xf4)
		us->us_hi = 0x8f;
	return (1);
}

/* How many bytes at the front are ASCII, in steps of eight. */
/*@ requires \valid_read(p + (0 .. len - 1));
    assigns \nothing;
    ensures \result <= len; */
static size_t
utf8_ascii(const uint8_t *p, size_t len)
{
	uint64_t	 w;
	size_t		 i;

	/*@ loop invariant 0 <= i <= len;
	    loop assigns i, w;
	    loop variant len - i; */
	for (i = 0; len - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, p + i, sizeof(w));
		if (w & UTF8_HIGHBITS)
			break;
	}
	return (i);
}

int
utf8_feed(struct utf8_state *us, const void *buf, size_t len)
{
	const uint8_t	*p = buf;
	size_t		 i = 0;

	/*@ loop invariant 0 <= i <= len;
	    loop invariant us->us_need <= 3;
	    loop invariant i == 0 ==> us->us_need == \at(us->us_need, Pre);
	    loop assigns i, *us; */
	while (i < len) {
		if (us->us_need > 0) {
			if (p[i] < us->us_lo || p[i] > us->us_hi)
				return (0);
			us->us_lo = 0x80;
			us->us_hi = 0xbf;
			us->us_need--;
		} else if (p[i] < 0x80) {
			/* most of any text: step over what is plain */
			i += utf8_ascii(p + i, len - i);
			if (i == len)
				break;
			if (p[i] >= 0x80)
				continue;
		} else if (!utf8_lead(us, p[i]))
			return (0);
		i++;
	}
	return (1);
}

int
utf8_valid(const void *buf, size_t len)
{
	struct utf8_state	 us = { 0, 0, 0 };

	return (utf8_feed(&us, buf, len) && us.us_need == 0);
}

ssize_t
utf8_length(const void *buf, size_t len)
{
	const uint8_t	*p = buf;
	size_t		 i;
	ssize_t		 n = 0;

	if (!utf8_valid(buf, len))
		return (-1);
	/* every byte that does not continue a character starts one */
	/*@ loop invariant 0 <= i <= len && 0 <= n <= i;
	    loop assigns i, n;
	    loop variant len - i; */
	for (i = 0; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			n++;
	}
	return (n);
}
