/*
 * With -v the vectors go to standard output, for seal_reader.py: key, table,
 * column, row, version, bound bytes, text and record, in hex where not words.
 */
#include "seal.h"
#include "unit.h"
#include "util.h"

static const uint8_t	 key1[SEAL_KEY] = "0123456789abcdef0123456789abcde";
static const uint8_t	 key2[SEAL_KEY] = "0123456789abcdef0123456789abcdf";
static const char	 text[] = "a word that nobody else may read";

/* A record of November 2026 that must open for as long as format 1 lives. */
static const char	 old_record[] =
    "010000000100031773"
    "000102030405060708090a0b"
    "8c0a6ce62814d99f72ec47d8a2447355f5d3a448f61056fb5f3d";

static ssize_t
try(struct seal *se, struct seal_at at, const uint8_t *rec, size_t len)
{
	uint8_t	 out[256];

	return (seal_open(se, &at, rec, len, out));
}

static void
test_open(void)
{
	struct seal_at	 at = { "users", "mail", 7, 3, "bound", 5 }, o;
	struct seal	*se = seal_new(key1, 1), *other = seal_new(key2, 1);
	struct seal	*later = seal_new(key1, 2);
	uint8_t		 rec[sizeof(text) + SEAL_OVER], out[sizeof(text)];
	uint8_t		 again[sizeof(rec)];

	CHECK_INT(seal_make(se, &at, text, sizeof(text), rec), 0);
	CHECK_INT(seal_open(se, &at, rec, sizeof(rec), out), sizeof(text));
	CHECK(memcmp(out, text, sizeof(text)) == 0);
	CHECK(memmem(rec, sizeof(rec), "nobody", 6) == NULL);
	CHECK_INT(seal_make(se, &at, text, sizeof(text), again), 0);
	CHECK(memcmp(rec, again, sizeof(rec)) != 0);

	CHECK_INT(try(other, at, rec, sizeof(rec)), -1);
	CHECK_INT(try(later, at, rec, sizeof(rec)), -1);
	o = at; o.sa_table = "tokens";
	CHECK_INT(try(se, o, rec, sizeof(rec)), -1);
	o = at; o.sa_column = "name";
	CHECK_INT(try(se, o, rec, sizeof(rec)), -1);
	o = at; o.sa_row = 8;
	CHECK_INT(try(se, o, rec, sizeof(rec)), -1);
	o = at; o.sa_version = 2;
	CHECK_INT(try(se, o, rec, sizeof(rec)), -1);
	o = at; o.sa_bindlen = 4;
	CHECK_INT(try(se, o, rec, sizeof(rec)), -1);
	o = at; o.sa_bind = "bounD";
	CHECK_INT(try(se, o, rec, sizeof(rec)), -1);
	seal_free(se);
	seal_free(other);
	seal_free(later);
}

/* Each bit and each length: what is not whole does not open. */
static void
test_damage(void)
{
	const struct seal_at	 at = { "users", "mail", 7, 3, NULL, 0 };
	struct seal		*se = seal_new(key1, 1);
	uint8_t			 rec[sizeof(text) + SEAL_OVER];
	size_t			 i, opened = 0;

	CHECK_INT(seal_make(se, &at, text, sizeof(text), rec), 0);
	for (i = 0; i < sizeof(rec) * 8; i++) {
		rec[i / 8] ^= (uint8_t)(1 << i % 8);
		opened += try(se, at, rec, sizeof(rec)) != -1;
		rec[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	CHECK_INT(opened, 0);
	for (i = 0; i < sizeof(rec); i++)
		opened += try(se, at, rec, i) != -1;
	CHECK_INT(opened, 0);
	CHECK_INT(try(se, at, rec, sizeof(rec)), sizeof(text));
	CHECK_INT(try(se, at, NULL, 0), -1);
	seal_free(se);
}

static void
test_limits(void)
{
	static char	 big[SEAL_MAX + 1];
	static uint8_t	 rec[SEAL_MAX + 1 + SEAL_OVER];
	char		 name[33];
	struct seal_at	 at = { "users", "mail", 1, 0, NULL, 0 };
	struct seal	*se = seal_new(key1, 1), *all[SEAL_SLOTS];
	size_t		 i, n = 0;

	CHECK_INT(seal_make(se, &at, "", 0, rec), 0);
	CHECK_INT(seal_open(se, &at, rec, SEAL_OVER, big), 0);
	CHECK_INT(seal_make(se, &at, big, SEAL_MAX, rec), 0);
	CHECK_INT(seal_open(se, &at, rec, SEAL_MAX + SEAL_OVER, big),
	    SEAL_MAX);
	CHECK_INT(seal_make(se, &at, big, SEAL_MAX + 1, rec), -1);
	memset(name, 'x', 32);
	name[32] = '\0';
	at.sa_table = name;
	CHECK_INT(seal_make(se, &at, "", 0, rec), -1);
	at.sa_table = "";
	CHECK_INT(seal_make(se, &at, "", 0, rec), -1);
	at.sa_table = "users";
	at.sa_bindlen = SEAL_BIND + 1;
	CHECK_INT(seal_make(se, &at, "", 0, rec), -1);
	for (i = 0; i < SEAL_SLOTS; i++)
		n += (all[i] = seal_new(key1, 1)) != NULL;
	CHECK_INT(n, SEAL_SLOTS - 1);
	for (i = 0; i < SEAL_SLOTS; i++)
		seal_free(all[i]);
	seal_free(se);
}

/* More tables than a key keeps: each record still finds its own. */
static void
test_tables(void)
{
	struct seal	*se = seal_new(key1, 1);
	struct seal_at	 at = { NULL, "c", 1, 0, NULL, 0 };
	uint8_t		 rec[40][SEAL_OVER + 1], out[1];
	char		 name[8];
	uint8_t		 i;

	at.sa_table = name;
	for (i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "t%u", i);
		CHECK_INT(seal_make(se, &at, &i, 1, rec[i]), 0);
	}
	for (i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "t%u", i);
		CHECK_INT(seal_open(se, &at, rec[i], SEAL_OVER + 1, out), 1);
		CHECK_INT(out[0], i);
	}
	seal_free(se);
}

