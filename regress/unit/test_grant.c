#include "grant.h"
#include "risad.h"
#include "unit.h"

static unsigned int	 seen;

static void
count(struct grant *gr, void *arg)
{
	(void)gr;
	(void)arg;
	seen++;
}

static void
drop(struct grant *gr, void *arg)
{
	(void)arg;
	grant_free(gr);
}

static unsigned int
each(uint32_t tenant, uint32_t user, uint64_t token)
{
	seen = 0;
	grant_each(tenant, user, token, count, NULL);
	return (seen);
}

static void
test_find(void)
{
	struct grant	*gr;

	CHECK((gr = grant_new(1, 5, 7, ROLE_ADMIN, 9, 1000)) != NULL);
	CHECK(gr->gr_id != 0);
	CHECK(grant_find(gr->gr_id, 1, 999) == gr);
	CHECK(grant_find(gr->gr_id, 0, 999) == NULL);	/* not its process */
	CHECK(grant_find(gr->gr_id, 1, 1000) == NULL);	/* over */
	CHECK(grant_find(gr->gr_id ^ 1, 1, 0) == NULL);
	CHECK(grant_find(0, 1, 0) == NULL);
	CHECK_INT(gr->gr_role, ROLE_ADMIN);
	CHECK_INT(gr->gr_tenant, 5);
	CHECK(grant_new(MAX_SESSIONS, 5, 7, ROLE_ADMIN, 9, 1000) == NULL);
	grant_free(gr);
	CHECK_INT(grant_count(), 0);
}

static void
test_ranges(void)
{
	uint32_t	 tenant, user;
	uint64_t	 token;

	for (tenant = 1; tenant <= 3; tenant++)
		for (user = 1; user <= 4; user++)
			for (token = 1; token <= 5; token++) {
				CHECK(grant_new(0, tenant, user, ROLE_MEMBER,
				    token, 1) != NULL);
				CHECK(grant_new(1, tenant, user, ROLE_MEMBER,
				    token, 1) != NULL);
			}
	CHECK_INT(grant_count(), 120);
	CHECK_INT(each(0, 0, 0), 120);
	CHECK_INT(each(2, 0, 0), 40);
	CHECK_INT(each(2, 3, 0), 10);
	CHECK_INT(each(2, 3, 4), 2);
	CHECK_INT(each(4, 0, 0), 0);
	CHECK_INT(grant_live(2, 3, 4), 2);
	grant_each(2, 3, 4, drop, NULL);
	CHECK_INT(grant_live(2, 3, 4), 0);
	CHECK_INT(grant_live(2, 3, 0), 8);
	grant_each(2, 0, 0, drop, NULL);
	CHECK_INT(grant_count(), 80);
	CHECK_INT(each(1, 0, 0), 40);
	CHECK_INT(each(3, 0, 0), 40);
	grant_each(0, 0, 0, drop, NULL);
	CHECK_INT(grant_count(), 0);
}

static void
test_most(void)
{
	unsigned int	 i;
	int		 ok = 1;

	for (i = 0; i < GRANT_MAX; i++)
		ok &= grant_new(3, 1, i + 1, ROLE_MEMBER, 1, 1) != NULL;
	CHECK(ok);
	CHECK(grant_new(3, 1, 1, ROLE_MEMBER, 1, 1) == NULL);
	CHECK(grant_new(4, 1, 1, ROLE_MEMBER, 1, 1) != NULL);
	grant_each(0, 0, 0, drop, NULL);
	CHECK_INT(grant_count(), 0);
}

static unsigned int	 nknown;
static uint64_t		 sum_known;

static void
know(uint32_t tenant, uint32_t user, uint64_t token)
{
	nknown++;
	sum_known += tenant * 10000 + user * 100 + token;
}

/* What a process has seen outlives its grants, until it starts anew. */
static void
test_known(void)
{
	grant_forget(1);
	grant_forget(2);
	grant_new(1, 1, 2, ROLE_MEMBER, 3, 1000);
	grant_new(1, 1, 2, ROLE_MEMBER, 3, 1000);	/* the same again */
	grant_new(1, 4, 5, ROLE_MEMBER, 3, 2000);
	grant_new(2, 1, 2, ROLE_MEMBER, 9, 1000);
	grant_each(0, 0, 0, drop, NULL);
	nknown = 0;
	sum_known = 0;
	grant_known(1, know);
	CHECK_INT(nknown, 2);
	CHECK_INT(sum_known, 10203 + 40503);
	grant_known(1, know);			/* is empty now */
	CHECK_INT(nknown, 2);
	grant_new(1, 4, 5, ROLE_MEMBER, 3, 2000);
	grant_new(1, 4, 5, ROLE_MEMBER, 4, 1000);
	grant_expire(1000);
	nknown = 0;
	grant_known(1, know);
	CHECK_INT(nknown, 1);
	grant_forget(2);
	grant_known(2, know);
	CHECK_INT(nknown, 1);
	grant_each(0, 0, 0, drop, NULL);
}

static unsigned int	 nwatched[2];

static void
watched(const struct grant *gr, int on)
{
	(void)gr;
	nwatched[on]++;
}

/* The first and the last of a user on a process, not those between. */
static void
test_watch(void)
{
	struct grant	*a, *b, *c;

	grant_watch(watched);
	a = grant_new(1, 7, 2, ROLE_MEMBER, 3, 1000);
	b = grant_new(1, 7, 2, ROLE_MEMBER, 4, 1000);
	CHECK_INT(nwatched[1], 1);
	c = grant_new(2, 7, 2, ROLE_MEMBER, 4, 1000);
	CHECK_INT(nwatched[1], 2);
	grant_free(a);
	CHECK_INT(nwatched[0], 0);
	grant_free(b);
	CHECK_INT(nwatched[0], 1);
	grant_free(c);
	CHECK_INT(nwatched[0], 2);
	grant_watch(NULL);
}

int
main(void)
{
	test_watch();
	test_known();
	test_find();
	test_ranges();
	test_most();
	return (unit_end());
}
