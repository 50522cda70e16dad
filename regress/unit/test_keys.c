/*
 * keys.c and keys_engine.c: which keys are taken, what is signed, and real
 * handshakes whose private key sits in another, sandboxed process.
 */

#define OPENSSL_SUPPRESS_DEPRECATED

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <errno.h>
#include <event.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "compat/tls_ssl.h"
#include "keys.h"
#include "keys_engine.h"
#include "log.h"
#include "proof.h"
#include "unit.h"

#define WAIT	20000		/* ms, for what comes in a moment */

struct pair {
	EVP_PKEY	*pr_pkey;
	char		*pr_cert, *pr_pem;
	long		 pr_certlen, pr_pemlen;
};

static struct pair	 rsa, rsa_b, rsa_weak, p256, p384, koblitz, ed;
static pid_t		 child = -1;
static struct imsgbuf	 conf, raw, store; /* parent, session 1, storage */
static uint64_t		 generation;

static EVP_PKEY *
make_rsa(int bits)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
	EVP_PKEY	*pkey = NULL;

	if (EVP_PKEY_keygen_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits) != 1 ||
	    EVP_PKEY_keygen(ctx, &pkey) != 1)
		abort();
	EVP_PKEY_CTX_free(ctx);
	return (pkey);
}

static EVP_PKEY *
make_ec(int nid)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	EVP_PKEY	*pkey = NULL;

	if (EVP_PKEY_keygen_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, nid) != 1 ||
	    EVP_PKEY_keygen(ctx, &pkey) != 1)
		abort();
	EVP_PKEY_CTX_free(ctx);
	return (pkey);
}

static EVP_PKEY *
make_ed(void)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
	EVP_PKEY	*pkey = NULL;

	if (EVP_PKEY_keygen_init(ctx) != 1 ||
	    EVP_PKEY_keygen(ctx, &pkey) != 1)
		abort();
	EVP_PKEY_CTX_free(ctx);
	return (pkey);
}

static char *
pem_of(BIO *bio, long *len)
{
	char	*mem, *copy;

	*len = BIO_get_mem_data(bio, &mem);
	if ((copy = malloc((size_t)*len)) == NULL)
		abort();
	memcpy(copy, mem, (size_t)*len);
	BIO_free(bio);
	return (copy);
}

/* A self-signed certificate and its key, both in PEM. */
static void
make_pair(struct pair *pr, EVP_PKEY *pkey)
{
	X509		*x = X509_new();
	X509_NAME	*name = X509_get_subject_name(x);
	BIO		*bio;

	pr->pr_pkey = pkey;
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, pkey);
	if (X509_sign(x, pkey, EVP_PKEY_id(pkey) == EVP_PKEY_ED25519 ?
	    NULL : EVP_sha256()) == 0)
		abort();
	if ((bio = BIO_new(BIO_s_mem())) == NULL ||
	    PEM_write_bio_X509(bio, x) != 1)
		abort();
	pr->pr_cert = pem_of(bio, &pr->pr_certlen);
	if ((bio = BIO_new(BIO_s_mem())) == NULL ||
	    PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) !=
	    1)
		abort();
	pr->pr_pem = pem_of(bio, &pr->pr_pemlen);
	X509_free(x);
}

/* A certificate of p256's key, signed by another one. */
static void
leaf_make(struct pair *leaf, const struct pair *by)
{
	X509	*x, *ca;
	BIO	*bio;

	if ((bio = BIO_new_mem_buf(by->pr_cert, (int)by->pr_certlen)) ==
	    NULL || (ca = PEM_read_bio_X509(bio, NULL, NULL, NULL)) == NULL ||
	    (x = X509_dup(ca)) == NULL)
		abort();
	BIO_free(bio);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "O", MBSTRING_ASC,
	    (const unsigned char *)"a leaf", -1, -1, 0);
	X509_set_pubkey(x, p256.pr_pkey);
	if (X509_sign(x, by->pr_pkey, EVP_sha256()) == 0 ||
	    (bio = BIO_new(BIO_s_mem())) == NULL ||
	    PEM_write_bio_X509(bio, x) != 1)
		abort();
	leaf->pr_cert = pem_of(bio, &leaf->pr_certlen);
	X509_free(x);
	X509_free(ca);
}

static void
free_pair(struct pair *pr)
{
	EVP_PKEY_free(pr->pr_pkey);
	free(pr->pr_cert);
	free(pr->pr_pem);
}

static struct key *
load(const struct pair *cert, const struct pair *key, const char **why)
{
	return (key_load(cert->pr_cert, (size_t)cert->pr_certlen, key->pr_pem,
	    (size_t)key->pr_pemlen, why));
}

