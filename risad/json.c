#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "role.h"
#include "session.h"
#include "utf8.h"

#define JSON_DEPTH	16

/* The parser below has a limit of its own, far deeper. */
static int
json_shallow(const char *p, size_t len)
{
	size_t	 i;
	int	 depth = 0, quoted = 0;

	for (i = 0; i < len; i++) {
		if (quoted) {
			if (p[i] == '\\')
				i++;
			else if (p[i] == '"')
				quoted = 0;
		} else if (p[i] == '"')
			quoted = 1;
		else if (p[i] == '{' || p[i] == '[') {
			if (++depth > JSON_DEPTH)
				return (0);
		} else if (p[i] == '}' || p[i] == ']')
			depth--;
	}
	return (1);
}

json_t *
json_parse(const void *data, size_t len)
{
	json_error_t	 err;
	json_t		*root;

	if (len == 0 || !json_shallow(data, len))
		return (NULL);
	/* No JSON_ALLOW_NUL: a string with one is refused. */
	root = json_loadb(data, len, JSON_REJECT_DUPLICATES, &err);
	if (root != NULL && !json_is_object(root)) {
		json_decref(root);
		return (NULL);
	}
	return (root);
}

static int
json_field_get(json_t *v, const struct json_field *jf)
{
	switch (jf->jf_kind) {
	case JK_STRING:
		if (!json_is_string(v))
			return (-1);
		*(const char **)jf->jf_dst = json_string_value(v);
		return (0);
	case JK_BOOL:
		if (!json_is_boolean(v))
			return (-1);
		*(int *)jf->jf_dst = json_is_true(v);
		return (0);
	case JK_UINT:
		if (!json_is_integer(v) || json_integer_value(v) < 0)
			return (-1);
		*(uint64_t *)jf->jf_dst = (uint64_t)json_integer_value(v);
		return (0);
	case JK_ANY:
		*(json_t **)jf->jf_dst = v;
		return (0);
	}
	return (-1);
}

static const struct json_field *
json_field_named(const struct json_field *jf, size_t n, const char *name)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		if (strcmp(jf[i].jf_name, name) == 0)
			return (&jf[i]);
	return (NULL);
}

const char *
json_fields(json_t *root, const struct json_field *jf, size_t n)
{
	static char	 unknown[64];
	const char	*name;
	json_t		*v;
	size_t		 i;

	json_object_foreach(root, name, v) {
		if (json_field_named(jf, n, name) != NULL)
			continue;
		(void)strlcpy(unknown, name, sizeof(unknown));
		/* Cut in the middle of a character, or empty, it is no name. */
		return (unknown[0] != '\0' && utf8_valid(unknown,
		    strlen(unknown)) ? unknown : "?");
	}
	for (i = 0; i < n; i++) {
		v = json_object_get(root, jf[i].jf_name);
		if (jf[i].jf_seen != NULL)
			*jf[i].jf_seen = v != NULL;
		if (v == NULL) {
			if (jf[i].jf_needed)
				return (jf[i].jf_name);
			continue;
		}
		if (json_field_get(v, &jf[i]) == -1)
			return (jf[i].jf_name);
	}
	return (NULL);
}

ssize_t
json_ids(json_t *array, uint8_t *dst, size_t max)
{
	json_t		*v;
	size_t		 i;
	json_int_t	 id;

	if (!json_is_array(array) || json_array_size(array) > max)
		return (-1);
	json_array_foreach(array, i, v) {
		if (!json_is_integer(v) ||
		    (id = json_integer_value(v)) <= 0 || id > UINT32_MAX)
			return (-1);
		dst[4 * i] = (uint8_t)(id >> 24);
		dst[4 * i + 1] = (uint8_t)(id >> 16);
		dst[4 * i + 2] = (uint8_t)(id >> 8);
		dst[4 * i + 3] = (uint8_t)id;
	}
	return ((ssize_t)json_array_size(array));
}

/* A look is six numbers of four bits. */
static const char	*const look_parts[] = {
	"skin", "hair", "tint", "face", "shirt", "extra"
};
#define NLOOK	(sizeof(look_parts) / sizeof(look_parts[0]))

json_t *
json_look(uint32_t look)
{
	json_t	*o = json_object();
	size_t	 i;

	for (i = 0; i < NLOOK; i++)
		(void)json_object_set_new(o, look_parts[i],
		    json_integer(look >> (4 * i) & 15));
	return (o);
}

int
json_look_get(json_t *o, uint32_t *look)
{
	uint64_t	 part[NLOOK];
	struct json_field jf[NLOOK];
	size_t		 i;

	if (!json_is_object(o))
		return (-1);
	for (i = 0; i < NLOOK; i++)
		jf[i] = (struct json_field){ look_parts[i], JK_UINT, 1,
		    &part[i], NULL };
	if (json_fields(o, jf, NLOOK) != NULL)
		return (-1);
	*look = 0;
	for (i = 0; i < NLOOK; i++) {
		if (part[i] > 15)
			return (-1);
		*look |= (uint32_t)part[i] << (4 * i);
	}
	return (0);
}

