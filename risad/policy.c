#include <sys/types.h>

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"
#include "risad.h"
#include "util.h"
#include "way.h"

static int	 domain_word(const char *);
static int	 network_word(const char *);
static int	 role_listed(const char *);

#define MONTH	(30 * 24 * 60)		/* in minutes */
#define YEARS(n)	((n) * 36525 / 100 + 1)	/* in days */

const struct policy_rule policy_rules[POLICY_KEYS] = {
	[POLICY_LENGTH] = { "password-length", 8, MAX_PASSWORD_CHARS, 8,
	    NULL },
	[POLICY_LENGTH_FACTOR] = { "password-length-factor", 8,
	    MAX_PASSWORD_CHARS, MAX_PASSWORD_CHARS, NULL },
	[POLICY_KINDS] = { "password-kinds", 1, 4, 1, NULL },
	[POLICY_STRENGTH] = { "password-strength", 0, 4, 2, NULL },
	[POLICY_HISTORY] = { "password-history", 0, MAX_HISTORY, 0, NULL },
	[POLICY_DAYS] = { "password-days", 0, 3650, 0, NULL },
	[POLICY_IDLE] = { "session-idle", 0, MONTH, 0, NULL },
	[POLICY_ABSOLUTE] = { "session-absolute", 0, MONTH, 0, NULL },
	[POLICY_FACTOR] = { "second-factor", PF_NOBODY, PF_EVERYBODY,
	    PF_NOBODY, NULL },
	[POLICY_LOCK_TRIES] = { "lock-tries", 1, 12, 10, NULL },
	[POLICY_LOCK_MINUTES] = { "lock-minutes", 0, 24 * 60, 30, NULL },
	/* F5, F6 and F7: never under six months, a year; up to 20 years. */
	[POLICY_CHAT_DAYS] = { "chat-days", 0, YEARS(20), 0, NULL },
	[POLICY_LOG_DAYS] = { "log-days", 184, YEARS(20), YEARS(1), NULL },
	[POLICY_AUDIT_DAYS] = { "audit-days", YEARS(1), YEARS(20),
	    YEARS(3), NULL },
	[POLICY_HOLD] = { "legal-hold", 0, 1, 0, NULL },
	[POLICY_LOG_CONSOLE] = { "log-console", 0, 1, 0, NULL },
	[POLICY_TALK_WAY] = { "talk-way", WAY_DIRECT, WAY_MAX - 1, WAY_DIRECT,
	    way_words },
	[POLICY_TALK_LISTEN] = { "talk-listen", 0, 1, 1, NULL },
	[POLICY_TALK_HIDDEN] = { "talk-hidden-mute", 0, 1, 0, NULL },
};

const struct policy_lists policy_lists[POLICY_LISTS] = {
	[POLICY_DOMAINS] = { "mail-domains", 0, domain_word },
	[POLICY_NETWORKS] = { "networks", NETWORKS_MAX, network_word },
	[POLICY_ADMIN_NETWORKS] = { "admin-networks", NETWORKS_MAX,
	    network_word },
	[POLICY_FACTOR_ROLES] = { "second-factor-roles", 0, role_listed },
};

/*
 * NIST SP 800-63B-4, 3.1.1.2: length, less of it beside a second factor, and a
 * blocklist; no kinds and no age.
 */
const struct policy_preset policy_presets[POLICY_PRESETS] = {
	{ "nist", { { POLICY_LENGTH, 15 }, { POLICY_LENGTH_FACTOR, 8 },
	    { POLICY_KINDS, 1 }, { POLICY_STRENGTH, 3 },
	    { POLICY_HISTORY, 0 }, { POLICY_DAYS, 0 } }, 6 },
};

int
policy_operators(enum policy_key key)
{
	return (key == POLICY_HOLD);
}

void
policy_preset(struct policy *po, const struct policy_preset *pp)
{
	size_t	 i;

	for (i = 0; i < pp->pp_n; i++)
		po->po_value[pp->pp_set[i].key] = pp->pp_set[i].value;
}

const char *
policy_number(enum policy_key key, uint32_t value, char dst[POLICY_VALUE])
{
	const struct policy_rule	*pr = &policy_rules[key];

	if (pr->pr_words != NULL && value >= pr->pr_min &&
	    value <= pr->pr_max)
		return (pr->pr_words[value]);
	(void)snprintf(dst, POLICY_VALUE, "%u", value);
	return (dst);
}

