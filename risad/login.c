#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "office.h"
#include "session.h"
#include "util.h"

#define UNUSED_MS	60000	/* a login without connections is forgotten */
#define SWEEP_SECS	5
#define RENEW_MS	100	/* until new grants are asked for again: */
#define RENEW_TRIES	20	/* so often after storage has come, or sweep */

RB_HEAD(login_tree, login);
RB_HEAD(grant_tree, login);
static struct login_tree	 logins = RB_INITIALIZER(&logins);
static struct grant_tree	 grants = RB_INITIALIZER(&grants);
static struct event		 sweep_timer, renew_timer;
static unsigned int		 renew_tries;

static int
login_cmp(struct login *a, struct login *b)
{
	int	 n;

	if (a->lg_tenant != b->lg_tenant)
		return (a->lg_tenant < b->lg_tenant ? -1 : 1);
	if ((n = memcmp(a->lg_token, b->lg_token, TOKEN_LEN)) != 0)
		return (n);
	return (strcmp(a->lg_addr, b->lg_addr));
}

static int
grant_cmp(struct login *a, struct login *b)
{
	return (a->lg_grant < b->lg_grant ? -1 : a->lg_grant > b->lg_grant);
}

RB_GENERATE_STATIC(login_tree, login, lg_entry, login_cmp)
RB_GENERATE_STATIC(grant_tree, login, lg_grant_entry, grant_cmp)

struct login *
login_find(uint32_t tenant, const uint8_t token[TOKEN_LEN], const char *addr)
{
	struct login	 key;

	key.lg_tenant = tenant;
	memcpy(key.lg_token, token, TOKEN_LEN);
	(void)strlcpy(key.lg_addr, addr, sizeof(key.lg_addr));
	return (RB_FIND(login_tree, &logins, &key));
}

/* The tenant's first one; the others follow it. */
static struct login *
login_first(uint32_t tenant)
{
	struct login	 key = { .lg_tenant = tenant };

	return (RB_NFIND(login_tree, &logins, &key));
}

/* The user's next one from here on, or NULL. */
static struct login *
login_of(struct login *lg, uint32_t tenant, uint32_t user)
{
	for (; lg != NULL; lg = RB_NEXT(login_tree, &logins, lg)) {
		if (lg->lg_tenant != tenant)
			return (NULL);
		if (lg->lg_user == user)
			return (lg);
	}
	return (NULL);
}

static struct login *
grant_find(uint64_t grant)
{
	struct login	 key = { .lg_grant = grant };

	return (RB_FIND(grant_tree, &grants, &key));
}

int
login_has(uint64_t grant)
{
	return (grant_find(grant) != NULL);
}

static void
login_free(struct login *lg)
{
	free(lg->lg_name);
	free(lg->lg_note);
	free(lg->lg_email);
	freezero(lg, sizeof(*lg));
}

static void
grant_set(struct login *lg, uint64_t grant)
{
	if (lg->lg_grant != 0)
		RB_REMOVE(grant_tree, &grants, lg);
	lg->lg_grant = grant;
	if (grant == 0)
		return;
	lg->lg_last = grant;
	RB_INSERT(grant_tree, &grants, lg);
}

void
login_give_back(uint64_t grant)
{
	struct m_grant_only	 m = { grant };

	(void)proc_send(proc_peer(PROC_STORAGE, 0), IMSG_GRANT_DROP, 0, -1,
	    &m);
}

/* Out of the tables: nobody finds it any more, those who have it keep it. */
static void
login_forget(struct login *lg)
{
	if (lg->lg_gone)
		return;
	lg->lg_gone = 1;
	grant_set(lg, 0);
	RB_REMOVE(login_tree, &logins, lg);
	if (lg->lg_refs == 0 && !lg->lg_asking)
		login_free(lg);
}

