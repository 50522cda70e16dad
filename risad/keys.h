/*
 * The private key of TLS: checked when it comes, used for signatures, never
 * told.
 */
#ifndef KEYS_H
#define KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "proc.h"

struct key;

extern const struct proc_ops	 keys_ops;

/*
 * A private key and the certificate it must belong to, both in PEM; of a chain
 * the first certificate counts.  RSA of 2048 to 8192 bits, or ECDSA on P-256
 * or P-384.  NULL with a sentence for the operator in *why.
 */
struct key	*key_load(const void *cert, size_t certlen, const void *pem,
		    size_t pemlen, const char **why);
void		 key_free(struct key *);
/* 1 if the first certificate in PEM is for a host below the domain. */
int		 cert_covers(const void *pem, size_t len, const char *domain);

/* Its name: the SHA-256 of the certificate's SubjectPublicKeyInfo. */
const uint8_t	*key_name(const struct key *);

/*
 * Sign, if the request is one that TLS 1.2 or 1.3 makes of this kind of key:
 * a DigestInfo for RSA_PKCS1_PADDING, an encoded PSS block for RSA_NO_PADDING
 * (RFC 8017, 9.1 and 9.2), a digest for ECDSA.  Anything else would make us an
 * oracle.  The signature is written to sig, of MAX_SIGN bytes.  Its length,
 * which is the key's and not the asker's choice, or -1.
 */
ssize_t		 key_sign(const struct key *, const struct m_sign *,
		    uint8_t *sig);

#endif