static int
domain_word(const char *word)
{
	return (mail_domain_valid(*word == '.' ? word + 1 : word));
}

static int
network_word(const char *word)
{
	struct network	 nw;

	return (network_parse(&nw, word) == NETWORK_OK);
}

/* A role that has passwords: of all tenants, or a number of its own; or -1. */
static int
role_read(const char *word)
{
	const char	*error;
	int		 role;

	if (strcmp(word, "admin") == 0)
		return (ROLE_ADMIN);
	if (strcmp(word, "member") == 0)
		return (ROLE_MEMBER);
	role = (int)strtonum(word, ROLE_CUSTOM, UINT8_MAX, &error);
	return (error != NULL || *word < '1' || *word > '9' ? -1 : role);
}

static int
role_listed(const char *word)
{
	return (role_read(word) != -1);
}

int
policy_factor(const struct policy *po, uint8_t role)
{
	const char	*text = po->po_list[POLICY_FACTOR_ROLES];
	char		 word[POLICY_WORD + 1];
	uint32_t	 who = po->po_value[POLICY_FACTOR];

	if (role == ROLE_GUEST)
		return (0);		/* has a link, and no password */
	if (who == PF_EVERYBODY || (who == PF_ADMINS && role == ROLE_ADMIN))
		return (1);
	while ((text = policy_next(text, word)) != NULL)
		if (role_read(word) == role)
			return (1);
	return (0);
}

uint32_t
policy_length(const struct policy *po, uint8_t role)
{
	uint32_t	 least = po->po_value[POLICY_LENGTH];

	if (policy_factor(po, role) &&
	    po->po_value[POLICY_LENGTH_FACTOR] < least)
		least = po->po_value[POLICY_LENGTH_FACTOR];
	return (least);
}

void
policy_default(struct policy *po)
{
	size_t	 i;

	memset(po, 0, sizeof(*po));
	for (i = 0; i < POLICY_KEYS; i++)
		po->po_value[i] = policy_rules[i].pr_default;
}

const char *
policy_check(const struct policy *po)
{
	size_t	 i;

	for (i = 0; i < POLICY_KEYS; i++)
		if (po->po_value[i] < policy_rules[i].pr_min ||
		    po->po_value[i] > policy_rules[i].pr_max)
			return (policy_rules[i].pr_name);
	return (NULL);
}

uint32_t
policy_seconds(const struct policy *po, enum policy_key key, uint32_t site)
{
	uint32_t	 minutes = po->po_value[key];

	return (minutes == 0 ? site : minutes * 60);
}

#define BETWEEN	" ,\t\r\n"

const char *
policy_next(const char *text, char word[POLICY_WORD + 1])
{
	size_t	 i, len;

	text += strspn(text, BETWEEN);
	if ((len = strcspn(text, BETWEEN)) == 0)
		return (NULL);
	for (i = 0; i < len && i < POLICY_WORD; i++)
		word[i] = text[i] >= 'A' && text[i] <= 'Z' ?
		    (char)(text[i] - 'A' + 'a') : text[i];
	word[i] = '\0';
	/* What is cut off a character leaves no half of it behind. */
	while (i > 0 && (text[i] & 0xc0) == 0x80)
		word[--i] = '?';
	return (text + len);
}

int
policy_list(struct policy *po, enum policy_list list, const char *text,
    char wrong[POLICY_WORD + 1])
{
	char		 kept[POLICY_TEXT + 1] = "", word[POLICY_WORD + 1];
	const char	*next;
	size_t		 len = 0, n, max = policy_lists[list].pw_max;
	size_t		 count = 0;

	while ((next = policy_next(text, word)) != NULL) {
		n = strlen(word);
		/* A word that was cut is too long for whatever it is. */
		if (n == POLICY_WORD || !policy_lists[list].pw_valid(word)) {
			memcpy(wrong, word, n + 1);
			return (-1);
		}
		if (len + (len > 0) + n > POLICY_TEXT ||
		    (max > 0 && ++count > max)) {
			wrong[0] = '\0';
			return (-1);
		}
		if (len > 0)
			kept[len++] = ' ';
		memcpy(kept + len, word, n + 1);
		len += n;
		text = next;
	}
	memset(po->po_list[list], 0, sizeof(po->po_list[list]));
	memcpy(po->po_list[list], kept, len);
	return (0);
}

