/*
 * policy.c: bounds, names, lists, and bytes of those who knew fewer rules or
 * more.
 */

#include "policy.h"
#include "risad.h"
#include "unit.h"
#include "utf8.h"

static void
test_bounds(void)
{
	struct policy	 po;
	size_t		 i;

	policy_default(&po);
	CHECK(policy_check(&po) == NULL);
	/* What the check sheet promises of a tenant that has set nothing. */
	CHECK_INT(po.po_value[POLICY_LENGTH], 8);
	CHECK_INT(po.po_value[POLICY_KINDS], 1);
	for (i = 0; i < POLICY_KEYS; i++) {
		policy_default(&po);
		po.po_value[i] = policy_rules[i].pr_min;
		CHECK(policy_check(&po) == NULL);
		po.po_value[i] = policy_rules[i].pr_max;
		CHECK(policy_check(&po) == NULL);
		po.po_value[i] = policy_rules[i].pr_max + 1;
		CHECK(policy_check(&po) == policy_rules[i].pr_name);
		if (policy_rules[i].pr_min > 0) {
			po.po_value[i] = policy_rules[i].pr_min - 1;
			CHECK(policy_check(&po) == policy_rules[i].pr_name);
		}
	}
}

static void
test_names(void)
{
	size_t	 i, j;

	for (i = 0; i < POLICY_KEYS; i++)
		for (j = 0; j < i; j++)
			CHECK(strcmp(policy_rules[i].pr_name,
			    policy_rules[j].pr_name) != 0);
	for (i = 0; i < POLICY_LISTS; i++)
		for (j = 0; j < POLICY_KEYS; j++)
			CHECK(strcmp(policy_lists[i].pw_name,
			    policy_rules[j].pr_name) != 0);
}

/* A number that has a word is called by it, and any other as it is. */
static void
test_numbers(void)
{
	char	 text[POLICY_VALUE];

	CHECK_STR(policy_number(POLICY_TALK_WAY, WAY_DIRECT, text), "direct");
	CHECK_STR(policy_number(POLICY_TALK_WAY, WAY_443, text), "443");
	CHECK_STR(policy_number(POLICY_TALK_WAY, WAY_TENANT, text), "0");
	CHECK_STR(policy_number(POLICY_TALK_WAY, WAY_MAX, text), "4");
	CHECK_STR(policy_number(POLICY_LENGTH, UINT32_MAX, text),
	    "4294967295");
}

/* Who has to have a second factor, and so may have a shorter password. */
static void
test_factor(void)
{
	static const char *const	 bad[] = { "guest", "15", "256", "016",
		"+16", "boss" };
	struct policy	 po;
	char		 wrong[POLICY_WORD + 1];
	size_t		 i;

	policy_default(&po);
	po.po_value[POLICY_LENGTH] = 15;
	CHECK_INT(policy_length(&po, ROLE_ADMIN), 15);
	po.po_value[POLICY_LENGTH_FACTOR] = 8;
	CHECK_INT(policy_length(&po, ROLE_ADMIN), 15);
	po.po_value[POLICY_FACTOR] = PF_ADMINS;
	CHECK(policy_factor(&po, ROLE_ADMIN));
	CHECK(!policy_factor(&po, ROLE_MEMBER));
	CHECK(!policy_factor(&po, 17));
	CHECK_INT(policy_list(&po, POLICY_FACTOR_ROLES, "16 17", wrong), 0);
	CHECK(policy_factor(&po, 17));
	CHECK(!policy_factor(&po, 18));
	CHECK_INT(policy_length(&po, ROLE_ADMIN), 8);
	CHECK_INT(policy_length(&po, 17), 8);
	CHECK_INT(policy_length(&po, ROLE_MEMBER), 15);
	po.po_value[POLICY_FACTOR] = PF_EVERYBODY;
	CHECK_INT(policy_length(&po, ROLE_MEMBER), 8);
	CHECK(!policy_factor(&po, ROLE_GUEST));
	po.po_value[POLICY_LENGTH_FACTOR] = 20;
	CHECK_INT(policy_length(&po, ROLE_MEMBER), 15);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_INT(policy_list(&po, POLICY_FACTOR_ROLES, bad[i],
		    wrong), -1);
		CHECK_STR(wrong, bad[i]);
	}
	po.po_value[POLICY_FACTOR] = PF_NOBODY;
	CHECK_INT(policy_list(&po, POLICY_FACTOR_ROLES, "member", wrong), 0);
	CHECK(policy_factor(&po, ROLE_MEMBER));
	CHECK(!policy_factor(&po, ROLE_ADMIN));
}

