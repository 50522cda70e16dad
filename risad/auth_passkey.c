/*
 * Passkeys in auth: challenges, each good for one use within two minutes, and
 * the way of a request from its challenge to hash and to storage.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <openssl/rand.h>

#include <stdlib.h>
#include <string.h>

#include "auth_request.h"
#include "log.h"
#include "util.h"

#define CHALLENGES	65536		/* at a time */
#define CHALLENGE_MS	(120 * 1000)

/* Challenges a minute, and at once, for one address: an office of people. */
#define ADDR_BURST	120
#define ADDR_MINUTE	60
#define ADDR_KEYS	65536

struct challenge {
	RB_ENTRY(challenge)	 ch_node;
	TAILQ_ENTRY(challenge)	 ch_age, ch_own;
	struct room		*ch_room;
	uint8_t			 ch_sha[TOKEN_LEN];
	enum passkey_use	 ch_use;
	uint32_t		 ch_user;	/* 0: whoever it is */
	uint64_t		 ch_until;
};
TAILQ_HEAD(challenge_list, challenge);
RB_HEAD(challenge_tree, challenge);

/* Those of a tenant: only these make room for its next one. */
struct room {
	RB_ENTRY(room)		 rm_node;
	uint32_t		 rm_tenant;
	unsigned int		 rm_n;
	struct challenge_list	 rm_list;	/* oldest first */
};
RB_HEAD(room_tree, room);

static struct challenge_tree	 challenges = RB_INITIALIZER(&challenges);
static struct challenge_list	 by_age = TAILQ_HEAD_INITIALIZER(by_age);
static struct room_tree		 rooms = RB_INITIALIZER(&rooms);
static unsigned int		 nchallenges;
static struct limit		*limit_challenges;

static int
challenge_cmp(struct challenge *a, struct challenge *b)
{
	return (memcmp(a->ch_sha, b->ch_sha, TOKEN_LEN));
}

static int
room_cmp(struct room *a, struct room *b)
{
	return (a->rm_tenant < b->rm_tenant ? -1 :
	    a->rm_tenant > b->rm_tenant);
}

RB_GENERATE_STATIC(challenge_tree, challenge, ch_node, challenge_cmp)
RB_GENERATE_STATIC(room_tree, room, rm_node, room_cmp)

void
passkey_init(void)
{
	if ((limit_challenges = limit_new(ADDR_KEYS, ADDR_BURST,
	    ADDR_MINUTE)) == NULL)
		fatal("auth");
}

uint64_t
passkey_challenges(void)
{
	return (nchallenges);
}

/*
 * Challenges.
 */

static struct room *
room_get(uint32_t tenant)
{
	struct room	 find = { .rm_tenant = tenant }, *rm;

	if ((rm = RB_FIND(room_tree, &rooms, &find)) != NULL ||
	    (rm = calloc(1, sizeof(*rm))) == NULL)
		return (rm);
	rm->rm_tenant = tenant;
	TAILQ_INIT(&rm->rm_list);
	RB_INSERT(room_tree, &rooms, rm);
	return (rm);
}

static void
room_leave(struct room *rm)
{
	if (rm->rm_n > 0)
		return;
	RB_REMOVE(room_tree, &rooms, rm);
	free(rm);
}

static void
challenge_free(struct challenge *ch)
{
	struct room	*rm = ch->ch_room;

	RB_REMOVE(challenge_tree, &challenges, ch);
	TAILQ_REMOVE(&by_age, ch, ch_age);
	TAILQ_REMOVE(&rm->rm_list, ch, ch_own);
	nchallenges--;
	rm->rm_n--;
	room_leave(rm);
	freezero(ch, sizeof(*ch));
}

/* Those that are over go; if it is full, the tenant with most yields one. */
static void
challenge_tidy(uint64_t now)
{
	struct challenge	*ch;
	struct room		*rm, *most = NULL;

	while ((ch = TAILQ_FIRST(&by_age)) != NULL && ch->ch_until <= now)
		challenge_free(ch);
	if (nchallenges < CHALLENGES)
		return;
	RB_FOREACH(rm, room_tree, &rooms)
		if (most == NULL || rm->rm_n > most->rm_n)
			most = rm;
	if (most != NULL)
		challenge_free(TAILQ_FIRST(&most->rm_list));
}

