/*
 * Challenges of auth_passkey.c with a clock that the test sets: each good
 * once, for its tenant, its purpose and two minutes, and nobody's flood is at
 * the cost of another tenant.
 */

#include <stdint.h>

static uint64_t	 test_clock(void);
#define mono_ms	test_clock
#include "../../risad/auth_passkey.c"

#include "unit.h"

#define A	7		/* two tenants */
#define B	8

static uint64_t	 now = 1000;

static uint64_t
test_clock(void)
{
	return (now);
}

/* What the rest of the file asks for; no test here gets so far. */
static void
unexpected(void)
{
	abort();
}

void	 fatal(const char *fmt, ...) { unexpected(); abort(); }
struct request *request_open(struct peer *pe, uint32_t id,
    enum imsg_type type, uint32_t tenant, const char *addr)
    { unexpected(); return (NULL); }
void	 request_free(struct request *rq) { unexpected(); }
void	 request_end(struct request *rq, enum result code, uint64_t arg,
    const char *field) { unexpected(); }
void	 request_refuse(struct request *rq) { unexpected(); }
void	 request_ask(struct request *rq, enum wait wait, enum imsg_type type,
    const void *m) { unexpected(); }
void	 throttle_back(struct request *rq) { unexpected(); }
int	 throttle_name(struct request *rq, const char *kind, const void *name,
    size_t len) { unexpected(); return (-1); }
void	 job_put(struct request *rq, enum wait wait) { unexpected(); }
int	 auth_tenant(struct request *rq) { unexpected(); return (-1); }
int	 auth_host(uint32_t tenant, char *dst, size_t len, uint16_t *port)
    { unexpected(); return (-1); }
void	 auth_login(struct request *rq, const char *email) { unexpected(); }
void	 token_new(struct request *rq) { unexpected(); }
void	 factor_refuse(struct request *rq, int wrong) { unexpected(); }
struct peer *proc_peer(enum proc_type proc, unsigned int inst)
    { unexpected(); return (NULL); }
int	 proc_send(struct peer *pe, enum imsg_type type, uint32_t id, int fd,
    const void *m) { unexpected(); return (-1); }

static void
make(uint32_t tenant, enum passkey_use use, uint32_t user,
    uint8_t bytes[TOKEN_LEN])
{
	CHECK_INT(challenge_make(tenant, use, user, bytes), 0);
}

static int
use_it(const uint8_t bytes[TOKEN_LEN], uint32_t tenant, enum passkey_use use,
    uint32_t want)
{
	uint32_t	 user = 0;
	int		 ret = challenge_take(bytes, tenant, use, &user);

	if (ret == 0)
		CHECK_INT(user, want);
	return (ret);
}

static void
test_once(void)
{
	uint8_t	 a[TOKEN_LEN], b[TOKEN_LEN];

	make(A, PASSKEY_SIGNIN, 0, a);
	make(A, PASSKEY_REGISTER, 5, b);
	CHECK(memcmp(a, b, TOKEN_LEN) != 0);
	CHECK_INT(passkey_challenges(), 2);
	CHECK_INT(use_it(a, A, PASSKEY_SIGNIN, 0), 0);
	CHECK_INT(use_it(a, A, PASSKEY_SIGNIN, 0), -1);
	CHECK_INT(use_it(b, A, PASSKEY_REGISTER, 5), 0);
	CHECK_INT(use_it(b, A, PASSKEY_REGISTER, 5), -1);
	memset(a, 0, sizeof(a));
	CHECK_INT(use_it(a, A, PASSKEY_SIGNIN, 0), -1);
	CHECK_INT(passkey_challenges(), 0);
}

/* Used for what it is not for, it is used up all the same. */
static void
test_bound(void)
{
	uint8_t	 a[TOKEN_LEN];

	make(A, PASSKEY_SIGNIN, 0, a);
	CHECK_INT(use_it(a, B, PASSKEY_SIGNIN, 0), -1);
	CHECK_INT(use_it(a, A, PASSKEY_SIGNIN, 0), -1);
	make(A, PASSKEY_SIGNIN, 0, a);
	CHECK_INT(use_it(a, A, PASSKEY_REGISTER, 0), -1);
	CHECK_INT(use_it(a, A, PASSKEY_SIGNIN, 0), -1);
	make(A, PASSKEY_REGISTER, 5, a);
	CHECK_INT(use_it(a, A, PASSKEY_SIGNIN, 0), -1);
	CHECK_INT(passkey_challenges(), 0);
}

static void
test_time(void)
{
	uint8_t	 a[TOKEN_LEN], b[TOKEN_LEN];

	make(A, PASSKEY_SIGNIN, 0, a);
	now += CHALLENGE_MS - 1;
	make(A, PASSKEY_SIGNIN, 0, b);
	CHECK_INT(use_it(a, A, PASSKEY_SIGNIN, 0), 0);
	now += CHALLENGE_MS;
	CHECK_INT(use_it(b, A, PASSKEY_SIGNIN, 0), -1);
	/* Those that nobody comes back with are gone with the next one. */
	make(A, PASSKEY_SIGNIN, 0, a);
	make(B, PASSKEY_SIGNIN, 0, a);
	now += CHALLENGE_MS;
	make(A, PASSKEY_SIGNIN, 0, a);
	CHECK_INT(passkey_challenges(), 1);
	CHECK_INT(use_it(a, A, PASSKEY_SIGNIN, 0), 0);
	CHECK(RB_EMPTY(&rooms));
}

/* The tenant that is flooded loses its own oldest, the others none. */
static void
test_flood(void)
{
	static uint8_t	 few[3][TOKEN_LEN];
	uint8_t		 first[TOKEN_LEN], last[TOKEN_LEN];
	unsigned int	 i;

	for (i = 0; i < 3; i++)
		make(B, PASSKEY_SIGNIN, 0, few[i]);
	make(A, PASSKEY_SIGNIN, 0, first);
	for (i = 0; i < CHALLENGES + 10; i++)
		if (challenge_make(A, PASSKEY_SIGNIN, 0, last) == -1)
			break;
	CHECK_INT(i, CHALLENGES + 10);
	CHECK_INT(passkey_challenges(), CHALLENGES);
	CHECK_INT(use_it(first, A, PASSKEY_SIGNIN, 0), -1);
	CHECK_INT(use_it(last, A, PASSKEY_SIGNIN, 0), 0);
	for (i = 0; i < 3; i++)
		CHECK_INT(use_it(few[i], B, PASSKEY_SIGNIN, 0), 0);
	now += CHALLENGE_MS;
	challenge_tidy(now);
	CHECK_INT(passkey_challenges(), 0);
	CHECK(RB_EMPTY(&rooms) && RB_EMPTY(&challenges) &&
	    TAILQ_EMPTY(&by_age));
}

int
main(void)
{
	passkey_init();
	test_once();
	test_bound();
	test_time();
	test_flood();
	limit_free(limit_challenges);
	return (unit_end());
}
