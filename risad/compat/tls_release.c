#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include "compat/tls_release.h"

/*
 * The one public way to an SSL that somebody else makes: whoever has reserved
 * a slot of its ex_data is called for each new one, see
 * CRYPTO_get_ex_new_index(3).
 */
static void
new_ssl(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl,
    void *argp)
{
	(void)ptr;
	(void)ad;
	(void)idx;
	(void)argl;
	(void)argp;
	SSL_set_mode(parent, SSL_MODE_RELEASE_BUFFERS);
}

int
tls_release_buffers(void)
{
	return (CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, new_ssl,
	    NULL, NULL) == -1 ? -1 : 0);
}
