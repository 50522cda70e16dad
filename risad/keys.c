/*
 * The keys process: it holds the TLS key and signs for session processes; it
 * holds the installation's own key and vouches for what storage keeps.
 */

#include <sys/types.h>
#include <sys/tree.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys.h"
#include "limit.h"
#include "log.h"
#include "proof.h"
#include "util.h"

#define RSA_MIN_BITS	2048
#define RSA_MAX_BITS	(MAX_SIGN * 8)
#define MAX_PEM		(256 * 1024)
#define MAX_DIGEST	64
#define SIGN_RATE	4000		/* a second, of one session process */
#define WARN_EVERY	60000		/* ms */
#define MAX_POINTS	65536		/* trails remembered */
#define TICKET_MS	(15 * 60000)	/* that a ticket key is given out */

struct key {
	EVP_PKEY	*ky_pkey;
	EVP_PKEY_CTX	*ky_ctx;	/* made once, used for each */
	int		 ky_ec;
	int		 ky_bits;
	uint8_t		 ky_name[TOKEN_LEN];
	uint64_t	 ky_until;	/* ms: its certificate ends */
};

/* What a reload brings; becomes a key when all is there. */
struct keys_conf {
	uint64_t	 kc_generation;
	char		*kc_domain;	/* of the site, or NULL */
	void		*kc_cert, *kc_pem;
	size_t		 kc_certlen, kc_pemlen;
	struct key	*kc_key;
	uint8_t		*kc_sign;	/* PROOF_KEY bytes, or NULL */
};

/* The key before the current one still signs: a handshake may be under way. */
static struct key	*keys_current, *keys_before;
static struct keys_conf	 keys_next;
static struct limit	*keys_limit;

/* Signs checkpoints, and never two that contradict each other. */
static uint8_t		 keys_seed[PROOF_KEY];
static int		 keys_sealed;		/* the seed is there */
struct point {
	RB_ENTRY(point)	 po_entry;
	uint32_t	 po_tenant;
	uint64_t	 po_seq;
	uint8_t		 po_sum[TOKEN_LEN];
};
static RB_HEAD(point_tree, point) points = RB_INITIALIZER(&points);
static unsigned int npoints;
static int	 point_cmp(const struct point *, const struct point *);
RB_GENERATE_STATIC(point_tree, point, po_entry, point_cmp)

/* What sessions seal TLS tickets with, the same for all of them. */
static struct {
	uint8_t		 tk_key[MAX_TICKET];
	uint64_t	 tk_born;	/* mono ms */
} keys_ticket;

static uint64_t	 keys_warned[MAX_SESSIONS];	/* of the rate, when */

static int	 no_passphrase(char *, int, int, void *);
static X509	*cert_parse(const void *, size_t);
static int	 cert_end(X509 *, uint64_t *);
static int	 cert_group(X509 *);
static int	 key_kind(struct key *, X509 *);
static int	 key_named(struct key *, X509 *);
static int	 key_proves(struct key *, X509 *);
static int	 digest_info(const struct m_blob *);
static int	 mgf1_xor(uint8_t *, size_t, const uint8_t *, size_t,
		    const EVP_MD *);
static int	 pss_block(const struct m_blob *, int, const EVP_MD *);
static int	 key_accepts(const struct key *, const struct m_sign *);
static void	 keys_init(void);
static int	 keys_imsg(struct peer *, uint32_t, uint32_t, const void *,
		    struct imsg *);
static void	 keys_clear(void);
static void	 keys_file(const struct m_conf_file *, struct imsg *);
static void	 keys_end(struct peer *, const struct m_conf_end *);
static void	 keys_commit(const struct m_conf_end *);
static int	 keys_allowed(struct peer *);
static const struct key *keys_find(const uint8_t *);
static void	 keys_sign(struct peer *, uint32_t, const struct m_sign *);
static void	 keys_ticket_new(void);
static void	 keys_ticket_give(struct peer *, uint32_t);
static int	 keys_vouches(const struct m_prove *);
static void	 keys_prove(struct peer *, uint32_t, const struct m_prove *);
static void	 keys_tell(struct peer *);
static void	 keys_up(struct peer *);

const struct proc_ops keys_ops = {
	.po_proc = PROC_KEYS,
	.po_promises = "stdio recvfd",
	.po_init = keys_init,
	.po_imsg = keys_imsg,
	.po_up = keys_up,
};

