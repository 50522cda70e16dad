#include <string.h>

#include "compat/tls_ssl.h"

/* LibreSSL has neither the one nor, of itself, the other trouble. */
int
tls_ssl_init(void)
{
	return (0);
}

void *
tls_ssl_last(void)
{
	return (NULL);
}

/* Nobody can say: try. */
int
tls_ssl_pending(void *ssl)
{
	(void)ssl;
	return (1);
}

int
tls_ssl_ticket_key(struct tls_config *config, const uint8_t key[TLS_TICKET_LEN])
{
	uint8_t		 secret[TLS_TICKET_KEY_SIZE];
	uint32_t	 name;
	int		 ret;

	memcpy(&name, key, sizeof(name));
	memcpy(secret, key + TLS_TICKET_LEN - sizeof(secret), sizeof(secret));
	ret = tls_config_add_ticket_key(config, name, secret, sizeof(secret));
	explicit_bzero(secret, sizeof(secret));
	return (ret);
}