static void
login_fill(struct login *lg, const struct m_grant *m)
{
	grant_set(lg, m->grant);
	lg->lg_expires = m->expires;
	lg->lg_changed = m->changed;
	lg->lg_idle = m->idle;
	lg->lg_must = m->must;
	lg->lg_last_floor = m->last_floor;
	lg->lg_user = m->user;
	lg->lg_role = m->role;
	lg->lg_can = m->can;
	lg->lg_door = m->door;
	lg->lg_lang = m->lang;
	lg->lg_status = m->status;
	lg->lg_look = m->look;
	(void)text_set(&lg->lg_name, m->name);
	(void)text_set(&lg->lg_note, m->note);
	(void)text_set(&lg->lg_email, m->email);
}

struct login *
login_new(const struct m_grant *m, const uint8_t *token, const char *addr)
{
	struct login	*lg;

	if ((lg = login_find(m->tenant, token, addr)) != NULL) {
		/* Two requests have asked at once: the first grant stays. */
		if (lg->lg_grant != 0)
			login_give_back(m->grant);
		else {
			/* A request was sooner than its page's renewal. */
			login_fill(lg, m);
			office_renewed(lg);
		}
		return (lg);
	}
	if ((lg = calloc(1, sizeof(*lg))) == NULL ||
	    text_set(&lg->lg_name, "") == -1 ||
	    text_set(&lg->lg_note, "") == -1 ||
	    text_set(&lg->lg_email, "") == -1) {
		if (lg != NULL)
			login_free(lg);
		login_give_back(m->grant);
		return (NULL);
	}
	lg->lg_tenant = m->tenant;
	lg->lg_used = mono_ms();
	memcpy(lg->lg_token, token, TOKEN_LEN);
	(void)strlcpy(lg->lg_addr, addr, sizeof(lg->lg_addr));
	login_fill(lg, m);
	RB_INSERT(login_tree, &logins, lg);
	return (lg);
}

void
login_use(struct conn *cn, struct login *lg)
{
	struct login	*old = cn->cn_login;

	if (lg != NULL) {
		lg->lg_refs++;
		lg->lg_used = mono_ms();
	}
	cn->cn_login = lg;
	if (old == NULL)
		return;
	old->lg_used = mono_ms();
	if (--old->lg_refs == 0 && old->lg_gone && !old->lg_asking)
		login_free(old);
}

static void	 login_renew(struct login *);
static void	 renew_soon(void);

void
login_drop(struct login *lg, enum grant_end why)
{
	uint32_t	 tenant = lg->lg_tenant, user = lg->lg_user;

	lg->lg_asking++;		/* survives the good-byes */
	login_forget(lg);
	office_ended(tenant, user, lg, why);
	lg->lg_asking--;
	if (lg->lg_refs == 0 && !lg->lg_asking)
		login_free(lg);
}

void
login_must(const struct m_grant_must *m)
{
	struct login	*lg;

	if ((lg = grant_find(m->grant)) != NULL)
		lg->lg_must = m->must;
}

void
login_ended(const struct m_grant_end *m)
{
	struct login	*lg;

	if ((lg = grant_find(m->grant)) == NULL)
		return;
	if (m->why == END_RENEW) {
		grant_set(lg, 0);
		login_renew(lg);
		return;
	}
	lg->lg_asking++;
	login_forget(lg);
	office_ended(lg->lg_tenant, lg->lg_user, lg, m->why);
	lg->lg_asking--;
	if (lg->lg_refs == 0 && !lg->lg_asking)
		login_free(lg);
}

void
login_down(void)
{
	struct login	*lg, *next;

	RB_FOREACH_SAFE(lg, login_tree, &logins, next) {
		grant_set(lg, 0);
		if (lg->lg_refs == 0 && !lg->lg_asking)
			login_forget(lg);
	}
}