/* What is read after the first certificate, and what has signed it. */
static void
test_chain(void)
{
	static const char	 damaged[] = "a certificate is damaged: it is "
				    "not as it was signed";
	static const char	 cut[] = "-----BEGIN CERTIFICATE-----\nMIIB\n"
				    "-----END CERTIFICATE-----\n";
	struct pair		 leaf, *by;
	char			 file[8192], *end;
	const char		*why;
	struct key		*ky;
	int			 i, n;

	/* A bit of the signature: its last bytes, but for the padding. */
	n = snprintf(file, sizeof(file), "%.*s", (int)p256.pr_certlen,
	    p256.pr_cert);
	if ((end = strstr(file, "\n-----END")) == NULL)
		abort();
	end[-8] = end[-8] == 'A' ? 'B' : 'A';
	CHECK(key_load(file, (size_t)n, p256.pr_pem, (size_t)p256.pr_pemlen,
	    &why) == NULL);
	CHECK_STR(why, damaged);
	/* Of the name that has signed it, and of another key. */
	leaf_make(&leaf, &rsa);
	for (i = 0; i < 2; i++) {
		by = i == 0 ? &rsa : &rsa_b;
		n = snprintf(file, sizeof(file), "%.*s%.*s",
		    (int)leaf.pr_certlen, leaf.pr_cert, (int)by->pr_certlen,
		    by->pr_cert);
		ky = key_load(file, (size_t)n, p256.pr_pem,
		    (size_t)p256.pr_pemlen, &why);
		CHECK((ky != NULL) == (i == 0));
		key_free(ky);
	}
	CHECK_STR(why, damaged);
	free(leaf.pr_cert);
	n = snprintf(file, sizeof(file), "%.*s%s", (int)p256.pr_certlen,
	    p256.pr_cert, cut);
	CHECK(key_load(file, (size_t)n, p256.pr_pem, (size_t)p256.pr_pemlen,
	    &why) == NULL);
	CHECK_STR(why, damaged);
	n = snprintf(file, sizeof(file), "%.*s%.*sand words",
	    (int)p256.pr_certlen, p256.pr_cert, (int)p256.pr_certlen,
	    p256.pr_cert);
	CHECK((ky = key_load(file, (size_t)n, p256.pr_pem,
	    (size_t)p256.pr_pemlen, &why)) != NULL);
	key_free(ky);
}

static void
test_load(void)
{
	static const char	 kind[] = "the key is not RSA of 2048 to 8192 "
				    "bits, nor ECDSA on P-256 or P-384";
	const char		*why;
	struct key		*ky;
	struct pair		*good[] = { &rsa, &p256, &p384 };
	size_t			 i;
	char			 other[64];

	for (i = 0; i < 3; i++) {
		CHECK((ky = load(good[i], good[i], &why)) != NULL);
		key_free(ky);
	}
	CHECK(load(&rsa, &rsa_b, &why) == NULL);
	CHECK_STR(why, "certificate and key do not belong together");
	CHECK(load(&rsa, &p256, &why) == NULL);
	CHECK_STR(why, "certificate and key do not belong together");
	CHECK(load(&rsa_weak, &rsa_weak, &why) == NULL);
	CHECK_STR(why, kind);
	CHECK(load(&koblitz, &koblitz, &why) == NULL);
	CHECK_STR(why, kind);
	CHECK(load(&ed, &ed, &why) == NULL);
	CHECK_STR(why, kind);
	snprintf(other, sizeof(other), "nonsense");
	CHECK(key_load(other, strlen(other), rsa.pr_pem,
	    (size_t)rsa.pr_pemlen, &why) == NULL);
	CHECK_STR(why, "the certificate file holds no certificate in PEM");
	CHECK(key_load(rsa.pr_cert, (size_t)rsa.pr_certlen, other,
	    strlen(other), &why) == NULL);
	CHECK_STR(why,
	    "the key file holds no private key in PEM without a passphrase");
	CHECK(key_load(rsa.pr_cert, (size_t)rsa.pr_certlen, rsa.pr_pem, 0,
	    &why) == NULL);
	CHECK(key_load(rsa.pr_cert, 0, rsa.pr_pem, (size_t)rsa.pr_pemlen,
	    &why) == NULL);
	key_free(NULL);
}

/* Nobody sits in front of the daemon to type a passphrase. */
static void
test_passphrase(void)
{
	const char	*why;
	BIO		*bio = BIO_new(BIO_s_mem());
	char		*pem;
	long		 len;
	unsigned char	 word[] = "secret";

	if (PEM_write_bio_PrivateKey(bio, rsa.pr_pkey, EVP_aes_128_cbc(), word,
	    6, NULL, NULL) != 1)
		abort();
	pem = pem_of(bio, &len);
	CHECK(key_load(rsa.pr_cert, (size_t)rsa.pr_certlen, pem, (size_t)len,
	    &why) == NULL);
	CHECK_STR(why,
	    "the key file holds no private key in PEM without a passphrase");
	free(pem);
}

