/*
 * Who may try, and what becomes of failures: by account for strangers, by
 * device for its owner, by address; and the attacks that show in them.
 */

#include <sys/types.h>

#include <openssl/evp.h>

#include <event.h>
#include <string.h>

#include "auth_address.h"
#include "auth_attack.h"
#include "auth_request.h"
#include "log.h"
#include "util.h"

#define KEYS		65536		/* of each table */
#define SCORE_TRIES	120		/* who types asks often */
#define ATTACKED	4096		/* tenants that are watched */
#define TIDY_SECS	60

static struct failures	*strangers, *devices;
static struct addresses	*addresses;
static struct attacks	*attacks;
static struct limit	*scores;
static struct event	 tidy_timer;

static int	 throttle_key(uint8_t[FAILURE_KEY], uint32_t, const char *,
		    const void *, size_t);
static struct failures *table(const struct request *);
static uint32_t	 hash32(const uint8_t *);
static void	 throttle_tidy(int, short, void *);
static void	 person_came(struct request *, uint64_t);
static int	 lock_send(const struct request *, uint32_t, uint64_t);
static void	 attacked(struct request *, uint64_t);
static void	 alert(struct attack *);

void
throttle_init(void)
{
	strangers = failures_new(KEYS);
	devices = failures_new(KEYS);
	addresses = addresses_new(KEYS);
	attacks = attacks_new(ATTACKED);
	scores = limit_new(KEYS, SCORE_TRIES, SCORE_TRIES);
	if (strangers == NULL || devices == NULL || addresses == NULL ||
	    attacks == NULL || scores == NULL)
		fatal("auth");
}

void
throttle_start(void)
{
	struct timeval	 tv = { TIDY_SECS, 0 };

	evtimer_set(&tidy_timer, throttle_tidy, NULL);
	evtimer_add(&tidy_timer, &tv);
}

static void
throttle_tidy(int fd, short what, void *arg)
{
	struct timeval	 tv = { TIDY_SECS, 0 };
	uint64_t	 now = mono_ms();

	(void)fd;
	(void)what;
	(void)arg;
	failure_tidy(strangers, now);
	failure_tidy(devices, now);
	attack_tidy(attacks, now, alert);
	evtimer_add(&tidy_timer, &tv);
}

/* A hash, so that no name is kept here. */
static int
throttle_key(uint8_t key[FAILURE_KEY], uint32_t tenant, const char *kind,
    const void *name, size_t len)
{
	EVP_MD_CTX	*ctx;
	int		 ret = -1;

	if ((ctx = EVP_MD_CTX_new()) == NULL)
		return (-1);
	if (EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
	    EVP_DigestUpdate(ctx, &tenant, sizeof(tenant)) == 1 &&
	    EVP_DigestUpdate(ctx, kind, strlen(kind) + 1) == 1 &&
	    EVP_DigestUpdate(ctx, name, len) == 1 &&
	    EVP_DigestFinal_ex(ctx, key, NULL) == 1)
		ret = 0;
	EVP_MD_CTX_free(ctx);
	return (ret);
}

int
throttle_name(struct request *rq, const char *kind, const void *name,
    size_t len)
{
	if (throttle_key(rq->rq_name_key, rq->rq_tenant, kind, name,
	    len) == -1)
		return (-1);
	memcpy(rq->rq_key, rq->rq_name_key, sizeof(rq->rq_key));
	return (0);
}

int
throttle_known(struct request *rq, const char *kind, const void *name,
    size_t len)
{
	if (throttle_key(rq->rq_key, rq->rq_tenant, kind, name, len) == -1)
		return (-1);
	rq->rq_known = 1;
	return (0);
}

static struct failures *
table(const struct request *rq)
{
	return (rq->rq_known ? devices : strangers);
}

static uint32_t
hash32(const uint8_t *key)
{
	uint32_t	 n;

	memcpy(&n, key, sizeof(n));
	return (n);
}

