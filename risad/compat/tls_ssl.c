/*
 * LibreTLS 3.7 asks for tickets, but its callback answers as LibreSSL has it:
 * 0 for done, which OpenSSL takes for "no ticket".  So the callback here.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <string.h>

#include "compat/tls_ssl.h"

#define KEYS		4
#define NAME_LEN	16
#define SECRET_LEN	32

/* The newest first. */
static struct ticket_key {
	uint8_t	 tk_name[NAME_LEN];
	uint8_t	 tk_aes[SECRET_LEN], tk_mac[SECRET_LEN];
} keys[KEYS];
static int	 nkeys;
static EVP_CIPHER *cipher;
static SSL	*last;

/*
 * SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 done, 2 done and give a new one,
 * 0 no ticket, -1 end the handshake.
 */
static int
ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *ctx, EVP_MAC_CTX *mac, int seal)
{
	OSSL_PARAM	 params[3];
	int		 i = 0;

	if (seal) {
		if (nkeys == 0 || SSL_version(ssl) < TLS1_3_VERSION ||
		    RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1)
			return (0);
		memcpy(name, keys[0].tk_name, NAME_LEN);
	} else {
		while (i < nkeys && memcmp(name, keys[i].tk_name,
		    NAME_LEN) != 0)
			i++;
		if (i == nkeys)
			return (0);
	}
	params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
	    keys[i].tk_mac, SECRET_LEN);
	params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
	    (char[]){ "SHA256" }, 0);
	params[2] = OSSL_PARAM_construct_end();
	if (EVP_MAC_CTX_set_params(mac, params) != 1 ||
	    EVP_CipherInit_ex(ctx, cipher, NULL, keys[i].tk_aes, iv,
	    seal) != 1)
		return (-1);
	return (i == 0 ? 1 : 2);
}

/*
 * The one public way to an SSL that somebody else makes: whoever has reserved
 * a slot of its ex_data is called for each new one, see
 * CRYPTO_get_ex_new_index(3).
 */
static void
new_ssl(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl,
    void *argp)
{
	SSL_CTX	*ctx = SSL_get_SSL_CTX(parent);

	(void)ptr;
	(void)ad;
	(void)idx;
	(void)argl;
	(void)argp;
	last = parent;
	SSL_set_mode(parent, SSL_MODE_RELEASE_BUFFERS);
	/* Or passwords stay in buffers that were given back. */
	(void)SSL_set_options(parent, SSL_OP_CLEANSE_PLAINTEXT);
	SSL_set_read_ahead(parent, 1);
	SSL_set_num_tickets(parent, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, ticket_key);
}

int
tls_ssl_init(void)
{
	if ((cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL)) == NULL)
		return (-1);
	return (CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, new_ssl,
	    NULL, NULL) == -1 ? -1 : 0);
}

void *
tls_ssl_last(void)
{
	return (last);
}

int
tls_ssl_pending(void *ssl)
{
	return (SSL_has_pending(ssl));
}

int
tls_ssl_ticket_key(struct tls_config *config, const uint8_t key[TLS_TICKET_LEN])
{
	(void)config;
	if (nkeys > 0 && memcmp(keys[0].tk_name, key, NAME_LEN) == 0)
		return (0);
	if (nkeys < KEYS)
		nkeys++;
	memmove(keys + 1, keys, (KEYS - 1) * sizeof(keys[0]));
	memcpy(&keys[0], key, sizeof(keys[0]));
	return (0);
}
