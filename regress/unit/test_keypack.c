/*
 * Key backups: made and opened, damaged, cut, by the other reader and for it
 * (-v, the file in hex).
 */
#include "keypack.h"
#include "unit.h"
#include "util.h"

#define KIB	64		/* cheap: what is tested is the form */
#define PASSES	2

static const char	 pass[] = "a passphrase of \347\267\221";

/* What keypack_reader.py has made; it opens as long as format 1 lives. */
static const char	 old_file[] =
    "52495341444b4559010000004000000002000102030405060708090a0b0c0d0e"
    "0f000102030405060708090a0b0000015f236f8556198d1a2db1e7f8eeb23992"
    "0fdadd6fdffa31f752a07db49f568253050ec6c7eeca5e6bfbb496adea37ecb2"
    "a5cf2db9320e2a099ad7d44696a082457cdf69d8f0b4e3587db548023bc438fe"
    "67feb60287d997d576dfaa240bf8fcf24a8cf07b63efbfca80f3f0435d33aef2"
    "b851e1fdbf66b7156192b7f5c3f6feaeee4511ea093570e0b2bbc7ca2e4ecf9d"
    "10b05b42cbbe004d96e54b62ad2a527023cbf08062f7c8bf8ffd6df181c0e14e"
    "b888efc4b1f8251f39f3f68c84ff24cddba1c21d39bca768b2047abfaad654d7"
    "1ebfbfdc1a20649d12505655bcf144750b2e38c061c696580b63486db30b279b"
    "e11147f5bd5b3d8bdbe7db66472694a1b5e2166a777e3d046759d30af24d68e7"
    "e6b3a1a64455c6fe3c20b31a8dc7f4724d4275cf468ca9416f5db1844be3cdf8"
    "ffd6bc1f9ec39351e30d5e07811fb5ebf789b0b5133c928a70cc6038a6f874ae"
    "05161dd607c876943e4ff76d312d20399838c0acefd6106f7f557d2465587e0e";

static struct keypack_entry
entry(uint8_t kind, uint32_t tenant, const char *name, int byte, size_t len)
{
	struct keypack_entry	 ke = { .ke_kind = kind, .ke_tenant = tenant,
				    .ke_len = len };
	size_t			 i;

	(void)strlcpy(ke.ke_name, name, sizeof(ke.ke_name));
	for (i = 0; i < len; i++)
		ke.ke_key[i] = (uint8_t)(byte == 0 ? (int)i : byte);
	return (ke);
}

static struct ibuf *
text_make(void)
{
	const struct keypack_head	 kh = { 1795978635742, 9, 5 };
	struct keypack_entry		 ke[5];
	struct ibuf			*buf = ibuf_dynamic(256, 4096);
	size_t				 i;

	ke[0] = entry(KEYPACK_MASTER, 0, "", 0, 32);
	ke[1] = entry(KEYPACK_PEPPER, 0, "", 'p', 32);
	ke[2] = entry(KEYPACK_SIGN, 0, "", 's', 32);
	ke[3] = entry(KEYPACK_TENANT, 0, "", 'i', 65);
	ke[4] = entry(KEYPACK_TENANT, 7, "acme", 'a', 130);
	CHECK_INT(keypack_begin(buf, &kh), 0);
	for (i = 0; i < 5; i++)
		CHECK_INT(keypack_put(buf, &ke[i]), 0);
	return (buf);
}

/* The file opens, and holds what text_make() has written. */
static void
opens(const uint8_t *file, size_t len)
{
	struct ibuf	*want = text_make();
	const char	*why;
	uint8_t		*text;
	size_t		 n = 0;

	text = keypack_open(pass, file, len, &n, &why);
	CHECK(text != NULL);
	CHECK_INT(n, ibuf_size(want));
	CHECK(text != NULL && memcmp(text, ibuf_data(want), n) == 0);
	freezero(text, n);
	ibuf_free(want);
}

static int
refused(const char *word, const uint8_t *file, size_t len, const char *text)
{
	const char	*why;
	size_t		 n;

	return (keypack_open(word, file, len, &n, &why) == NULL &&
	    strstr(why, text) != NULL);
}

