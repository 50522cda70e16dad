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

#ifndef UTF8_H
#define UTF8_H

#include <sys/types.h>

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the next byte of a sequence may be.  All zeroes is the start of a
 * text; need == 0 says that the bytes so far end with a whole character.
 */
struct utf8_state {
	uint8_t		 us_need;	/* continuation bytes to come */
	uint8_t		 us_lo;		/* range of the next one */
	uint8_t		 us_hi;
};

/*
 * Check some bytes more of a text that arrives in pieces (RFC 3629: shortest
 * form, no surrogates, at most U+10FFFF).  The caller zeroes the state first.
 * Returns 1, or 0 as soon as no continuation could make the text valid; then
 * the state may not be fed again.  The text is whole when us_need is 0.
 */
/*@ requires \valid(us) && us->us_need <= 3;
    requires \valid_read((uint8_t *)buf + (0 .. len - 1));
    requires \separated(us, (uint8_t *)buf + (0 .. len - 1));
    assigns *us;
    ensures \result == 0 || \result == 1;
    ensures us->us_need <= 3;
    ensures len == 0 ==> \result == 1 && us->us_need == \old(us->us_need); */
int	 utf8_feed(struct utf8_state *us, const void *buf, size_t len);

/* Are these bytes whole, valid UTF-8?  1 or 0; nothing at all is valid. */
/*@ requires \valid_read((uint8_t *)buf + (0 .. len - 1));
    assigns \nothing;
    ensures \result == 0 || \result == 1;
    ensures len == 0 ==> \result == 1; */
int	 utf8_valid(const void *buf, size_t len);

/* The number of code points, for limits that people read; -1 if invalid. */
/*@ requires len <= SSIZE_MAX;
    requires \valid_read((uint8_t *)buf + (0 .. len - 1));
    assigns \nothing;
    ensures -1 <= \result <= len; */
ssize_t	 utf8_length(const void *buf, size_t len);

#endif