static void
test_index(void)
{
	struct seal	*se = seal_new(key1, 1), *other = seal_new(key2, 1);
	uint8_t		 a[SEAL_INDEX], b[SEAL_INDEX];

	CHECK_INT(seal_index(se, "mail", "x@y.test", 8, a), 0);
	CHECK_INT(seal_index(se, "mail", "x@y.test", 8, b), 0);
	CHECK(memcmp(a, b, sizeof(a)) == 0);
	CHECK_INT(seal_index(se, "ref", "x@y.test", 8, b), 0);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	CHECK_INT(seal_index(other, "mail", "x@y.test", 8, b), 0);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	seal_free(se);
	seal_free(other);
}

static void
test_wrap(void)
{
	uint8_t		 wrapped[SEAL_WRAPPED], key[SEAL_KEY];
	uint32_t	 generation = 0;

	CHECK_INT(seal_wrap(key1, 12, 3, key2, wrapped), 0);
	CHECK_INT(seal_unwrap(key1, 12, wrapped, sizeof(wrapped), &generation,
	    key), 0);
	CHECK_INT(generation, 3);
	CHECK(memcmp(key, key2, sizeof(key)) == 0);
	CHECK_INT(seal_unwrap(key1, 13, wrapped, sizeof(wrapped), &generation,
	    key), -1);			/* another tenant's file */
	CHECK_INT(seal_unwrap(key2, 12, wrapped, sizeof(wrapped), &generation,
	    key), -1);
	CHECK_INT(seal_unwrap(key1, 12, wrapped, sizeof(wrapped) - 1,
	    &generation, key), -1);
	wrapped[4] ^= 1;		/* the generation */
	CHECK_INT(seal_unwrap(key1, 12, wrapped, sizeof(wrapped), &generation,
	    key), -1);
}

/* A key takes the place of another, and then is the only one. */
static void
test_turn(void)
{
	struct seal_at	 at = { "users", "mail", 7, 3, NULL, 0 };
	struct seal	*se = seal_new(key1, 1);
	uint8_t		 old[SEAL_OVER + 4], new[SEAL_OVER + 4];

	CHECK_INT(seal_make(se, &at, "word", 4, old), 0);
	CHECK_INT(seal_oldgen(se), 0);
	seal_turn(se, key2, 2);
	CHECK_INT(seal_generation(se), 2);
	CHECK_INT(seal_oldgen(se), 1);
	CHECK_INT(try(se, at, old, sizeof(old)), 4);
	CHECK_INT(seal_make(se, &at, "word", 4, new), 0);
	CHECK_INT(seal_of(old, sizeof(old)), 1);
	CHECK_INT(seal_of(new, sizeof(new)), 2);
	CHECK_INT(seal_of(new, SEAL_OVER - 1), 0);
	CHECK_INT(try(se, at, new, sizeof(new)), 4);
	CHECK_INT(try(se, at, old, sizeof(old)), 4);
	new[4] = 1;			/* says that the old one made it */
	CHECK_INT(try(se, at, new, sizeof(new)), -1);
	new[4] = 2;
	seal_settle(se);
	CHECK_INT(seal_oldgen(se), 0);
	CHECK_INT(try(se, at, old, sizeof(old)), -1);
	CHECK_INT(try(se, at, new, sizeof(new)), 4);
	seal_free(se);
}

