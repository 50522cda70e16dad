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
#include "websocket.h"

#define MAX		65536
#define BYTES(s)	(s), sizeof(s) - 1

/*
 * A conversation is written as a row of frames; each has what the first byte
 * says, and a payload.  What comes back is written as a text:
 * t(...) b(...) i(...) o(...) c1000(...) and !1002 for a failure.
 */
struct frame {
	uint8_t		 f_first;
	const char	*f_data;
	size_t		 f_len;
};

#define FIN	0x80
#define F(op, s)	{ FIN | (op), BYTES(s) }
#define P(op, s)	{ (op), BYTES(s) }
#define MAXFRAMES	8

static const struct talk {
	struct frame	 t_frames[MAXFRAMES];
	const char	*t_want;
} talks[] = {
	/* whole messages */
	{ { F(WS_OP_TEXT, "") }, "t()" },
	{ { F(WS_OP_TEXT, "hello") }, "t(hello)" },
	{ { F(WS_OP_BINARY, "") }, "b()" },
	{ { F(WS_OP_BINARY, "\xff\xfe") }, "b(\xff\xfe)" },
	{ { F(WS_OP_TEXT, "1234567"), F(WS_OP_TEXT, "12345678"),
	    F(WS_OP_TEXT, "123456789abcdefgh") },
	    "t(1234567)t(12345678)t(123456789abcdefgh)" },
	{ { F(WS_OP_TEXT, "a"), F(WS_OP_BINARY, "b"), F(WS_OP_TEXT, "c") },
	    "t(a)b(b)t(c)" },
	/* control frames */
	{ { F(WS_OP_PING, "") }, "i()" },
	{ { F(WS_OP_PING, "hi") }, "i(hi)" },
	{ { F(WS_OP_PING, "\0\xff") }, "i(" },
	{ { F(WS_OP_PONG, "") }, "o()" },
	{ { F(WS_OP_PONG, "unasked") }, "o(unasked)" },
	{ { F(WS_OP_PING, "1"), F(WS_OP_PING, "2"), F(WS_OP_PING, "3") },
	    "i(1)i(2)i(3)" },
	{ { P(WS_OP_PING, "") }, "!1002" },
	{ { P(WS_OP_PONG, "x") }, "!1002" },
	{ { P(WS_OP_CLOSE, "") }, "!1002" },
	{ { P(WS_OP_PING, "a"), F(WS_OP_CONT, "b") }, "!1002" },
	/* fragments */
	{ { P(WS_OP_TEXT, "a"), F(WS_OP_CONT, "b") }, "t(ab)" },
	{ { P(WS_OP_BINARY, "a"), F(WS_OP_CONT, "b") }, "b(ab)" },
	{ { P(WS_OP_TEXT, "a"), P(WS_OP_CONT, "b"), P(WS_OP_CONT, "c"),
	    F(WS_OP_CONT, "d") }, "t(abcd)" },
	{ { P(WS_OP_TEXT, ""), F(WS_OP_CONT, "") }, "t()" },
	{ { P(WS_OP_TEXT, ""), P(WS_OP_CONT, "mid"), F(WS_OP_CONT, "") },
	    "t(mid)" },
	{ { P(WS_OP_TEXT, "a"), P(WS_OP_CONT, ""), F(WS_OP_CONT, "b"),
	    P(WS_OP_TEXT, "c"), F(WS_OP_CONT, "d"), F(WS_OP_TEXT, "e") },
	    "t(ab)t(cd)t(e)" },
	{ { P(WS_OP_TEXT, "a"), F(WS_OP_CONT, "b"), P(WS_OP_BINARY, "c"),
	    F(WS_OP_CONT, "\xff") }, "t(ab)b(c\xff)" },
	{ { P(WS_OP_TEXT, "a"), F(WS_OP_CONT, "b"), F(WS_OP_PING, "i") },
	    "t(ab)i(i)" },
	{ { P(WS_OP_TEXT, "a"), F(WS_OP_PING, "i"), F(WS_OP_CONT, "b") },
	    "i(i)t(ab)" },
	{ { P(WS_OP_TEXT, "a"), F(WS_OP_PING, "1"), P(WS_OP_CONT, "b"),
	    F(WS_OP_PONG, "2"), F(WS_OP_PING, ""), F(WS_OP_CONT, "c") },
	    "i(1)o(2)i()t(abc)" },
	{ { P(WS_OP_TEXT, "a"), F(WS_OP_CLOSE, "\x03\xe8") }, "c1000()" },
	{ { F(WS_OP_CONT, "a") }, "!1002" },
	{ { P(WS_OP_CONT, "a") }, "!1002" },
	{ { P(WS_OP_CONT, "a"), F(WS_OP_TEXT, "b") }, "!1002" },
	{ { F(WS_OP_TEXT, "a"), F(WS_OP_CONT, "b") }, "t(a)!1002" },
	{ { P(WS_OP_TEXT, "a"), F(WS_OP_CONT, "b"), F(WS_OP_CONT, "c") },
	    "t(ab)!1002" },
	{ { P(WS_OP_TEXT, "a"), F(WS_OP_TEXT, "b") }, "!1002" },
	{ { P(WS_OP_TEXT, "a"), P(WS_OP_TEXT, "b") }, "!1002" },
	{ { P(WS_OP_TEXT, "a"), F(WS_OP_BINARY, "b") }, "!1002" },
	{ { P(WS_OP_TEXT, ""), P(WS_OP_TEXT, "") }, "!1002" },
	/* reserved bits and opcodes */
	{ { { FIN | 0x40 | WS_OP_TEXT, BYTES("a") } }, "!1002" },
	{ { { FIN | 0x20 | WS_OP_TEXT, BYTES("a") } }, "!1002" },
	{ { { FIN | 0x10 | WS_OP_BINARY, BYTES("a") } }, "!1002" },
	{ { { FIN | 0x70 | WS_OP_PING, BYTES("a") } }, "!1002" },
	{ { { FIN | 0x10 | WS_OP_CLOSE, BYTES("\x03\xe8") } }, "!1002" },
	{ { F(WS_OP_TEXT, "a"), { FIN | 0x40 | WS_OP_TEXT, BYTES("b") } },
	    "t(a)!1002" },
	{ { P(WS_OP_TEXT, "a"), { FIN | 0x40, BYTES("b") } }, "!1002" },
	{ { F(0x3, "") }, "!1002" },
	{ { F(0x4, "a") }, "!1002" },
	{ { F(0x5, "a") }, "!1002" },
	{ { F(0x6, "a") }, "!1002" },
	{ { P(0x7, "a") }, "!1002" },
	{ { F(0xb, "") }, "!1002" },
	{ { F(0xc, "a") }, "!1002" },
	{ { F(0xd, "a") }, "!1002" },
	{ { F(0xe, "a") }, "!1002" },
	{ { F(0xf, "a") }, "!1002" },
	{ { F(WS_OP_TEXT, "a"), F(WS_OP_PING, "b"), F(0xb, "") },
	    "t(a)i(b)!1002" },
	/* text */
	{ { F(WS_OP_TEXT, "\xe4\xbc\x9a") }, "t(\xe4\xbc\x9a)" },
	{ { P(WS_OP_TEXT, "\xe4"), F(WS_OP_CONT, "\xbc\x9a") },
	    "t(\xe4\xbc\x9a)" },
	{ { P(WS_OP_TEXT, "\xe4"), P(WS_OP_CONT, "\xbc"),
	    F(WS_OP_CONT, "\x9a") }, "t(\xe4\xbc\x9a)" },
	{ { P(WS_OP_TEXT, "\xf0\x9f"), F(WS_OP_PING, "\xff"),
	    P(WS_OP_CONT, ""), F(WS_OP_CONT, "\x98\x80") },
	    "i(\xff)t(\xf0\x9f\x98\x80)" },
	{ { F(WS_OP_TEXT, "\xe4\xbc") }, "!1007" },
	{ { F(WS_OP_TEXT, "\x80") }, "!1007" },
	{ { F(WS_OP_TEXT, "\xc0\xaf") }, "!1007" },
	{ { F(WS_OP_TEXT, "\xed\xa0\x80") }, "!1007" },
	{ { F(WS_OP_TEXT, "\xf4\x90\x80\x80") }, "!1007" },
	{ { F(WS_OP_TEXT, "ok\xff") }, "!1007" },
	{ { P(WS_OP_TEXT, "\xff"), F(WS_OP_CONT, "a") }, "!1007" },
	{ { P(WS_OP_TEXT, "\xe4\xbc"), F(WS_OP_CONT, "a") }, "!1007" },
	{ { P(WS_OP_TEXT, "\xe4\xbc"), F(WS_OP_CONT, "") }, "!1007" },
	{ { P(WS_OP_TEXT, "\xf4"), P(WS_OP_CONT, "\x90") }, "!1007" },
	{ { P(WS_OP_TEXT, "\xe4"), F(WS_OP_CONT, "\xbc\x9a"),
	    F(WS_OP_TEXT, "\x9a") }, "t(\xe4\xbc\x9a)!1007" },
	{ { P(WS_OP_BINARY, "\xe4"), F(WS_OP_CONT, "\xff"),
	    F(WS_OP_TEXT, "a") }, "b(\xe4\xff)t(a)" },
	/* close */
	{ { F(WS_OP_CLOSE, "") }, "c1005()" },
	{ { F(WS_OP_CLOSE, "\x03") }, "!1002" },
	{ { F(WS_OP_CLOSE, "\x03\xe8") }, "c1000()" },
	{ { F(WS_OP_CLOSE, "\x03\xe8" "bye") }, "c1000(bye)" },
	{ { F(WS_OP_CLOSE, "\x03\xe8\xe4\xbc\x9a") },
	    "c1000(\xe4\xbc\x9a)" },
	{ { F(WS_OP_CLOSE, "\x03\xe8\xe4\xbc") }, "!1007" },
	{ { F(WS_OP_CLOSE, "\x03\xe8\xff") }, "!1007" },
	{ { F(WS_OP_CLOSE, "\x03\xe8"), F(WS_OP_TEXT, "late") }, "c1000()" },
	{ { F(WS_OP_CLOSE, "\x03\xe8"), F(WS_OP_PING, "") }, "c1000()" },
	{ { F(WS_OP_CLOSE, ""), F(WS_OP_CLOSE, "") }, "c1005()" },
	{ { F(WS_OP_TEXT, "a"), F(WS_OP_CLOSE, "\x0b\xb8") }, "t(a)c3000()" }
};