/* A new one into bytes; 0, or -1. */
static int
challenge_make(uint32_t tenant, enum passkey_use use, uint32_t user,
    uint8_t bytes[TOKEN_LEN])
{
	struct challenge	*ch;
	uint64_t		 now = mono_ms();

	challenge_tidy(now);
	if ((ch = calloc(1, sizeof(*ch))) == NULL)
		return (-1);
	if (RAND_bytes(bytes, TOKEN_LEN) != 1 ||
	    sha256(ch->ch_sha, bytes, TOKEN_LEN) == -1 ||
	    (ch->ch_room = room_get(tenant)) == NULL) {
		free(ch);
		return (-1);
	}
	ch->ch_use = use;
	ch->ch_user = user;
	ch->ch_until = now + CHALLENGE_MS;
	RB_INSERT(challenge_tree, &challenges, ch);
	TAILQ_INSERT_TAIL(&by_age, ch, ch_age);
	TAILQ_INSERT_TAIL(&ch->ch_room->rm_list, ch, ch_own);
	ch->ch_room->rm_n++;
	nchallenges++;
	return (0);
}

/*
 * Whatever becomes of the request, its challenge is used up now.  0 and the
 * user it is for, or -1 when it was not for this.
 */
static int
challenge_take(const uint8_t bytes[TOKEN_LEN], uint32_t tenant,
    enum passkey_use use, uint32_t *user)
{
	struct challenge	 find, *ch;
	int			 ok;

	if (sha256(find.ch_sha, bytes, TOKEN_LEN) == -1 ||
	    (ch = RB_FIND(challenge_tree, &challenges, &find)) == NULL)
		return (-1);
	ok = ch->ch_until > mono_ms() && ch->ch_use == use &&
	    ch->ch_room->rm_tenant == tenant;
	*user = ch->ch_user;
	challenge_free(ch);
	return (ok ? 0 : -1);
}

/*
 * What a request carries.
 */

static int
blob_copy(struct m_blob *to, const struct m_blob *from)
{
	void	*p;

	if (from->mb_len == 0)
		return (0);
	if ((p = malloc(from->mb_len)) == NULL)
		return (-1);
	memcpy(p, from->mb_data, from->mb_len);
	to->mb_data = p;
	to->mb_len = from->mb_len;
	return (0);
}

static void
blob_free(struct m_blob *mb)
{
	freezero((void *)(uintptr_t)mb->mb_data, mb->mb_len);
}

void
passkey_free(struct passkey *pk)
{
	if (pk == NULL)
		return;
	blob_free(&pk->pk_cred);
	blob_free(&pk->pk_handle);
	blob_free(&pk->pk_client);
	blob_free(&pk->pk_data);
	blob_free(&pk->pk_sig);
	blob_free(&pk->pk_key);
	freezero(pk, sizeof(*pk));
}

/* 0, or -1: answered. */
static int
passkey_new(struct request *rq, const uint8_t challenge[TOKEN_LEN])
{
	if ((rq->rq_passkey = calloc(1, sizeof(*rq->rq_passkey))) == NULL) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return (-1);
	}
	if (challenge != NULL)
		memcpy(rq->rq_passkey->pk_challenge, challenge, TOKEN_LEN);
	return (0);
}

/* It was no attack: the address gets its token back. */
static void
challenge_back(struct request *rq)
{
	limit_addr(rq->rq_addr_key, rq->rq_addr);
	limit_give(limit_challenges, rq->rq_addr_key);
}

/*
 * What sessions ask.
 */

