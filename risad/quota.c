/*
 * How much may come from one address, for one tenant, of one account: token
 * buckets whose burst is what comes back in a minute, and pages by count.
 */
#include <string.h>

#include "limit.h"
#include "log.h"
#include "office.h"
#include "session.h"
#include "util.h"

#define ADDRS		65536		/* that are remembered */
#define TENANTS		4096
#define ACCOUNTS	65536

static struct quota {
	struct limit	*qu_limit;
	uint32_t	 qu_rate;
} arrivals, requests, tenants, accounts;

/* Where the number is another one, all begin anew. */
static void
quota_set(struct quota *qu, size_t max, uint32_t rate)
{
	struct limit	*li;

	if (qu->qu_limit != NULL && qu->qu_rate == rate)
		return;
	if ((li = limit_new(max, rate, rate)) == NULL) {
		log_warn("limits");	/* those before stay */
		return;
	}
	limit_free(qu->qu_limit);
	qu->qu_limit = li;
	qu->qu_rate = rate;
}

void
quota_commit(void)
{
	quota_set(&arrivals, ADDRS, session_conf.sc_addr_arrivals);
	quota_set(&requests, ADDRS, session_conf.sc_addr_requests);
	quota_set(&tenants, TENANTS, session_conf.sc_tenant_requests);
	quota_set(&accounts, ACCOUNTS, session_conf.sc_account_requests);
}

static uint32_t
quota_take(struct quota *qu, const uint8_t key[LIMIT_KEY])
{
	return (qu->qu_limit == NULL ? 0 : limit_take(qu->qu_limit, key,
	    mono_ms()));
}

static uint32_t
quota_addr(struct quota *qu, const char *addr)
{
	uint8_t	 key[LIMIT_KEY];

	limit_addr(key, addr);
	return (quota_take(qu, key));
}

uint32_t
quota_arrival(const char *addr)
{
	return (quota_addr(&arrivals, addr));
}

uint32_t
quota_request(const char *addr)
{
	return (quota_addr(&requests, addr));
}

uint32_t
quota_asked(const struct login *lg)
{
	uint8_t		 key[LIMIT_KEY] = { 0 };
	uint32_t	 ms;

	memcpy(key, &lg->lg_tenant, sizeof(lg->lg_tenant));
	memcpy(key + sizeof(lg->lg_tenant), &lg->lg_user,
	    sizeof(lg->lg_user));
	if ((ms = quota_take(&accounts, key)) == 0) {
		memset(key + sizeof(lg->lg_tenant), 0, sizeof(lg->lg_user));
		ms = quota_take(&tenants, key);
	}
	if (ms != 0)
		session_stats.ss_limited++;
	return (ms);
}

int
quota_page(const struct login *lg)
{
	unsigned int	 all, own;

	office_pages(lg->lg_tenant, lg->lg_user, &all, &own);
	return (all < session_conf.sc_tenant_pages &&
	    own < session_conf.sc_account_pages);
}
