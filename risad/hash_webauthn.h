/*
 * Passkeys: what the server does when one is registered and when somebody
 * signs in with one (W3C WebAuthn Level 2, 7.1 and 7.2).  Pure.  All bytes of
 * a browser are hostile; nothing here looks at more than one request.
 *
 * What needs the account is left to those who know it: that the challenge is
 * ours and unused (auth), whose the credential is and that its counter goes
 * forward (storage).
 */
#ifndef HASH_WEBAUTHN_H
#define HASH_WEBAUTHN_H

#include "risad.h"

/* Bits of authenticator data, 6.1. */
#define WEBAUTHN_UP	0x01		/* somebody was there */
#define WEBAUTHN_UV	0x04		/* and it was verified who */
#define WEBAUTHN_BE	0x08		/* may be backed up */
#define WEBAUTHN_BS	0x10		/* is backed up */
#define WEBAUTHN_AT	0x40		/* a credential follows */
#define WEBAUTHN_ED	0x80		/* extensions follow */

/* COSE algorithms (RFC 9053) that a page may offer, as we number them. */
enum webauthn_alg { WEBAUTHN_ES256, WEBAUTHN_EDDSA, WEBAUTHN_RS256,
		  WEBAUTHN_ALG_MAX };

/* What has to be in it: ours, not the browser's. */
struct webauthn_want {
	const uint8_t	*ww_challenge;	/* TOKEN_LEN bytes */
	const char	*ww_host;	/* RP ID, and host of the origin */
	uint16_t	 ww_port;	/* of the origin; 443 is not written */
	int		 ww_uv;		/* user verification is demanded */
};

/* A credential as it was registered. */
struct webauthn_cred {
	enum webauthn_alg wc_alg;
	uint32_t	 wc_count;
	uint8_t		 wc_id[MAX_CRED_ID];
	size_t		 wc_idlen;
	uint8_t		 wc_key[MAX_CRED_KEY];	/* as libfido2 has it */
	size_t		 wc_keylen;
};

/* First use of the libraries, before the jail; 0, or -1: they do not work. */
int	 webauthn_init(void);

/*
 * Check a registration: the client data and the attestation object as the
 * browser sent them.  Attestation "none" and "packed" are known; the latter's
 * signature must be right, whoever made the device.  0, or -1.
 */
int	 webauthn_register(const struct webauthn_want *,
	    const struct m_blob *client, const struct m_blob *object,
	    struct webauthn_cred *);

/*
 * Check an assertion with the key of a credential.  An empty key is nobody's:
 * the answer is no, and takes as long.  0 and the counter, or -1.
 */
int	 webauthn_assert(const struct webauthn_want *, enum webauthn_alg,
	    const struct m_blob *key, const struct m_blob *client,
	    const struct m_blob *authdata, const struct m_blob *sig,
	    uint32_t *count);

#endif
