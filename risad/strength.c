#include <sys/types.h>

#include <zxcvbn.h>

#include <math.h>
#include <string.h>

#include "risad.h"
#include "strength.h"

#define WORDS		48
#define SHORT		3	/* shorter parts are in too many passwords */

static int
is_letter(unsigned char c)
{
	return ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80);
}

/*
 * In lower case, cut into its parts in place; a line also counts as a whole.
 * text has room for both copies.
 */
static void
cut(char *text, const char *words, const char *dict[WORDS + 1])
{
	size_t	 i, len = strlen(words), n = 0;
	char	*whole = text, *parts = text + len + 1, *from;

	for (i = 0; i <= len; i++) {
		whole[i] = words[i] >= 'A' && words[i] <= 'Z' ?
		    (char)(words[i] - 'A' + 'a') : words[i];
		parts[i] = is_letter((unsigned char)whole[i]) ? whole[i] : '\0';
		if (whole[i] == '\n')
			whole[i] = '\0';
	}
	for (i = 0; i < len && n < WORDS; i++) {
		if ((i == 0 || whole[i - 1] == '\0') &&
		    strlen(whole + i) >= SHORT)
			dict[n++] = whole + i;
		from = parts + i;
		if ((i == 0 || from[-1] == '\0') && n < WORDS &&
		    strlen(from) >= SHORT)
			dict[n++] = from;
	}
	dict[n] = NULL;
}

uint8_t
strength_score(const char *password, const char *words)
{
	/* Tries in bits: 10^3, 10^6, 10^8, 10^10. */
	static const double	 steps[STRENGTH_MAX] = {
		9.97, 19.93, 26.58, 33.22
	};
	const char	*dict[WORDS + 1];
	char		 text[2 * (MAX_GUESS + 1)];
	double		 bits;
	uint8_t		 score = 0;

	if (strlen(words) > MAX_GUESS)
		return (0);
	cut(text, words, dict);
	bits = ZxcvbnMatch(password, dict, NULL);
	while (score < STRENGTH_MAX && bits >= steps[score])
		score++;
	return (score);
}
