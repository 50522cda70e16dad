#include "unit.h"

#include "session.h"

static void
test_parse(void)
{
	static const char	*good[] = {
		"{}", "{\"a\":1}", " {\"a\":[{\"b\":null}]} ",
		"{\"a\":\"\\u3042[[[[[[[[[[[[[[[[[[[[[[[[\"}",
		"{\"a\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}",
	};
	static const char	*bad[] = {
		"", "[]", "1", "\"a\"", "null", "{", "{\"a\":1,\"a\":2}",
		"{\"a\":1}x", "{'a':1}", "{\"a\":01}", "{\"a\":\"\\u0000\"}",
		"{\"a\":\"\xff\"}", "{\"a\":\"\xed\xa0\x80\"}", "{\"a\":1,}",
		"{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}",
	};
	json_t			*o;
	size_t			 i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		o = json_parse(good[i], strlen(good[i]));
		CHECK(o != NULL);
		json_decref(o);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(json_parse(bad[i], strlen(bad[i])) == NULL);
}

static void
test_fields(void)
{
	const char		*s = NULL;
	uint64_t		 n = 0;
	int			 flag = 0, seen = 7;
	const struct json_field	 jf[] = {
		{ "s", JK_STRING, 1, &s, NULL },
		{ "n", JK_UINT, 0, &n, &seen },
		{ "b", JK_BOOL, 0, &flag, NULL },
	};
	static const struct { const char *text, *fault; } t[] = {
		{ "{\"s\":\"x\"}", NULL },
		{ "{\"s\":\"x\",\"n\":5,\"b\":true}", NULL },
		{ "{}", "s" },
		{ "{\"s\":1}", "s" },
		{ "{\"s\":null}", "s" },
		{ "{\"s\":\"x\",\"n\":-1}", "n" },
		{ "{\"s\":\"x\",\"n\":1.0}", "n" },
		{ "{\"s\":\"x\",\"n\":\"1\"}", "n" },
		{ "{\"s\":\"x\",\"b\":1}", "b" },
		{ "{\"s\":\"x\",\"role\":\"admin\"}", "role" },
	};
	json_t			*o;
	const char		*fault;
	size_t			 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		o = json_parse(t[i].text, strlen(t[i].text));
		fault = json_fields(o, jf, 3);
		if (t[i].fault == NULL)
			CHECK(fault == NULL);
		else
			CHECK_STR(fault, t[i].fault);
		json_decref(o);
	}
	o = json_parse(t[1].text, strlen(t[1].text));
	CHECK(json_fields(o, jf, 3) == NULL);
	CHECK_INT(n, 5);
	CHECK_INT(flag, 1);
	CHECK_INT(seen, 1);
	json_decref(o);
	o = json_parse(t[0].text, strlen(t[0].text));
	CHECK(json_fields(o, jf, 3) == NULL);
	CHECK_INT(seen, 0);
	json_decref(o);
}

static void
test_ids(void)
{
	uint8_t	 raw[8];
	json_t	*a = json_loads("[1, 4294967295]", 0, NULL);

	CHECK_INT(json_ids(a, raw, 2), 2);
	CHECK(memcmp(raw, "\0\0\0\1\xff\xff\xff\xff", 8) == 0);
	CHECK_INT(json_ids(a, raw, 1), -1);
	json_decref(a);
	a = json_loads("[0]", 0, NULL);
	CHECK_INT(json_ids(a, raw, 2), -1);
	json_decref(a);
	a = json_loads("[4294967296]", 0, NULL);
	CHECK_INT(json_ids(a, raw, 2), -1);
	json_decref(a);
	a = json_loads("[\"1\"]", 0, NULL);
	CHECK_INT(json_ids(a, raw, 2), -1);
	json_decref(a);
	a = json_loads("{}", 0, NULL);
	CHECK_INT(json_ids(a, raw, 2), -1);
	json_decref(a);
}