static int
verifies(EVP_PKEY *pkey, int padding, const EVP_MD *md, const uint8_t *digest,
    const uint8_t *sig, ssize_t siglen)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new(pkey, NULL);
	int		 ok;

	ok = siglen > 0 && EVP_PKEY_verify_init(ctx) == 1 &&
	    (padding == 0 || EVP_PKEY_CTX_set_rsa_padding(ctx, padding) ==
	    1) && EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 &&
	    EVP_PKEY_verify(ctx, sig, (size_t)siglen, digest,
	    (size_t)EVP_MD_size(md)) == 1;
	EVP_PKEY_CTX_free(ctx);
	return (ok);
}

/* The DigestInfo of SHA-256 over what digest holds. */
static size_t
info_of(uint8_t *out, const uint8_t *digest)
{
	static const uint8_t	 head[] = {
		0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20
	};

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), digest, 32);
	return (sizeof(head) + 32);
}

static void
test_pkcs1(void)
{
	const char	*why;
	struct key	*ky = load(&rsa, &rsa, &why);
	struct m_sign	 m = { .padding = RSA_PKCS1_PADDING };
	uint8_t		 digest[32], in[128] = { 0 }, sig[MAX_SIGN];
	size_t		 i;

	memset(digest, 7, sizeof(digest));
	m.data.mb_data = in;
	m.data.mb_len = info_of(in, digest);
	CHECK_INT(key_sign(ky, &m, sig), 256);
	CHECK(verifies(rsa.pr_pkey, RSA_PKCS1_PADDING, EVP_sha256(), digest,
	    sig, 256));
	for (i = 0; i < 19; i++) {
		in[i] ^= 1;
		CHECK_INT(key_sign(ky, &m, sig), -1);
		in[i] ^= 1;
	}
	m.data.mb_len++;
	CHECK_INT(key_sign(ky, &m, sig), -1);
	m.data.mb_len -= 2;
	CHECK_INT(key_sign(ky, &m, sig), -1);
	m.data.mb_len = 0;
	CHECK_INT(key_sign(ky, &m, sig), -1);
	m.data.mb_len = 36;		/* MD5 and SHA-1 of TLS 1.1 */
	CHECK_INT(key_sign(ky, &m, sig), -1);
	m.data.mb_len = 51;
	m.ec = 1;
	CHECK_INT(key_sign(ky, &m, sig), -1);
	m.ec = 0;
	for (i = 0; i < 8; i++) {
		m.padding = (uint32_t)i;
		CHECK_INT(key_sign(ky, &m, sig) == -1, i != RSA_PKCS1_PADDING);
	}
	m.padding = UINT32_MAX;
	CHECK_INT(key_sign(ky, &m, sig), -1);
	key_free(ky);
}

static void
try_pss(struct key *ky, RSA *r, const EVP_MD *md, int salt, int good)
{
	struct m_sign	 m = { .padding = RSA_NO_PADDING };
	uint8_t		 digest[64], in[256], sig[MAX_SIGN];
	unsigned int	 i;

	memset(digest, 9, sizeof(digest));
	m.data.mb_data = in;
	m.data.mb_len = sizeof(in);
	/* Many, since the topmost bit of the mask must be cleared. */
	for (i = 0; i < 8; i++) {
		if (RSA_padding_add_PKCS1_PSS_mgf1(r, in, digest, md, md,
		    salt) != 1)
			abort();
		CHECK_INT(key_sign(ky, &m, sig), good ? 256 : -1);
		if (!good)
			continue;
		CHECK(verifies(rsa.pr_pkey, RSA_PKCS1_PSS_PADDING, md, digest,
		    sig, 256));
		in[255] = 0xbd;
		CHECK_INT(key_sign(ky, &m, sig), -1);
		in[255] = 0xbc;
		in[0] ^= 0x80;
		CHECK_INT(key_sign(ky, &m, sig), -1);
		in[0] ^= 0x80;
		in[40] ^= 0x01;
		CHECK_INT(key_sign(ky, &m, sig), -1);
		in[40] ^= 0x01;
		in[255 - (unsigned int)EVP_MD_size(md)] ^= 0x01;
		CHECK_INT(key_sign(ky, &m, sig), -1);
	}
	m.data.mb_len--;
	CHECK_INT(key_sign(ky, &m, sig), -1);
}

static void
test_pss(void)
{
	const char	*why;
	struct key	*ky = load(&rsa, &rsa, &why);
	const RSA	*r = EVP_PKEY_get0_RSA(rsa.pr_pkey);
	RSA		*copy = RSAPublicKey_dup(r);
	struct m_sign	 m = { .padding = RSA_NO_PADDING };
	uint8_t		 in[256] = { 0 }, sig[MAX_SIGN];

	try_pss(ky, copy, EVP_sha256(), 32, 1);
	try_pss(ky, copy, EVP_sha384(), 48, 1);
	try_pss(ky, copy, EVP_sha512(), 64, 1);
	try_pss(ky, copy, EVP_sha256(), 20, 0);
	try_pss(ky, copy, EVP_sha1(), 20, 0);
	/* The raw power of a key would open what others have encrypted. */
	m.data.mb_data = in;
	m.data.mb_len = sizeof(in);
	CHECK_INT(key_sign(ky, &m, sig), -1);
	in[255] = 2;
	CHECK_INT(key_sign(ky, &m, sig), -1);
	memset(in, 0x5a, sizeof(in));
	CHECK_INT(key_sign(ky, &m, sig), -1);
	RSA_free(copy);
	key_free(ky);
}

