/*
 * auth_failure.c, auth_address.c, auth_attack.c, auth_device.c: guessing, as
 * the clock that the test is sees it.
 */

#include "auth_address.h"
#include "auth_attack.h"
#include "auth_device.h"
#include "auth_failure.h"
#include "unit.h"

#define SEC	1000ULL
#define MIN	(60 * SEC)
#define HOUR	(60 * MIN)

static const struct failure_rule	 rule = { 10, 30 * MIN };

static const uint8_t *
key(unsigned int n)
{
	static uint8_t	 k[FAILURE_KEY];

	memset(k, 0, sizeof(k));
	k[0] = (uint8_t)(n >> 16);
	k[1] = (uint8_t)(n >> 8);
	k[2] = (uint8_t)n;
	k[9] = 1;
	return (k);
}

/* Try and fail; the wait after it, or -1 when it was not let go on. */
static long long
fail(struct failures *fa, unsigned int n, uint64_t now)
{
	uint64_t	 ms;

	if (failure_try(fa, 1, key(n), &rule, now, &ms) != FAILURE_GO)
		return (-1);
	(void)failure_wrong(fa, key(n), &rule, now);
	if (failure_try(fa, 1, key(n), &rule, now, &ms) == FAILURE_GO) {
		failure_open(fa, key(n));
		return (0);
	}
	return ((long long)ms);
}

/* One slip is free, then 1, 2, 4 ... s, 64 at most, and the lock. */
static void
test_growth(void)
{
	static const long long	 want[] = {
		0, 1, 2, 4, 8, 16, 32, 64, 64, 30 * 60
	};
	struct failures	*fa = failures_new(100);
	uint64_t	 now = 5000, ms;
	size_t		 keys, locked;
	uint32_t	 most;
	unsigned int	 i;

	for (i = 0; i < 10; i++) {
		CHECK_INT(fail(fa, 1, now), want[i] * SEC);
		if (i < 9 && want[i] > 0)
			CHECK_INT(fail(fa, 1, now + want[i] * SEC - 1), -1);
		if (i < 9)
			now += want[i] * SEC;
	}
	CHECK_INT(failure_try(fa, 1, key(1), &rule, now, &ms),
	    FAILURE_LOCKED);
	CHECK_INT(failure_try(fa, 1, key(1), &rule, now + 30 * MIN - 1, &ms),
	    FAILURE_LOCKED);
	CHECK_INT(ms, 1);
	/* Another one is not concerned. */
	CHECK_INT(fail(fa, 2, now), 0);
	failure_counts(fa, &keys, &locked, &most);
	CHECK_INT(keys, 2);
	CHECK_INT(locked, 1);
	/* Its end begins the count anew. */
	now += 30 * MIN;
	CHECK_INT(fail(fa, 1, now), 0);
	CHECK_INT(fail(fa, 1, now), SEC);
	failure_counts(fa, &keys, &locked, &most);
	CHECK_INT(locked, 0);
	/* A success forgets, and tells of all that was before. */
	now += SEC;
	CHECK_INT(failure_try(fa, 1, key(1), &rule, now, &ms), FAILURE_GO);
	CHECK_INT(failure_right(fa, key(1)), 12);
	CHECK_INT(fail(fa, 1, now), 0);
	/* So does a day. */
	CHECK_INT(fail(fa, 1, now), SEC);
	now += 25 * HOUR;
	CHECK_INT(fail(fa, 1, now), 0);
	failure_tidy(fa, now + 6 * 24 * HOUR);
	CHECK_INT(failure_told(fa, key(1)), 3);
	CHECK_INT(failure_told(fa, key(1)), 0);
	failure_tidy(fa, now + 8 * 24 * HOUR);
	failure_counts(fa, &keys, &locked, &most);
	CHECK_INT(keys, 0);
	failures_free(fa);
}