static const uint8_t	 mask[4] = { 0x37, 0xfa, 0x21, 0x3d };

static size_t	 build(uint8_t *, const struct frame *);
static void	 note(char *, size_t, const struct ws_event *);
static void	 run(char *, size_t, const uint8_t *, size_t, size_t, size_t);
static void	 check_bytes(const uint8_t *, size_t, const char *);
static void	 test_talks(void);
static void	 test_codes(void);
static void	 test_lengths(void);
static void	 test_heads(void);
static void	 test_limits(void);
static void	 test_many_fragments(void);
static void	 test_sticks(void);
static void	 test_send(void);
static void	 test_accept(void);

static size_t
build(uint8_t *dst, const struct frame *f)
{
	size_t		 i, n;

	n = ws_frame_head(dst, f->f_first & 0xf, f->f_len);
	dst[0] = f->f_first;
	dst[1] |= 0x80;
	memcpy(dst + n, mask, 4);
	for (i = 0; i < f->f_len; i++)
		dst[n + 4 + i] = (uint8_t)f->f_data[i] ^ mask[i % 4];
	return (n + 4 + f->f_len);
}

static void
note(char *out, size_t size, const struct ws_event *we)
{
	size_t		 n = strlen(out);

	if (we->we_type == WS_CLOSE)
		snprintf(out + n, size - n, "c%u(%.*s)", we->we_code,
		    (int)we->we_len, (const char *)we->we_data);
	else if (we->we_type != WS_NONE)
		snprintf(out + n, size - n, "%c(%.*s)",
		    "?tbio?"[we->we_type], (int)we->we_len,
		    (const char *)we->we_data);
}

