/* hash.c: sealed records that open under their pepper only, and only whole. */

#include <sys/types.h>

#include <argon2.h>

#include "hash.h"
#include "risad.h"
#include "unit.h"

static const struct hash_cost	 cheap = { 64, 1 };
static uint8_t			 key[HASH_KEY];

/* The runs of Argon2 in order, each as what it costs. */
static struct hash_cost		 runs[64];
static unsigned int		 nruns;

int	 __real_argon2id_hash_raw(const uint32_t, const uint32_t,
	    const uint32_t, const void *, const size_t, const void *,
	    const size_t, void *, const size_t);
int	 __wrap_argon2id_hash_raw(const uint32_t, const uint32_t,
	    const uint32_t, const void *, const size_t, const void *,
	    const size_t, void *, const size_t);

int
__wrap_argon2id_hash_raw(const uint32_t passes, const uint32_t kib,
    const uint32_t lanes, const void *pwd, const size_t pwdlen,
    const void *salt, const size_t saltlen, void *out, const size_t outlen)
{
	if (nruns < sizeof(runs) / sizeof(runs[0]))
		runs[nruns++] = (struct hash_cost){ kib, passes };
	return (__real_argon2id_hash_raw(passes, kib, lanes, pwd, pwdlen,
	    salt, saltlen, out, outlen));
}