static void
test_lists(void)
{
	struct policy	 po, old;
	char		 wrong[POLICY_WORD + 1], text[2 * POLICY_TEXT];
	size_t		 i;

	policy_default(&po);
	CHECK(policy_mail(&po, "a@b.example"));
	CHECK_INT(policy_list(&po, POLICY_DOMAINS,
	    " Acme.Example,\r\n.sub.acme.example  x.example\t", wrong), 0);
	CHECK_STR(po.po_list[POLICY_DOMAINS],
	    "acme.example .sub.acme.example x.example");
	CHECK(policy_mail(&po, "a@acme.example"));
	CHECK(policy_mail(&po, "a@x.example"));
	CHECK(policy_mail(&po, "a@y.sub.acme.example"));
	CHECK(!policy_mail(&po, "a@sub.acme.example"));
	CHECK(!policy_mail(&po, "a@y.acme.example"));
	CHECK(!policy_mail(&po, "a@evil-acme.example"));
	CHECK(!policy_mail(&po, "a@acme.example.com"));

	old = po;
	CHECK_INT(policy_list(&po, POLICY_DOMAINS, "a.example b_.example",
	    wrong), -1);
	CHECK_STR(wrong, "b_.example");
	CHECK(memcmp(&po, &old, sizeof(po)) == 0);
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	CHECK_INT(policy_list(&po, POLICY_DOMAINS, text, wrong), -1);
	/* Wherever it is cut, it stays UTF-8. */
	(void)strlcpy(text, "abc", sizeof(text));
	for (i = 0; i < 100; i++)
		(void)strlcat(text, "\xf0\x9f\x98\x80", sizeof(text));
	for (i = 0; i < 4; i++) {
		CHECK_INT(policy_list(&po, POLICY_DOMAINS, text + i, wrong),
		    -1);
		CHECK_INT(strlen(wrong), POLICY_WORD);
		CHECK(utf8_valid(wrong, POLICY_WORD));
	}
	text[0] = '\0';
	for (i = 0; i < POLICY_TEXT / 9; i++)
		(void)strlcat(text, "ab.a.com ", sizeof(text));
	CHECK_INT(policy_list(&po, POLICY_DOMAINS, text, wrong), 0);
	CHECK_INT(strlen(po.po_list[POLICY_DOMAINS]), POLICY_TEXT / 9 * 9 - 1);
	(void)strlcat(text, "ab.a.com ", sizeof(text));
	CHECK_INT(policy_list(&po, POLICY_DOMAINS, text, wrong), -1);
	CHECK_STR(wrong, "");
	CHECK_INT(policy_list(&po, POLICY_DOMAINS, " ,\n", wrong), 0);
	CHECK_STR(po.po_list[POLICY_DOMAINS], "");
	policy_default(&old);
	CHECK(memcmp(&po, &old, sizeof(po)) == 0);
}

static void
test_networks(void)
{
	static const enum policy_list	 lists[] = {
		POLICY_NETWORKS, POLICY_ADMIN_NETWORKS
	};
	struct policy	 po;
	char		 wrong[POLICY_WORD + 1], text[POLICY_TEXT];
	size_t		 i, n;

	policy_default(&po);
	for (i = 0; i < 2; i++) {
		CHECK(policy_welcomes(&po, lists[i], "192.0.2.1"));
		CHECK(policy_welcomes(&po, lists[i], ""));
		CHECK_INT(policy_list(&po, lists[i],
		    "192.0.2.0/24,\n2001:DB8::/32", wrong), 0);
		CHECK_STR(po.po_list[lists[i]], "192.0.2.0/24 2001:db8::/32");
		CHECK(policy_welcomes(&po, lists[i], "192.0.2.1"));
		CHECK(policy_welcomes(&po, lists[i], "::ffff:192.0.2.1"));
		CHECK(policy_welcomes(&po, lists[i], "2001:db8:9::1"));
		CHECK(!policy_welcomes(&po, lists[i], "192.0.3.1"));
		CHECK(!policy_welcomes(&po, lists[i], "2001:db9::1"));
		CHECK(!policy_welcomes(&po, lists[i], ""));
		CHECK(!policy_welcomes(&po, lists[i], "nowhere"));
		CHECK_INT(policy_list(&po, lists[i], "::1 192.0.2.1/24",
		    wrong), -1);
		CHECK_STR(wrong, "192.0.2.1/24");
		text[0] = '\0';
		for (n = 0; n < NETWORKS_MAX; n++)
			(void)strlcat(text, "192.0.2.1 ", sizeof(text));
		CHECK_INT(policy_list(&po, lists[i], text, wrong), 0);
		(void)strlcat(text, "::1", sizeof(text));
		CHECK_INT(policy_list(&po, lists[i], text, wrong), -1);
		CHECK_STR(wrong, "");
	}
}