/*
 * Feed pieces of so many bytes, in a buffer that is just as large as what is
 * in it and that moves each time.
 */
static void
run(char *out, size_t size, const uint8_t *p, size_t len, size_t step,
    size_t max)
{
	struct ws_parser	 wp;
	struct ws_event		 we;
	uint8_t			*buf = NULL, *copy;
	size_t			 n, have = 0;
	ssize_t			 used = 0;

	ws_init(&wp, max);
	out[0] = '\0';
	while (len > 0 && used != -1) {
		n = step < len ? step : len;
		if ((copy = malloc(have + n)) == NULL)
			abort();
		if (have > 0)
			memcpy(copy, buf, have);
		memcpy(copy + have, p, n);
		free(buf);
		buf = copy;
		have += n;
		p += n;
		len -= n;
		while ((used = ws_parse(&wp, buf, have, &we)) > 0) {
			note(out, size, &we);
			have -= used;
			memmove(buf, buf + used, have);
			if (have == 0)
				break;
		}
	}
	if (used == -1)
		snprintf(out + strlen(out), size - strlen(out), "!%u",
		    we.we_code);
	ws_clear(&wp);
	free(buf);
}

static void
check_bytes(const uint8_t *p, size_t len, const char *want)
{
	char		 out[512];
	size_t		 step;

	for (step = 1; step < 9; step++) {
		run(out, sizeof(out), p, len, step, MAX);
		CHECK_STR(out, want);
	}
	run(out, sizeof(out), p, len, len, MAX);
	CHECK_STR(out, want);
}

