/*
 * Passkeys: requests of auth, which registers them and lets people in with
 * them, and what their owners see and change.
 */
#include <openssl/crypto.h>

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "storage.h"
#include "util.h"

#define PASSKEY_BIND	(8 + 8 + SEAL_INDEX)

struct passkey {
	uint32_t	 pk_id, pk_user, pk_count;
	uint64_t	 pk_created, pk_last, pk_version;
	uint8_t		 pk_alg;
	uint8_t		 pk_cred_key[SEAL_INDEX];	/* finds it */
	uint8_t		 pk_cred[MAX_CRED_ID];
	size_t		 pk_credlen;
	uint8_t		 pk_key[MAX_CRED_KEY];
	size_t		 pk_keylen;
	char		 pk_name[MAX_NAME + 1];
};

/*
 * Rows.
 */

/* It opens for this user alone, and under this credential's look-up key. */
static void
passkey_bind(uint8_t bind[PASSKEY_BIND], const struct passkey *pk)
{
	uint64_t	 n[2] = { htobe64(pk->pk_user),
			    htobe64(pk->pk_created) };

	memcpy(bind, n, sizeof(n));
	memcpy(bind + sizeof(n), pk->pk_cred_key, SEAL_INDEX);
}

/* Algorithm, length and bytes of the credential's id, public key. */
static void *
cred_seal(struct db *db, const struct passkey *pk, size_t *len)
{
	uint8_t			 bind[PASSKEY_BIND];
	const struct seal_at	 at = { "passkeys", "cred", pk->pk_id, 0, bind,
				    sizeof(bind) };
	struct ibuf		*buf;
	void			*rec = NULL;

	passkey_bind(bind, pk);
	if ((buf = ibuf_dynamic(64, SEAL_MAX)) == NULL)
		return (NULL);
	if (ibuf_add_n8(buf, pk->pk_alg) == 0 &&
	    ibuf_add_n16(buf, pk->pk_credlen) == 0 &&
	    ibuf_add(buf, pk->pk_cred, pk->pk_credlen) == 0 &&
	    ibuf_add(buf, pk->pk_key, pk->pk_keylen) == 0)
		rec = db_seal(db, &at, ibuf_data(buf), ibuf_size(buf), len);
	ibuf_free(buf);
	return (rec);
}

static int
cred_open(struct db *db, sqlite3_stmt *st, int col, struct passkey *pk)
{
	uint8_t			 bind[PASSKEY_BIND];
	const struct seal_at	 at = { "passkeys", "cred", pk->pk_id, 0, bind,
				    sizeof(bind) };
	struct ibuf		 buf;
	void			*text;
	uint16_t		 n;
	size_t			 len;
	int			 ret = -1;

	passkey_bind(bind, pk);
	if ((text = db_open(db, &at, st, col, &len)) == NULL)
		return (-1);
	ibuf_from_buffer(&buf, text, len);
	if (ibuf_get_n8(&buf, &pk->pk_alg) == 0 &&
	    ibuf_get_n16(&buf, &n) == 0 && n <= MAX_CRED_ID &&
	    ibuf_get(&buf, pk->pk_cred, n) == 0 &&
	    ibuf_size(&buf) <= MAX_CRED_KEY) {
		pk->pk_credlen = n;
		pk->pk_keylen = ibuf_size(&buf);
		memcpy(pk->pk_key, ibuf_data(&buf), pk->pk_keylen);
		ret = 0;
	}
	freezero(text, len + 1);
	return (ret);
}

/* The counter is of the version: an older one does not open any more. */
static void *
count_seal(struct db *db, const struct passkey *pk, size_t *len)
{
	const struct seal_at	 at = { "passkeys", "count", pk->pk_id,
				    pk->pk_version, NULL, 0 };
	const uint32_t		 count = htobe32(pk->pk_count);

	return (db_seal(db, &at, &count, sizeof(count), len));
}

static int
count_open(struct db *db, sqlite3_stmt *st, int col, struct passkey *pk)
{
	const struct seal_at	 at = { "passkeys", "count", pk->pk_id,
				    pk->pk_version, NULL, 0 };
	void			*text;
	uint32_t		 count;
	size_t			 len;
	int			 ret = -1;

	if ((text = db_open(db, &at, st, col, &len)) == NULL)
		return (-1);
	if (len == sizeof(count)) {
		memcpy(&count, text, sizeof(count));
		pk->pk_count = be32toh(count);
		ret = 0;
	}
	freezero(text, len + 1);
	return (ret);
}

static void *
label_seal(struct db *db, uint32_t id, const char *name, size_t *len)
{
	const struct seal_at	 at = { "passkeys", "name", id, 0, NULL, 0 };

	return (db_seal(db, &at, name, strlen(name), len));
}

