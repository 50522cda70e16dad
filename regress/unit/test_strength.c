/* strength.c: scores, and what is guessed first for a person. */

#include "risad.h"
#include "strength.h"
#include "unit.h"

static void
test_scores(void)
{
	static const struct { const char *password; int least, most; } t[] = {
		{ "", 0, 0 }, { "password", 0, 0 }, { "12345678", 0, 0 },
		{ "qwertyuiop", 0, 1 }, { "aaaaaaaaaaaaaaaa", 0, 0 },
		{ "P@ssw0rd", 0, 1 }, { "shorter1", 0, 1 },
		{ "2026-11-25", 0, 1 },
		{ "qk7vzm2x", 3, 4 }, { "correct horse 42", 4, 4 },
		{ "\xe6\x9c\x88\xe3\x81\x8c\xe7\xb6\xba\xe9\xba\x97"
		    "\xe3\x81\xa7\xe3\x81\x99\xe3\x81\xad", 3, 4 },
	};
	size_t	 i;
	int	 score;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		score = strength_score(t[i].password, "");
		if (score < t[i].least || score > t[i].most)
			printf("%s: %d\n", t[i].password, score);
		CHECK(score >= t[i].least && score <= t[i].most);
	}
}

static void
test_words(void)
{
	static const char	 who[] = "Tomoe.Gozen@kiso-valley.example\n"
				    "Gozen Tomoe\n\nkiso\n"
				    "Kiso Valley Works";

	CHECK(strength_score("kiso-valley", "") >= 3);
	CHECK(strength_score("kiso-valley", who) <= 1);
	CHECK(strength_score("GozenTomoe1", "") >= 2);
	CHECK(strength_score("GozenTomoe1", who) <= 1);
	CHECK(strength_score("tomoe.gozen@kiso-valley.example", who) <= 1);
	CHECK_INT(strength_score("gozen mxq8 vaulted", who), 4);
}

/* Whatever bytes a browser sends: an answer, and nothing out of bounds. */
static void
test_bytes(void)
{
	char	 password[MAX_PASSWORD + 1], words[MAX_GUESS + 2];
	size_t	 i, len;

	for (len = 0; len <= MAX_PASSWORD; len += 7) {
		for (i = 0; i < len; i++)
			password[i] = (char)(1 + (i * 151 + len) % 255);
		password[len] = '\0';
		CHECK(strength_score(password, password) <= STRENGTH_MAX);
	}
	memset(words, 'w', sizeof(words));
	for (i = 0; i < MAX_GUESS; i += 5)
		words[i] = i % 10 == 0 ? '\n' : ' ';
	words[MAX_GUESS] = '\0';
	CHECK(strength_score("wwww wwww", words) <= 1);
	words[MAX_GUESS] = 'w';
	words[MAX_GUESS + 1] = '\0';
	CHECK_INT(strength_score("correct horse 42", words), 0);
}

int
main(void)
{
	test_scores();
	test_words();
	test_bytes();
	return (unit_end());
}