static void
test_ecdsa(void)
{
	const char	*why;
	struct key	*ky = load(&p256, &p256, &why);
	struct m_sign	 m = { .ec = 1 };
	uint8_t		 in[128] = { 0 }, sig[MAX_SIGN];
	ssize_t		 n;
	size_t		 len;

	m.data.mb_data = in;
	m.data.mb_len = 32;
	n = key_sign(ky, &m, sig);
	CHECK(verifies(p256.pr_pkey, 0, EVP_sha256(), in, sig, n));
	for (len = 0; len <= sizeof(in); len++) {
		m.data.mb_len = len;
		n = key_sign(ky, &m, sig);
		CHECK_INT(n > 0, len == 32 || len == 48 || len == 64);
		CHECK(n <= 72);
	}
	m.data.mb_len = 32;
	m.ec = 0;
	m.padding = RSA_PKCS1_PADDING;
	CHECK_INT(key_sign(ky, &m, sig), -1);
	key_free(ky);
}

/* The child: keys, as it is under the daemon, but for chroot and user. */
static void
child_event(int fd, short what, void *arg)
{
	struct peer	*pe = arg;
	int		 bad;

	(void)fd;
	if (peer_events(pe, what, keys_ops.po_imsg, &bad) == -1) {
		peer_close(pe);
		if (pe->pe_proc == PROC_PARENT)
			_exit(0);
	}
	peer_arm(pe);
}

static void
child_main(int parent, int one, int two, int storage)
{
	static struct peer	 peers[4];

	/* A keys process has never been a session process. */
	RSA_set_default_method(RSA_PKCS1_OpenSSL());
	EC_KEY_set_default_method(EC_KEY_OpenSSL());
	proc_self = PROC_KEYS;
	event_init();
	if (peer_open(&peers[0], PROC_PARENT, 0, parent, child_event) == -1 ||
	    peer_open(&peers[1], PROC_SESSION, 0, one, child_event) == -1 ||
	    peer_open(&peers[2], PROC_SESSION, 1, two, child_event) == -1 ||
	    peer_open(&peers[3], PROC_STORAGE, 0, storage, child_event) == -1)
		abort();
	keys_ops.po_init();
	if (pledge(keys_ops.po_promises, NULL) == -1)
		abort();
	(void)proc_loop(NULL, NULL);
	_exit(1);
}

static void
start_child(void)
{
	int	 fd[4][2], i;

	for (i = 0; i < 4; i++)
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
		    SOCK_CLOEXEC, 0, fd[i]) == -1)
			abort();
	if ((child = fork()) == -1)
		abort();
	if (child == 0) {
		for (i = 0; i < 4; i++)
			close(fd[i][0]);
		child_main(fd[0][1], fd[1][1], fd[2][1], fd[3][1]);
	}
	for (i = 0; i < 4; i++)
		close(fd[i][1]);
	keys_engine_attach(fd[1][0]);
	if (imsgbuf_init(&conf, fd[0][0]) == -1 ||
	    imsgbuf_init(&raw, fd[2][0]) == -1 ||
	    imsgbuf_init(&store, fd[3][0]) == -1)
		abort();
	imsgbuf_allow_fdpass(&conf);
}

static int
stop_child(void)
{
	int	 status;

	imsgbuf_clear(&conf);
	imsgbuf_clear(&raw);
	imsgbuf_clear(&store);
	close(conf.fd);
	close(raw.fd);
	close(store.fd);
	if (waitpid(child, &status, 0) != child)
		abort();
	child = -1;
	return (status);
}

static void
send_msg(struct imsgbuf *ib, enum imsg_type type, int fd, const void *m)
{
	struct pollfd	 pfd = { .fd = ib->fd, .events = POLLOUT };

	if (msg_compose(ib, type, 7, fd, m) == -1)
		abort();
	while (imsgbuf_queuelen(ib) > 0)
		if (poll(&pfd, 1, WAIT) != 1 || imsgbuf_write(ib) == -1)
			abort();
}

/* The next imsg; its strings are good until the call after. */
static const void *
receive_msg(struct imsgbuf *ib, enum imsg_type type)
{
	static union msg_any	 any;
	static struct imsg	 imsg;
	static int		 have;
	struct pollfd		 pfd = { .fd = ib->fd, .events = POLLIN };
	int			 n;

	if (have)
		imsg_free(&imsg);
	have = 0;
	while ((n = imsgbuf_get(ib, &imsg)) == 0)
		if (poll(&pfd, 1, WAIT) != 1 || imsgbuf_read(ib) != 1)
			abort();
	have = 1;
	if (n != 1 || imsg_get_type(&imsg) != type ||
	    msg_decode(&imsg, &any) == -1)
		abort();
	return (any.bytes);
}