static void
test_key(void)
{
	uint8_t	 pepper[HASH_KEY], a[HASH_KEY], b[HASH_KEY];

	memset(pepper, 1, sizeof(pepper));
	CHECK_INT(hash_key(a, pepper, HASH_PASSWORDS), 0);
	CHECK_INT(hash_key(key, pepper, HASH_PASSWORDS), 0);
	CHECK(memcmp(a, key, sizeof(a)) == 0);
	CHECK(memcmp(a, pepper, sizeof(a)) != 0);
	pepper[31] ^= 1;
	CHECK_INT(hash_key(b, pepper, HASH_PASSWORDS), 0);
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

/* What the next check of a record costs: the runs of it. */
static unsigned int
even(struct hash_costs *hs, const uint8_t *sealed, const char *password,
    enum hash_answer want)
{
	nruns = 0;
	CHECK_INT(hash_even(key, hs, sealed, HASH_SEALED, password), want);
	return (nruns);
}

/*
 * Once the cost has changed, up or down: a record of before and one of now, a
 * right password and a wrong one, and one that does not open, take the same
 * work in the same order.
 */
static void
test_even(void)
{
	static const struct hash_cost	 now[] = { { 128, 2 }, { 16, 1 } };
	struct hash_cost		 want[64];
	struct hash_costs		 hs = { .hs_n = 0 };
	uint8_t				 rec[3][HASH_SEALED];
	unsigned int			 i, r, n;

	hash_costs_set(&hs, &cheap);
	CHECK_INT(hash_make(key, &cheap, "12345678", rec[0]), 0);
	CHECK_INT(even(&hs, rec[0], "12345678", HASH_RIGHT), 1);
	CHECK_INT(hash_stale(key, &hs, rec[0], HASH_SEALED), 0);
	for (i = 0; i < 2; i++) {
		hash_costs_set(&hs, &now[i]);
		CHECK_INT(hash_make(key, &now[i], "12345678", rec[1]), 0);
		memcpy(rec[2], rec[1], HASH_SEALED);
		rec[2][HASH_SEALED - 1] ^= 1;
		CHECK_INT(hash_stale(key, &hs, rec[0], HASH_SEALED), 1);
		CHECK_INT(hash_stale(key, &hs, rec[1], HASH_SEALED), 0);
		CHECK_INT(hash_stale(key, &hs, rec[2], HASH_SEALED), 0);
		n = even(&hs, rec[0], "12345678", HASH_RIGHT);
		CHECK_INT(n, i + 2);
		memcpy(want, runs, n * sizeof(*runs));
		for (r = 0; r < 3; r++) {
			CHECK_INT(even(&hs, rec[r], "1234567", HASH_WRONG),
			    n);
			CHECK(memcmp(want, runs, n * sizeof(*runs)) == 0);
			CHECK_INT(even(&hs, rec[r], "12345678", r == 2 ?
			    HASH_WRONG : HASH_RIGHT), n);
			CHECK(memcmp(want, runs, n * sizeof(*runs)) == 0);
		}
	}
}

/* Started anew it knows nothing of before, until it has seen one. */
static void
test_even_learns(void)
{
	struct hash_costs	 hs = { .hs_n = 0 };
	struct hash_cost	 hc = { 16, 1 };
	uint8_t			 old[HASH_SEALED], new[HASH_SEALED];
	unsigned int		 i;

	CHECK_INT(hash_make(key, &cheap, "12345678", old), 0);
	CHECK_INT(hash_make(key, &hc, "12345678", new), 0);
	hash_costs_set(&hs, &hc);
	CHECK_INT(even(&hs, new, "12345678", HASH_RIGHT), 1);
	CHECK_INT(even(&hs, old, "wrong", HASH_WRONG), 2);
	CHECK_INT(even(&hs, new, "wrong", HASH_WRONG), 2);
	/* The same again is none more, and there is an end of them. */
	hash_costs_set(&hs, &cheap);
	hash_costs_set(&hs, &hc);
	CHECK_INT(even(&hs, new, "wrong", HASH_WRONG), 2);
	for (i = 2; i < 3 * HASH_COSTS; i++) {
		hc.hc_kib = 16 + i;
		CHECK_INT(hash_make(key, &hc, "12345678", old), 0);
		CHECK_INT(even(&hs, old, "12345678", HASH_RIGHT),
		    i < HASH_COSTS ? i + 1 : HASH_COSTS);
	}
	CHECK_INT(even(&hs, new, "12345678", HASH_RIGHT), HASH_COSTS);
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

/* The seed of RFC 6238, sealed for user 9 of tenant 3. */
static void
rfc_seed(uint8_t sealed[OTP_SEALED])
{
	static const uint8_t	 bind[] = { 0, 0, 0, 3, 0, 0, 0, 9 };

	CHECK_INT(hash_seal(key, bind, sizeof(bind), "12345678901234567890",
	    TOTP_SEED, sealed), 0);
}

/* RFC 6238, appendix B: the last six of its eight digits. */
static void
test_totp(void)
{
	static const struct {
		uint64_t	 at;
		const char	*code;
	} rfc[] = {
		{ 59, "287082" }, { 1111111109, "081804" },
		{ 1111111111, "050471" }, { 1234567890, "005924" },
		{ 2000000000, "279037" }, { 20000000000, "353130" },
	};
	uint8_t		 sealed[OTP_SEALED];
	uint64_t	 step;
	size_t		 i;

	rfc_seed(sealed);
	for (i = 0; i < sizeof(rfc) / sizeof(rfc[0]); i++) {
		step = 0;
		CHECK_INT(otp_check(key, 3, 9, sealed, sizeof(sealed),
		    rfc[i].code, rfc[i].at, &step), HASH_RIGHT);
		CHECK_INT(step, rfc[i].at / 30);
		/* One step before and after, and no further. */
		CHECK_INT(otp_check(key, 3, 9, sealed, sizeof(sealed),
		    rfc[i].code, rfc[i].at + 30, &step), HASH_RIGHT);
		CHECK_INT(step, rfc[i].at / 30);
		if (rfc[i].at >= 60) {
			CHECK_INT(otp_check(key, 3, 9, sealed, sizeof(sealed),
			    rfc[i].code, rfc[i].at - 30, &step), HASH_RIGHT);
			CHECK_INT(step, rfc[i].at / 30);
			CHECK_INT(otp_check(key, 3, 9, sealed, sizeof(sealed),
			    rfc[i].code, rfc[i].at - 60, &step), HASH_WRONG);
		}
		CHECK_INT(otp_check(key, 3, 9, sealed, sizeof(sealed),
		    rfc[i].code, rfc[i].at + 60, &step), HASH_WRONG);
	}
	CHECK_INT(otp_check(key, 3, 9, sealed, sizeof(sealed), "28708", 59,
	    &step), HASH_WRONG);
	CHECK_INT(otp_check(key, 3, 9, sealed, sizeof(sealed), "2870820", 59,
	    &step), HASH_WRONG);
	CHECK_INT(otp_check(key, 3, 9, sealed, sizeof(sealed), "", 59, &step),
	    HASH_WRONG);
}

/* A record opens for its owner, whole, under its pepper. */
static void
test_otp_bound(void)
{
	uint8_t		 sealed[OTP_SEALED], seed[TOTP_SEED], two[TOTP_SEED];
	uint8_t		 other[HASH_KEY];
	uint64_t	 step;
	size_t		 i;

	rfc_seed(sealed);
	CHECK_INT(otp_check(key, 3, 8, sealed, sizeof(sealed), "287082", 59,
	    &step), HASH_WRONG);
	CHECK_INT(otp_check(key, 2, 9, sealed, sizeof(sealed), "287082", 59,
	    &step), HASH_WRONG);
	CHECK_INT(otp_check(key, 3, 9, sealed, 0, "287082", 59, &step),
	    HASH_WRONG);
	CHECK_INT(otp_check(key, 3, 9, sealed, sizeof(sealed) - 1, "287082",
	    59, &step), HASH_WRONG);
	memcpy(other, key, sizeof(other));
	other[3] ^= 1;
	CHECK_INT(otp_check(other, 3, 9, sealed, sizeof(sealed), "287082", 59,
	    &step), HASH_WRONG);
	for (i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 1;
		CHECK_INT(otp_check(key, 3, 9, sealed, sizeof(sealed),
		    "287082", 59, &step), HASH_WRONG);
		sealed[i] ^= 1;
	}
	CHECK_INT(otp_make(key, 3, 9, seed, sealed), 0);
	CHECK_INT(otp_make(key, 3, 9, two, sealed), 0);
	CHECK(memcmp(seed, two, sizeof(seed)) != 0);
	for (i = 0; i + 4 <= sizeof(sealed); i++)
		CHECK(memcmp(sealed + i, two, 4) != 0);
}

static void
test_otp_kind(void)
{
	static const struct {
		const char	*typed;
		uint8_t		 kind;
		const char	*code;
	} cases[] = {
		{ "123456", FACTOR_TOTP, "123456" },
		{ " 123 456", FACTOR_TOTP, "123456" },
		{ "ABCD-EFGH-2345-67AB", FACTOR_RECOVERY, "ABCDEFGH234567AB" },
		{ "abcdefgh 234567ab", FACTOR_RECOVERY, "ABCDEFGH234567AB" },
		{ "2222222222222222", FACTOR_RECOVERY, "2222222222222222" },
		{ "ABCD-EFGH-2345-67A1", 0, NULL }, { "12345", 0, NULL },
		{ "1234567", 0, NULL }, { "12345a", 0, NULL },
		{ "", 0, NULL }, { "-", 0, NULL },
		{ "ABCDEFGH234567ABC", 0, NULL },
		{ "\xef\xbc\x91\xef\xbc\x92", 0, NULL },
	};
	char	 code[OTP_CODE];
	size_t	 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_INT(otp_kind(cases[i].typed, code), cases[i].kind);
		if (cases[i].code != NULL)
			CHECK_STR(code, cases[i].code);
	}
}

/* Ten different ones; each hash is that of its line, and of its owner. */
static void
test_recovery(void)
{
	char	 text[RECOVERY_LINES], line[RECOVERY_TEXT], code[OTP_CODE];
	uint8_t	 shas[RECOVERY_CODES][TOKEN_LEN], sha[TOKEN_LEN];
	size_t	 i, j;

	CHECK_INT(recovery_make(3, 9, text, shas), 0);
	CHECK_INT(strlen(text), RECOVERY_LINES - 1);
	for (i = 0; i < RECOVERY_CODES; i++) {
		memcpy(line, text + i * RECOVERY_TEXT, RECOVERY_TEXT);
		CHECK_INT(line[RECOVERY_TEXT - 1], '\n');
		line[RECOVERY_TEXT - 1] = '\0';
		CHECK_INT(otp_kind(line, code), FACTOR_RECOVERY);
		CHECK_INT(recovery_hash(3, 9, code, sha), 0);
		CHECK(memcmp(sha, shas[i], sizeof(sha)) == 0);
		CHECK_INT(recovery_hash(3, 8, code, sha), 0);
		CHECK(memcmp(sha, shas[i], sizeof(sha)) != 0);
		CHECK_INT(recovery_hash(2, 9, code, sha), 0);
		CHECK(memcmp(sha, shas[i], sizeof(sha)) != 0);
		for (j = 0; j < i; j++)
			CHECK(memcmp(shas[j], shas[i], sizeof(sha)) != 0);
	}
}

int
main(void)
{
	test_key();
	test_check();
	test_cost();
	test_even();
	test_even_learns();
	test_forged();
	test_hidden();
	test_totp();
	test_otp_bound();
	test_otp_kind();
	test_recovery();
	return (unit_end());
}
