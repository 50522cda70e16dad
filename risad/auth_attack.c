/* The accounts that have failed of late, by tenant. */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "auth_attack.h"

#define FAILED_MAX	64		/* accounts that are remembered */
#define SUCCESSES	8		/* that excuse one account */

struct failed {
	uint32_t	 fd_account, fd_addr;	/* hashes */
	uint64_t	 fd_time;
};

/* What is known of a tenant. */
struct watch {
	RB_ENTRY(watch)		 wa_node;
	TAILQ_ENTRY(watch)	 wa_entry;	/* last used at the end */
	struct attack		 wa_attack;
	unsigned int		 wa_nfailed;
	struct failed		 wa_failed[FAILED_MAX];
	uint64_t		 wa_window;	/* begin of it */
	uint32_t		 wa_right;	/* successes in it */
};

RB_HEAD(watch_tree, watch);
TAILQ_HEAD(watch_list, watch);

struct attacks {
	struct watch_tree	 ak_tree;
	struct watch_list	 ak_list;
	size_t			 ak_count, ak_max;
};

static int	 watch_cmp(struct watch *, struct watch *);
static struct watch *watch_get(struct attacks *, uint32_t);
static void	 watch_free(struct attacks *, struct watch *);
static void	 watch_forget(struct watch *, uint64_t);
static int	 watch_add(struct watch *, uint32_t, uint32_t, uint64_t);
static unsigned int watch_from(const struct watch *, uint32_t);
static unsigned int watch_spread(const struct watch *, unsigned int);
static int	 watch_part(const struct watch *, uint32_t, unsigned int);
static void	 attack_addr(struct attack *, const char *);
static uint32_t	 addr_hash(const char *);

RB_GENERATE_STATIC(watch_tree, watch, wa_node, watch_cmp)

static int
watch_cmp(struct watch *a, struct watch *b)
{
	return (a->wa_attack.at_tenant < b->wa_attack.at_tenant ? -1 :
	    a->wa_attack.at_tenant > b->wa_attack.at_tenant);
}

struct attacks *
attacks_new(size_t max)
{
	struct attacks	*ak;

	if ((ak = calloc(1, sizeof(*ak))) == NULL)
		return (NULL);
	RB_INIT(&ak->ak_tree);
	TAILQ_INIT(&ak->ak_list);
	ak->ak_max = max == 0 ? 1 : max;
	return (ak);
}

void
attacks_free(struct attacks *ak)
{
	struct watch	*wa;

	if (ak == NULL)
		return;
	while ((wa = TAILQ_FIRST(&ak->ak_list)) != NULL)
		watch_free(ak, wa);
	free(ak);
}

static void
watch_free(struct attacks *ak, struct watch *wa)
{
	RB_REMOVE(watch_tree, &ak->ak_tree, wa);
	TAILQ_REMOVE(&ak->ak_list, wa, wa_entry);
	ak->ak_count--;
	free(wa);
}

static struct watch *
watch_get(struct attacks *ak, uint32_t tenant)
{
	struct watch	 find, *wa;

	find.wa_attack.at_tenant = tenant;
	if ((wa = RB_FIND(watch_tree, &ak->ak_tree, &find)) != NULL) {
		TAILQ_REMOVE(&ak->ak_list, wa, wa_entry);
		TAILQ_INSERT_TAIL(&ak->ak_list, wa, wa_entry);
		return (wa);
	}
	if ((wa = calloc(1, sizeof(*wa))) == NULL)
		return (NULL);
	if (ak->ak_count >= ak->ak_max)
		watch_free(ak, TAILQ_FIRST(&ak->ak_list));
	wa->wa_attack.at_tenant = tenant;
	RB_INSERT(watch_tree, &ak->ak_tree, wa);
	TAILQ_INSERT_TAIL(&ak->ak_list, wa, wa_entry);
	ak->ak_count++;
	return (wa);
}

/* Out with what is too old. */
static void
watch_forget(struct watch *wa, uint64_t now)
{
	unsigned int	 i = 0;

	while (i < wa->wa_nfailed)
		if (now - wa->wa_failed[i].fd_time >= ATTACK_WINDOW)
			wa->wa_failed[i] = wa->wa_failed[--wa->wa_nfailed];
		else
			i++;
	if (now - wa->wa_window >= ATTACK_WINDOW) {
		wa->wa_right /= 2;
		wa->wa_window = now;
	}
}

/* 1: the account is new here. */
static int
watch_add(struct watch *wa, uint32_t account, uint32_t addr, uint64_t now)
{
	unsigned int	 i, at = 0;
	int		 new = 1;

	for (i = 0; i < wa->wa_nfailed; i++) {
		if (wa->wa_failed[i].fd_account == account)
			new = 0;
		if (wa->wa_failed[i].fd_account == account &&
		    wa->wa_failed[i].fd_addr == addr)
			break;
		if (wa->wa_failed[i].fd_time < wa->wa_failed[at].fd_time)
			at = i;
	}
	if (i < FAILED_MAX)
		at = i;
	if (i == wa->wa_nfailed && wa->wa_nfailed < FAILED_MAX)
		wa->wa_nfailed++;
	wa->wa_failed[at].fd_account = account;
	wa->wa_failed[at].fd_addr = addr;
	wa->wa_failed[at].fd_time = now;
	return (new);
}