/* There is nobody whom libcrypto could ask. */
static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return (-1);
}

static X509 *
cert_parse(const void *pem, size_t len)
{
	BIO	*bio;
	X509	*x;

	if (len > MAX_PEM || (bio = BIO_new_mem_buf(pem, (int)len)) == NULL)
		return (NULL);
	x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	return (x);
}

/* 1, 0 when it was not signed by that one, or -1: it was, and is damaged. */
static int
cert_signed(X509 *x, X509 *by)
{
	if (X509_NAME_cmp(X509_get_issuer_name(x),
	    X509_get_subject_name(by)) != 0)
		return (0);
	return (X509_verify(x, X509_get0_pubkey(by)) == 1 ? 1 : -1);
}

/*
 * Each certificate of the file against what has signed it, as far as that is
 * there: browsers would find out when it is in force.  Who signs is their
 * business, and a chain in another order as well.  0, or -1: one is damaged.
 */
static int
cert_whole(const void *pem, size_t len)
{
	BIO	*bio;
	X509	*x, *next = NULL;
	int	 own, ret = -1;

	if ((bio = BIO_new_mem_buf(pem, (int)len)) == NULL)
		return (-1);
	x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	while (x != NULL) {
		next = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
		if ((own = cert_signed(x, x)) == -1 || (own == 0 &&
		    next != NULL && cert_signed(x, next) == -1))
			break;
		X509_free(x);
		x = next;
	}
	/* What ends it is the end of the file. */
	if (x == NULL && ERR_GET_REASON(ERR_peek_last_error()) ==
	    PEM_R_NO_START_LINE)
		ret = 0;
	else if (x != next)
		X509_free(next);
	X509_free(x);
	BIO_free(bio);
	ERR_clear_error();
	return (ret);
}

static int
cert_end(X509 *x, uint64_t *until)
{
	struct tm	 tm;
	time_t		 t;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) != 1 ||
	    (t = timegm(&tm)) < 0)
		return (-1);
	*until = (uint64_t)t * 1000;
	return (0);
}

/* The named curve of an elliptic key, as the certificate says it. */
static int
cert_group(X509 *x)
{
	const void	*val;
	X509_ALGOR	*algor;
	int		 type;

	if (X509_PUBKEY_get0_param(NULL, NULL, NULL, &algor,
	    X509_get_X509_PUBKEY(x)) != 1)
		return (NID_undef);
	X509_ALGOR_get0(NULL, &type, &val, algor);
	return (type == V_ASN1_OBJECT ? OBJ_obj2nid(val) : NID_undef);
}

static int
key_kind(struct key *ky, X509 *x)
{
	int	 group;

	ky->ky_bits = EVP_PKEY_bits(ky->ky_pkey);
	switch (EVP_PKEY_base_id(ky->ky_pkey)) {
	case EVP_PKEY_RSA:
		return (ky->ky_bits >= RSA_MIN_BITS &&
		    ky->ky_bits <= RSA_MAX_BITS ? 0 : -1);
	case EVP_PKEY_EC:
		ky->ky_ec = 1;
		group = cert_group(x);
		return (group == NID_X9_62_prime256v1 ||
		    group == NID_secp384r1 ? 0 : -1);
	default:
		return (-1);
	}
}

static int
key_named(struct key *ky, X509 *x)
{
	uint8_t	*der = NULL;
	int	 len, ret;

	if ((len = i2d_PUBKEY(X509_get0_pubkey(x), &der)) <= 0)
		return (-1);
	ret = sha256(ky->ky_name, der, (size_t)len);
	OPENSSL_free(der);
	return (ret);
}

/*
 * Both halves may lie side by side in the file and not fit: only a signature
 * shows that the secret one is whole.
 */
static int
key_proves(struct key *ky, X509 *x)
{
	EVP_PKEY_CTX	*ctx;
	uint8_t		 sum[TOKEN_LEN], sig[MAX_SIGN];
	size_t		 len = sizeof(sig);
	int		 ret = -1;

	if ((ctx = EVP_PKEY_CTX_new(X509_get0_pubkey(x), NULL)) == NULL)
		return (-1);
	if (RAND_bytes(sum, sizeof(sum)) == 1 &&
	    EVP_PKEY_sign(ky->ky_ctx, sig, &len, sum, sizeof(sum)) == 1 &&
	    EVP_PKEY_verify_init(ctx) == 1 &&
	    EVP_PKEY_verify(ctx, sig, len, sum, sizeof(sum)) == 1)
		ret = 0;
	EVP_PKEY_CTX_free(ctx);
	return (ret);
}

