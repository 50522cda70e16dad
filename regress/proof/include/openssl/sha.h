/* For the prover, which reads no libcrypto: what is called, unspecified. */
#ifndef PROOF_SHA_H
#define PROOF_SHA_H

#include <stddef.h>

#define SHA_DIGEST_LENGTH	20

unsigned char	*SHA1(const unsigned char *, size_t, unsigned char *);

#endif
