/* The session's half of the key isolation; keys.c is the other. */

/* RSA_METHOD and EC_KEY_METHOD: the only way that libtls leaves open. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <sys/types.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "compat/tls_ssl.h"
#include "imsg.h"
#include "keys_engine.h"
#include "log.h"
#include "msg.h"
#include "proc.h"
#include "util.h"

#define ENGINE_WAIT	2000		/* ms that a handshake may stall us */
#define ENGINE_TICKETS	3600		/* s that a TLS ticket is good for */
#define ENGINE_CIPHERS	"ECDHE+AESGCM:ECDHE+CHACHA20"

static struct imsgbuf	 engine_ibuf;
static int		 engine_rsa_at, engine_ec_at;	/* the names of keys */
static int		 engine_open;
static int		 engine_quiet;	/* the failure is logged */
static int		 engine_owed;	/* an answer did not come in time */
static uint32_t		 engine_id;	/* of the last question */
static enum imsg_type	 engine_want;	/* the answer to it */

/* A signature, or a key for tickets. */
struct engine_answer {
	uint8_t		 ea_data[MAX_SIGN];
	ssize_t		 ea_len;	/* -1: refused */
};

static void	 engine_close(const char *);
static int	 engine_poll(short, uint64_t);
static int	 engine_send(enum imsg_type, const void *, uint64_t);
static void	 engine_keep(struct engine_answer *, const void *);
static int	 engine_take(struct engine_answer *);
static int	 engine_receive(struct engine_answer *, uint64_t);
static int	 engine_settled(void);
static int	 engine_ask(enum imsg_type, const void *, enum imsg_type,
		    struct engine_answer *);
static ssize_t	 engine_sign(const struct m_sign *, uint8_t *);
static int	 engine_rsa_sign(int, const unsigned char *, unsigned char *,
		    RSA *, int);
static int	 engine_rsa_decrypt(int, const unsigned char *,
		    unsigned char *, RSA *, int);
static int	 engine_ec_sign(int, const unsigned char *, int,
		    unsigned char *, unsigned int *, const BIGNUM *,
		    const BIGNUM *, EC_KEY *);
static ECDSA_SIG *engine_ec_sign_sig(const unsigned char *, int,
		    const BIGNUM *, const BIGNUM *, EC_KEY *);

void
keys_engine_attach(int fd)
{
	int	 flags;

	if (engine_open)
		engine_close(NULL);
	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    imsgbuf_init(&engine_ibuf, fd) == -1) {
		log_warn("pipe to keys");
		close(fd);
		return;
	}
	engine_open = 1;
	engine_quiet = engine_owed = 0;
}

int
keys_engine_up(void)
{
	return (engine_open);
}

static void
engine_close(const char *why)
{
	imsgbuf_clear(&engine_ibuf);
	close(engine_ibuf.fd);
	engine_open = 0;
	if (why != NULL)
		log_warnx("no signatures from keys: %s", why);
}

/*
 * The parent is told, or no connection would be taken here any more: it gives
 * the two of us a new pipe.
 */
static void
engine_broken(const char *why)
{
	struct m_procfd	 m = { .proc = PROC_KEYS };

	engine_close(why);
	(void)proc_send(proc_peer(PROC_PARENT, 0), IMSG_BADPEER, 0, -1, &m);
}

/* 1: ready, 0: the time is up, -1: broken. */
static int
engine_poll(short what, uint64_t deadline)
{
	struct pollfd	 pfd = { .fd = engine_ibuf.fd, .events = what };
	uint64_t	 now;
	int		 n;

	for (;;) {
		now = mono_ms();
		n = poll(&pfd, 1, now >= deadline ? 0 : (int)(deadline - now));
		if (n != -1 || errno != EINTR)
			return (n);
	}
}