static int
label_open(struct db *db, sqlite3_stmt *st, int col, struct passkey *pk)
{
	const struct seal_at	 at = { "passkeys", "name", pk->pk_id, 0, NULL,
				    0 };
	char			*text;
	size_t			 len;
	int			 ret = -1;

	if ((text = db_open(db, &at, st, col, &len)) == NULL)
		return (-1);
	if (strlen(text) == len &&
	    strlcpy(pk->pk_name, text, sizeof(pk->pk_name)) <
	    sizeof(pk->pk_name))
		ret = 0;
	freezero(text, len + 1);
	return (ret);
}

/* 0, or -1: it is not as it was written. */
static int
passkey_read(struct db *db, sqlite3_stmt *st, struct passkey *pk)
{
	const void	*key;
	size_t		 len;

	memset(pk, 0, sizeof(*pk));
	pk->pk_id = (uint32_t)db_col_num(st, 0);
	pk->pk_user = (uint32_t)db_col_num(st, 1);
	pk->pk_created = db_col_num(st, 2);
	pk->pk_last = db_col_num(st, 3);
	pk->pk_version = db_col_num(st, 4);
	key = db_col_bin(st, 5, &len);
	if (len != SEAL_INDEX)
		return (-1);
	memcpy(pk->pk_cred_key, key, SEAL_INDEX);
	if (cred_open(db, st, 6, pk) == -1 ||
	    count_open(db, st, 7, pk) == -1 || label_open(db, st, 8, pk) == -1)
		return (-1);
	return (0);
}

static int
passkey_one(struct db *db, sqlite3_stmt *st, struct passkey *pk)
{
	int	 n;

	if ((n = db_step(db, st)) == 1 && passkey_read(db, st, pk) == -1)
		n = -1;
	db_done(st);
	return (n);
}

/* By the credential's id: 1, 0 nobody has it, -1. */
static int
passkey_find(struct db *db, const struct m_blob *cred, struct passkey *pk)
{
	uint8_t	 key[SEAL_INDEX];

	if (seal_index(db->db_seal, "passkey", cred->mb_data, cred->mb_len,
	    key) == -1)
		return (-1);
	return (passkey_one(db, db_query(db, S_PASSKEY_FIND,
	    ARGS(BIN(key, sizeof(key)))), pk));
}

static int
passkey_add(struct db *db, struct passkey *pk)
{
	void		*cred, *count, *name;
	uint64_t	 id;
	size_t		 clen, nlen, olen;
	int		 n = -1;

	if (db_next_id(db, "passkeys", &id) == -1 || id > UINT32_MAX ||
	    seal_index(db->db_seal, "passkey", pk->pk_cred, pk->pk_credlen,
	    pk->pk_cred_key) == -1)
		return (-1);
	pk->pk_id = (uint32_t)id;
	pk->pk_version = 1;
	pk->pk_created = now_ms();
	cred = cred_seal(db, pk, &clen);
	count = count_seal(db, pk, &olen);
	name = label_seal(db, pk->pk_id, pk->pk_name, &nlen);
	if (cred != NULL && count != NULL && name != NULL)
		n = db_exec(db, S_PASSKEY_ADD, ARGS(NUM(id), NUM(pk->pk_user),
		    NUM(pk->pk_created), BIN(pk->pk_cred_key, SEAL_INDEX),
		    BIN(cred, clen), BIN(count, olen), BIN(name, nlen)));
	free(cred);
	free(count);
	free(name);
	return (n == 1 ? 0 : -1);
}

/* What an authenticator calls the user: it tells nobody else who that is. */
static int
user_handle(struct db *db, uint32_t user, uint8_t handle[TOKEN_LEN])
{
	const uint32_t	 id = htobe32(user);

	return (seal_index(db->db_seal, "handle", &id, sizeof(id), handle));
}

int
passkeys_count(struct db *db, uint32_t user, uint64_t *n)
{
	return (db_number(db, S_PASSKEY_COUNT, ARGS(NUM(user)), n));
}

/*
 * What auth asks.
 */

/* The ids that the person has: no authenticator shall get a second one. */
static int
cred_ids(struct db *db, uint32_t user, struct ibuf *buf)
{
	struct passkey	 pk;
	sqlite3_stmt	*st;
	int		 n;

	st = db_query(db, S_PASSKEYS_OF, ARGS(NUM(user)));
	while ((n = db_step(db, st)) == 1) {
		if (passkey_read(db, st, &pk) == -1)
			continue;
		if (ibuf_add_n16(buf, pk.pk_credlen) == -1 ||
		    ibuf_add(buf, pk.pk_cred, pk.pk_credlen) == -1) {
			n = -1;
			break;
		}
	}
	db_done(st);
	return (n);
}

