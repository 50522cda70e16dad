/*
 * TLS without the private key: signatures are asked of the keys process, over
 * a pipe with nothing else on it.
 */
#ifndef KEYS_ENGINE_H
#define KEYS_ENGINE_H

#include <stddef.h>
#include <tls.h>

/* In libtls for this purpose, but in none of its headers. */
void	 tls_config_use_fake_private_key(struct tls_config *);

/*
 * Install the RSA and ECDSA methods that ask.  Once, before any configuration
 * is made and before the sandbox; fatal when libcrypto does not work.
 */
void	 keys_engine_init(void);

/*
 * The pipe to keys, in place of the one before, which is closed.  Ours from
 * now on, also when it turns out useless.
 */
void	 keys_engine_attach(int fd);

/* 1 while there is a pipe, 0 when signatures must fail. */
int	 keys_engine_up(void);

/*
 * Configuration of a server with the certificates in PEM: TLS 1.2 and 1.3,
 * ciphers with forward secrecy and authenticated encryption in our order,
 * ALPN http/1.1 (RFC 7301).  The caller frees it.  NULL with a sentence for
 * the operator in *why.
 */
struct tls_config *keys_engine_config(const void *pem, size_t len,
	    const char **why);

/*
 * Ask keys for the key that seals TLS tickets now, and use it for connections
 * of this configuration, see tls_ssl_ticket_key().  0, or -1 when keys did not
 * answer: what there was stays in use.  May wait as a signature does.
 */
int	 keys_engine_ticket(struct tls_config *);

#endif