/* A crowd at once is let go on no further than one after the other. */
static void
test_crowd(void)
{
	struct failures	*fa = failures_new(100);
	uint64_t	 ms;
	size_t		 keys, locked;
	uint32_t	 most;
	unsigned int	 i, go = 0;

	for (i = 0; i < 200; i++)
		go += failure_try(fa, 1, key(1), &rule, 1000, &ms) ==
		    FAILURE_GO;
	CHECK_INT(go, 10);
	CHECK_INT(failure_try(fa, 1, key(1), &rule, 1000, &ms), FAILURE_WAIT);
	CHECK_INT(ms, SEC);
	for (i = 0; i < 9; i++)
		CHECK_INT(failure_wrong(fa, key(1), &rule, 1000), 0);
	CHECK_INT(failure_wrong(fa, key(1), &rule, 1000), 1);
	CHECK_INT(failure_try(fa, 1, key(1), &rule, 1000, &ms),
	    FAILURE_LOCKED);
	failure_counts(fa, &keys, &locked, &most);
	CHECK_INT(most, 10);
	/* A right one among those under way. */
	(void)failure_try(fa, 1, key(2), &rule, 1000, &ms);
	(void)failure_try(fa, 1, key(2), &rule, 1000, &ms);
	CHECK_INT(failure_right(fa, key(2)), 0);
	CHECK_INT(failure_wrong(fa, key(2), &rule, 1000), 0);
	CHECK_INT(failure_told(fa, key(2)), 1);
	/* What nobody knows the end of has not been. */
	(void)failure_try(fa, 1, key(3), &rule, 1000, &ms);
	failure_open(fa, key(3));
	failure_counts(fa, &keys, &locked, &most);
	CHECK_INT(keys, 2);
	failures_free(fa);
}

/*
 * The owner enters by a device of his, which tells of the failures; a try that
 * has no end after that does not make the strangers' count begin anew.
 */
static void
test_told(void)
{
	struct failures	*fa = failures_new(100);
	uint64_t	 now = 1000, ms;
	unsigned int	 i, locked = 0;

	for (i = 0; i < 10 && !locked; i++) {
		while (failure_try(fa, 1, key(1), &rule, now, &ms) ==
		    FAILURE_WAIT)
			now += ms;
		locked = (unsigned int)failure_wrong(fa, key(1), &rule, now);
		if (i != 8)
			continue;
		CHECK_INT(failure_told(fa, key(1)), 9);
		now += 64 * SEC;
		CHECK_INT(failure_try(fa, 1, key(1), &rule, now, &ms),
		    FAILURE_GO);
		failure_open(fa, key(1));
	}
	CHECK_INT(i, 10);
	CHECK_INT(locked, 1);
	failures_free(fa);
}

static void
test_unlock(void)
{
	const struct failure_rule	 one = { 1, FAILURE_NEVER };
	struct failures			*fa = failures_new(100);
	uint64_t			 ms;

	(void)failure_try(fa, 1, key(1), &one, 1000, &ms);
	CHECK_INT(failure_wrong(fa, key(1), &one, 1000), 1);
	CHECK_INT(failure_try(fa, 1, key(1), &one, 1000 * 365 * 24 * HOUR,
	    &ms), FAILURE_LOCKED);
	CHECK(ms == FAILURE_NEVER);
	failure_tidy(fa, 1000 * 365 * 24 * HOUR);
	CHECK_INT(failure_try(fa, 1, key(1), &one, 1000, &ms),
	    FAILURE_LOCKED);
	failure_unlock(fa, key(1));
	CHECK_INT(failure_try(fa, 1, key(1), &one, 1000, &ms), FAILURE_GO);
	failure_open(fa, key(1));
	CHECK_INT(failure_told(fa, key(1)), 1);
	failure_unlock(fa, key(9));		/* nobody */
	/* As storage tells it after a restart. */
	CHECK_INT(failure_lock(fa, 1, key(2), &rule, MIN, 1000), 0);
	CHECK_INT(failure_try(fa, 1, key(2), &rule, 1000 + MIN - 1, &ms),
	    FAILURE_LOCKED);
	CHECK_INT(ms, 1);
	CHECK_INT(failure_try(fa, 1, key(2), &rule, 1000 + MIN, &ms),
	    FAILURE_GO);
	CHECK_INT(failure_right(fa, key(2)), 10);
	/* Not kept: as long a wait as there is, then each failure locks. */
	CHECK_INT(failure_lock(fa, 1, key(3), &rule, MIN, 1000), 0);
	CHECK_INT(failure_locked(fa, key(3)), 1);
	failure_unkept(fa, key(3), &rule, 1000);
	CHECK_INT(failure_locked(fa, key(3)), 0);
	CHECK_INT(failure_locked(fa, key(4)), 0);
	CHECK_INT(failure_try(fa, 1, key(3), &rule, 1000, &ms), FAILURE_WAIT);
	CHECK_INT(ms, 64 * SEC);
	CHECK_INT(failure_try(fa, 1, key(3), &rule, 1000 + ms, &ms),
	    FAILURE_GO);
	CHECK_INT(failure_wrong(fa, key(3), &rule, 1000 + 64 * SEC), 1);
	failures_free(fa);
}