int
throttle(struct request *rq)
{
	struct failure_rule	 fr = auth_rule(rq->rq_tenant);
	enum failure_say	 say = FAILURE_WAIT;
	uint64_t		 now = mono_ms(), ms = 0;

	limit_addr(rq->rq_addr_key, rq->rq_addr);
	/* Its own count is limit enough for a device, wherever it is. */
	if (!rq->rq_known)
		ms = address_try(addresses, rq->rq_addr_key, now);
	if (ms == 0) {
		say = failure_try(table(rq), rq->rq_tenant, rq->rq_key, &fr,
		    now, &ms);
		if (say == FAILURE_GO) {
			rq->rq_tried = 1;
			return (0);
		}
		if (!rq->rq_known) {
			address_end(addresses, rq->rq_addr_key, 0, now);
			/* Who tries a list goes on where it is locked. */
			if (is_login(rq))
				attacked(rq, now);
		}
	}
	log_debug("too many tries: tenant %u from %s", rq->rq_tenant,
	    log_safe(rq->rq_addr));
	request_end(rq, say == FAILURE_LOCKED ? R_LOCKED : R_TOOMANY,
	    limit_seconds(ms > RETRY_MAX ? RETRY_MAX : (uint32_t)ms), NULL);
	return (-1);
}

int
throttle_address(struct request *rq)
{
	uint64_t	 ms;

	limit_addr(rq->rq_addr_key, rq->rq_addr);
	ms = address_waits(addresses, rq->rq_addr_key, mono_ms());
	if (ms == 0)
		return (0);
	request_end(rq, R_TOOMANY, limit_seconds(ms > RETRY_MAX ? RETRY_MAX :
	    (uint32_t)ms), NULL);
	return (-1);
}

int
throttle_score(struct request *rq)
{
	uint32_t	 ms;

	limit_addr(rq->rq_addr_key, rq->rq_addr);
	if ((ms = limit_take(scores, rq->rq_addr_key, mono_ms())) == 0)
		return (0);
	request_end(rq, R_TOOMANY, limit_seconds(ms), NULL);
	return (-1);
}

void
throttle_back(struct request *rq)
{
	uint64_t	 now = mono_ms();

	if (!rq->rq_tried)
		return;
	rq->rq_tried = 0;
	/* Storage has it, and would tell of it after a restart. */
	if (failure_locked(table(rq), rq->rq_key))
		(void)lock_send(rq, 0, 0);
	rq->rq_failures = failure_right(table(rq), rq->rq_key);
	if (rq->rq_known)
		rq->rq_failures += failure_told(strangers, rq->rq_name_key);
	else
		address_end(addresses, rq->rq_addr_key, 0, now);
	person_came(rq, now);
}

static void
person_came(struct request *rq, uint64_t now)
{
	address_person(addresses, rq->rq_addr_key,
	    rq->rq_tenant * 2654435761U ^ rq->rq_user, now);
	attack_right(attacks, rq->rq_tenant, hash32(rq->rq_name_key), now);
}

void
throttle_came(struct request *rq)
{
	limit_addr(rq->rq_addr_key, rq->rq_addr);
	rq->rq_failures = failure_told(strangers, rq->rq_name_key);
	person_came(rq, mono_ms());
}

int
throttle_wrong(struct request *rq)
{
	struct failure_rule	 fr = auth_rule(rq->rq_tenant);
	uint64_t		 now = mono_ms();

	if (!rq->rq_tried)
		return (0);
	rq->rq_tried = 0;
	auth_counts.ac_failures++;
	if (!rq->rq_known) {
		if (is_login(rq))
			attacked(rq, now);
		address_end(addresses, rq->rq_addr_key, 1, now);
	}
	if (!failure_wrong(table(rq), rq->rq_key, &fr, now))
		return (0);
	auth_counts.ac_locks++;
	return (1);
}

static int
lock_send(const struct request *rq, uint32_t id, uint64_t until)
{
	struct m_lock	 m = { .tenant = rq->rq_tenant, .until = until };

	/* By the mail where that was tried, whether or not it is anybody's. */
	m.user = is_login(rq) ? 0 : rq->rq_user;
	m.email = rq->rq_mail;
	m.known = (uint8_t)rq->rq_known;
	memcpy(m.key, rq->rq_key, sizeof(m.key));
	return (proc_send(proc_peer(PROC_STORAGE, 0), IMSG_LOCK, id, -1,
	    &m));
}

int
throttle_keep(struct request *rq)
{
	uint64_t	 lock = auth_rule(rq->rq_tenant).fr_lock;

	if (lock_send(rq, rq->rq_id, lock == FAILURE_NEVER ? LOCK_NEVER :
	    now_ms() + lock) == 0)
		return (0);
	throttle_unkept(rq);
	return (-1);
}

void
throttle_unkept(struct request *rq)
{
	struct failure_rule	 fr = auth_rule(rq->rq_tenant);

	log_warnx("a lock is not kept by storage");
	failure_unkept(table(rq), rq->rq_key, &fr, mono_ms());
}