static void
challenge_answer(struct request *rq, enum passkey_use use,
    const struct m_passkey_owner *owner)
{
	struct m_challenge	 m = { .ids = { NULL, 0 } };
	uint32_t		 user = 0;

	if (owner != NULL) {
		user = owner->user;
		memcpy(m.handle, owner->handle, sizeof(m.handle));
		m.ids = owner->ids;
	}
	if (challenge_make(rq->rq_tenant, use, user, m.challenge) == -1 ||
	    proc_send(proc_peer(PROC_SESSION, rq->rq_inst), IMSG_CHALLENGE,
	    rq->rq_req, -1, &m) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else
		request_free(rq);
}

int
passkey_ask(struct peer *pe, uint32_t id, const struct m_passkey_ask *m)
{
	struct m_sha	 find = { .tenant = m->tenant };
	struct request	*rq;
	uint32_t	 ms;

	rq = request_open(pe, id, IMSG_PASSKEY_ASK, m->tenant, m->addr);
	if (rq == NULL || auth_tenant(rq) == -1)
		return (0);
	limit_addr(rq->rq_addr_key, rq->rq_addr);
	if ((ms = limit_take(limit_challenges, rq->rq_addr_key,
	    mono_ms())) != 0)
		request_end(rq, R_TOOMANY, limit_seconds(ms), NULL);
	else if (m->use == PASSKEY_SIGNIN)
		challenge_answer(rq, PASSKEY_SIGNIN, NULL);
	else if (sha256(find.sha, m->token, TOKEN_LEN) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else
		request_ask(rq, W_OWNER, IMSG_PASSKEY_START, &find);
	return (0);
}

/* The password is looked at first: it proves that it is still the person. */
static void
ask_owner(struct request *rq, const uint8_t token[TOKEN_LEN],
    const char *password)
{
	(void)strlcpy(rq->rq_password, password, sizeof(rq->rq_password));
	if (sha256(rq->rq_sha, token, TOKEN_LEN) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else
		locks_first(rq);
}

int
passkey_ask_add(struct peer *pe, uint32_t id, const struct m_passkey_add *m)
{
	struct request	*rq;
	struct passkey	*pk;
	uint32_t	 user;
	int		 taken;

	taken = challenge_take(m->challenge, m->tenant, PASSKEY_REGISTER,
	    &user);
	rq = request_open(pe, id, IMSG_PASSKEY_ADD, m->tenant, m->addr);
	if (rq == NULL || auth_tenant(rq) == -1 ||
	    passkey_new(rq, m->challenge) == -1)
		return (0);
	pk = rq->rq_passkey;
	if (taken == -1) {
		request_end(rq, R_INVALID, 0, "passkey");
		return (0);
	}
	pk->pk_user = user;
	(void)strlcpy(pk->pk_name, m->name, sizeof(pk->pk_name));
	if (blob_copy(&pk->pk_client, &m->client) == -1 ||
	    blob_copy(&pk->pk_data, &m->object) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else
		ask_owner(rq, m->token, m->password);
	return (0);
}

int
passkey_ask_del(struct peer *pe, uint32_t id, const struct m_passkey_del *m)
{
	struct request	*rq;

	rq = request_open(pe, id, IMSG_PASSKEY_DEL, m->tenant, m->addr);
	if (rq == NULL || auth_tenant(rq) == -1 ||
	    passkey_new(rq, NULL) == -1)
		return (0);
	rq->rq_passkey->pk_id = m->id;
	ask_owner(rq, m->token, m->password);
	return (0);
}

static int
login_copy(struct passkey *pk, const struct m_passkey_login *m)
{
	if (blob_copy(&pk->pk_cred, &m->id) == -1 ||
	    blob_copy(&pk->pk_handle, &m->handle) == -1 ||
	    blob_copy(&pk->pk_client, &m->client) == -1 ||
	    blob_copy(&pk->pk_data, &m->data) == -1 ||
	    blob_copy(&pk->pk_sig, &m->sig) == -1)
		return (-1);
	return (0);
}

/*
 * With a password it is the second step.  Without, it is all: the device must
 * have verified who uses it, and say who that is.
 */
int
passkey_ask_login(struct peer *pe, uint32_t id,
    const struct m_passkey_login *m)
{
	struct request	*rq;
	struct passkey	*pk;
	uint32_t	 user;
	int		 taken;

	taken = challenge_take(m->challenge, m->tenant, PASSKEY_SIGNIN, &user);
	rq = request_open(pe, id, IMSG_PASSKEY_LOGIN, m->tenant, m->addr);
	if (rq == NULL || auth_tenant(rq) == -1 ||
	    passkey_new(rq, m->challenge) == -1)
		return (0);
	pk = rq->rq_passkey;
	(void)strlcpy(rq->rq_agent, m->agent, sizeof(rq->rq_agent));
	(void)strlcpy(rq->rq_password, m->password, sizeof(rq->rq_password));
	pk->pk_alone = *m->email == '\0';
	auth_device(rq, m->device);
	if (taken == -1 || (pk->pk_alone && m->handle.mb_len == 0))
		pk->pk_deny = 1;
	if (login_copy(pk, m) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else if (pk->pk_alone)
		passkey_proved(rq);
	else
		auth_login(rq, m->email);
	return (0);
}

/*
 * What comes back.
 */

void
passkey_proved(struct request *rq)
{
	struct passkey		*pk = rq->rq_passkey;
	struct m_passkey_find	 find = { .tenant = rq->rq_tenant };
	struct m_passkey_drop	 drop = { .tenant = rq->rq_tenant };

	switch (rq->rq_type) {
	case IMSG_PASSKEY_LOGIN:
		find.id = pk->pk_cred;
		find.handle = pk->pk_handle;
		request_ask(rq, W_PASSKEY, IMSG_PASSKEY_FIND, &find);
		break;
	case IMSG_PASSKEY_ADD:
		/* Of somebody else's challenge nothing is registered. */
		if (pk->pk_user != rq->rq_user)
			request_end(rq, R_INVALID, 0, "passkey");
		else
			job_put(rq, W_REGISTER);
		break;
	default:
		memcpy(drop.sha, rq->rq_sha, sizeof(drop.sha));
		drop.id = pk->pk_id;
		request_ask(rq, W_PASSKEY_SET, IMSG_PASSKEY_DROP, &drop);
		break;
	}
}

/* Nobody's credential is checked as long as anybody's; m is NULL then. */
static void
got_passkey(struct request *rq, const struct m_passkey_row *m)
{
	struct passkey	*pk = rq->rq_passkey;

	if (m == NULL || m->state != USER_ACTIVE ||
	    (!pk->pk_alone && m->user != rq->rq_user))
		pk->pk_deny = 1;
	if (m != NULL) {
		pk->pk_id = m->id;
		pk->pk_user = m->user;
		pk->pk_alg = m->alg;
		/* Alone, he has not said whose failures he will hear of. */
		if (blob_copy(&pk->pk_key, &m->key) == -1 || (pk->pk_alone &&
		    throttle_name(rq, "mail", m->email,
		    strlen(m->email)) == -1)) {
			request_end(rq, R_UNAVAILABLE, 0, NULL);
			return;
		}
	}
	job_put(rq, W_ASSERT);
}

int
passkey_storage(struct request *rq, uint32_t type, const void *m)
{
	if (type == IMSG_PASSKEY_OWNER && rq->rq_wait == W_OWNER)
		challenge_answer(rq, PASSKEY_REGISTER, m);
	else if (type == IMSG_PASSKEY_ROW && rq->rq_wait == W_PASSKEY)
		got_passkey(rq, m);
	else
		return (-1);
	return (0);
}

/* Alone it is answered like a wrong password, else like a wrong code. */
static void
passkey_refuse(struct request *rq)
{
	if (rq->rq_passkey->pk_alone)
		request_refuse(rq);
	else
		factor_refuse(rq, 1);
}

int
passkey_result(struct request *rq, const struct m_result *m)
{
	if (m->code == R_UNAVAILABLE || m->code == R_BUSY ||
	    m->code == R_ADDRESS)
		return (0);
	switch (rq->rq_wait) {
	case W_PASSKEY:
		if (m->code == R_OK)
			return (0);
		got_passkey(rq, NULL);
		return (1);
	case W_TOKEN_NEW:
		if (rq->rq_passkey == NULL || m->code == R_OK)
			return (0);
		passkey_refuse(rq);
		return (1);
	case W_OWNER:
	case W_PASSKEY_SET:
		if (m->code == R_OK && rq->rq_wait == W_OWNER)
			return (0);
		if (m->code == R_OK && rq->rq_type == IMSG_PASSKEY_ADD)
			challenge_back(rq);
		request_end(rq, m->code, m->arg, m->field);
		return (1);
	default:
		return (0);
	}
}

void
passkey_registered(struct request *rq, const struct m_hash_registered *m)
{
	struct m_passkey_put	 put = { .tenant = rq->rq_tenant };

	if (m->answer != HASH_RIGHT) {
		request_end(rq, R_INVALID, 0, "passkey");
		return;
	}
	memcpy(put.sha, rq->rq_sha, sizeof(put.sha));
	put.alg = m->alg;
	put.count = m->count;
	put.name = rq->rq_passkey->pk_name;
	put.id = m->id;
	put.key = m->key;
	request_ask(rq, W_PASSKEY_SET, IMSG_PASSKEY_PUT, &put);
}

void
passkey_asserted(struct request *rq, const struct m_hash_asserted *m)
{
	struct passkey	*pk = rq->rq_passkey;

	if (m->answer != HASH_RIGHT || pk->pk_deny) {
		passkey_refuse(rq);
		return;
	}
	challenge_back(rq);
	rq->rq_user = pk->pk_user;
	rq->rq_method = FACTOR_PASSKEY;
	pk->pk_count = m->count;
	token_new(rq);
}

/* To a hash process: what it shall look at.  0, or -1. */
int
passkey_send(struct request *rq, struct peer *pe, enum imsg_type *answer)
{
	const struct passkey	*pk = rq->rq_passkey;
	struct m_hash_register	 reg = { .client = pk->pk_client,
				    .object = pk->pk_data };
	struct m_hash_assert	 as = { .client = pk->pk_client,
				    .data = pk->pk_data, .sig = pk->pk_sig,
				    .key = pk->pk_key };
	char			 host[MAX_HOST + 1];
	uint16_t		 port;

	if (auth_host(rq->rq_tenant, host, sizeof(host), &port) == -1)
		return (-1);
	if (rq->rq_wait == W_REGISTER) {
		memcpy(reg.challenge, pk->pk_challenge, TOKEN_LEN);
		reg.host = host;
		reg.port = port;
		*answer = IMSG_HASH_REGISTERED;
		return (proc_send(pe, IMSG_HASH_REGISTER, rq->rq_id, -1,
		    &reg));
	}
	memcpy(as.challenge, pk->pk_challenge, TOKEN_LEN);
	as.host = host;
	as.port = port;
	as.uv = pk->pk_alone != 0;
	as.alg = pk->pk_alg;
	*answer = IMSG_HASH_ASSERTED;
	return (proc_send(pe, IMSG_HASH_ASSERT, rq->rq_id, -1, &as));
}
