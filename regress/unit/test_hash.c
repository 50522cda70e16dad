/* hash.c: sealed records that open under their pepper only, and only whole. */

#include <sys/types.h>

#include "hash.h"
#include "risad.h"
#include "unit.h"

static const struct hash_cost	 cheap = { 64, 1 };
static uint8_t			 key[HASH_KEY];

static void
test_key(void)
{
	uint8_t	 pepper[HASH_KEY], a[HASH_KEY], b[HASH_KEY];

	memset(pepper, 1, sizeof(pepper));
	CHECK_INT(hash_key(a, pepper), 0);
	CHECK_INT(hash_key(key, pepper), 0);
	CHECK(memcmp(a, key, sizeof(a)) == 0);
	CHECK(memcmp(a, pepper, sizeof(a)) != 0);
	pepper[31] ^= 1;
	CHECK_INT(hash_key(b, pepper), 0);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
}

static void
test_check(void)
{
	uint8_t	 one[HASH_SEALED], two[HASH_SEALED];

	CHECK_INT(hash_make(key, &cheap, "correct horse", one), 0);
	CHECK_INT(hash_make(key, &cheap, "correct horse", two), 0);
	CHECK(memcmp(one, two, sizeof(one)) != 0);
	CHECK_INT(hash_check(key, &cheap, one, sizeof(one), "correct horse"),
	    HASH_RIGHT);
	CHECK_INT(hash_check(key, &cheap, two, sizeof(two), "correct horse"),
	    HASH_RIGHT);
	CHECK_INT(hash_check(key, &cheap, one, sizeof(one), "correct hors"),
	    HASH_WRONG);
	CHECK_INT(hash_check(key, &cheap, one, sizeof(one), "correct horse "),
	    HASH_WRONG);
	CHECK_INT(hash_check(key, &cheap, one, sizeof(one), ""), HASH_WRONG);
	CHECK_INT(hash_make(key, &cheap, "", one), 0);
	CHECK_INT(hash_check(key, &cheap, one, sizeof(one), ""), HASH_RIGHT);
}

/* The record's own cost counts, not the one of today. */
static void
test_cost(void)
{
	const struct hash_cost	 other = { 128, 2 };
	struct hash_cost	 bad;
	uint8_t			 sealed[HASH_SEALED];

	CHECK_INT(hash_make(key, &cheap, "12345678", sealed), 0);
	CHECK_INT(hash_check(key, &other, sealed, sizeof(sealed), "12345678"),
	    HASH_RIGHT);
	bad = (struct hash_cost){ HASH_MIN_KIB - 1, 1 };
	CHECK_INT(hash_make(key, &bad, "12345678", sealed), -1);
	bad = (struct hash_cost){ HASH_MAX_KIB + 1, 1 };
	CHECK_INT(hash_make(key, &bad, "12345678", sealed), -1);
	bad = (struct hash_cost){ 64, 0 };
	CHECK_INT(hash_make(key, &bad, "12345678", sealed), -1);
	bad = (struct hash_cost){ 64, HASH_MAX_PASSES + 1 };
	CHECK_INT(hash_make(key, &bad, "12345678", sealed), -1);
}

/* A changed byte anywhere, another length, another pepper: never right. */
static void
test_forged(void)
{
	uint8_t	 sealed[HASH_SEALED + 1], other[HASH_KEY];
	size_t	 i;

	sealed[HASH_SEALED] = 0;
	CHECK_INT(hash_make(key, &cheap, "12345678", sealed), 0);
	for (i = 0; i < HASH_SEALED; i++) {
		sealed[i] ^= 0x10;
		CHECK_INT(hash_check(key, &cheap, sealed, HASH_SEALED,
		    "12345678"), HASH_WRONG);
		sealed[i] ^= 0x10;
	}
	CHECK_INT(hash_check(key, &cheap, sealed, 0, "12345678"), HASH_WRONG);
	CHECK_INT(hash_check(key, &cheap, sealed, HASH_SEALED - 1,
	    "12345678"), HASH_WRONG);
	CHECK_INT(hash_check(key, &cheap, sealed, HASH_SEALED + 1,
	    "12345678"), HASH_WRONG);
	memcpy(other, key, sizeof(other));
	other[0] ^= 1;
	CHECK_INT(hash_check(other, &cheap, sealed, HASH_SEALED, "12345678"),
	    HASH_WRONG);
	CHECK_INT(hash_check(key, &cheap, sealed, HASH_SEALED, "12345678"),
	    HASH_RIGHT);
}

/* Neither the password nor what it costs stands in the record. */
static void
test_hidden(void)
{
	uint8_t	 sealed[HASH_SEALED];
	size_t	 i, found = 0;

	CHECK_INT(hash_make(key, &cheap, "abcdefghijklmnop", sealed), 0);
	for (i = 0; i + 4 <= sizeof(sealed); i++)
		found += memcmp(sealed + i, "abcd", 4) == 0 ||
		    memcmp(sealed + i, "\0\0\0\x40", 4) == 0;
	CHECK_INT(found, 0);
}

int
main(void)
{
	test_key();
	test_check();
	test_cost();
	test_forged();
	test_hidden();
	return (unit_end());
}