static void
send_file(enum conf_file kind, const char *text, long len)
{
	struct m_conf_file	 m = { .kind = (uint8_t)kind };
	FILE			*f = tmpfile();
	int			 fd;

	if (f == NULL || fwrite(text, 1, (size_t)len, f) != (size_t)len ||
	    fflush(f) != 0 || (fd = dup(fileno(f))) == -1)
		abort();
	fclose(f);
	send_msg(&conf, IMSG_CONF_FILE, fd, &m);
}

/* The key that signs, as long as it is to be. */
static const char	 seed[] = "0123456789abcdef0123456789abcdef";
static long		 seed_len = 32;

/* A reload up to the point where the child has its say. */
static const struct m_conf_ack *
offer(const struct pair *cert, const struct pair *key)
{
	struct m_site		 site = { .generation = ++generation };
	struct m_conf_end	 end = { .generation = generation };

	send_msg(&conf, IMSG_CONF_SITE, -1, &site);
	if (cert != NULL)
		send_file(FILE_CERT, cert->pr_cert, cert->pr_certlen);
	if (key != NULL)
		send_file(FILE_KEY, key->pr_pem, key->pr_pemlen);
	if (seed_len != 0)
		send_file(FILE_SIGN, seed, seed_len);
	send_msg(&conf, IMSG_CONF_END, -1, &end);
	return (receive_msg(&conf, IMSG_CONF_ACK));
}

/* And wait until it has worked: what follows is answered in order. */
static void
commit(void)
{
	struct m_conf_end	 end = { .generation = generation };
	const struct m_conf_ack	*ack;

	send_msg(&conf, IMSG_CONF_COMMIT, -1, &end);
	end.generation = UINT64_MAX;
	send_msg(&conf, IMSG_CONF_END, -1, &end);
	ack = receive_msg(&conf, IMSG_CONF_ACK);
	CHECK_STR(ack->why, "the generations are mixed up");
}

static struct tls *
client_of(const struct pair *pr, uint32_t version, int fd)
{
	struct tls_config	*tc = tls_config_new();
	struct tls		*tls = tls_client();

	tls_config_insecure_noverifyname(tc);
	if (tls_config_set_ca_mem(tc, (const uint8_t *)pr->pr_cert,
	    (size_t)pr->pr_certlen) == -1 ||
	    tls_config_set_protocols(tc, version) == -1 ||
	    tls_config_set_alpn(tc, "h2,http/1.1") == -1 ||
	    tls_configure(tls, tc) == -1 ||
	    tls_connect_socket(tls, fd, "localhost") == -1)
		abort();
	tls_config_free(tc);
	return (tls);
}

/* Both sides in turn, until both are through or one has failed. */
static int
shake(struct tls *client, struct tls *server)
{
	ssize_t	 c = TLS_WANT_POLLIN, s = TLS_WANT_POLLIN;
	int	 i;

	for (i = 0; i < 1000 && c != -1 && s != -1 && (c != 0 || s != 0); i++) {
		if (c != 0)
			c = tls_handshake(client);
		if (s != 0)
			s = tls_handshake(server);
	}
	return (c == 0 && s == 0 ? 0 : -1);
}

/* A byte from one to the other; TLS 1.3 has things to say in between. */
static int
passes(struct tls *from, struct tls *to, char want)
{
	char	 got = 0;
	ssize_t	 n = TLS_WANT_POLLIN;
	int	 i;

	if (tls_write(from, &want, 1) != 1)
		return (0);
	for (i = 0; i < 100 && n == TLS_WANT_POLLIN; i++)
		n = tls_read(to, &got, 1);
	return (n == 1 && got == want);
}

/* A handshake as the daemon does it, and a byte each way; 0 or -1. */
static int
handshake(const struct pair *pr, uint32_t version)
{
	struct tls_config	*tc;
	struct tls		*listener = tls_server(), *server, *client;
	const char		*why = "";
	int			 fd[2], ret = -1;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == -1)
		abort();
	tc = keys_engine_config(pr->pr_cert, (size_t)pr->pr_certlen, &why);
	if (tc == NULL || tls_configure(listener, tc) == -1 ||
	    tls_accept_socket(listener, &server, fd[0]) == -1) {
		fprintf(stderr, "%s; %s\n", why, tls_error(listener));
		abort();
	}
	client = client_of(pr, version, fd[1]);
	if (shake(client, server) == 0 && passes(client, server, 'x') &&
	    passes(server, client, 'y'))
		ret = 0;
	if (ret == 0) {
		CHECK_STR(tls_conn_version(client),
		    version == TLS_PROTOCOL_TLSv1_2 ? "TLSv1.2" : "TLSv1.3");
		CHECK_STR(tls_conn_alpn_selected(server), "http/1.1");
		CHECK(strstr(tls_conn_cipher(server), "GCM") != NULL ||
		    strstr(tls_conn_cipher(server), "CHACHA20") != NULL);
	}
	tls_free(client);
	tls_free(server);
	tls_free(listener);
	tls_config_free(tc);
	close(fd[0]);
	close(fd[1]);
	return (ret);
}

