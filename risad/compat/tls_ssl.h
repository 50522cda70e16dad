/*
 * libtls hides the SSL objects, and with them how much memory a quiet
 * connection keeps; and the one of Debian 12 never gives out a ticket.
 */
#ifndef TLS_SSL_H
#define TLS_SSL_H

#include <stdint.h>
#include <tls.h>

#define TLS_TICKET_LEN	80	/* a name, and keys to encrypt and to prove */

/*
 * From now on every TLS connection reads with one system call what is there,
 * wipes what was read, gives back its record buffers, 33 KB, while it has
 * nothing to read or write, and gives out tickets when its configuration has a
 * session lifetime.  Once, before any configuration is used.  0, or -1: then
 * nothing of that happens.
 */
int	 tls_ssl_init(void);

/*
 * What lies behind the connection that this process has made last, for the
 * function below.
 */
void	*tls_ssl_last(void);

/*
 * Are there bytes that were read from the socket and not by tls_read(3)?  The
 * socket does not tell of them any more.
 */
int	 tls_ssl_pending(void *);

/*
 * Seal tickets with this key from now on (RFC 8446, 4.6.1).  The three before
 * it still open theirs, and who shows one of them gets a new one.  Nobody gets
 * a ticket without a key, nor in TLS 1.2, where who learns the key could read
 * what was recorded.  0, or -1.
 */
int	 tls_ssl_ticket_key(struct tls_config *,
	    const uint8_t key[TLS_TICKET_LEN]);

#endif