int
policy_allows(const struct policy *po, enum policy_list list,
    const uint8_t addr[NETWORK_ADDR])
{
	struct networks	 ns;

	return (po->po_list[list][0] == '\0' || (networks_parse(&ns,
	    po->po_list[list], NULL, 0) == NETWORK_OK &&
	    networks_has(&ns, addr)));
}

int
policy_welcomes(const struct policy *po, enum policy_list list,
    const char *addr)
{
	uint8_t	 bytes[NETWORK_ADDR];

	return (po->po_list[list][0] == '\0' ||
	    (network_addr(bytes, addr) == 0 &&
	    policy_allows(po, list, bytes)));
}

int
policy_mail(const struct policy *po, const char *mail)
{
	const char	*domain = strrchr(mail, '@') + 1;
	const char	*text = po->po_list[POLICY_DOMAINS];
	char		 word[POLICY_WORD + 1];
	size_t		 len = strlen(domain), n;

	if (*text == '\0')
		return (1);
	while ((text = policy_next(text, word)) != NULL) {
		n = strlen(word);
		if (word[0] == '.' ? n < len && strcmp(domain + len - n,
		    word) == 0 : strcmp(domain, word) == 0)
			return (1);
	}
	return (0);
}

size_t
policy_write(const struct policy *po, uint8_t out[POLICY_BYTES])
{
	uint8_t		*p = out;
	uint32_t	 n;
	uint16_t	 len;
	size_t		 i;

	*p++ = POLICY_KEYS;
	for (i = 0; i < POLICY_KEYS; i++, p += sizeof(n)) {
		n = htobe32(po->po_value[i]);
		memcpy(p, &n, sizeof(n));
	}
	for (i = 0; i < POLICY_LISTS; i++) {
		len = htobe16((uint16_t)strlen(po->po_list[i]));
		memcpy(p, &len, sizeof(len));
		p += sizeof(len);
		memcpy(p, po->po_list[i], be16toh(len));
		p += be16toh(len);
	}
	return ((size_t)(p - out));
}

/* Numbers from p on; where the lists begin, or NULL. */
static const uint8_t *
read_values(struct policy *po, const uint8_t *p, const uint8_t *end)
{
	uint32_t	 n;
	size_t		 i, count = *p++;

	if (count > POLICY_KEYS || (size_t)(end - p) < count * sizeof(n))
		return (NULL);
	for (i = 0; i < count; i++, p += sizeof(n)) {
		memcpy(&n, p, sizeof(n));
		po->po_value[i] = be32toh(n);
	}
	return (policy_check(po) == NULL ? p : NULL);
}

static int
read_lists(struct policy *po, const uint8_t *p, const uint8_t *end)
{
	char		 text[POLICY_TEXT + 1], wrong[POLICY_WORD + 1];
	uint16_t	 len;
	size_t		 i;

	for (i = 0; i < POLICY_LISTS && p < end; i++) {
		if (end - p < (ssize_t)sizeof(len))
			return (-1);
		memcpy(&len, p, sizeof(len));
		len = be16toh(len);
		p += sizeof(len);
		if (len > POLICY_TEXT || end - p < len)
			return (-1);
		memcpy(text, p, len);
		text[len] = '\0';
		p += len;
		if (policy_list(po, (enum policy_list)i, text, wrong) == -1)
			return (-1);
	}
	return (p == end ? 0 : -1);
}

/*
 * The first rules were two numbers, length and kinds, with no count before
 * them; a count is never 0, and those numbers began with it.
 */
#define FIRST_BYTES	(2 * sizeof(uint32_t))

static int
read_first(struct policy *po, const uint8_t *p)
{
	uint32_t	 n[2];

	memcpy(n, p, sizeof(n));
	po->po_value[POLICY_LENGTH] = be32toh(n[0]);
	po->po_value[POLICY_KINDS] = be32toh(n[1]);
	return (policy_check(po) == NULL ? 0 : -1);
}

int
policy_read(struct policy *po, const void *data, size_t len)
{
	const uint8_t	*p = data;

	policy_default(po);
	if (len == 0)
		return (0);
	if (len == FIRST_BYTES && p[0] == 0) {
		if (read_first(po, p) == 0)
			return (0);
	} else if ((p = read_values(po, p, p + len)) != NULL &&
	    read_lists(po, p, (const uint8_t *)data + len) == 0)
		return (0);
	policy_default(po);
	return (-1);
}