static int
engine_send(enum imsg_type type, const void *m, uint64_t deadline)
{
	if (msg_compose(&engine_ibuf, type, ++engine_id, -1, m) == -1)
		return (-1);
	for (;;) {
		if (imsgbuf_write(&engine_ibuf) == -1) {
			engine_close("the pipe is closed");
			return (-1);
		}
		if (imsgbuf_queuelen(&engine_ibuf) == 0)
			return (0);
		/* Half a message can't be taken back. */
		if (engine_poll(POLLOUT, deadline) != 1) {
			engine_close("it does not read");
			return (-1);
		}
	}
}

static void
engine_keep(struct engine_answer *ea, const void *m)
{
	const struct m_signed	*ms = m;
	const struct m_blob	*mb = &ms->sig;

	ea->ea_len = -1;
	if (engine_want == IMSG_TICKET_KEY)
		mb = &((const struct m_ticket_key *)m)->key;
	else if (!ms->ok)
		return;
	if (mb->mb_len > sizeof(ea->ea_data))
		return;
	memcpy(ea->ea_data, mb->mb_data, mb->mb_len);
	ea->ea_len = (ssize_t)mb->mb_len;
}

/*
 * One message from the buffer.  1: it was the answer to the last question;
 * 0: not yet; -1: not ours.
 */
static int
engine_take(struct engine_answer *ea)
{
	union msg_any	 any;
	struct imsg	 imsg;
	uint32_t	 type;
	int		 ret;

	for (;;) {
		if ((ret = imsgbuf_get(&engine_ibuf, &imsg)) != 1)
			return (ret);
		ret = -1;
		type = imsg_get_type(&imsg);
		if ((type == IMSG_SIGNED || type == IMSG_TICKET_KEY) &&
		    msg_decode(&imsg, &any) == 0)
			ret = imsg_get_id(&imsg) == engine_id;
		if (ret == 1 && type != engine_want)
			ret = -1;
		if (ret == 1)
			engine_keep(ea, any.bytes);
		imsg_free(&imsg);
		if (ret != 0)
			return (ret);
	}
}

static int
engine_receive(struct engine_answer *ea, uint64_t deadline)
{
	int	 ret;

	while ((ret = engine_take(ea)) == 0) {
		if ((ret = engine_poll(POLLIN, deadline)) == 0) {
			engine_owed = 1;
			if (!engine_quiet)
				log_warnx("keys does not answer");
			engine_quiet = 1;
			return (-1);
		}
		if (ret == 1 && (ret = imsgbuf_read(&engine_ibuf)) == -1 &&
		    (errno == ERANGE || errno == EBADMSG))
			break;
		if (ret != 1) {
			engine_close("the pipe is closed");
			return (-1);
		}
	}
	if (ret == -1) {
		engine_broken("it sends what was not asked");
		return (-1);
	}
	return (0);
}

/*
 * While keys owes an answer, nobody waits for the next one: a keys process
 * that hangs would stop us for two seconds in every handshake.
 */
static int
engine_settled(void)
{
	struct engine_answer	 ea;

	if (!engine_owed)
		return (1);
	engine_owed = 0;
	(void)engine_receive(&ea, 0);
	explicit_bzero(&ea, sizeof(ea));
	return (engine_open && !engine_owed);
}

/* 0 with the answer, or -1 when none came. */
static int
engine_ask(enum imsg_type type, const void *m, enum imsg_type want,
    struct engine_answer *ea)
{
	uint64_t	 deadline = mono_ms() + ENGINE_WAIT;

	if (!engine_open || !engine_settled() ||
	    engine_send(type, m, deadline) == -1)
		return (-1);
	engine_want = want;
	if (engine_receive(ea, deadline) == -1)
		return (-1);
	engine_quiet = 0;
	return (0);
}

/* The length of the signature, for which there are MAX_SIGN bytes, or -1. */
static ssize_t
engine_sign(const struct m_sign *m, uint8_t *sig)
{
	struct engine_answer	 ea;

	if (engine_ask(IMSG_SIGN, m, IMSG_SIGNED, &ea) == -1 ||
	    ea.ea_len == -1)
		return (-1);
	memcpy(sig, ea.ea_data, (size_t)ea.ea_len);
	return (ea.ea_len);
}