/* Different accounts that failed from the address, or anywhere (0). */
static unsigned int
watch_from(const struct watch *wa, uint32_t addr)
{
	const struct failed	*fd = wa->wa_failed;
	unsigned int		 i, j, n = 0;

	for (i = 0; i < wa->wa_nfailed; i++) {
		if (addr != 0 && fd[i].fd_addr != addr)
			continue;
		for (j = 0; j < i; j++)
			if (fd[j].fd_account == fd[i].fd_account &&
			    (addr == 0 || fd[j].fd_addr == addr))
				break;
		n += j == i;
	}
	return (n);
}

/* Different accounts that failed from addresses of fewer than most. */
static unsigned int
watch_spread(const struct watch *wa, unsigned int most)
{
	const struct failed	*fd = wa->wa_failed;
	unsigned int		 i, j, n = 0;
	int			 few[FAILED_MAX];

	for (i = 0; i < wa->wa_nfailed; i++) {
		/* Each account is there once for each address. */
		few[i] = 0;
		for (j = 0; j < wa->wa_nfailed; j++)
			few[i] += fd[j].fd_addr == fd[i].fd_addr;
		few[i] = few[i] < (int)most;
		for (j = 0; j < i; j++)
			if (few[j] && fd[j].fd_account == fd[i].fd_account)
				break;
		n += few[i] && j == i;
	}
	return (n);
}

/*
 * Is the failure one of the attack that is on?  A slip that has nothing to do
 * with it neither keeps it on nor makes an attacker of an office.  Where a few
 * addresses do it all, those are enough to look at.
 */
static int
watch_part(const struct watch *wa, uint32_t from, unsigned int own)
{
	return (watch_from(wa, from) >= own / 2 ||
	    watch_spread(wa, ATTACK_ADDRESS / 2) >=
	    (ATTACK_TENANT + wa->wa_right / SUCCESSES) / 2);
}

/* Never 0.  By network, as the limits. */
static uint32_t
addr_hash(const char *addr)
{
	uint8_t		 key[LIMIT_KEY];
	uint32_t	 h = 2166136261U;
	size_t		 i;

	limit_addr(key, addr);
	for (i = 0; i < sizeof(key); i++)
		h = (h ^ key[i]) * 16777619U;
	return (h == 0 ? 1 : h);
}

static void
attack_addr(struct attack *at, const char *addr)
{
	uint32_t	 i;

	for (i = 0; i < at->at_naddrs && i < ATTACK_ADDRS; i++)
		if (strcmp(at->at_addrs[i], addr) == 0)
			return;
	if (i < ATTACK_ADDRS) {
		(void)strlcpy(at->at_addrs[i], addr, sizeof(at->at_addrs[i]));
		at->at_naddrs++;
	}
}

struct attack *
attack_wrong(struct attacks *ak, uint32_t tenant, const char *addr,
    unsigned int people, uint32_t account, uint64_t now)
{
	struct watch	*wa;
	struct attack	*at;
	uint32_t	 from = addr_hash(addr);
	unsigned int	 all, own = ATTACK_ADDRESS + people / 2;
	int		 new;

	if ((wa = watch_get(ak, tenant)) == NULL)
		return (NULL);
	at = &wa->wa_attack;
	watch_forget(wa, now);
	new = watch_add(wa, account, from, now);
	all = watch_from(wa, 0);
	if (at->at_on && !watch_part(wa, from, own))
		return (NULL);
	else if (at->at_on)
		at->at_accounts += new != 0;
	else if (watch_from(wa, from) < own &&
	    all < ATTACK_TENANT + wa->wa_right / SUCCESSES)
		return (NULL);
	else {
		at->at_on = 1;
		at->at_id = 0;
		at->at_begun = now;
		at->at_tries = wa->wa_nfailed - 1;
		at->at_accounts = all;
		at->at_naddrs = 0;
	}
	at->at_new = 1;
	at->at_last = now;
	at->at_tries++;
	attack_addr(at, addr);
	return (at);
}

void
attack_right(struct attacks *ak, uint32_t tenant, uint32_t account,
    uint64_t now)
{
	struct watch	*wa;
	unsigned int	 i = 0;

	if ((wa = watch_get(ak, tenant)) == NULL)
		return;
	watch_forget(wa, now);
	wa->wa_right++;
	while (i < wa->wa_nfailed)
		if (wa->wa_failed[i].fd_account == account)
			wa->wa_failed[i] = wa->wa_failed[--wa->wa_nfailed];
		else
			i++;
}

void
attack_tidy(struct attacks *ak, uint64_t now, void (*fn)(struct attack *))
{
	struct watch	*wa, *next;
	struct attack	*at;

	for (wa = TAILQ_FIRST(&ak->ak_list); wa != NULL; wa = next) {
		next = TAILQ_NEXT(wa, wa_entry);
		at = &wa->wa_attack;
		watch_forget(wa, now);
		if (at->at_on && now - at->at_last >= ATTACK_WINDOW) {
			at->at_on = 0;
			at->at_new = 1;
		}
		if (at->at_new)
			fn(at);
		at->at_new = 0;
		if (!at->at_on && wa->wa_nfailed == 0 && wa->wa_right == 0)
			watch_free(ak, wa);
	}
}