static uint8_t *
file_make(size_t *len)
{
	struct ibuf	*text = text_make();
	uint8_t		*file;

	file = keypack_seal(pass, KIB, PASSES, ibuf_data(text),
	    ibuf_size(text), len);
	ibuf_free(text);
	if (file == NULL)
		abort();
	return (file);
}

static void
test_file(void)
{
	uint8_t	*file, *other;
	size_t	 i, len, otherlen;

	file = file_make(&len);
	other = file_make(&otherlen);
	CHECK_INT(len, otherlen);
	CHECK(memcmp(file, other, len) != 0);	/* salt and nonce */
	CHECK(memmem(file, len, "acme", 4) == NULL);
	opens(file, len);
	CHECK(refused("another passphrase", file, len, "passphrase is wrong"));
	CHECK(refused("", file, len, "passphrase is wrong"));
	for (i = 0; i < len; i++)
		CHECK(refused(pass, file, i, i < 9 ? "no key backup" :
		    "not whole"));
	for (i = 0; i < len; i++) {
		if (i >= 9 && i < 17)
			continue;	/* what it costs: see below */
		file[i] ^= 0x20;
		CHECK(refused(pass, file, len, ""));
		file[i] ^= 0x20;
	}
	opens(file, len);
	free(file);
	free(other);
}

/* No file makes us use all memory, or compute for ever. */
static void
test_cost(void)
{
	static const struct { size_t at; uint8_t value; } bad[] = {
		{ 9, 1 }, { 10, 0x11 }, { 13, 1 }, { 16, 0 }, { 16, 17 }
	};
	uint8_t	*file, kept;
	size_t	 i, len;

	file = file_make(&len);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		kept = file[bad[i].at];
		file[bad[i].at] = bad[i].value;
		CHECK(refused(pass, file, len, "changed"));
		file[bad[i].at] = kept;
	}
	file[12] = 7;			/* less than Argon2id takes */
	CHECK(refused(pass, file, len, "changed"));
	free(file);
}

static void
test_entries(void)
{
	struct ibuf		*text = text_make(), buf;
	struct keypack_head	 kh;
	struct keypack_entry	 ke;
	size_t			 len, whole = ibuf_size(text);
	uint32_t		 n;

	for (len = 0; len <= whole; len++) {
		ibuf_from_buffer(&buf, ibuf_data(text), len);
		if (keypack_head(&buf, &kh) == -1) {
			CHECK(len < 16);
			continue;
		}
		CHECK_INT(kh.kh_backup, 9);
		for (n = 0; n < kh.kh_count; n++)
			if (keypack_get(&buf, &ke) == -1)
				break;
		CHECK_INT(n == kh.kh_count, len == whole);
	}
	CHECK_STR(ke.ke_name, "acme");
	CHECK_INT(ke.ke_tenant, 7);
	CHECK_INT(ke.ke_len, 130);
	ibuf_free(text);
	/* A key of another length than its kind has. */
	ke = entry(KEYPACK_MASTER, 0, "", 1, 31);
	text = ibuf_dynamic(64, 4096);
	CHECK_INT(keypack_put(text, &ke), 0);
	CHECK_INT(keypack_get(text, &ke), -1);
	ibuf_free(text);
}

static void
test_vector(void)
{
	uint8_t	 file[sizeof(old_file) / 2];

	CHECK_INT(hex_decode(file, sizeof(file), old_file), 0);
	opens(file, sizeof(file));
}

static void
print_vector(void)
{
	uint8_t	*file;
	size_t	 i, len;

	file = file_make(&len);
	for (i = 0; i < len; i++)
		printf("%02x", file[i]);
	printf("\n");
	free(file);
}

int
main(int argc, char *argv[])
{
	if (argc > 1 && strcmp(argv[1], "-v") == 0) {
		print_vector();
		return (0);
	}
	test_file();
	test_cost();
	test_entries();
	test_vector();
	return (unit_end());
}