void
throttle_open(struct request *rq)
{
	if (!rq->rq_tried)
		return;
	rq->rq_tried = 0;
	failure_open(table(rq), rq->rq_key);
	if (!rq->rq_known)
		address_end(addresses, rq->rq_addr_key, 0, mono_ms());
}

void
throttle_none(struct request *rq)
{
	if (rq->rq_tried)
		throttle_open(rq);
	else if (rq->rq_type != IMSG_LINK_GET)
		return;
	auth_counts.ac_failures++;
	address_wrong(addresses, rq->rq_addr_key, mono_ms());
}

void
throttle_lock(const struct m_lock_row *m)
{
	struct failure_rule	 fr = auth_rule(m->tenant);
	uint64_t		 now = now_ms(), ms = FAILURE_NEVER;

	if (m->until <= now)
		return;
	/* A clock that was set back locks nobody for longer. */
	if (m->until != LOCK_NEVER && (ms = m->until - now) > fr.fr_lock)
		ms = fr.fr_lock;
	now = mono_ms();
	if (failure_lock(m->known ? devices : strangers, m->tenant, m->key,
	    &fr, ms, now) == -1)
		log_warnx("no room for a lock of tenant %u", m->tenant);
}

void
throttle_unlock(const struct m_unlock *m)
{
	static const char *const kinds[] = { "user", "used" };
	uint8_t			 key[FAILURE_KEY];
	size_t			 i;

	if (m->email[0] == '\0') {
		failure_unlock(m->known ? devices : strangers, m->key);
		return;
	}
	if (throttle_key(key, m->tenant, "mail", m->email,
	    strlen(m->email)) == 0)
		failure_unlock(strangers, key);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (throttle_key(key, m->tenant, kinds[i], &m->user,
		    sizeof(m->user)) == 0)
			failure_unlock(devices, key);
}

/* Does the failure belong to an attack?  Then the address gets little. */
static void
attacked(struct request *rq, uint64_t now)
{
	struct attack	*at;

	at = attack_wrong(attacks, rq->rq_tenant, rq->rq_addr,
	    address_people(addresses, rq->rq_addr_key, now),
	    hash32(rq->rq_name_key), now);
	if (at == NULL)
		return;
	address_strict(addresses, rq->rq_addr_key, now + ATTACK_WINDOW, now);
	if (at->at_id != 0)
		return;
	at->at_id = now_ms();
	auth_counts.ac_attacks++;
	log_warnx("tenant %u: many accounts fail to sign in: %u of them, "
	    "%llu tries, last from %s", at->at_tenant, at->at_accounts,
	    (unsigned long long)at->at_tries, log_safe(rq->rq_addr));
	alert(at);
	at->at_new = 0;
}

/* Storage keeps it; while storage is away the next one of these tells it. */
static void
alert(struct attack *at)
{
	struct m_alert	 m = { .tenant = at->at_tenant };
	char		 addrs[MAX_LINE + 1] = "";
	uint32_t	 i;

	for (i = 0; i < at->at_naddrs; i++) {
		if (i > 0)
			(void)strlcat(addrs, " ", sizeof(addrs));
		(void)strlcat(addrs, at->at_addrs[i], sizeof(addrs));
	}
	m.begun = at->at_id;
	m.last = at->at_id + (at->at_last - at->at_begun);
	m.over = !at->at_on;
	m.tries = at->at_tries;
	m.accounts = at->at_accounts;
	m.addrs = addrs;
	if (m.over)
		log_info("tenant %u: the attack is over: %u accounts, %llu "
		    "tries", at->at_tenant, at->at_accounts,
		    (unsigned long long)at->at_tries);
	(void)proc_send(proc_peer(PROC_STORAGE, 0), IMSG_ALERT, 0, -1, &m);
}

void
throttle_stats(void (*fn)(const char *, uint64_t, void *), void *arg)
{
	size_t		 keys, locked, devs, devs_locked;
	uint32_t	 most, devs_most;

	failure_counts(strangers, &keys, &locked, &most);
	failure_counts(devices, &devs, &devs_locked, &devs_most);
	fn("auth.failures", auth_counts.ac_failures, arg);
	fn("auth.locks", auth_counts.ac_locks, arg);
	fn("auth.locked", locked + devs_locked, arg);
	fn("auth.attacks", auth_counts.ac_attacks, arg);
	fn("auth.addresses", address_count(addresses), arg);
	fn("auth.accounts", keys, arg);
	fn("auth.accounts.most", most, arg);
	fn("auth.devices", devs, arg);
	fn("auth.devices.most", devs_most, arg);
}