static void
test_handshakes(void)
{
	const struct m_conf_ack	*ack;
	struct pair		*all[] = { &rsa, &p256, &p384 };
	size_t			 i;

	start_child();
	CHECK_INT(keys_engine_up(), 1);
	/* No key yet: a refusal, and the pipe stays. */
	CHECK_INT(handshake(&rsa, TLS_PROTOCOL_TLSv1_3), -1);
	CHECK_INT(keys_engine_up(), 1);
	for (i = 0; i < 3; i++) {
		ack = offer(all[i], all[i]);
		CHECK_INT(ack->ok, 1);
		CHECK_STR(ack->why, "");
		CHECK_INT(ack->generation, generation);
		/* A session may hear of the commit first. */
		CHECK_INT(handshake(all[i], TLS_PROTOCOL_TLSv1_3), 0);
		commit();
		CHECK_INT(handshake(all[i], TLS_PROTOCOL_TLSv1_2), 0);
		CHECK_INT(handshake(all[i], TLS_PROTOCOL_TLSv1_3), 0);
	}
	/* The key before still signs, the one before that does not. */
	CHECK_INT(handshake(&p256, TLS_PROTOCOL_TLSv1_3), 0);
	CHECK_INT(handshake(&rsa, TLS_PROTOCOL_TLSv1_3), -1);
	/* The same key again does not push out the one before. */
	CHECK_INT(offer(&p384, &p384)->ok, 1);
	commit();
	CHECK_INT(handshake(&p384, TLS_PROTOCOL_TLSv1_3), 0);
	CHECK_INT(handshake(&p256, TLS_PROTOCOL_TLSv1_3), 0);
}

static void
test_reload(void)
{
	const struct m_conf_ack	*ack;

	ack = offer(&rsa, &p256);
	CHECK_INT(ack->ok, 0);
	CHECK_STR(ack->why, "certificate and key do not belong together");
	ack = offer(&rsa, NULL);
	CHECK_INT(ack->ok, 0);
	CHECK_STR(ack->why, "the key file is not readable");
	ack = offer(NULL, &rsa);
	CHECK_INT(ack->ok, 0);
	CHECK_STR(ack->why, "the certificate file is not readable");
	seed_len = 31;
	ack = offer(&rsa, &rsa);
	CHECK_INT(ack->ok, 0);
	CHECK_STR(ack->why, "the key that signs is not 32 bytes");
	seed_len = 32;
	/* A commit of what was refused changes nothing. */
	commit();
	CHECK_INT(handshake(&p384, TLS_PROTOCOL_TLSv1_3), 0);
	CHECK_INT(handshake(&rsa, TLS_PROTOCOL_TLSv1_3), -1);
	/* Nor does one of another generation. */
	CHECK_INT(offer(&rsa, &rsa)->ok, 1);
	generation++;
	commit();
	CHECK_INT(offer(&p384, &p384)->ok, 1);
	CHECK_INT(handshake(&rsa, TLS_PROTOCOL_TLSv1_3), -1);
	CHECK_INT(handshake(&p256, TLS_PROTOCOL_TLSv1_3), 0);
}

/* n requests, all bad but the last; returns how many were signed. */
static unsigned int
burst(struct m_sign *m, unsigned int n)
{
	struct pollfd	 pfd = { .fd = raw.fd, .events = POLLOUT };
	unsigned int	 i, got = 0;

	for (i = 0; i < n; i++) {
		m->data.mb_len = i == n - 1 ? 48 : 31;
		if (msg_compose(&raw, IMSG_SIGN, 7, -1, m) == -1)
			abort();
	}
	while (imsgbuf_queuelen(&raw) > 0)
		if (poll(&pfd, 1, WAIT) != 1 || imsgbuf_write(&raw) == -1)
			abort();
	for (i = 0; i < n; i++)
		got += ((const struct m_signed *)receive_msg(&raw,
		    IMSG_SIGNED))->ok;
	return (got);
}