/* What was found by an index is found after its key has gone. */
static void
test_kept(void)
{
	static const char *const names[] = { "mail", "lock", "passkey",
	    "handle", "ref", "floors", "groups", "roles" };
	struct seal	*se = seal_new(key1, 1), *later = seal_new(key2, 2);
	uint8_t		 text[SEAL_KEPT], again[SEAL_KEPT];
	uint8_t		 a[SEAL_INDEX], b[SEAL_INDEX];
	size_t		 i;
	int		 n;

	CHECK((n = seal_keep(se, text)) > 0);
	CHECK_INT(seal_kept(later, text, (size_t)n), 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK_INT(seal_index(se, names[i], "x", 1, a), 0);
		CHECK_INT(seal_index(later, names[i], "x", 1, b), 0);
		CHECK(memcmp(a, b, sizeof(a)) == 0);
	}
	/* And once more, from what was kept and no longer from a key. */
	CHECK_INT(seal_keep(later, again), n);
	CHECK(memcmp(text, again, (size_t)n) == 0);
	CHECK(memmem(text, (size_t)n, key1, SEAL_KEY) == NULL);
	CHECK_INT(seal_index(se, "unheard-of", "x", 1, a), -1);
	CHECK_INT(seal_kept(later, text, (size_t)n - 1), -1);
	text[0] = 0;
	CHECK_INT(seal_kept(later, text, (size_t)n), -1);
	seal_free(se);
	seal_free(later);
}

/* The fixed record, made by seal_reader.py and not by this program. */
static void
test_vector(void)
{
	const struct seal_at	 at = { "messages", "text", 91, 2, "\1\2", 2 };
	struct seal		*se = seal_new(key1, 1);
	uint8_t			 rec[sizeof(old_record) / 2], out[64];
	ssize_t			 n;

	CHECK_INT(hex_decode(rec, sizeof(rec), old_record), 0);
	n = seal_open(se, &at, rec, sizeof(rec), out);
	CHECK_INT(n, 10);
	CHECK(n == 10 && memcmp(out, "old record", 10) == 0);
	seal_free(se);
}

static void
print_hex(const char *name, const void *data, size_t len)
{
	char	 hex[1024];

	hex_encode(hex, data, len);
	printf("%s=%s ", name, hex);
}

static void
print_vectors(void)
{
	static const struct seal_at	 ats[] = {
		{ "users", "mail", 1, 0, NULL, 0 },
		{ "users", "rights", 2, 9, NULL, 0 },
		{ "messages", "text", UINT64_MAX, 0, "\0\1\2\377", 4 }
	};
	struct seal	*se = seal_new(key1, 1), *sys = seal_system(key1);
	uint8_t		 rec[256], index[SEAL_INDEX], wrapped[SEAL_WRAPPED];
	size_t		 i;

	for (i = 0; i < 4; i++) {
		const struct seal_at	*at = &ats[i % 3];

		(void)seal_make(i == 3 ? sys : se, at, text, strlen(text),
		    rec);
		printf("%s table=%s column=%s row=%llu version=%llu ",
		    i == 3 ? "system" : "record", at->sa_table,
		    at->sa_column, (unsigned long long)at->sa_row,
		    (unsigned long long)at->sa_version);
		print_hex("key", key1, sizeof(key1));
		print_hex("bind", at->sa_bind, at->sa_bindlen);
		print_hex("text", text, strlen(text));
		print_hex("record", rec, strlen(text) + SEAL_OVER);
		printf("\n");
	}
	(void)seal_index(se, "mail", "x@y.test", 8, index);
	printf("index what=mail ");
	print_hex("key", key1, sizeof(key1));
	print_hex("text", "x@y.test", 8);
	print_hex("record", index, sizeof(index));
	(void)seal_wrap(key1, 12, 3, key2, wrapped);
	printf("\nwrap tenant=12 ");
	print_hex("key", key1, sizeof(key1));
	print_hex("text", key2, sizeof(key2));
	print_hex("record", wrapped, sizeof(wrapped));
	printf("\n");
}

int
main(int argc, char *argv[])
{
	CHECK_INT(seal_init(), 0);
	if (argc > 1 && strcmp(argv[1], "-v") == 0) {
		print_vectors();
		return (0);
	}
	test_open();
	test_damage();
	test_limits();
	test_tables();
	test_index();
	test_turn();
	test_kept();
	test_wrap();
	test_vector();
	return (unit_end());
}
