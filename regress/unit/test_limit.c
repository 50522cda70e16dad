/* limit.c: tokens, their return, the bound of the table, keys of addresses. */

#include "limit.h"
#include "unit.h"

static void
key_of(uint8_t key[LIMIT_KEY], unsigned int n)
{
	memset(key, 0, LIMIT_KEY);
	key[0] = (uint8_t)(n >> 8);
	key[1] = (uint8_t)n;
}

static void
test_burst(void)
{
	struct limit	*li;
	uint8_t		 key[LIMIT_KEY], other[LIMIT_KEY];
	unsigned int	 i, taken = 0;

	key_of(key, 1);
	key_of(other, 2);
	if ((li = limit_new(10, 30, 30)) == NULL)
		abort();
	for (i = 0; i < 40; i++)
		taken += limit_take(li, key, 1000) == 0;
	CHECK_INT(taken, 30);
	CHECK_INT(limit_take(li, key, 1000), 2000);
	CHECK_INT(limit_take(li, other, 1000), 0);
	CHECK_INT(limit_count(li), 2);
	limit_free(li);
	limit_free(NULL);
}

static void
test_refill(void)
{
	struct limit	*li;
	uint8_t		 key[LIMIT_KEY];

	key_of(key, 1);
	if ((li = limit_new(10, 2, 10)) == NULL)	/* one in 6 s */
		abort();
	CHECK_INT(limit_take(li, key, 0), 0);
	CHECK_INT(limit_take(li, key, 0), 0);
	CHECK_INT(limit_take(li, key, 0), 6000);
	CHECK_INT(limit_take(li, key, 5999), 1);
	CHECK_INT(limit_take(li, key, 6000), 0);
	CHECK_INT(limit_take(li, key, 6000), 6000);
	/* A clock that goes back gives nothing and takes nothing. */
	CHECK_INT(limit_take(li, key, 3000), 6000);
	CHECK_INT(limit_take(li, key, 9000), 3000);
	/* Long ago, even for ever, is the burst and no more. */
	CHECK_INT(limit_take(li, key, UINT64_MAX), 0);
	CHECK_INT(limit_take(li, key, UINT64_MAX), 0);
	CHECK_INT(limit_take(li, key, UINT64_MAX), 6000);
	limit_free(li);
}

static void
test_give(void)
{
	struct limit	*li;
	uint8_t		 key[LIMIT_KEY];

	key_of(key, 1);
	if ((li = limit_new(10, 2, 10)) == NULL)
		abort();
	limit_give(li, key);
	CHECK_INT(limit_count(li), 0);
	CHECK_INT(limit_take(li, key, 0), 0);
	limit_give(li, key);
	limit_give(li, key);
	CHECK_INT(limit_take(li, key, 0), 0);
	CHECK_INT(limit_take(li, key, 0), 0);
	CHECK(limit_take(li, key, 0) != 0);
	limit_give(li, key);
	CHECK_INT(limit_take(li, key, 0), 0);
	limit_free(li);
}

static void
test_bound(void)
{
	struct limit	*li;
	uint8_t		 key[LIMIT_KEY];
	unsigned int	 i, taken = 0;

	if ((li = limit_new(100, 1, 1)) == NULL)
		abort();
	for (i = 0; i < 1000; i++) {
		key_of(key, i);
		taken += limit_take(li, key, 0) == 0;
	}
	CHECK_INT(taken, 1000);
	CHECK_INT(limit_count(li), 100);
	/* The newest are remembered, also after a look; the oldest not. */
	key_of(key, 999);
	CHECK(limit_take(li, key, 0) != 0);
	key_of(key, 900);
	CHECK(limit_take(li, key, 0) != 0);
	key_of(key, 1000);
	CHECK_INT(limit_take(li, key, 0), 0);
	key_of(key, 900);
	CHECK(limit_take(li, key, 0) != 0);
	key_of(key, 901);
	CHECK_INT(limit_take(li, key, 0), 0);
	CHECK_INT(limit_count(li), 100);
	limit_free(li);
}

static void
test_fast(void)
{
	struct limit	*li;
	uint8_t		 key[LIMIT_KEY];
	unsigned int	 i, n, taken = 0;

	key_of(key, 1);
	if ((li = limit_new(16, 400, 4000 * 60)) == NULL)
		abort();
	for (i = 0; i < 1000; i++)
		for (n = 0; n < 100; n++)
			taken += limit_take(li, key, i) == 0;
	CHECK_INT(taken, 400 + 4 * 999);
	limit_free(li);
}

static int
same(const char *a, const char *b)
{
	uint8_t	 ka[LIMIT_KEY], kb[LIMIT_KEY];

	limit_addr(ka, a);
	limit_addr(kb, b);
	return (memcmp(ka, kb, sizeof(ka)) == 0);
}

static void
test_addr(void)
{
	CHECK(same("127.0.0.1", "127.0.0.1"));
	CHECK(!same("127.0.0.1", "127.0.0.2"));
	CHECK(same("127.0.0.1", "::ffff:127.0.0.1"));
	CHECK(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
	CHECK(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
	CHECK(!same("::", "0.0.0.0"));
	CHECK(same("nonsense", ""));
	CHECK(!same("nonsense", "0.0.0.0"));
	CHECK_INT(limit_seconds(0), 1);
	CHECK_INT(limit_seconds(1000), 1);
	CHECK_INT(limit_seconds(1001), 2);
	CHECK_INT(limit_seconds(UINT32_MAX), 4294968);
}

int
main(void)
{
	test_burst();
	test_refill();
	test_give();
	test_bound();
	test_fast();
	test_addr();
	return (unit_end());
}