int
cert_covers(const void *pem, size_t len, const char *domain)
{
	char	 below[MAX_HOST + 2];
	X509	*x;
	int	 n;

	if ((x = cert_parse(pem, len)) == NULL)
		return (0);
	/* With a dot in front it is for every host below it. */
	n = snprintf(below, sizeof(below), ".%s", domain);
	n = X509_check_host(x, below, (size_t)n, 0, NULL) == 1;
	ERR_clear_error();
	X509_free(x);
	return (n);
}

struct key *
key_load(const void *cert, size_t certlen, const void *pem, size_t pemlen,
    const char **why)
{
	struct key	*ky;
	BIO		*bio = NULL;
	X509		*x = NULL;

	*why = "out of memory";
	if ((ky = calloc(1, sizeof(*ky))) == NULL)
		return (NULL);
	*why = "the certificate file holds no certificate in PEM";
	if ((x = cert_parse(cert, certlen)) == NULL)
		goto fail;
	*why = "a certificate is damaged: it is not as it was signed";
	if (cert_whole(cert, certlen) == -1)
		goto fail;
	*why = "the key file holds no private key in PEM without a passphrase";
	if (pemlen > MAX_PEM ||
	    (bio = BIO_new_mem_buf(pem, (int)pemlen)) == NULL ||
	    (ky->ky_pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase,
	    NULL)) == NULL)
		goto fail;
	*why = "certificate and key do not belong together";
	if (X509_check_private_key(x, ky->ky_pkey) != 1)
		goto fail;
	*why = "the key is not RSA of 2048 to 8192 bits, nor ECDSA on P-256 "
	    "or P-384";
	if (key_kind(ky, x) == -1)
		goto fail;
	*why = "the end of the certificate cannot be read";
	if (cert_end(x, &ky->ky_until) == -1)
		goto fail;
	*why = "the public key has no name";
	if (key_named(ky, x) == -1)
		goto fail;
	*why = "the key can not sign";
	if ((ky->ky_ctx = EVP_PKEY_CTX_new(ky->ky_pkey, NULL)) == NULL ||
	    EVP_PKEY_sign_init(ky->ky_ctx) != 1)
		goto fail;
	*why = "the key is damaged: it does not sign for its certificate";
	if (key_proves(ky, x) == -1)
		goto fail;
	BIO_free(bio);
	X509_free(x);
	return (ky);
 fail:
	ERR_clear_error();
	BIO_free(bio);
	X509_free(x);
	key_free(ky);
	return (NULL);
}

void
key_free(struct key *ky)
{
	if (ky == NULL)
		return;
	EVP_PKEY_CTX_free(ky->ky_ctx);
	EVP_PKEY_free(ky->ky_pkey);
	free(ky);
}

const uint8_t *
key_name(const struct key *ky)
{
	return (ky->ky_name);
}

/* DigestInfo of SHA-256, 384 or 512, in its only encoding, and nothing else. */
static int
digest_info(const struct m_blob *mb)
{
	static const struct {
		uint8_t	 head[19];
		size_t	 len;
	} kinds[] = {
		{ { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		    0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 },
		    32 },
		{ { 0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		    0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30 },
		    48 },
		{ { 0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		    0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40 },
		    64 }
	};
	size_t	 i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (mb->mb_len == sizeof(kinds[i].head) + kinds[i].len &&
		    memcmp(mb->mb_data, kinds[i].head,
		    sizeof(kinds[i].head)) == 0)
			return (1);
	return (0);
}

/* RFC 8017, B.2.1: the mask that grows from the seed, onto buf. */
static int
mgf1_xor(uint8_t *buf, size_t len, const uint8_t *seed, size_t seedlen,
    const EVP_MD *md)
{
	uint8_t		 in[MAX_DIGEST + 4], out[EVP_MAX_MD_SIZE];
	unsigned int	 n, i;
	size_t		 done = 0;
	uint8_t		 count = 0;	/* a block is 32 bytes of 1024 */

	memcpy(in, seed, seedlen);
	memset(in + seedlen, 0, 4);
	while (done < len) {
		in[seedlen + 3] = count++;
		if (EVP_Digest(in, seedlen + 4, out, &n, md, NULL) != 1)
			return (-1);
		for (i = 0; i < n && done < len; i++)
			buf[done++] ^= out[i];
	}
	return (0);
}

