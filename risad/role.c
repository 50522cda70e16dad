#include <stddef.h>
#include <string.h>

#include "role.h"

const char *const	 right_names[RIGHTS] = {
	"chat", "dm", "voice", "video", "screen", "guest"
};

static const char	*const words[ROLE_MAX] = {
	"member", "admin", "guest"
};

const char *
right_name(uint8_t right)
{
	int	 i;

	for (i = 0; i < RIGHTS; i++)
		if (right == 1 << i)
			return (right_names[i]);
	return ("?");
}

int
role_valid(uint8_t role)
{
	return (role < ROLE_MAX || role >= ROLE_CUSTOM);
}

const char *
role_word(uint8_t role)
{
	return (role < ROLE_MAX ? words[role] : NULL);
}

int
role_number(const char *s)
{
	int	 i;

	for (i = 0; i < ROLE_MAX; i++)
		if (strcmp(words[i], s) == 0)
			return (i);
	return (-1);
}

/* Whom to let in is the administrators' to say until they say otherwise. */
uint8_t
role_default(uint8_t role)
{
	if (role == ROLE_ADMIN)
		return (RIGHT_ALL);
	return (role < ROLE_MAX ? RIGHT_ALL & ~RIGHT_GUEST : 0);
}

uint8_t
role_settable(uint8_t role)
{
	if (role == ROLE_ADMIN)
		return (0);
	/* Who is a guest himself has nobody to let in. */
	return (role == ROLE_GUEST ? RIGHT_ALL & ~RIGHT_GUEST : RIGHT_ALL);
}