/* Session 1 asks faster than any crowd shakes hands. */
static void
test_rate(void)
{
	const struct m_signed	*answer;
	const char		*why;
	struct key		*ky = load(&p384, &p384, &why);
	struct m_sign		 m = { .ec = 1 };
	uint8_t			 in[48] = { 0 };
	unsigned int		 i, got = 0;

	memcpy(m.key, key_name(ky), TOKEN_LEN);
	key_free(ky);
	m.data.mb_data = in;
	m.data.mb_len = sizeof(in);
	send_msg(&raw, IMSG_SIGN, -1, &m);
	answer = receive_msg(&raw, IMSG_SIGNED);
	CHECK_INT(answer->ok, 1);
	CHECK(answer->sig.mb_len > 90 && answer->sig.mb_len <= 104);
	/* Bad requests count, too. */
	for (i = 0; i < 500; i++)
		got += burst(&m, 200);
	CHECK(got < 500);
	/* Its own bucket is empty now; the other session's is not. */
	CHECK_INT(handshake(&p384, TLS_PROTOCOL_TLSv1_2), 0);
	m.key[5] ^= 1;
	CHECK_INT(burst(&m, 1), 0);
}

/* The key of tickets: one for all, until another session process comes. */
static void
test_tickets(void)
{
	const struct m_ticket_key	*answer;
	struct tls_config		*tc;
	const char			*why;
	uint8_t				 first[MAX_TICKET];

	tc = keys_engine_config(p384.pr_cert, (size_t)p384.pr_certlen, &why);
	CHECK(tc != NULL);
	CHECK_INT(keys_engine_ticket(tc), 0);
	CHECK_INT(keys_engine_ticket(tc), 0);
	send_msg(&raw, IMSG_TICKET, -1, NULL);
	answer = receive_msg(&raw, IMSG_TICKET_KEY);
	CHECK_INT(answer->key.mb_len, TLS_TICKET_LEN);
	memcpy(first, answer->key.mb_data, sizeof(first));
	send_msg(&raw, IMSG_TICKET, -1, NULL);
	answer = receive_msg(&raw, IMSG_TICKET_KEY);
	CHECK(memcmp(answer->key.mb_data, first, sizeof(first)) == 0);
	/* Signing goes on as before. */
	CHECK_INT(handshake(&p384, TLS_PROTOCOL_TLSv1_3), 0);
	tls_config_free(tc);
}

/* A session process that was killed may have lost the key to somebody. */
static void
test_ticket_new(void)
{
	struct peer	 pe = { .pe_proc = PROC_SESSION };
	struct imsgbuf	 ib;
	struct pollfd	 pfd;
	struct imsg	 imsg;
	union msg_any	 any;
	uint8_t		 keys[2][MAX_TICKET];
	int		 fd[2], i;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1 ||
	    peer_open(&pe, PROC_SESSION, 0, fd[0], child_event) == -1 ||
	    imsgbuf_init(&ib, fd[1]) == -1)
		abort();
	keys_ops.po_init();
	pfd.fd = fd[1];
	pfd.events = POLLIN;
	for (i = 0; i < 2; i++) {
		CHECK_INT(keys_ops.po_imsg(&pe, IMSG_TICKET, 1, NULL, NULL),
		    0);
		if (imsgbuf_write(&pe.pe_ibuf) == -1 ||
		    poll(&pfd, 1, WAIT) != 1 || imsgbuf_read(&ib) != 1 ||
		    imsgbuf_get(&ib, &imsg) != 1 ||
		    msg_decode(&imsg, &any) == -1)
			abort();
		memcpy(keys[i], ((const struct m_ticket_key *)
		    (const void *)any.bytes)->key.mb_data, MAX_TICKET);
		imsg_free(&imsg);
		keys_ops.po_up(&pe);
	}
	CHECK(memcmp(keys[0], keys[1], MAX_TICKET) != 0);
	peer_close(&pe);
	imsgbuf_clear(&ib);
	close(fd[1]);
}

/* What is signed of a trail; "" when keys refuses. */
static const char *
prove(uint32_t tenant, const char *name, uint8_t kind, uint64_t seq, int sum)
{
	struct m_prove	 m = { tenant, name, kind, seq, 1764000000000ULL,
			    { 0 } };

	memset(m.sum, sum, sizeof(m.sum));
	send_msg(&store, IMSG_PROVE, -1, &m);
	return (((const struct m_proven *)receive_msg(&store,
	    IMSG_PROVEN))->line);
}

