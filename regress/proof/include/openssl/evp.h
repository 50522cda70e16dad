/* For the prover, which reads no libcrypto: what is called, unspecified. */
#ifndef PROOF_EVP_H
#define PROOF_EVP_H

#include <stddef.h>

int		 EVP_EncodeBlock(unsigned char *, const unsigned char *, int);
const void	*EVP_sha256(void);
int		 EVP_Digest(const void *, size_t, unsigned char *,
		    unsigned int *, const void *, void *);

#endif