static void
test_talks(void)
{
	uint8_t			 buf[512];
	const struct talk	*t;
	size_t			 i, j, len;

	for (i = 0; i < sizeof(talks) / sizeof(talks[0]); i++) {
		t = &talks[i];
		len = 0;
		for (j = 0; j < MAXFRAMES; j++) {
			if (t->t_frames[j].f_data != NULL)
				len += build(buf + len, &t->t_frames[j]);
		}
		if (strcmp(t->t_want, "i(") == 0)
			check_bytes(buf, len, "i()");	/* a NUL ends it */
		else
			check_bytes(buf, len, t->t_want);
	}
}

/* Every close code there is. */
static void
test_codes(void)
{
	struct frame	 f = { FIN | WS_OP_CLOSE, NULL, 2 };
	uint8_t		 buf[32], data[WS_MAXCONTROL];
	char		 out[64], payload[2], want[64];
	unsigned int	 c, wrong = 0, sent = 0;

	for (c = 0; c <= 0xffff; c++) {
		payload[0] = (char)(c >> 8);
		payload[1] = (char)c;
		f.f_data = payload;
		if ((c >= 1000 && c <= 1003) || (c >= 1007 && c <= 1011) ||
		    (c >= 3000 && c <= 4999))
			snprintf(want, sizeof(want), "c%u()", c);
		else
			snprintf(want, sizeof(want), "!1002");
		run(out, sizeof(out), buf, build(buf, &f), 32, MAX);
		if (strcmp(out, want) != 0)
			wrong++;
		if (ws_close_payload(data, (uint16_t)c, NULL) == 2)
			sent++;
	}
	CHECK_INT(wrong, 0);
	CHECK_INT(sent, 9 + 2000);
}