/* Do the numbers or a list end there?  Who knew fewer wrote no more. */
static int
ends_there(const struct policy *po, size_t at)
{
	size_t	 i, end = 1 + POLICY_KEYS * 4;

	for (i = 0; i < POLICY_LISTS && end < at; i++)
		end += 2 + strlen(po->po_list[i]);
	return (end == at);
}

static void
test_bytes(void)
{
	struct policy	 po, back;
	uint8_t		 buf[POLICY_BYTES + 4];
	char		 wrong[POLICY_WORD + 1];
	size_t		 len, i;

	memset(buf, 0, sizeof(buf));
	CHECK(POLICY_BYTES <= MAX_POLICY);
	policy_default(&po);
	po.po_value[POLICY_LENGTH] = 12;
	po.po_value[POLICY_KINDS] = 4;
	(void)policy_list(&po, POLICY_DOMAINS, "a.example", wrong);
	len = policy_write(&po, buf);
	CHECK(len < POLICY_BYTES);
	CHECK_INT(buf[0], POLICY_KEYS);
	CHECK_INT(buf[4], 12);
	CHECK_INT(policy_read(&back, buf, len), 0);
	CHECK(memcmp(&po, &back, sizeof(po)) == 0);

	/* Nothing, the numbers alone, the first number alone. */
	CHECK_INT(policy_read(&back, NULL, 0), 0);
	CHECK_INT(back.po_value[POLICY_LENGTH], 8);
	CHECK_INT(policy_read(&back, buf, 1 + POLICY_KEYS * 4), 0);
	CHECK_INT(back.po_value[POLICY_KINDS], 4);
	CHECK_STR(back.po_list[POLICY_DOMAINS], "");
	buf[0] = 1;
	CHECK_INT(policy_read(&back, buf, 5), 0);
	CHECK_INT(back.po_value[POLICY_LENGTH], 12);
	CHECK_INT(back.po_value[POLICY_KINDS], 1);
	buf[0] = POLICY_KEYS;

	CHECK_INT(policy_seconds(&back, POLICY_IDLE, 99), 99);
	back.po_value[POLICY_IDLE] = 30 * 24 * 60;
	CHECK_INT(policy_seconds(&back, POLICY_IDLE, 99), 30 * 24 * 60 * 60);

	/* As they were first written. */
	CHECK_INT(policy_read(&back, "\0\0\0\012\0\0\0\3", 8), 0);
	CHECK_INT(back.po_value[POLICY_LENGTH], 10);
	CHECK_INT(back.po_value[POLICY_KINDS], 3);
	CHECK_INT(policy_read(&back, "\0\0\0\012\0\0\0\11", 8), -1);
	CHECK_INT(policy_read(&back, "\0\0\0\012", 4), -1);
	CHECK_INT(back.po_value[POLICY_LENGTH], 8);

	/* Cut anywhere else, with more behind it, with more than we know. */
	for (i = 1; i < len; i++)
		if (!ends_there(&po, i))
			CHECK_INT(policy_read(&back, buf, i), -1);
	CHECK_INT(policy_read(&back, buf, len + 1), -1);
	buf[0] = POLICY_KEYS + 1;
	CHECK_INT(policy_read(&back, buf, len), -1);
	buf[0] = POLICY_KEYS;
	i = 1 + POLICY_KEYS * 4 + 2;
	buf[i] = '_';
	CHECK_INT(policy_read(&back, buf, len), -1);
	buf[i] = 'a';
	CHECK_INT(policy_read(&back, buf, len), 0);
	buf[4] = 7;
	CHECK_INT(policy_read(&back, buf, len), -1);
	CHECK_INT(back.po_value[POLICY_LENGTH], 8);
	CHECK_INT(back.po_value[POLICY_KINDS], 1);
	CHECK_STR(back.po_list[POLICY_DOMAINS], "");
}

int
main(void)
{
	test_bounds();
	test_names();
	test_numbers();
	test_factor();
	test_lists();
	test_networks();
	test_bytes();
	return (unit_end());
}