/*
 * The name of a key is the hash of its public half; it stays at the key, for
 * making it costs more than asking.  Owned by the key, or NULL.
 */
static uint8_t *
engine_named(uint8_t *der, int len)
{
	uint8_t	*name;

	if (len <= 0)
		return (NULL);
	if ((name = malloc(TOKEN_LEN)) != NULL &&
	    sha256(name, der, (size_t)len) == -1) {
		free(name);
		name = NULL;
	}
	OPENSSL_free(der);
	return (name);
}

static void
engine_unname(void *parent, void *name, CRYPTO_EX_DATA *data, int idx,
    long argl, void *argp)
{
	(void)parent;
	(void)data;
	(void)idx;
	(void)argl;
	(void)argp;
	free(name);
}

/* A copy of a key has a name of its own. */
static int
engine_rename(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **name,
    int idx, long argl, void *argp)
{
	uint8_t	*copy;

	(void)to;
	(void)from;
	(void)idx;
	(void)argl;
	(void)argp;
	if (*name == NULL)
		return (1);
	if ((copy = malloc(TOKEN_LEN)) != NULL)
		memcpy(copy, *name, TOKEN_LEN);
	*name = copy;
	return (1);
}

static int
engine_rsa_name(uint8_t to[TOKEN_LEN], RSA *rsa)
{
	uint8_t	*name = RSA_get_ex_data(rsa, engine_rsa_at), *der = NULL;
	int	 len;

	if (name == NULL) {
		len = i2d_RSA_PUBKEY(rsa, &der);
		if ((name = engine_named(der, len)) == NULL)
			return (-1);
		if (RSA_set_ex_data(rsa, engine_rsa_at, name) != 1) {
			free(name);
			return (-1);
		}
	}
	memcpy(to, name, TOKEN_LEN);
	return (0);
}

static int
engine_ec_name(uint8_t to[TOKEN_LEN], EC_KEY *ec)
{
	uint8_t	*name = EC_KEY_get_ex_data(ec, engine_ec_at), *der = NULL;
	int	 len;

	if (name == NULL) {
		len = i2d_EC_PUBKEY(ec, &der);
		if ((name = engine_named(der, len)) == NULL)
			return (-1);
		if (EC_KEY_set_ex_data(ec, engine_ec_at, name) != 1) {
			free(name);
			return (-1);
		}
	}
	memcpy(to, name, TOKEN_LEN);
	return (0);
}

static int
engine_rsa_sign(int flen, const unsigned char *from, unsigned char *to,
    RSA *rsa, int padding)
{
	struct m_sign	 m = { .padding = (uint32_t)padding };
	uint8_t		 sig[MAX_SIGN];
	ssize_t		 len;

	if (flen < 0 || engine_rsa_name(m.key, rsa) == -1)
		return (-1);
	m.data.mb_data = from;
	m.data.mb_len = (size_t)flen;
	len = engine_sign(&m, sig);
	if (len == -1 || len != RSA_size(rsa))
		return (-1);
	memcpy(to, sig, (size_t)len);
	return ((int)len);
}

/* We offer no cipher that needs it. */
static int
engine_rsa_decrypt(int flen, const unsigned char *from, unsigned char *to,
    RSA *rsa, int padding)
{
	(void)flen;
	(void)from;
	(void)to;
	(void)rsa;
	(void)padding;
	return (-1);
}

static int
engine_ec_sign(int type, const unsigned char *dgst, int dlen,
    unsigned char *to, unsigned int *tolen, const BIGNUM *kinv,
    const BIGNUM *rp, EC_KEY *ec)
{
	struct m_sign	 m = { .ec = 1 };
	uint8_t		 sig[MAX_SIGN];
	ssize_t		 len;

	(void)type;
	if (kinv != NULL || rp != NULL || dlen < 0 ||
	    engine_ec_name(m.key, ec) == -1)
		return (0);
	m.data.mb_data = dgst;
	m.data.mb_len = (size_t)dlen;
	len = engine_sign(&m, sig);
	if (len <= 0 || len > ECDSA_size(ec))
		return (0);
	memcpy(to, sig, (size_t)len);
	*tolen = (unsigned int)len;
	return (1);
}

