#include "unit.h"

#include "util.h"

static void
test_hex(void)
{
	uint8_t	 raw[3] = { 0x00, 0xa5, 0xff }, back[3];
	char	 text[7];

	hex_encode(text, raw, 3);
	CHECK_STR(text, "00a5ff");
	CHECK_INT(hex_decode(back, 3, text), 0);
	CHECK(memcmp(raw, back, 3) == 0);
	CHECK_INT(hex_decode(back, 3, "00A5ff"), -1);
	CHECK_INT(hex_decode(back, 3, "00a5f"), -1);
	CHECK_INT(hex_decode(back, 3, "00a5ff0"), -1);
	CHECK_INT(hex_decode(back, 3, "00a5fg"), -1);
	hex_encode(text, raw, 0);
	CHECK_STR(text, "");
}

static void
test_b64url(void)
{
	static const struct {
		const char	*raw, *text;
		size_t		 len;
	} t[] = {
		/* RFC 4648, section 10, less the padding */
		{ "", "", 0 }, { "f", "Zg", 1 }, { "fo", "Zm8", 2 },
		{ "foo", "Zm9v", 3 }, { "foob", "Zm9vYg", 4 },
		{ "fooba", "Zm9vYmE", 5 }, { "foobar", "Zm9vYmFy", 6 },
		{ "\xfb\xff", "-_8", 2 },
	};
	uint8_t	 back[8];
	char	 text[16];
	size_t	 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		b64url_encode(text, sizeof(text), t[i].raw, t[i].len);
		CHECK_STR(text, t[i].text);
		CHECK_INT(b64url_decode(back, t[i].len, t[i].text), 0);
		CHECK(memcmp(back, t[i].raw, t[i].len) == 0);
	}
	CHECK_INT(b64url_decode(back, 1, "Zh"), -1);	/* bits left over */
	CHECK_INT(b64url_decode(back, 1, "Zg=="), -1);
	CHECK_INT(b64url_decode(back, 2, "Zg"), -1);
	CHECK_INT(b64url_decode(back, 1, "Z"), -1);
	CHECK_INT(b64url_decode(back, 3, "Zm+v"), -1);
	CHECK_INT(b64url_decode(back, 3, "Zm\n9"), -1);
}

static void
test_label(void)
{
	CHECK(label_valid("acme"));
	CHECK(label_valid("a"));
	CHECK(label_valid("4-you"));
	CHECK(label_valid("abcdefghijklmnopqrstuvwxyz012345"));
	CHECK(!label_valid("abcdefghijklmnopqrstuvwxyz0123456"));
	CHECK(!label_valid(""));
	CHECK(!label_valid("-a"));
	CHECK(!label_valid("a-"));
	CHECK(!label_valid("Acme"));
	CHECK(!label_valid("a.b"));
	CHECK(!label_valid("a b"));
	CHECK(!label_valid("../etc"));
	CHECK(!label_valid("\xe3\x81\x82"));
}