/* A new grant for a login that is in use. */
static int
login_renewed(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct login		*lg = arg;
	const struct m_grant	*mg = m;
	const struct m_result	*mr = m;

	(void)cn;
	lg->lg_asking--;
	if (lg->lg_gone) {
		if (type == IMSG_GRANT)
			login_give_back(mg->grant);
		if (lg->lg_refs == 0 && !lg->lg_asking)
			login_free(lg);
		return (1);
	}
	if (type == IMSG_GRANT && lg->lg_grant == 0) {
		login_fill(lg, mg);
		office_renewed(lg);
	} else if (type == IMSG_GRANT)
		login_give_back(mg->grant);
	else if (mr->code == R_SESSION)
		login_drop(lg, END_ENDED);
	else if (mr->code == R_ADDRESS)
		login_drop(lg, END_ADDRESS);
	else
		renew_soon();		/* and then the sweep */
	return (1);
}

static void
login_renew(struct login *lg)
{
	struct m_token	 m = { .tenant = lg->lg_tenant, .addr = lg->lg_addr };

	if (lg->lg_refs == 0 || lg->lg_asking || lg->lg_grant != 0)
		return;
	memcpy(m.token, lg->lg_token, TOKEN_LEN);
	if (ask_send(NULL, PROC_AUTH, IMSG_TOKEN, &m, login_renewed,
	    lg) == 0)
		lg->lg_asking++;
}

static void
renew_turn(int fd, short what, void *arg)
{
	struct login	*lg, *next;

	(void)fd;
	(void)what;
	(void)arg;
	RB_FOREACH_SAFE(lg, login_tree, &logins, next)
		login_renew(lg);
}

/* Auth may hear of the new storage, or of the tenant, later than we do. */
static void
renew_soon(void)
{
	struct timeval	 tv = { 0, RENEW_MS * 1000 };

	if (renew_tries == 0 || evtimer_pending(&renew_timer, NULL))
		return;
	renew_tries--;
	(void)evtimer_add(&renew_timer, &tv);
}

void
login_up(uint32_t tenant)
{
	struct login	*lg, *next;

	renew_tries = RENEW_TRIES;
	for (lg = login_first(tenant); lg != NULL && lg->lg_tenant == tenant;
	    lg = next) {
		next = RB_NEXT(login_tree, &logins, lg);
		login_renew(lg);
	}
}

void
login_role(const struct m_role *m)
{
	struct login	*lg = login_first(m->tenant);

	for (; lg != NULL && lg->lg_tenant == m->tenant;
	    lg = RB_NEXT(login_tree, &logins, lg))
		if (lg->lg_role == m->role)
			lg->lg_can = m->can;
}

int
login_may(const struct login *lg, uint8_t right)
{
	return ((lg->lg_can & right) != 0);
}

void
login_profile(const struct m_user *m)
{
	struct login	*lg = login_first(m->tenant);

	for (; (lg = login_of(lg, m->tenant, m->user)) != NULL;
	    lg = RB_NEXT(login_tree, &logins, lg)) {
		lg->lg_lang = m->lang;
		lg->lg_status = m->status;
		lg->lg_look = m->look;
		(void)text_set(&lg->lg_name, m->name);
		(void)text_set(&lg->lg_note, m->note);
	}
}

void
login_floor(uint32_t tenant, uint32_t user, uint32_t floor)
{
	struct login	*lg = login_first(tenant);

	for (; (lg = login_of(lg, tenant, user)) != NULL;
	    lg = RB_NEXT(login_tree, &logins, lg))
		lg->lg_last_floor = floor;
}

static void
login_sweep(int fd, short what, void *arg)
{
	struct timeval	 tv = { SWEEP_SECS, 0 };
	struct login	*lg, *next;
	uint64_t	 now = mono_ms();

	(void)fd;
	(void)what;
	(void)arg;
	RB_FOREACH_SAFE(lg, login_tree, &logins, next) {
		if (lg->lg_refs > 0) {
			login_renew(lg);
			continue;
		}
		if (lg->lg_asking || now - lg->lg_used < UNUSED_MS)
			continue;
		if (lg->lg_grant != 0)
			login_give_back(lg->lg_grant);
		login_forget(lg);
	}
	evtimer_add(&sweep_timer, &tv);
}

void
login_init(void)
{
	evtimer_set(&sweep_timer, login_sweep, NULL);
	evtimer_set(&renew_timer, renew_turn, NULL);
	login_sweep(-1, 0, NULL);
}