/* Payloads around every border, in one frame: right bytes, right length. */
static void
test_lengths(void)
{
	static const size_t	 sizes[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16,
	    17, 124, 125, 126, 127, 128, 255, 256, 65534, 65535, 65536 };
	static uint8_t		 buf[MAX + WS_MAXHEAD];
	static char		 data[MAX];
	struct ws_parser	 wp;
	struct ws_event		 we;
	struct frame		 f;
	size_t			 i, j, len;

	for (i = 0; i < MAX; i++)
		data[i] = (char)(i * 7 + i / 256);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		f.f_first = FIN | WS_OP_BINARY;
		f.f_data = data;
		f.f_len = sizes[i];
		len = build(buf, &f);
		ws_init(&wp, MAX);
		for (j = 0; j < len && j < 20; j++)
			CHECK_INT(ws_parse(&wp, buf, j, &we), 0);
		CHECK_INT(ws_parse(&wp, buf, len - 1, &we), 0);
		CHECK_INT(ws_parse(&wp, buf, len, &we), len);
		CHECK_INT(we.we_type, WS_BINARY);
		CHECK_INT(we.we_len, sizes[i]);
		CHECK(memcmp(we.we_data, data, sizes[i]) == 0);
		ws_clear(&wp);
	}
	/* the largest control frame; one byte more is in the next test */
	f.f_first = FIN | WS_OP_PING;
	f.f_len = WS_MAXCONTROL;
	len = build(buf, &f);
	ws_init(&wp, 0);
	CHECK_INT(ws_parse(&wp, buf, len, &we), len);
	CHECK_INT(we.we_type, WS_PING);
	CHECK_INT(we.we_len, WS_MAXCONTROL);
	ws_clear(&wp);
}

/* Heads that must fail, and with how many bytes that can be seen. */
static void
test_heads(void)
{
	static const struct {
		const char	*h_bytes;
		size_t		 h_len;
		uint16_t	 h_code;
	} heads[] = {
		{ BYTES("\xc1"), WS_CODE_PROTO },	/* reserved bit */
		{ BYTES("\x83"), WS_CODE_PROTO },	/* reserved opcode */
		{ BYTES("\x80"), WS_CODE_PROTO },	/* continues nothing */
		{ BYTES("\x09"), WS_CODE_PROTO },	/* ping in pieces */
		{ BYTES("\x81\x00"), WS_CODE_PROTO },	/* no mask */
		{ BYTES("\x81\x05"), WS_CODE_PROTO },
		{ BYTES("\x81\x7e"), WS_CODE_PROTO },
		{ BYTES("\x89\x00"), WS_CODE_PROTO },
		{ BYTES("\x88\x02"), WS_CODE_PROTO },
		{ BYTES("\x89\xfe"), WS_CODE_PROTO },	/* ping too long */
		{ BYTES("\x8a\xff"), WS_CODE_PROTO },
		{ BYTES("\x88\xfe"), WS_CODE_PROTO },
		/* lengths with a shorter form */
		{ BYTES("\x82\xfe\x00\x00"), WS_CODE_PROTO },
		{ BYTES("\x82\xfe\x00\x7d"), WS_CODE_PROTO },
		{ BYTES("\x82\xff\0\0\0\0\0\0\0\0"), WS_CODE_PROTO },
		{ BYTES("\x82\xff\0\0\0\0\0\0\0\x7d"), WS_CODE_PROTO },
		{ BYTES("\x82\xff\0\0\0\0\0\0\0\x7e"), WS_CODE_PROTO },
		{ BYTES("\x82\xff\0\0\0\0\0\0\xff\xff"), WS_CODE_PROTO },
		/* top bit of 64 */
		{ BYTES("\x82\xff\x80\0\0\0\0\0\0\0"), WS_CODE_PROTO },
		{ BYTES("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
		    WS_CODE_PROTO },
		/* too large, seen without mask or payload */
		{ BYTES("\x82\xff\0\0\0\0\0\x01\0\x01"), WS_CODE_BIG },
		{ BYTES("\x01\xff\0\0\0\0\0\x01\0\x01"), WS_CODE_BIG },
		{ BYTES("\x82\xff\0\0\0\x01\0\0\0\0"), WS_CODE_BIG },
		{ BYTES("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"),
		    WS_CODE_BIG }
	};
	struct ws_parser	 wp;
	struct ws_event		 we;
	uint8_t			 buf[16];
	size_t			 i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		memcpy(buf, heads[i].h_bytes, heads[i].h_len);
		ws_init(&wp, MAX);
		CHECK_INT(ws_parse(&wp, buf, heads[i].h_len - 1, &we), 0);
		CHECK_INT(ws_parse(&wp, buf, heads[i].h_len, &we), -1);
		CHECK_INT(we.we_code, heads[i].h_code);
		ws_clear(&wp);
	}
}