/* Checkpoints of a trail go forward, and are of one trail. */
static void
test_prove(void)
{
	uint8_t		 pub[PROOF_KEY];
	struct proof	 pf;

	CHECK_INT(proof_public((const uint8_t *)seed, pub), 0);
	CHECK_INT(proof_read(&pf, prove(1, "acme", PROOF_CHECKPOINT, 5, 1),
	    pub), 1);
	CHECK(pf.pf_tenant == 1 && pf.pf_seq == 5 && pf.pf_sum[0] == 1);
	CHECK_INT(proof_read(&pf, prove(1, "acme", PROOF_CHECKPOINT, 5, 1),
	    pub), 1);
	CHECK_STR(prove(1, "acme", PROOF_CHECKPOINT, 5, 2), "");
	CHECK_STR(prove(1, "acme", PROOF_CHECKPOINT, 4, 1), "");
	CHECK_INT(proof_read(&pf, prove(1, "acme", PROOF_CHECKPOINT, 6, 3),
	    pub), 1);
	/* Another trail is another matter. */
	CHECK_INT(proof_read(&pf, prove(2, "globex", PROOF_CHECKPOINT, 1, 1),
	    pub), 1);
	CHECK_INT(proof_read(&pf, prove(0, "-", PROOF_CHECKPOINT, 1, 1),
	    pub), 1);
	/* A file is signed as often as it is asked. */
	CHECK_INT(proof_read(&pf, prove(1, "acme", PROOF_LOG, 0, 1), pub),
	    1);
	/* Names that would make a line mean something else. */
	CHECK_STR(prove(0, "acme", PROOF_CHECKPOINT, 9, 1), "");
	CHECK_STR(prove(3, "-", PROOF_CHECKPOINT, 9, 1), "");
	CHECK_STR(prove(3, "a seq=1", PROOF_CHECKPOINT, 9, 1), "");
	CHECK_STR(prove(3, "", PROOF_CHECKPOINT, 9, 1), "");
}

/* A keys process that hangs costs one wait, not one for each handshake. */
static void
test_hang(void)
{
	uint64_t	 before;
	unsigned int	 i;

	kill(child, SIGSTOP);
	CHECK_INT(handshake(&p384, TLS_PROTOCOL_TLSv1_3), -1);
	CHECK_INT(keys_engine_up(), 1);
	CHECK_INT(keys_engine_ticket(NULL), -1);
	before = (uint64_t)time(NULL);
	for (i = 0; i < 50; i++)
		CHECK_INT(handshake(&p384, TLS_PROTOCOL_TLSv1_3), -1);
	CHECK((uint64_t)time(NULL) - before < 50);
	kill(child, SIGCONT);
	for (i = 0; i < 500; i++) {
		if (handshake(&p384, TLS_PROTOCOL_TLSv1_3) == 0)
			break;
		(void)poll(NULL, 0, 10);
	}
	CHECK(i < 500);
}

static void
test_death(void)
{
	CHECK_INT(kill(child, SIGKILL), 0);
	(void)stop_child();
	CHECK_INT(handshake(&p384, TLS_PROTOCOL_TLSv1_2), -1);
	CHECK_INT(handshake(&p384, TLS_PROTOCOL_TLSv1_3), -1);
	CHECK_INT(keys_engine_up(), 0);
	start_child();
	CHECK_INT(keys_engine_up(), 1);
	CHECK_INT(offer(&rsa, &rsa)->ok, 1);
	commit();
	CHECK_INT(handshake(&rsa, TLS_PROTOCOL_TLSv1_3), 0);
	/* The end of its parent is its own, and without a violation. */
	CHECK_INT(stop_child(), 0);
}

/* What comes from keys is not believed either. */
static void
test_forged(void)
{
	struct imsgbuf	 ib;
	struct m_result	 m = { .code = 0 };
	int		 fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1 ||
	    imsgbuf_init(&ib, fd[1]) == -1)
		abort();
	keys_engine_attach(fd[0]);
	send_msg(&ib, IMSG_RESULT, -1, &m);
	CHECK_INT(handshake(&rsa, TLS_PROTOCOL_TLSv1_3), -1);
	CHECK_INT(keys_engine_up(), 0);
	imsgbuf_clear(&ib);
	close(fd[1]);
	keys_engine_attach(-1);
	CHECK_INT(keys_engine_up(), 0);
}

static void
test_config(void)
{
	const char	*why = NULL;

	CHECK(keys_engine_config("nonsense", 8, &why) == NULL);
	CHECK_STR(why, "the certificate file holds no certificate in PEM");
	CHECK(keys_engine_config(rsa.pr_pem, (size_t)rsa.pr_pemlen, &why) ==
	    NULL);
	CHECK(keys_engine_config("", 0, &why) == NULL);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	log_init(1);
	make_pair(&rsa, make_rsa(2048));
	make_pair(&rsa_b, make_rsa(2048));
	make_pair(&rsa_weak, make_rsa(1024));
	make_pair(&p256, make_ec(NID_X9_62_prime256v1));
	make_pair(&p384, make_ec(NID_secp384r1));
	make_pair(&koblitz, make_ec(NID_secp256k1));
	make_pair(&ed, make_ed());
	test_load();
	test_chain();
	test_passphrase();
	test_pkcs1();
	test_pss();
	test_ecdsa();

	keys_engine_init();
	test_config();
	test_handshakes();
	test_reload();
	test_prove();
	test_rate();
	test_tickets();
	test_hang();
	test_death();
	test_forged();
	event_init();
	test_ticket_new();

	free_pair(&rsa);
	free_pair(&rsa_b);
	free_pair(&rsa_weak);
	free_pair(&p256);
	free_pair(&p384);
	free_pair(&koblitz);
	free_pair(&ed);
	return (unit_end());
}