/*
 * RFC 8017, 9.1.2, as far as it goes without the message: is this an encoding
 * for a key of so many bits, with a salt as long as the digest (RFC 8446)?
 */
static int
pss_block(const struct m_blob *mb, int bits, const EVP_MD *md)
{
	uint8_t		 db[MAX_SIGN];
	const uint8_t	*em = mb->mb_data;
	size_t		 len = mb->mb_len, h = (size_t)EVP_MD_size(md);
	size_t		 dblen, i;
	unsigned int	 top = ((unsigned int)bits - 1) & 7;

	if (len != ((size_t)bits + 7) / 8 || len > sizeof(db))
		return (0);
	if (top == 0) {			/* one byte less than the key has */
		if (*em++ != 0)
			return (0);
		len--;
	} else if (em[0] >> top != 0)
		return (0);
	if (len < 2 * h + 2 || em[len - 1] != 0xbc)
		return (0);
	dblen = len - h - 1;
	memcpy(db, em, dblen);
	if (mgf1_xor(db, dblen, em + dblen, h, md) == -1)
		return (0);
	if (top != 0)
		db[0] &= 0xff >> (8 - top);
	for (i = 0; i < dblen - h - 1; i++)
		if (db[i] != 0)
			return (0);
	return (db[i] == 1);
}

static int
key_accepts(const struct key *ky, const struct m_sign *m)
{
	const struct m_blob	*mb = &m->data;

	if ((m->ec != 0) != ky->ky_ec)
		return (0);
	if (ky->ky_ec)
		return (mb->mb_len == 32 || mb->mb_len == 48 ||
		    mb->mb_len == 64);
	if (m->padding == RSA_PKCS1_PADDING)
		return (digest_info(mb));
	return (m->padding == RSA_NO_PADDING &&
	    (pss_block(mb, ky->ky_bits, EVP_sha256()) ||
	    pss_block(mb, ky->ky_bits, EVP_sha384()) ||
	    pss_block(mb, ky->ky_bits, EVP_sha512())));
}

ssize_t
key_sign(const struct key *ky, const struct m_sign *m, uint8_t *sig)
{
	size_t		 len = MAX_SIGN;
	ssize_t		 ret = -1;

	if (!key_accepts(ky, m) || EVP_PKEY_size(ky->ky_pkey) > MAX_SIGN)
		return (-1);
	if ((ky->ky_ec || EVP_PKEY_CTX_set_rsa_padding(ky->ky_ctx,
	    (int)m->padding) == 1) && EVP_PKEY_sign(ky->ky_ctx, sig, &len,
	    m->data.mb_data, m->data.mb_len) == 1)
		ret = (ssize_t)len;
	ERR_clear_error();
	return (ret);
}

/* What libcrypto reads from files, it reads now. */
static void
keys_init(void)
{
	uint8_t	 sha[TOKEN_LEN];

	if (RAND_bytes(sha, sizeof(sha)) != 1 ||
	    sha256(sha, sha, sizeof(sha)) == -1)
		fatalx("keys: libcrypto does not work");
	if ((keys_limit = limit_new(MAX_SESSIONS, SIGN_RATE,
	    SIGN_RATE * 60)) == NULL)
		fatal("keys");
	keys_ticket_new();
}

static int
keys_imsg(struct peer *pe, uint32_t type, uint32_t id, const void *m,
    struct imsg *imsg)
{
	switch (type) {
	case IMSG_CONF_SITE:
		keys_clear();
		keys_next.kc_generation =
		    ((const struct m_site *)m)->generation;
		keys_next.kc_domain = strdup(
		    ((const struct m_site *)m)->domain);
		return (0);
	case IMSG_CONF_FILE:
		keys_file(m, imsg);
		return (0);
	case IMSG_CONF_END:
		keys_end(pe, m);
		return (0);
	case IMSG_CONF_COMMIT:
		keys_commit(m);
		return (0);
	case IMSG_SIGN:
		keys_sign(pe, id, m);
		return (0);
	case IMSG_TICKET:
		keys_ticket_give(pe, id);
		return (0);
	case IMSG_PROVE:
		keys_prove(pe, id, m);
		return (0);
	default:
		return (-1);
	}
}