/* Nobody flushes a lock, and one tenant does not take another's room. */
static void
test_full(void)
{
	struct failures	*fa = failures_new(100);
	uint64_t	 ms, now = 1000;
	size_t		 keys, locked;
	uint32_t	 most;
	unsigned int	 i, n = 0;

	CHECK_INT(failure_lock(fa, 1, key(0), &rule, HOUR, now), 0);
	for (i = 1; i < 1000; i++)
		CHECK_INT(fail(fa, i, now + i), 0);
	CHECK_INT(failure_try(fa, 1, key(0), &rule, now, &ms),
	    FAILURE_LOCKED);
	failure_counts(fa, &keys, &locked, &most);
	CHECK_INT(keys, 50);
	CHECK_INT(failure_told(fa, key(1)), 0);		/* made room */
	CHECK_INT(failure_told(fa, key(999)), 1);
	/* Only locks: nobody new, until one ends. */
	for (i = 1; i < 1000; i++)
		n += failure_lock(fa, 1, key(2000 + i), &rule, HOUR, now) == 0;
	CHECK_INT(n, 49);
	CHECK_INT(failure_try(fa, 1, key(5000), &rule, now, &ms),
	    FAILURE_WAIT);
	CHECK_INT(ms, MIN);
	CHECK_INT(failure_try(fa, 2, key(5001), &rule, now, &ms), FAILURE_GO);
	(void)failure_wrong(fa, key(5001), &rule, now);
	/* Those under way stay, too. */
	for (i = 0; i < 60; i++)
		(void)failure_try(fa, 3, key(6000 + i), &rule, now, &ms);
	CHECK_INT(failure_try(fa, 3, key(7000), &rule, now, &ms),
	    FAILURE_WAIT);
	CHECK_INT(failure_try(fa, 1, key(0), &rule, now, &ms),
	    FAILURE_LOCKED);
	now += 2 * HOUR;
	CHECK_INT(failure_try(fa, 1, key(5000), &rule, now, &ms), FAILURE_GO);
	failures_free(fa);
}

static const uint8_t *
addr(unsigned int n)
{
	static uint8_t	 k[LIMIT_KEY];
	char		 text[32];

	snprintf(text, sizeof(text), "10.%u.%u.%u", n >> 16, n >> 8 & 255,
	    n & 255);
	limit_addr(k, text);
	return (k);
}

/* How many failures an address is allowed at once. */
static unsigned int
address_fails(struct addresses *as, unsigned int n, uint64_t now)
{
	unsigned int	 i;

	for (i = 0; i < 10000 && address_try(as, addr(n), now) == 0; i++)
		address_end(as, addr(n), 1, now);
	return (i);
}

static void
test_address(void)
{
	struct addresses	*as = addresses_new(1000);
	uint64_t		 now = 10000;
	unsigned int		 i;

	CHECK_INT(address_fails(as, 1, now), 30);
	CHECK_INT(address_try(as, addr(1), now), SEC);
	CHECK_INT(address_fails(as, 2, now), 30);
	/* Each further one doubles the wait. */
	for (i = 1; i < 9; i++) {
		CHECK_INT(address_fails(as, 1, now), 0);
		now += address_try(as, addr(1), now);
		CHECK_INT(address_fails(as, 1, now), 1);
		CHECK_INT(address_try(as, addr(1), now),
		    SEC << (i < 6 ? i : 6));
	}
	/* Patience is rewarded. */
	now += HOUR;
	CHECK_INT(address_fails(as, 1, now), 30);
	/* Who is right is no failure, however many there are. */
	for (i = 0; i < 1000; i++) {
		CHECK_INT(address_try(as, addr(3), now), 0);
		address_end(as, addr(3), 0, now);
	}
	/* A crowd gets no further. */
	for (i = 0; i < 1000 && address_try(as, addr(4), now) == 0; i++)
		;
	CHECK_INT(i, 30);
	addresses_free(as);
}

