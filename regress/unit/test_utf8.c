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

#include <stdint.h>

#include "unit.h"
#include "utf8.h"

#define BYTES(s)	(s), sizeof(s) - 1

static const struct text {
	const char	*t_bytes;
	size_t		 t_len;
	int		 t_count;		/* -1: invalid */
} texts[] = {
	{ BYTES(""), 0 },
	{ BYTES("a"), 1 },
	{ BYTES("\0"), 1 },
	{ BYTES("12345678"), 8 },
	{ BYTES("123456789"), 9 },
	{ BYTES("1234567\xc3\xa4"), 8 },
	{ BYTES("12345678\xc3\xa4"), 9 },
	{ BYTES("\xe4\xbc\x9a\xe8\xad\xb0"), 2 },
	{ BYTES("\xf0\x9f\x98\x80"), 1 },
	{ BYTES("\x7f"), 1 },
	{ BYTES("\xc2\x80"), 1 },
	{ BYTES("\xdf\xbf"), 1 },
	{ BYTES("\xe0\xa0\x80"), 1 },
	{ BYTES("\xed\x9f\xbf"), 1 },
	{ BYTES("\xee\x80\x80"), 1 },
	{ BYTES("\xef\xbf\xbf"), 1 },		/* a noncharacter is valid */
	{ BYTES("\xef\xbb\xbfx"), 2 },		/* so is a byte order mark */
	{ BYTES("\xf0\x90\x80\x80"), 1 },
	{ BYTES("\xf4\x8f\xbf\xbf"), 1 },
	{ BYTES("\x80"), -1 },
	{ BYTES("\xbf"), -1 },
	{ BYTES("a\x80"), -1 },
	{ BYTES("\xc0\x80"), -1 },		/* overlong */
	{ BYTES("\xc0\xaf"), -1 },
	{ BYTES("\xc1\xbf"), -1 },
	{ BYTES("\xe0\x80\xaf"), -1 },
	{ BYTES("\xe0\x9f\xbf"), -1 },
	{ BYTES("\xf0\x80\x80\xaf"), -1 },
	{ BYTES("\xf0\x8f\xbf\xbf"), -1 },
	{ BYTES("\xed\xa0\x80"), -1 },		/* surrogates */
	{ BYTES("\xed\xbf\xbf"), -1 },
	{ BYTES("\xed\xa0\xbd\xed\xb8\x80"), -1 },
	{ BYTES("\xf4\x90\x80\x80"), -1 },	/* above U+10FFFF */
	{ BYTES("\xf5\x80\x80\x80"), -1 },
	{ BYTES("\xf8\x88\x80\x80\x80"), -1 },
	{ BYTES("\xfc\x84\x80\x80\x80\x80"), -1 },
	{ BYTES("\xfe"), -1 },
	{ BYTES("\xff"), -1 },
	{ BYTES("\xc3"), -1 },			/* cut short */
	{ BYTES("\xe4\xbc"), -1 },
	{ BYTES("\xf0\x9f\x98"), -1 },
	{ BYTES("\xc3g"), -1 },
	{ BYTES("\xe4\xbcg"), -1 },
	{ BYTES("\xf0\x9f\x98g"), -1 },
	{ BYTES("\xc3\xc3"), -1 },
	{ BYTES("12345678\xff"), -1 },
	{ BYTES("12345678\x80"), -1 },
	{ BYTES("\xe4\xbcg\x9a"), -1 },
	{ BYTES("1234567\xff" "8"), -1 },
	{ BYTES("\xe4\xbc\x9a\x9a"), -1 }
};

static void	 test_texts(void);
static void	 test_all(void);
static void	 test_order(void);
static int	 by_byte(const char *, size_t);
static size_t	 encode(uint8_t *, uint32_t);

static int
by_byte(const char *p, size_t len)
{
	struct utf8_state	 us = { 0, 0, 0 };

	for (; len > 0; len--, p++) {
		if (!utf8_feed(&us, p, 1))
			return (0);
	}
	return (us.us_need == 0);
}

static void
test_texts(void)
{
	const struct text	*t;
	size_t			 i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		t = &texts[i];
		CHECK_INT(utf8_length(t->t_bytes, t->t_len), t->t_count);
		CHECK_INT(utf8_valid(t->t_bytes, t->t_len), t->t_count != -1);
		CHECK_INT(by_byte(t->t_bytes, t->t_len), t->t_count != -1);
	}
}

static size_t
encode(uint8_t *p, uint32_t c)
{
	if (c < 0x80) {
		p[0] = (uint8_t)c;
		return (1);
	}
	if (c < 0x800) {
		p[0] = (uint8_t)(0xc0 | c >> 6);
		p[1] = 0x80 | (c & 0x3f);
		return (2);
	}
	if (c < 0x10000) {
		p[0] = (uint8_t)(0xe0 | c >> 12);
		p[1] = 0x80 | (c >> 6 & 0x3f);
		p[2] = 0x80 | (c & 0x3f);
		return (3);
	}
	p[0] = (uint8_t)(0xf0 | c >> 18);
	p[1] = 0x80 | (c >> 12 & 0x3f);
	p[2] = 0x80 | (c >> 6 & 0x3f);
	p[3] = 0x80 | (c & 0x3f);
	return (4);
}

/* Every number that four bytes can hold, against the definition. */
static void
test_all(void)
{
	uint8_t		 buf[4];
	uint32_t	 c;
	unsigned int	 wrong = 0;
	int		 want;

	for (c = 0; c < 0x200000; c++) {
		want = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
		if (utf8_valid(buf, encode(buf, c)) != want)
			wrong++;
	}
	CHECK_INT(wrong, 0);
}

/* All sequences of two and three bytes: how many are valid is known. */
static void
test_order(void)
{
	uint8_t		 b[3];
	uint32_t	 i;
	unsigned int	 two = 0, three = 0;

	for (i = 0; i < 0x1000000; i++) {
		b[0] = (uint8_t)(i >> 16);
		b[1] = (uint8_t)(i >> 8);
		b[2] = (uint8_t)i;
		three += utf8_valid(b, 3);
		if (b[2] == 0)
			two += utf8_valid(b, 2);
	}
	/* 128 of one byte, 1920 of two, 61440 of three without surrogates */
	CHECK_INT(two, 128 * 128 + 1920);
	CHECK_INT(three, 128 * 128 * 128 + 2 * 128 * 1920 + 61440);
}

int
main(void)
{
	test_texts();
	test_all();
	test_order();
	return (unit_end());
}