/* The limit counts all fragments together, and control frames never. */
static void
test_limits(void)
{
	static const struct frame	 five[] = {
		P(WS_OP_TEXT, "12345"), F(WS_OP_PING, "123456789abcdef"),
		P(WS_OP_CONT, "6789"), F(WS_OP_CONT, "a"), F(WS_OP_TEXT, "b")
	};
	uint8_t		 buf[256];
	char		 out[256];
	size_t		 i, len = 0;

	for (i = 0; i < 5; i++)
		len += build(buf + len, &five[i]);
	run(out, sizeof(out), buf, len, len, 10);
	CHECK_STR(out, "i(123456789abcdef)t(123456789a)t(b)");
	run(out, sizeof(out), buf, len, len, 9);
	CHECK_STR(out, "i(123456789abcdef)!1009");
	run(out, sizeof(out), buf, len, len, 5);
	CHECK_STR(out, "i(123456789abcdef)!1009");
	run(out, sizeof(out), buf, len, len, 4);
	CHECK_STR(out, "!1009");
	run(out, sizeof(out), buf, len, len, 0);
	CHECK_STR(out, "!1009");
}

/* As many bytes as a message may have, each in a fragment of its own. */
static void
test_many_fragments(void)
{
	struct ws_parser	 wp;
	struct ws_event		 we;
	uint8_t			 buf[16];
	struct frame		 f;
	size_t			 i, len, wrong = 0;
	char			 c;

	ws_init(&wp, MAX);
	for (i = 0; i < MAX; i++) {
		c = (char)('a' + i % 26);
		f.f_first = i == 0 ? WS_OP_TEXT : WS_OP_CONT;
		if (i == MAX - 1)
			f.f_first |= FIN;
		f.f_data = &c;
		f.f_len = 1;
		len = build(buf, &f);
		if (ws_parse(&wp, buf, len, &we) != (ssize_t)len)
			wrong++;
		if ((we.we_type != WS_NONE) != (i == MAX - 1))
			wrong++;
	}
	CHECK_INT(wrong, 0);
	CHECK_INT(we.we_type, WS_TEXT);
	CHECK_INT(we.we_len, MAX);
	for (i = 0; i < we.we_len; i++)
		wrong += we.we_data[i] != 'a' + i % 26;
	CHECK_INT(wrong, 0);
	/* the memory goes with the next frame */
	f.f_first = FIN | WS_OP_PING;
	len = build(buf, &f);
	CHECK_INT(ws_parse(&wp, buf, len, &we), len);
	CHECK(wp.wp_msg == NULL);
	ws_clear(&wp);
}

/* Failed stays failed, with the first reason. */
static void
test_sticks(void)
{
	static const struct frame	 good = F(WS_OP_TEXT, "a");
	static const struct frame	 bad = F(WS_OP_TEXT, "\xff");
	struct ws_parser		 wp;
	struct ws_event			 we;
	uint8_t				 buf[32];
	size_t				 len;

	ws_init(&wp, MAX);
	CHECK_INT(ws_parse(&wp, buf, 0, &we), 0);
	len = build(buf, &bad);
	CHECK_INT(ws_parse(&wp, buf, len, &we), -1);
	CHECK_INT(we.we_code, WS_CODE_TEXT);
	len = build(buf, &good);
	CHECK_INT(ws_parse(&wp, buf, len, &we), -1);
	CHECK_INT(we.we_code, WS_CODE_TEXT);
	CHECK_INT(we.we_type, WS_NONE);
	ws_clear(&wp);
	CHECK_INT(ws_parse(&wp, buf, len, &we), len);
	ws_clear(&wp);
}