enum result
data_passkey_start(struct request *rq, const void *arg)
{
	const struct m_sha	*m = arg;
	struct db		*db = rq->rq_db;
	struct token		 tk;
	struct person		 p;
	struct m_passkey_owner	 owner = { 0 };
	struct ibuf		*buf;
	uint64_t		 count;
	enum result		 r;

	if ((r = token_user(rq, m->sha, &tk, &p)) != R_OK)
		return (r);
	explicit_bzero(p.p_secret, sizeof(p.p_secret));
	if (p.p_state != USER_ACTIVE)
		return (R_SESSION);
	if (passkeys_count(db, p.p_id, &count) == -1 ||
	    user_handle(db, p.p_id, owner.handle) == -1)
		return (R_UNAVAILABLE);
	if (count >= MAX_PASSKEYS) {
		rq->rq_field = "passkeys";
		return (R_CONFLICT);
	}
	if ((buf = ibuf_dynamic(64, MAX_CRED_IDS)) == NULL)
		return (R_UNAVAILABLE);
	if (cred_ids(db, p.p_id, buf) == -1)
		r = R_UNAVAILABLE;
	else {
		owner.user = p.p_id;
		owner.ids.mb_data = ibuf_data(buf);
		owner.ids.mb_len = ibuf_size(buf);
		rq_answer(rq, IMSG_PASSKEY_OWNER, &owner);
	}
	ibuf_free(buf);
	return (r);
}

/* The handle, where there is one, must be the owner's: 7.2 step 6. */
enum result
data_passkey_find(struct request *rq, const void *arg)
{
	const struct m_passkey_find	*m = arg;
	struct passkey			 pk;
	struct person			 p;
	struct m_passkey_row		 row;
	uint8_t				 handle[TOKEN_LEN];
	int				 n;

	if ((n = passkey_find(rq->rq_db, &m->id, &pk)) == 1)
		n = person_get(rq->rq_db, pk.pk_user, &p);
	if (n == -1 || (n == 1 &&
	    user_handle(rq->rq_db, pk.pk_user, handle) == -1))
		return (R_UNAVAILABLE);
	if (n == 0 || (m->handle.mb_len != 0 &&
	    (m->handle.mb_len != sizeof(handle) ||
	    CRYPTO_memcmp(m->handle.mb_data, handle, sizeof(handle)) != 0)))
		return (R_NOTFOUND);
	row.id = pk.pk_id;
	row.user = pk.pk_user;
	row.state = p.p_state;
	row.alg = pk.pk_alg;
	row.email = p.p_mail;
	row.key.mb_data = pk.pk_key;
	row.key.mb_len = pk.pk_keylen;
	rq_answer(rq, IMSG_PASSKEY_ROW, &row);
	explicit_bzero(&p, sizeof(p));
	return (R_OK);
}

enum result
data_passkey_put(struct request *rq, const void *arg)
{
	const struct m_passkey_put	*m = arg;
	struct db			*db = rq->rq_db;
	struct passkey			 pk = { 0 }, other;
	struct token			 tk;
	struct person			 p;
	uint64_t			 count;
	enum result			 r;
	int				 n;

	if (m->id.mb_len == 0 || m->key.mb_len == 0 ||
	    !name_valid(m->name, MAX_NAME_CHARS))
		return (R_INVALID);
	if ((r = token_user(rq, m->sha, &tk, &p)) != R_OK)
		return (r);
	if (p.p_state != USER_ACTIVE)
		return (R_SESSION);
	if (passkeys_count(db, p.p_id, &count) == -1)
		return (R_UNAVAILABLE);
	rq->rq_field = "passkeys";
	if (count >= MAX_PASSKEYS)
		return (R_CONFLICT);
	/* 7.1 step 22: nobody else's, and not his own once more. */
	rq->rq_field = "passkey";
	if ((n = passkey_find(db, &m->id, &other)) != 0)
		return (n == 1 ? R_CONFLICT : R_UNAVAILABLE);
	pk.pk_user = p.p_id;
	pk.pk_alg = m->alg;
	pk.pk_count = m->count;
	memcpy(pk.pk_cred, m->id.mb_data, m->id.mb_len);
	pk.pk_credlen = m->id.mb_len;
	memcpy(pk.pk_key, m->key.mb_data, m->key.mb_len);
	pk.pk_keylen = m->key.mb_len;
	(void)strlcpy(pk.pk_name, m->name, sizeof(pk.pk_name));
	if (passkey_add(db, &pk) == -1 ||
	    audit_add(db, "user %u: passkey %u added", pk.pk_user,
	    pk.pk_id) == -1)
		return (R_UNAVAILABLE);
	if (count == 0)
		r = factor_set(rq, &p, p.p_factors | FACTOR_PASSKEY);
	if (r == R_OK)
		rq_result(rq, R_OK, 0, NULL);
	explicit_bzero(&p, sizeof(p));
	return (r);
}