/* The more people sign in from it, the more slips it is allowed. */
static void
test_office(void)
{
	struct addresses	*as = addresses_new(100);
	uint64_t		 now = 24 * HOUR;
	unsigned int		 i;

	for (i = 0; i < 5; i++)
		address_person(as, addr(1), i, now);
	address_person(as, addr(1), 2, now);
	CHECK_INT(address_people(as, addr(1), now), 5);
	CHECK_INT(address_fails(as, 1, now), 80);
	for (i = 0; i < 500; i++)
		address_person(as, addr(2), i, now);
	CHECK_INT(address_people(as, addr(2), now), ADDRESS_PEOPLE);
	CHECK_INT(address_fails(as, 2, now), 350);
	/* In an attack, a sixth, and it is forgiven as slowly. */
	address_person(as, addr(3), 1, now);
	address_strict(as, addr(3), now + HOUR, now);
	CHECK_INT(address_fails(as, 3, now), 6);
	now += SEC + 3 * 12 * SEC;
	CHECK_INT(address_fails(as, 3, now), 3);
	/* Others flush no office. */
	for (i = 0; i < 1000; i++)
		(void)address_fails(as, 100 + i, now);
	CHECK_INT(address_count(as), 100);
	CHECK_INT(address_people(as, addr(1), now), 5);
	/* People who are gone for a week are not there any more. */
	now += 8 * 24 * HOUR;
	CHECK_INT(address_people(as, addr(1), now), 0);
	CHECK_INT(address_fails(as, 1, now), 30);
	addresses_free(as);
}

static unsigned int	 told, over;

static void
tell(struct attack *at)
{
	told++;
	over += !at->at_on;
}

static void
test_attack(void)
{
	struct attacks	*ak = attacks_new(4);
	struct attack	*at = NULL;
	char		 text[32];
	uint64_t	 now = HOUR;
	unsigned int	 i;

	/* One account, or slips that turn out well, are no attack. */
	for (i = 0; i < 100; i++)
		CHECK(attack_wrong(ak, 1, "10.0.0.1", 0, 7, now) == NULL);
	for (i = 0; i < 100; i++) {
		CHECK(attack_wrong(ak, 1, "10.0.0.2", 0, 100 + i, now) ==
		    NULL);
		attack_right(ak, 1, 100 + i, now);
	}
	/* Ten accounts from one address. */
	for (i = 0; i < ATTACK_ADDRESS; i++) {
		CHECK(at == NULL);
		at = attack_wrong(ak, 2, "10.0.0.3", 0, i, now);
	}
	CHECK(at != NULL && at->at_tenant == 2 && at->at_on);
	if (at == NULL)
		return;
	CHECK_INT(at->at_accounts, 10);
	CHECK_INT(at->at_tries, 10);
	CHECK_STR(at->at_addrs[0], "10.0.0.3");
	/* An office with many people gets more. */
	for (i = 0, at = NULL; i < 15; i++)
		at = attack_wrong(ak, 3, "10.0.0.4", 20, i, now);
	CHECK(at == NULL);
	/* Old failures count no more. */
	now += ATTACK_WINDOW;
	for (i = 0; i < 9; i++)
		at = attack_wrong(ak, 3, "10.0.0.4", 0, 50 + i, now);
	CHECK(at == NULL);
	/* Twenty accounts, each from another address. */
	for (i = 0; i < ATTACK_TENANT; i++) {
		CHECK(at == NULL);
		snprintf(text, sizeof(text), "10.1.0.%u", i);
		at = attack_wrong(ak, 4, text, 0, i, now);
	}
	CHECK(at != NULL);
	if (at == NULL)
		return;
	CHECK_INT(at->at_naddrs, 1);		/* of those from then on */
	for (i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "10.2.0.%u", i);
		at = attack_wrong(ak, 4, text, 0, 1000 + i, now);
	}
	CHECK_INT(at->at_naddrs, ATTACK_ADDRS);
	CHECK_INT(at->at_accounts, 120);
	/* Two attacks on; they are told, and then their end. */
	attack_tidy(ak, now, tell);
	CHECK_INT(told, 2);
	CHECK_INT(over, 1);			/* that on tenant 2 */
	attack_tidy(ak, now + ATTACK_WINDOW - 1, tell);
	CHECK_INT(told, 2);
	attack_tidy(ak, now + ATTACK_WINDOW, tell);
	CHECK_INT(told, 3);
	CHECK_INT(over, 2);
	attack_tidy(ak, now + 2 * ATTACK_WINDOW, tell);
	CHECK_INT(told, 3);
	/* Many tenants: bounded. */
	for (i = 0; i < 100; i++)
		(void)attack_wrong(ak, 100 + i, "::1", 0, 1, now);
	attacks_free(ak);
}