static ECDSA_SIG *
engine_ec_sign_sig(const unsigned char *dgst, int dlen, const BIGNUM *kinv,
    const BIGNUM *rp, EC_KEY *ec)
{
	uint8_t			 sig[MAX_SIGN];
	const unsigned char	*p = sig;
	unsigned int		 len;

	if (ECDSA_size(ec) > MAX_SIGN ||
	    engine_ec_sign(0, dgst, dlen, sig, &len, kinv, rp, ec) != 1)
		return (NULL);
	return (d2i_ECDSA_SIG(NULL, &p, (long)len));
}

void
keys_engine_init(void)
{
	EC_KEY_METHOD	*ec;
	RSA_METHOD	*rsa;
	int		(*setup)(EC_KEY *, BN_CTX *, BIGNUM **, BIGNUM **);

	if (tls_init() == -1)
		fatalx("libtls does not work");
	engine_rsa_at = RSA_get_ex_new_index(0, NULL, NULL, engine_rename,
	    engine_unname);
	engine_ec_at = EC_KEY_get_ex_new_index(0, NULL, NULL, engine_rename,
	    engine_unname);
	if (engine_rsa_at == -1 || engine_ec_at == -1 ||
	    (rsa = RSA_meth_dup(RSA_get_default_method())) == NULL ||
	    RSA_meth_set1_name(rsa, "keys") != 1 ||
	    RSA_meth_set_priv_enc(rsa, engine_rsa_sign) != 1 ||
	    RSA_meth_set_priv_dec(rsa, engine_rsa_decrypt) != 1 ||
	    (ec = EC_KEY_METHOD_new(EC_KEY_get_default_method())) == NULL)
		fatalx("libcrypto takes no methods");
	EC_KEY_METHOD_get_sign(ec, NULL, &setup, NULL);
	EC_KEY_METHOD_set_sign(ec, engine_ec_sign, setup, engine_ec_sign_sig);
	RSA_set_default_method(rsa);
	EC_KEY_set_default_method(ec);
}

struct tls_config *
keys_engine_config(const void *pem, size_t len, const char **why)
{
	struct tls_config	*tc;
	BIO			*bio;
	X509			*x = NULL;
	uint8_t			 id[TOKEN_LEN];

	*why = "the certificate file holds no certificate in PEM";
	if (len > INT_MAX || (bio = BIO_new_mem_buf(pem, (int)len)) == NULL)
		return (NULL);
	x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (x == NULL)
		return (NULL);
	X509_free(x);

	*why = "libtls does not take the configuration";
	/* Tickets are good for this certificate, at all session processes. */
	if (sha256(id, pem, len) == -1 || (tc = tls_config_new()) == NULL)
		return (NULL);
	tls_config_use_fake_private_key(tc);
	tls_config_prefer_ciphers_server(tc);
	if (tls_config_set_protocols(tc, TLS_PROTOCOL_TLSv1_2 |
	    TLS_PROTOCOL_TLSv1_3) == -1 ||
	    tls_config_set_ciphers(tc, ENGINE_CIPHERS) == -1 ||
	    tls_config_set_alpn(tc, "http/1.1") == -1 ||
	    tls_config_set_cert_mem(tc, pem, len) == -1 ||
	    tls_config_set_session_lifetime(tc, ENGINE_TICKETS) == -1 ||
	    tls_config_set_session_id(tc, id, sizeof(id)) == -1) {
		tls_config_free(tc);
		return (NULL);
	}
	return (tc);
}

int
keys_engine_ticket(struct tls_config *tc)
{
	struct engine_answer	 ea;
	int			 ret = -1;

	if (engine_ask(IMSG_TICKET, NULL, IMSG_TICKET_KEY, &ea) == -1)
		return (-1);
	if (ea.ea_len == TLS_TICKET_LEN)
		ret = tls_ssl_ticket_key(tc, ea.ea_data);
	explicit_bzero(&ea, sizeof(ea));
	return (ret);
}
