/*
 * The ways that sound and pictures may take from one browser to another, and
 * the servers that help them there, as risad.conf names them.  Pure.
 */
#ifndef WAY_H
#define WAY_H

#include <stdint.h>

#include "risad.h"

/* How the ways are called by pages, risactl and the trail; by enum talk_way. */
extern const char *const	 way_words[WAY_MAX];

/* The word, or "?". */
const char	*way_word(uint8_t way);
/* The other way; -1 when it is none of them. */
int		 way_number(const char *);

/* What the URL of a server says (RFC 7064, RFC 7065). */
struct way_url {
	int		 wu_relay;	/* turn or turns, not stun */
	int		 wu_tls;	/* turns */
	int		 wu_tcp;
	uint16_t	 wu_port;
};

/* "turns:turn.office.example:443?transport=tcp" and so on; 0, or -1. */
int		 way_url(struct way_url *, const char *);

/*
 * May a page on this way, which is not WAY_TENANT, use the server?  Directly,
 * all of them; by relay, those that relay; by 443, those that do so inside of
 * TLS on this port, as the only network that lets nothing else out has it.
 */
int		 way_fits(const char *url, enum talk_way);

/*
 * Is a candidate of ICE (RFC 8839) one of the relay's that does not say where
 * its owner is?  The text of the attribute, or "" for the end of them.
 */
int		 way_relays(const char *candidate);
/*
 * The same of all candidates that a description (RFC 8866) has; and its lines
 * o=, c= and a=rtcp: say no address but that of such a one.
 */
int		 way_sdp_relays(const char *sdp);

#endif