static void
keys_clear(void)
{
	free(keys_next.kc_domain);
	free(keys_next.kc_cert);
	freezero(keys_next.kc_pem, keys_next.kc_pemlen);
	key_free(keys_next.kc_key);
	freezero(keys_next.kc_sign, PROOF_KEY);
	memset(&keys_next, 0, sizeof(keys_next));
}

static void
keys_file(const struct m_conf_file *m, struct imsg *imsg)
{
	void	*data = NULL;
	ssize_t	 n;
	int	 fd;

	if ((fd = imsg_get_fd(imsg)) == -1)
		return;			/* END will miss it */
	n = read_all(fd, MAX_PEM, &data);
	close(fd);
	if (n == -1)
		return;
	if (m->kind == FILE_CERT && keys_next.kc_cert == NULL) {
		keys_next.kc_cert = data;
		keys_next.kc_certlen = (size_t)n;
	} else if (m->kind == FILE_KEY && keys_next.kc_pem == NULL) {
		keys_next.kc_pem = data;
		keys_next.kc_pemlen = (size_t)n;
	} else if (m->kind == FILE_SIGN && keys_next.kc_sign == NULL &&
	    n == PROOF_KEY)
		keys_next.kc_sign = data;
	else
		freezero(data, (size_t)n);
}

static void
keys_end(struct peer *pe, const struct m_conf_end *m)
{
	struct m_conf_ack	 ack = { .generation = m->generation };

	if (m->generation != keys_next.kc_generation)
		ack.why = "the generations are mixed up";
	else if (keys_next.kc_cert == NULL)
		ack.why = "the certificate file is not readable";
	else if (keys_next.kc_pem == NULL)
		ack.why = "the key file is not readable";
	else if (keys_next.kc_sign == NULL)
		ack.why = "the key that signs is not 32 bytes";
	else if ((keys_next.kc_key = key_load(keys_next.kc_cert,
	    keys_next.kc_certlen, keys_next.kc_pem, keys_next.kc_pemlen,
	    &ack.why)) != NULL)
		ack.ok = 1;
	if (ack.ok)
		ack.why = "";
	if (ack.ok && keys_next.kc_domain != NULL &&
	    !cert_covers(keys_next.kc_cert, keys_next.kc_certlen,
	    keys_next.kc_domain))
		log_warnx("the certificate is for no host below %s: browsers "
		    "will refuse it", keys_next.kc_domain);
	freezero(keys_next.kc_pem, keys_next.kc_pemlen);
	keys_next.kc_pem = NULL;
	keys_next.kc_pemlen = 0;
	(void)proc_send(pe, IMSG_CONF_ACK, 0, -1, &ack);
}

static void
keys_commit(const struct m_conf_end *m)
{
	if (keys_next.kc_key == NULL ||
	    m->generation != keys_next.kc_generation)
		return;
	if (keys_current != NULL && memcmp(keys_current->ky_name,
	    keys_next.kc_key->ky_name, TOKEN_LEN) == 0)
		key_free(keys_current);	/* the same key again */
	else {
		key_free(keys_before);
		keys_before = keys_current;
	}
	keys_current = keys_next.kc_key;
	keys_next.kc_key = NULL;
	memcpy(keys_seed, keys_next.kc_sign, PROOF_KEY);
	keys_sealed = 1;
	keys_clear();
	keys_tell(proc_peer(PROC_STORAGE, 0));
}

static int
keys_allowed(struct peer *pe)
{
	uint8_t		 name[LIMIT_KEY] = { 0 };
	uint64_t	 now = mono_ms(), *warned = &keys_warned[pe->pe_inst];

	name[0] = (uint8_t)pe->pe_inst;
	if (limit_take(keys_limit, name, now) == 0)
		return (1);
	if (*warned == 0 || now - *warned >= WARN_EVERY) {
		log_warnx("session %u asks for more than %d signatures a "
		    "second: refused", pe->pe_inst, SIGN_RATE);
		*warned = now;
	}
	return (0);
}

/* The next key, too: a session may hear of the commit before we do. */
static const struct key *
keys_find(const uint8_t *name)
{
	const struct key	*all[] = { keys_current, keys_before,
				    keys_next.kc_key };
	size_t			 i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] != NULL &&
		    memcmp(all[i]->ky_name, name, TOKEN_LEN) == 0)
			return (all[i]);
	return (NULL);
}