static void
test_look(void)
{
	uint32_t	 look = 0, back = 0;
	json_t		*o;

	for (look = 0; look < 1U << 24; look += 0x10307) {
		o = json_look(look);
		CHECK_INT(json_look_get(o, &back), 0);
		CHECK(back == look);
		json_decref(o);
	}
	o = json_look(0);
	json_object_set_new(o, "skin", json_integer(16));
	CHECK_INT(json_look_get(o, &back), -1);
	json_object_set_new(o, "skin", json_integer(15));
	CHECK_INT(json_look_get(o, &back), 0);
	json_object_del(o, "hair");
	CHECK_INT(json_look_get(o, &back), -1);
	json_decref(o);
}

static void
test_channels(void)
{
	static const char	*good[] = {
		"floor:3", "room:3:2", "user:7", "floor:4294967295"
	};
	static const char	*bad[] = {
		"", "floor", "floor:", "floor:0", "floor:03", "floor:-1",
		"floor:3:2", "room:3", "room:3:", "room:3:2:1", "user:7 ",
		" user:7", "floor:4294967296", "FLOOR:3", "user:+7",
		"room::2", "floor:99999999999999999999999"
	};
	char			 text[40];
	uint8_t			 kind;
	uint32_t		 a, b;
	size_t			 i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CHECK_INT(channel_parse(good[i], &kind, &a, &b), 0);
		channel_name(text, sizeof(text), kind, a, b);
		CHECK_STR(text, good[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_INT(channel_parse(bad[i], &kind, &a, &b), -1);
}

static void
test_words(void)
{
	CHECK_INT(status_number("dnd"), STATUS_DND);
	CHECK_INT(status_number("gone"), -1);
	CHECK_STR(status_name(STATUS_BUSY), "busy");
	CHECK_STR(status_name(200), "available");
	CHECK_INT(lang_number(""), LANG_AUTO);
	CHECK_INT(lang_number("ja"), LANG_JA);
	CHECK_INT(lang_number("fr"), -1);
}

/* The value of "v" in the object. */
static int
role_of(const char *text)
{
	json_t	*o = json_parse(text, strlen(text));
	int	 n = json_role_get(json_object_get(o, "v"));

	json_decref(o);
	return (n);
}

static int
can_of(const char *text)
{
	json_t	*o = json_parse(text, strlen(text));
	uint8_t	 can;
	int	 n = json_can_get(json_object_get(o, "v"), &can);

	json_decref(o);
	return (n == -1 ? -1 : can);
}

static void
test_roles(void)
{
	char	*text;
	json_t	*v;

	CHECK_INT(role_of("{\"v\":\"admin\"}"), ROLE_ADMIN);
	CHECK_INT(role_of("{\"v\":\"member\"}"), ROLE_MEMBER);
	CHECK_INT(role_of("{\"v\":\"root\"}"), -1);
	CHECK_INT(role_of("{\"v\":16}"), 16);
	CHECK_INT(role_of("{\"v\":255}"), 255);
	CHECK_INT(role_of("{\"v\":256}"), -1);
	CHECK_INT(role_of("{\"v\":1}"), -1);
	CHECK_INT(role_of("{\"v\":15}"), -1);
	CHECK_INT(role_of("{\"v\":16.5}"), -1);
	CHECK_INT(role_of("{\"v\":null}"), -1);
	CHECK_INT(role_of("{}"), -1);
	CHECK_INT(can_of("{\"v\":[]}"), 0);
	CHECK_INT(can_of("{\"v\":[\"dm\",\"chat\",\"dm\"]}"),
	    RIGHT_CHAT | RIGHT_DM);
	CHECK_INT(can_of("{\"v\":[\"admin\"]}"), -1);
	CHECK_INT(can_of("{\"v\":[1]}"), -1);
	CHECK_INT(can_of("{\"v\":\"chat\"}"), -1);
	v = json_pack("{so so so}", "a", json_role(ROLE_GUEST), "b",
	    json_role(40), "c", json_can(RIGHT_ALL));
	text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
	CHECK_STR(text, "{\"a\":\"guest\",\"b\":40,\"c\":[\"chat\",\"dm\","
	    "\"voice\",\"video\",\"screen\",\"guest\"]}");
	free(text);
	json_decref(v);
}

int
main(void)
{
	test_parse();
	test_fields();
	test_ids();
	test_roles();
	test_look();
	test_channels();
	test_words();
	return (unit_end());
}
