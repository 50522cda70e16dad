/*
 * The rules of a tenant: numbers and lists of words, with names, bounds and
 * what holds where nothing was set.  Pure.
 */
#ifndef POLICY_H
#define POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "network.h"

enum policy_key {
	POLICY_LENGTH,		/* characters of a password at least */
	POLICY_LENGTH_FACTOR,	/* of whom must have a second factor, if less */
	POLICY_KINDS,		/* of upper, lower, digit, other at least */
	POLICY_STRENGTH,	/* score of the estimate at least, 0 to 4 */
	POLICY_HISTORY,		/* last passwords that may not come again */
	POLICY_DAYS,		/* that a password lives; 0: for ever */
	POLICY_IDLE,		/* minutes; 0: as risad.conf says */
	POLICY_ABSOLUTE,	/* likewise */
	POLICY_FACTOR,		/* who needs a second factor */
	POLICY_LOCK_TRIES,	/* failures that lock an account */
	POLICY_LOCK_MINUTES,	/* 0: until an administrator unlocks */
	POLICY_CHAT_DAYS,	/* that messages are kept; 0: for ever */
	POLICY_LOG_DAYS,	/* the same of the access log */
	POLICY_AUDIT_DAYS,	/* and of the audit trail */
	POLICY_HOLD,		/* nothing goes by its age */
	POLICY_LOG_CONSOLE,	/* administrators see the access log */
	POLICY_TALK_WAY,	/* enum talk_way, where a floor has none */
	POLICY_TALK_LISTEN,	/* who does not fit in may listen */
	POLICY_TALK_HIDDEN,	/* a hidden page mutes its microphone */
	POLICY_KEYS
};

enum policy_list {
	POLICY_DOMAINS,		/* of mail; empty: any */
	POLICY_NETWORKS,	/* that one may come from; empty: any */
	POLICY_ADMIN_NETWORKS,	/* likewise, for the administration */
	POLICY_FACTOR_ROLES,	/* that need a second factor besides */
	POLICY_LISTS
};

#define POLICY_TEXT	1600	/* bytes of a list */
#define POLICY_WORD	254	/* of one word in it */

/* Values of POLICY_FACTOR. */
enum policy_factor { PF_NOBODY, PF_ADMINS, PF_EVERYBODY };

/* Unused bytes of a list are 0, so that memcmp(3) compares policies. */
struct policy {
	uint32_t	 po_value[POLICY_KEYS];
	char		 po_list[POLICY_LISTS][POLICY_TEXT + 1];
};

struct policy_rule {
	const char	*pr_name;	/* as risactl and the page call it */
	uint32_t	 pr_min, pr_max, pr_default;
	const char	*const *pr_words;	/* of its values, or NULL */
};

/* A word of the list, in lower case: 1 if it may stand there. */
struct policy_lists {
	const char	*pw_name;
	size_t		 pw_max;	/* words, or 0: what fits */
	int		 (*pw_valid)(const char *);
};

extern const struct policy_rule	 policy_rules[POLICY_KEYS];
extern const struct policy_lists policy_lists[POLICY_LISTS];

void	 policy_default(struct policy *);

/* Numbers under one name, which risactl and the page offer together. */
struct policy_preset {
	const char	*pp_name;
	struct {
		enum policy_key	 key;
		uint32_t	 value;
	}		 pp_set[POLICY_KEYS];
	size_t		 pp_n;
};
#define POLICY_PRESETS	1
extern const struct policy_preset policy_presets[POLICY_PRESETS];

/* Is it for operators alone to set? */
int	 policy_operators(enum policy_key);

void	 policy_preset(struct policy *, const struct policy_preset *);

/* The word for a rule's value if there is one, else its digits. */
#define POLICY_VALUE	11
const char	*policy_number(enum policy_key, uint32_t value,
		    char dst[POLICY_VALUE]);

/* Has somebody of this role to have a second factor? */
int		 policy_factor(const struct policy *, uint8_t role);
/*
 * Characters that the password of such a person has at least.  A second factor
 * that may be left out makes no password shorter.
 */
uint32_t	 policy_length(const struct policy *, uint8_t role);

/* NULL when all values are in bounds, or the name of the first that is not. */
const char	*policy_check(const struct policy *);

/* A time of the tenant in seconds, or the site's where the rule is 0. */
uint32_t	 policy_seconds(const struct policy *, enum policy_key,
		    uint32_t site);

/*
 * Set a list from text with blanks, commas or ends of lines between the words;
 * kept in lower case, with one blank between.  0; or -1, and nothing is
 * changed: wrong has the word that may not stand there, "" if all together are
 * too many or too long.
 */
int	 policy_list(struct policy *, enum policy_list, const char *text,
	    char wrong[POLICY_WORD + 1]);

/*
 * The words of a list, one by one: copies the next one and returns where to go
 * on, or NULL where there is none.
 */
const char	*policy_next(const char *, char word[POLICY_WORD + 1]);

/*
 * May somebody with this address, which mail_normal() has made, be invited?  A
 * word ".example.com" stands for all domains below example.com.
 */
int	 policy_mail(const struct policy *, const char *mail);

/*
 * May one come from this address by POLICY_NETWORKS or _ADMIN_NETWORKS?  What
 * is no address may only where there is no list.
 */
int	 policy_allows(const struct policy *, enum policy_list,
	    const uint8_t addr[NETWORK_ADDR]);
int	 policy_welcomes(const struct policy *, enum policy_list,
	    const char *addr);

/*
 * As it is stored and sent: the count of the numbers, each number in 32 bits
 * big endian, then the lists, each with its length in 16 bits.  Whoever wrote
 * fewer of either knew fewer: the rest has its default.  policy_write()
 * returns the length.  policy_read() returns 0, or -1 for bytes that are no
 * policy of ours; then all is as by default.
 */
#define POLICY_BYTES	((size_t)1 + POLICY_KEYS * 4 +			\
			    POLICY_LISTS * (2 + POLICY_TEXT))
size_t	 policy_write(const struct policy *, uint8_t out[POLICY_BYTES]);
int	 policy_read(struct policy *, const void *, size_t);

#endif