static void
keys_sign(struct peer *pe, uint32_t id, const struct m_sign *m)
{
	struct m_signed		 answer = { .ok = 0 };
	const struct key	*ky;
	uint8_t			 sig[MAX_SIGN];
	ssize_t			 n = -1;

	if (keys_allowed(pe) && (ky = keys_find(m->key)) != NULL)
		n = key_sign(ky, m, sig);
	if (n != -1) {
		answer.ok = 1;
		answer.sig.mb_data = sig;
		answer.sig.mb_len = (size_t)n;
	}
	(void)proc_send(pe, IMSG_SIGNED, id, -1, &answer);
}

static void
keys_ticket_new(void)
{
	arc4random_buf(keys_ticket.tk_key, sizeof(keys_ticket.tk_key));
	keys_ticket.tk_born = mono_ms();
}

static void
keys_ticket_give(struct peer *pe, uint32_t id)
{
	struct m_ticket_key	 m;

	if (mono_ms() - keys_ticket.tk_born >= TICKET_MS)
		keys_ticket_new();
	m.key.mb_data = keys_ticket.tk_key;
	m.key.mb_len = sizeof(keys_ticket.tk_key);
	(void)proc_send(pe, IMSG_TICKET_KEY, id, -1, &m);
}

static int
point_cmp(const struct point *a, const struct point *b)
{
	return (a->po_tenant < b->po_tenant ? -1 :
	    a->po_tenant > b->po_tenant);
}

/*
 * A trail goes forward: whoever rewrites one gets no checkpoint of it while we
 * remember the old one.
 */
static int
keys_vouches(const struct m_prove *m)
{
	struct point	*po, key = { .po_tenant = m->tenant };

	if (m->kind != PROOF_CHECKPOINT)
		return (1);
	if ((po = RB_FIND(point_tree, &points, &key)) == NULL) {
		if (npoints == MAX_POINTS ||
		    (po = calloc(1, sizeof(*po))) == NULL)
			return (0);
		npoints++;
		po->po_tenant = m->tenant;
		RB_INSERT(point_tree, &points, po);
	} else if (m->seq < po->po_seq || (m->seq == po->po_seq &&
	    memcmp(m->sum, po->po_sum, TOKEN_LEN) != 0)) {
		log_warnx("audit trail of %s: line %llu contradicts an "
		    "earlier checkpoint: not signed", log_safe(m->name),
		    (unsigned long long)m->seq);
		return (0);
	}
	po->po_seq = m->seq;
	memcpy(po->po_sum, m->sum, TOKEN_LEN);
	return (1);
}

static void
keys_prove(struct peer *pe, uint32_t id, const struct m_prove *m)
{
	struct m_proven	 answer = { m->tenant, m->seq, "" };
	struct proof	 pf = { 0 };
	char		 line[PROOF_LINE];

	pf.pf_kind = m->kind;
	pf.pf_tenant = m->tenant;
	pf.pf_seq = m->seq;
	pf.pf_at = m->at;
	memcpy(pf.pf_sum, m->sum, TOKEN_LEN);
	if (keys_sealed && (m->tenant == 0 ? strcmp(m->name, "-") == 0 :
	    label_valid(m->name)) && strlcpy(pf.pf_name, m->name,
	    sizeof(pf.pf_name)) < sizeof(pf.pf_name) && keys_vouches(m) &&
	    proof_sign(&pf, keys_seed, line) == 0)
		answer.line = line;
	(void)proc_send(pe, IMSG_PROVEN, id, -1, &answer);
}

/* Storage shows it to whoever wants to check what we sign, and watches over
 * the end of the certificate. */
static void
keys_tell(struct peer *pe)
{
	struct m_proof_key	 m;
	struct m_cert		 cert;

	if (pe != NULL && keys_sealed && proof_public(keys_seed, m.key) == 0)
		(void)proc_send(pe, IMSG_PROOF_KEY, 0, -1, &m);
	if (pe != NULL && keys_current != NULL) {
		cert.until = keys_current->ky_until;
		(void)proc_send(pe, IMSG_CERT, 0, -1, &cert);
	}
}

/* A session process died; what it knew, somebody else may know now. */
static void
keys_up(struct peer *pe)
{
	if (pe->pe_proc == PROC_SESSION)
		keys_ticket_new();
	else if (pe->pe_proc == PROC_STORAGE)
		keys_tell(pe);
}