static void
test_send(void)
{
	uint8_t		 b[WS_MAXCONTROL];
	char		 reason[200];
	size_t		 i;

	CHECK_INT(ws_frame_head(b, WS_OP_TEXT, 0), 2);
	CHECK(memcmp(b, "\x81\x00", 2) == 0);
	CHECK_INT(ws_frame_head(b, WS_OP_PING, 125), 2);
	CHECK(memcmp(b, "\x89\x7d", 2) == 0);
	CHECK_INT(ws_frame_head(b, WS_OP_BINARY, 126), 4);
	CHECK(memcmp(b, "\x82\x7e\x00\x7e", 4) == 0);
	CHECK_INT(ws_frame_head(b, WS_OP_BINARY, 65535), 4);
	CHECK(memcmp(b, "\x82\x7e\xff\xff", 4) == 0);
	CHECK_INT(ws_frame_head(b, WS_OP_BINARY, 65536), 10);
	CHECK(memcmp(b, "\x82\x7f\0\0\0\0\0\x01\0\0", 10) == 0);

	CHECK_INT(ws_close_payload(b, 1000, NULL), 2);
	CHECK(memcmp(b, "\x03\xe8", 2) == 0);
	CHECK_INT(ws_close_payload(b, 1001, "later"), 7);
	CHECK(memcmp(b, "\x03\xe9later", 7) == 0);
	CHECK_INT(ws_close_payload(b, WS_CODE_NONE, "x"), 0);
	CHECK_INT(ws_close_payload(b, 1006, "x"), 0);
	CHECK_INT(ws_close_payload(b, 1001, "\xff"), 2);
	memset(reason, 'r', sizeof(reason));
	reason[123] = '\0';
	CHECK_INT(ws_close_payload(b, 1001, reason), 125);
	reason[123] = 'r';
	reason[199] = '\0';
	CHECK_INT(ws_close_payload(b, 1001, reason), 125);
	/* three bytes a character: 41 fit */
	for (i = 0; i < 198; i += 3)
		memcpy(reason + i, "\xe4\xbc\x9a", 3);
	reason[198] = '\0';
	CHECK_INT(ws_close_payload(b, 1001, reason), 2 + 41 * 3);
	/* the border falls inside one */
	CHECK_INT(ws_close_payload(b, 1001, reason), 125);
	memmove(reason + 1, reason, 150);
	reason[0] = 'x';
	reason[1 + 150] = '\0';
	CHECK_INT(ws_close_payload(b, 1001, reason), 2 + 1 + 40 * 3);
	CHECK(utf8_valid(b + 2, 121));
}

static void
test_accept(void)
{
	char		 dst[WS_ACCEPTLEN], key[80];

	/* the example of RFC 6455, section 1.3 */
	CHECK_INT(ws_accept_key("dGhlIHNhbXBsZSBub25jZQ==", dst, sizeof(dst)),
	    0);
	CHECK_STR(dst, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	CHECK_INT(ws_accept_key("dGhlIHNhbXBsZSBub25jZQ==", dst,
	    sizeof(dst) - 1), -1);
	memset(key, 'k', sizeof(key));
	key[79] = '\0';
	CHECK_INT(ws_accept_key(key, dst, sizeof(dst)), -1);
}

int
main(void)
{
	test_talks();
	test_codes();
	test_lengths();
	test_heads();
	test_limits();
	test_many_fragments();
	test_sticks();
	test_send();
	test_accept();
	return (unit_end());
}
