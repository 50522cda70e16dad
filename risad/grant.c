#include <stdlib.h>
#include <string.h>

#include "grant.h"
#include "risad.h"

RB_HEAD(grant_ids, grant);
RB_HEAD(grant_tokens, grant);

static struct grant_ids	 ids = RB_INITIALIZER(&ids);
static struct grant_tokens tokens = RB_INITIALIZER(&tokens);
static uint32_t		 count, per_inst[MAX_SESSIONS];

/* Those that have ended, the newest PASTS of them. */
#define PASTS		4096
static struct past {
	uint64_t	 pa_id;
	uint32_t	 pa_tenant, pa_user;
	unsigned int	 pa_inst;
	uint8_t		 pa_role;
}			 pasts[PASTS];
static size_t		 npasts;
static void		(*watcher)(const struct grant *, int);

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

/* A token that a session process has seen. */
struct known {
	RB_ENTRY(known)	 kn_entry;
	uint32_t	 kn_tenant, kn_user;
	uint64_t	 kn_token, kn_expires;
};
RB_HEAD(known_tree, known);
static struct known_tree	 known[MAX_SESSIONS];

static int
known_cmp(struct known *a, struct known *b)
{
	if (a->kn_tenant != b->kn_tenant)
		return (a->kn_tenant < b->kn_tenant ? -1 : 1);
	return (a->kn_token < b->kn_token ? -1 : a->kn_token > b->kn_token);
}

RB_GENERATE_STATIC(known_tree, known, kn_entry, known_cmp)

static int
known_add(const struct grant *gr)
{
	struct known	*kn;

	if ((kn = calloc(1, sizeof(*kn))) == NULL)
		return (-1);
	kn->kn_tenant = gr->gr_tenant;
	kn->kn_user = gr->gr_user;
	kn->kn_token = gr->gr_token;
	kn->kn_expires = gr->gr_expires;
	if (RB_INSERT(known_tree, &known[gr->gr_inst], kn) != NULL)
		free(kn);
	return (0);
}

static void
known_free(unsigned int inst, struct known *kn)
{
	RB_REMOVE(known_tree, &known[inst], kn);
	free(kn);
}

void
grant_known(unsigned int inst, void (*fn)(uint32_t, uint32_t, uint64_t))
{
	struct known	*kn;

	while ((kn = RB_ROOT(&known[inst])) != NULL) {
		fn(kn->kn_tenant, kn->kn_user, kn->kn_token);
		known_free(inst, kn);
	}
}

void
grant_forget(unsigned int inst)
{
	struct known	*kn;

	while ((kn = RB_ROOT(&known[inst])) != NULL)
		known_free(inst, kn);
}

void
grant_expire(uint64_t now)
{
	struct known	*kn, *next;
	unsigned int	 i;

	for (i = 0; i < MAX_SESSIONS; i++)
		RB_FOREACH_SAFE(kn, known_tree, &known[i], next)
			if (kn->kn_expires <= now)
				known_free(i, kn);
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
grant_watch(void (*fn)(const struct grant *, int))
{
	watcher = fn;
}

/* Tell of one that has come or gone, if it is the only one of its kind. */
static void
watch(const struct grant *gr, int on)
{
	struct grant	*other;

	if (watcher == NULL)
		return;
	for (other = range(gr->gr_tenant, gr->gr_user, 0);
	    in_range(other, gr->gr_tenant, gr->gr_user, 0);
	    other = RB_NEXT(grant_tokens, &tokens, other))
		if (other != gr && other->gr_inst == gr->gr_inst)
			return;
	watcher(gr, on);
}

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
	if (known_add(gr) == -1) {
		free(gr);
		return (NULL);
	}
	do {
		arc4random_buf(&gr->gr_id, sizeof(gr->gr_id));
	} while (gr->gr_id == 0 || RB_INSERT(grant_ids, &ids, gr) != NULL);
	RB_INSERT(grant_tokens, &tokens, gr);
	per_inst[inst]++;
	count++;
	watch(gr, 1);
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
	watch(gr, 0);
	pasts[npasts++ % PASTS] = (struct past){ gr->gr_id, gr->gr_tenant,
	    gr->gr_user, gr->gr_inst, gr->gr_role };
	freezero(gr->gr_sealed, gr->gr_sealedlen);
	freezero(gr, sizeof(*gr));
}

int
grant_past(uint64_t id, unsigned int inst, struct grant *gr)
{
	const struct past	*pa;
	size_t			 i;

	for (i = 0; i < PASTS; i++) {
		pa = &pasts[i];
		if (pa->pa_id != id || pa->pa_inst != inst || id == 0)
			continue;
		memset(gr, 0, sizeof(*gr));
		gr->gr_id = id;
		gr->gr_inst = inst;
		gr->gr_tenant = pa->pa_tenant;
		gr->gr_user = pa->pa_user;
		gr->gr_role = pa->pa_role;
		return (1);
	}
	return (0);
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