/*
 * 7.2 step 21.  A counter that stands still is one of two that are alike: no
 * entrance, and a record that stays.
 */
static enum result
passkey_cloned(struct request *rq, const struct passkey *pk, uint32_t count)
{
	log_warnx("tenant %u: passkey %u of user %u went from use %u to %u: "
	    "was it copied?", rq->rq_tn->tn_id, pk->pk_id, pk->pk_user,
	    pk->pk_count, count);
	if (audit_add(rq->rq_db, "user %u: passkey %u refused, its counter "
	    "went from %u to %u", pk->pk_user, pk->pk_id, pk->pk_count,
	    count) == -1)
		return (R_UNAVAILABLE);
	return (R_SIGNIN);
}

enum result
passkey_spend(struct request *rq, const struct person *p, uint32_t id,
    uint32_t count)
{
	struct db	*db = rq->rq_db;
	struct passkey	 pk;
	void		*rec;
	size_t		 len;
	int		 n;

	if ((n = passkey_one(db, db_query(db, S_PASSKEY_GET, ARGS(NUM(id))),
	    &pk)) == -1)
		return (R_UNAVAILABLE);
	if (n == 0 || pk.pk_user != p->p_id)
		return (R_FACTOR);
	if ((count != 0 || pk.pk_count != 0) && count <= pk.pk_count)
		return (passkey_cloned(rq, &pk, count));
	pk.pk_count = count;
	pk.pk_version++;
	if ((rec = count_seal(db, &pk, &len)) == NULL)
		return (R_UNAVAILABLE);
	n = db_exec(db, S_PASSKEY_USED, ARGS(NUM(pk.pk_id), NUM(now_ms()),
	    NUM(pk.pk_version), BIN(rec, len)));
	free(rec);
	return (n == 1 ? R_OK : R_UNAVAILABLE);
}

enum result
data_passkey_drop(struct request *rq, const void *arg)
{
	const struct m_passkey_drop	*m = arg;
	struct token			 tk;
	struct person			 p;
	uint64_t			 left;
	enum result			 r;
	int				 n;

	if ((r = token_user(rq, m->sha, &tk, &p)) != R_OK)
		return (r);
	if ((n = db_exec(rq->rq_db, S_PASSKEY_DEL, ARGS(NUM(p.p_id),
	    NUM(m->id)))) == -1)
		return (R_UNAVAILABLE);
	if (n == 0)
		return (R_NOTFOUND);
	if (passkeys_count(rq->rq_db, p.p_id, &left) == -1 ||
	    audit_add(rq->rq_db, "user %u: passkey %u removed", p.p_id,
	    m->id) == -1)
		return (R_UNAVAILABLE);
	if (left == 0)
		r = factor_set(rq, &p, p.p_factors & ~FACTOR_PASSKEY);
	if (r == R_OK)
		rq_result(rq, R_OK, 0, NULL);
	explicit_bzero(&p, sizeof(p));
	return (r);
}

/*
 * What owners ask.
 */

enum result
me_passkeys(struct request *rq, const void *arg)
{
	struct passkey	 pk;
	struct m_passkey m;
	sqlite3_stmt	*st;
	int		 n;

	(void)arg;
	st = db_query(rq->rq_db, S_PASSKEYS_OF, ARGS(NUM(rq->rq_gr->gr_user)));
	while ((n = db_step(rq->rq_db, st)) == 1) {
		if (passkey_read(rq->rq_db, st, &pk) == -1)
			continue;
		m = (struct m_passkey){ pk.pk_id, pk.pk_created, pk.pk_last,
		    pk.pk_name };
		rq_answer(rq, IMSG_PASSKEY, &m);
	}
	db_done(st);
	if (n == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

enum result
me_passkey_name(struct request *rq, const void *arg)
{
	const struct m_passkey_name	*m = arg;
	void				*rec;
	size_t				 len;
	int				 n;

	rq->rq_field = "name";
	if (!name_valid(m->name, MAX_NAME_CHARS))
		return (R_INVALID);
	if ((rec = label_seal(rq->rq_db, m->id, m->name, &len)) == NULL)
		return (R_UNAVAILABLE);
	n = db_exec(rq->rq_db, S_PASSKEY_NAME, ARGS(NUM(rq->rq_gr->gr_user),
	    NUM(m->id), BIN(rec, len)));
	free(rec);
	if (n != 1)
		return (n == 0 ? R_NOTFOUND : R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}