static void
test_mail(void)
{
	static const char	*good[] = {
		"a@b.c", "akari.tanaka+risa@acme.example", "x@sub.acme.co.jp",
		"o'neil@acme.example", "a_b@a-b.example",
	};
	static const char	*bad[] = {
		"", "a", "@b.c", "a@", "a@b", "a@b.", "a@.b", "a@b..c",
		"a b@c.d", "a@b c.d", ".a@b.c", "a.@b.c", "a..b@c.d",
		"a@-b.c", "a@b-.c", "a@b.c-", "a@@b.c", "a@b@c.d",
		"\"a\"@b.c", "a@[127.0.0.1]", "a\n@b.c", "a@b.c\n",
		"\xe3\x81\x82@b.c", "a@\xe3\x81\x82.c", "<a@b.c>",
	};
	char	 dst[255], longer[400];
	size_t	 i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK_INT(mail_normal(dst, sizeof(dst), good[i]), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_INT(mail_normal(dst, sizeof(dst), bad[i]), -1);
	CHECK_INT(mail_normal(dst, sizeof(dst), "Akari@ACME.Example"), 0);
	CHECK_STR(dst, "akari@acme.example");
	CHECK_INT(mail_normal(dst, 5, "a@b.c"), -1);
	CHECK_INT(mail_normal(dst, 6, "a@b.c"), 0);
	memset(longer, 'a', sizeof(longer));
	memcpy(longer + 64, "@b.c", 5);
	CHECK_INT(mail_normal(dst, sizeof(dst), longer), 0);
	memset(longer, 'a', sizeof(longer));
	memcpy(longer + 65, "@b.c", 5);
	CHECK_INT(mail_normal(dst, sizeof(dst), longer), -1);
}

static void
test_names(void)
{
	CHECK(name_valid("a", 1));
	CHECK(!name_valid("ab", 1));
	CHECK(!name_valid("", 1));
	CHECK(!name_valid("   ", 5));
	CHECK(!name_valid("\xe3\x80\x80 ", 5));		/* wide space */
	CHECK(name_valid("\xe7\x94\xb0\xe4\xb8\xad", 2));
	CHECK(!name_valid("\xe7\x94\xb0\xe4\xb8\xad", 1));
	CHECK(!name_valid("a\tb", 5));
	CHECK(!name_valid("a\nb", 5));
	CHECK(!name_valid("a\x7f" "b", 5));
	CHECK(!name_valid("a\xc2\x85" "b", 5));		/* C1: next line */
	CHECK(name_valid("\xc2\xa0" "b", 5));
	CHECK(!name_valid("\xff", 5));
	CHECK(name_valid("<script>alert(1)</script>", 64));
	CHECK(note_valid("", 5));
	CHECK(note_valid("  ", 5));
	CHECK(!note_valid("a\rb", 5));
}

static void
test_read_all(void)
{
	FILE	*f = tmpfile();
	void	*data;

	CHECK(f != NULL);
	if (f == NULL)
		return;
	fputs("hello", f);
	fflush(f);
	CHECK_INT(read_all(fileno(f), 5, &data), 5);
	CHECK_STR(data, "hello");
	free(data);
	/* The offset is the writer's still: once more the whole. */
	CHECK_INT(read_all(fileno(f), 100, &data), 5);
	free(data);
	CHECK_INT(read_all(fileno(f), 4, &data), -1);
	CHECK_INT(read_all(-1, 4, &data), -1);
	fclose(f);
}

static void
test_sha256(void)
{
	uint8_t	 sum[32];
	char	 text[65];

	/* FIPS 180-4, the one-block example. */
	CHECK_INT(sha256(sum, "abc", 3), 0);
	hex_encode(text, sum, 32);
	CHECK_STR(text, "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
}

static void
test_clocks(void)
{
	uint64_t	 a = mono_ms(), b = mono_ms();

	CHECK(b >= a);
	CHECK(now_ms() > 1700000000000ULL);
}

static void
test_time(void)
{
	static const char	*const bad[] = {
		"", "2025-11-24", "2025-11-24T16:00:00",
		"1970-01-01T00:00:00Z", "2025-11-24T16:00:00Zx",
		"2025-02-30T16:00:00Z", "2025-11-24T24:00:00Z",
		"2025-11-24 16:00:00Z", "2025-1-24T16:00:00Z",
		" 2025-11-24T16:00:00Z"
	};
	uint64_t		 ms;
	char			 buf[TIME_TEXT];
	size_t			 i;

	CHECK_INT(time_text(buf, 1), 0);
	CHECK_STR(buf, "1970-01-01T00:00:00Z");
	CHECK_INT(time_text(buf, 1764000000999), 0);
	CHECK_STR(buf, "2025-11-24T16:00:00Z");
	CHECK_INT(time_text(buf, 253402300799999), 0);
	CHECK_STR(buf, "9999-12-31T23:59:59Z");
	CHECK_INT(time_text(buf, 253402300800000), -1);
	CHECK_INT(time_text(buf, UINT64_MAX), -1);
	CHECK_INT(time_text(buf, 0), -1);
	CHECK_STR(buf, "");
	CHECK_INT(time_read("2025-11-24T16:00:00Z", &ms), 0);
	CHECK(ms == 1764000000000);
	CHECK_INT(time_read("9999-12-31T23:59:59Z", &ms), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_INT(time_read(bad[i], &ms), -1);
}

static void
test_mend(void)
{
	static const struct {
		const char	*cut, *mended;
	} t[] = {
		{ "", "" }, { "abc", "abc" },
		{ "\xe9\x96\x8b\xe7\x99\xba", "\xe9\x96\x8b\xe7\x99\xba" },
		{ "a\xe9\x96", "a?" }, { "a\xe9", "a?" },
		{ "\xe9\x96\xe9\x96\x8b]", "?\xe9\x96\x8b]" },
		{ "[\xf0\x9f\x98]: done", "[?]: done" },
		{ "\x96\x8b" "b", "?b" }, { "\xc3\xa9\xff\xfe", "\xc3\xa9??" },
	};
	char	 buf[32];
	size_t	 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		(void)strlcpy(buf, t[i].cut, sizeof(buf));
		text_mend(buf);
		CHECK_STR(buf, t[i].mended);
	}
}

int
main(void)
{
	test_hex();
	test_b64url();
	test_label();
	test_mail();
	test_names();
	test_read_all();
	test_sha256();
	test_clocks();
	test_time();
	test_mend();
	return (unit_end());
}
