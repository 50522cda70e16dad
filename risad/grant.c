#include <stdlib.h>
#include <string.h>

#include "grant.h"
#include "risad.h"

RB_HEAD(grant_ids, grant);
RB_HEAD(grant_tokens, grant);

static struct grant_ids	 ids = RB_INITIALIZER(&ids);
static struct grant_tokens tokens = RB_INITIALIZER(&tokens);
static uint32_t		 count, per_inst[MAX_SESSIONS];

static int
by_id(const struct grant *a, const struct grant *b)
{
	return (a->gr_id < b->gr_id ? -1 : a->gr_id > b->gr_id);
}

/* In an order in which a tenant, a user and a token are each a range. */
static int
by_token(const struct grant *a, const struct grant *b)
{
	if (a->gr_tenant != b->gr_tenant)
		return (a->gr_tenant < b->gr_tenant ? -1 : 1);
	if (a->gr_user != b->gr_user)
		return (a->gr_user < b->gr_user ? -1 : 1);
	if (a->gr_token != b->gr_token)
		return (a->gr_token < b->gr_token ? -1 : 1);
	return (by_id(a, b));
}

RB_PROTOTYPE(grant_ids, grant, gr_byid, by_id);
RB_PROTOTYPE(grant_tokens, grant, gr_bytoken, by_token);
RB_GENERATE(grant_ids, grant, gr_byid, by_id)
RB_GENERATE(grant_tokens, grant, gr_bytoken, by_token)

struct grant *
grant_new(unsigned int inst, uint32_t tenant, uint32_t user, uint8_t role,
    uint64_t token, uint64_t expires)
{
	struct grant	*gr;

	if (inst >= MAX_SESSIONS || per_inst[inst] >= GRANT_MAX ||
	    (gr = calloc(1, sizeof(*gr))) == NULL)
		return (NULL);
	gr->gr_inst = inst;
	gr->gr_tenant = tenant;
	gr->gr_user = user;
	gr->gr_role = role;
	gr->gr_token = token;
	gr->gr_expires = expires;
	do {
		arc4random_buf(&gr->gr_id, sizeof(gr->gr_id));
	} while (gr->gr_id == 0 || RB_INSERT(grant_ids, &ids, gr) != NULL);
	RB_INSERT(grant_tokens, &tokens, gr);
	per_inst[inst]++;
	count++;
	return (gr);
}

struct grant *
grant_find(uint64_t id, unsigned int inst, uint64_t now)
{
	struct grant	 key = { .gr_id = id }, *gr;

	gr = RB_FIND(grant_ids, &ids, &key);
	if (gr == NULL || gr->gr_inst != inst || gr->gr_expires <= now)
		return (NULL);
	return (gr);
}

void
grant_free(struct grant *gr)
{
	RB_REMOVE(grant_ids, &ids, gr);
	RB_REMOVE(grant_tokens, &tokens, gr);
	per_inst[gr->gr_inst]--;
	count--;
	explicit_bzero(gr, sizeof(*gr));
	free(gr);
}

static int
in_range(const struct grant *gr, uint32_t tenant, uint32_t user,
    uint64_t token)
{
	return (gr != NULL && (tenant == 0 || (gr->gr_tenant == tenant &&
	    (user == 0 || (gr->gr_user == user &&
	    (token == 0 || gr->gr_token == token))))));
}

/* The first grant that is not before the range. */
static struct grant *
range(uint32_t tenant, uint32_t user, uint64_t token)
{
	struct grant	 key = {
		.gr_tenant = tenant, .gr_user = user, .gr_token = token
	};

	return (RB_NFIND(grant_tokens, &tokens, &key));
}

void
grant_each(uint32_t tenant, uint32_t user, uint64_t token,
    void (*fn)(struct grant *, void *), void *arg)
{
	struct grant	*gr, *next;

	for (gr = range(tenant, user, token);
	    in_range(gr, tenant, user, token); gr = next) {
		next = RB_NEXT(grant_tokens, &tokens, gr);
		fn(gr, arg);
	}
}

uint32_t
grant_live(uint32_t tenant, uint32_t user, uint64_t token)
{
	struct grant	*gr;
	uint32_t	 n = 0;

	for (gr = range(tenant, user, token);
	    in_range(gr, tenant, user, token);
	    gr = RB_NEXT(grant_tokens, &tokens, gr))
		n++;
	return (n);
}

uint32_t
grant_count(void)
{
	return (count);
}