static int
number_of(const char *const *names, int n, const char *name)
{
	int	 i;

	for (i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return (i);
	return (-1);
}

static const char	*const statuses[STATUS_MAX] = {
	"available", "busy", "away", "dnd"
};
static const char	*const langs[LANG_MAX] = { "", "ja", "en" };

const char *
status_name(uint8_t n)
{
	return (n < STATUS_MAX ? statuses[n] : statuses[0]);
}

int
status_number(const char *s)
{
	return (number_of(statuses, STATUS_MAX, s));
}

json_t *
json_role(uint8_t role)
{
	const char	*word = role_word(role);

	return (word == NULL ? json_integer(role) : json_string(word));
}

int
json_role_get(json_t *v)
{
	json_int_t	 n = json_integer_value(v);

	if (json_is_string(v))
		return (role_number(json_string_value(v)));
	return (json_is_integer(v) && n >= ROLE_CUSTOM && n <= UINT8_MAX ?
	    (int)n : -1);
}

json_t *
json_can(uint8_t can)
{
	json_t	*list = json_array();
	int	 i;

	for (i = 0; i < RIGHTS; i++)
		if (can & 1 << i)
			(void)json_array_append_new(list,
			    json_string(right_names[i]));
	return (list);
}

int
json_can_get(json_t *list, uint8_t *can)
{
	json_t		*v;
	const char	*s;
	size_t		 i;
	int		 n;

	*can = 0;
	if (!json_is_array(list))
		return (-1);
	json_array_foreach(list, i, v) {
		if ((s = json_string_value(v)) == NULL ||
		    (n = number_of(right_names, RIGHTS, s)) == -1)
			return (-1);
		*can |= (uint8_t)(1 << n);
	}
	return (0);
}

const char *
lang_name(uint8_t n)
{
	return (n < LANG_MAX ? langs[n] : langs[0]);
}

int
lang_number(const char *s)
{
	return (number_of(langs, LANG_MAX, s));
}

/* A whole number without sign, blank or leading zero; what follows it. */
static const char *
channel_number(const char *s, uint32_t *n)
{
	uint64_t	 v = 0;

	if (*s < '1' || *s > '9')
		return (NULL);
	for (; *s >= '0' && *s <= '9'; s++)
		if ((v = v * 10 + (uint64_t)(*s - '0')) > UINT32_MAX)
			return (NULL);
	*n = (uint32_t)v;
	return (s);
}

int
channel_parse(const char *s, uint8_t *kind, uint32_t *a, uint32_t *b)
{
	*b = 0;
	if (strncmp(s, "floor:", 6) == 0) {
		*kind = CHANNEL_FLOOR;
		s = channel_number(s + 6, a);
	} else if (strncmp(s, "user:", 5) == 0) {
		*kind = CHANNEL_USER;
		s = channel_number(s + 5, a);
	} else if (strncmp(s, "room:", 5) == 0) {
		*kind = CHANNEL_ROOM;
		if ((s = channel_number(s + 5, a)) != NULL)
			s = *s == ':' ? channel_number(s + 1, b) : NULL;
	} else
		return (-1);
	return (s != NULL && *s == '\0' ? 0 : -1);
}

void
channel_name(char *dst, size_t len, uint8_t kind, uint32_t a, uint32_t b)
{
	if (kind == CHANNEL_FLOOR)
		(void)snprintf(dst, len, "floor:%u", a);
	else if (kind == CHANNEL_ROOM)
		(void)snprintf(dst, len, "room:%u:%u", a, b);
	else
		(void)snprintf(dst, len, "user:%u", a);
}

json_t *
json_user(const struct login *lg)
{
	return (json_pack("{sI ss ss so so ss ss ss}", "id",
	    (json_int_t)lg->lg_user, "name", lg->lg_name, "email", lg->lg_email,
	    "role", json_role(lg->lg_role), "look", json_look(lg->lg_look),
	    "lang", lang_name(lg->lg_lang), "status",
	    status_name(lg->lg_status), "note", lg->lg_note));
}

json_t *
json_message(const char *channel, const struct m_message *m)
{
	json_t	*o;

	o = json_pack("{sI ss sI ss ss sI}", "id", (json_int_t)m->id,
	    "channel", channel, "from", (json_int_t)m->from, "name", m->name,
	    "text", m->text, "at", (json_int_t)m->at);
	if (m->guest)
		(void)json_object_set_new(o, "guest", json_true());
	return (o);
}

/* The words of the bits that are set, the lowest first. */
static json_t *
json_bits(uint8_t bits, const char *const *words, size_t n)
{
	json_t	*list = json_array();
	size_t	 i;

	for (i = 0; i < n; i++)
		if (bits & 1U << i)
			(void)json_array_append_new(list,
			    json_string(words[i]));
	return (list);
}

json_t *
json_must(uint8_t bits)
{
	static const char *const	 words[] = {
		"second-factor", "password"
	};

	return (json_bits(bits, words, 2));
}

json_t *
json_factors(uint8_t bits)
{
	static const char *const	 words[] = {
		"totp", "recovery", "passkey"
	};

	return (json_bits(bits, words, 3));
}