/* A slip now and then is no part of an attack, nor what keeps it on. */
static void
test_slips(void)
{
	struct attacks	*ak = attacks_new(4);
	struct attack	*at = NULL;
	char		 text[32];
	uint64_t	 now = HOUR;
	unsigned int	 i;

	/* Twenty accounts, from five addresses. */
	for (i = 0; i < ATTACK_TENANT; i++) {
		snprintf(text, sizeof(text), "10.1.0.%u", i % 5);
		at = attack_wrong(ak, 1, text, 0, i, now);
	}
	CHECK(at != NULL);
	told = over = 0;
	for (i = 0; i < 24; i++) {
		now += ATTACK_WINDOW - SEC;
		snprintf(text, sizeof(text), "10.2.0.%u", i);
		at = attack_wrong(ak, 1, text, 0, 100 + i, now);
		CHECK_INT(at != NULL, i == 0);	/* it can't be told yet */
		attack_right(ak, 1, 100 + i, now + 5 * SEC);
		attack_tidy(ak, now + MIN, tell);
	}
	CHECK_INT(over, 1);
	/* From one address: it is not everybody else's that fails meanwhile. */
	for (i = 0; i < 3 * ATTACK_ADDRESS; i++)
		at = attack_wrong(ak, 2, "10.3.0.1", 0, i, now);
	CHECK(at != NULL);
	for (i = 0; i < ATTACK_TENANT / 2 - 1; i++) {
		snprintf(text, sizeof(text), "10.4.0.%u", i);
		CHECK(attack_wrong(ak, 2, text, 0, 100 + i, now) == NULL);
	}
	attacks_free(ak);
	/* One more address of the list, before it has failed as often. */
	ak = attacks_new(4);
	for (i = 0; i < ATTACK_ADDRESS; i++)
		at = attack_wrong(ak, 3, "10.6.0.1", 0, i, now);
	CHECK(at != NULL);
	for (i = 0; i < ATTACK_ADDRESS / 2; i++)
		at = attack_wrong(ak, 3, "10.6.0.2", 0, 50 + i, now);
	CHECK(at != NULL);
	if (at != NULL)
		CHECK_STR(at->at_addrs[1], "10.6.0.2");
	/* An office of many may slip as often as is due to it. */
	for (i = 0; i < 15; i++)
		CHECK_INT(attack_wrong(ak, 3, "10.5.0.1", 40, 200 + i, now) !=
		    NULL, i == 14);
	attacks_free(ak);
}

static void
test_device(void)
{
	const uint8_t	 k[DEVICE_KEY] = { 1 }, other[DEVICE_KEY] = { 2 };
	struct device	 de = { 7, 1000000, { 1, 2, 3 } }, back;
	uint64_t	 now = 1000000;
	char		 text[MAX_DEVICE + 1], bad[MAX_DEVICE + 1];
	unsigned int	 i, good = 0;

	CHECK_INT(device_write(text, k, 5, &de), 0);
	CHECK_INT(strlen(text), MAX_DEVICE);
	CHECK_INT(device_read(&back, k, 5, text, now), 0);
	CHECK(back.de_user == 7 && back.de_issued == now &&
	    memcmp(back.de_id, de.de_id, DEVICE_ID) == 0);
	CHECK_INT(device_read(&back, k, 6, text, now), -1);
	CHECK_INT(device_read(&back, other, 5, text, now), -1);
	CHECK_INT(device_read(&back, k, 5, "", now), -1);
	/* 400 days, and a clock that was set back. */
	CHECK_INT(device_read(&back, k, 5, text, now + 400 * 86400), 0);
	CHECK_INT(device_read(&back, k, 5, text, now + 400 * 86400 + 1), -1);
	CHECK_INT(device_read(&back, k, 5, text, 0), 0);
	for (i = 0; i < MAX_DEVICE; i++) {
		memcpy(bad, text, sizeof(bad));
		bad[i] = bad[i] == 'A' ? 'B' : 'A';
		good += device_read(&back, k, 5, bad, now) == 0;
	}
	CHECK_INT(good, 0);
}

int
main(void)
{
	test_growth();
	test_crowd();
	test_told();
	test_unlock();
	test_full();
	test_address();
	test_office();
	test_attack();
	test_slips();
	test_device();
	return (unit_end());
}
