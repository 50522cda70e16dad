/* The words of risactl: what each command means, and what none is. */
#include "../../risactl/parser.h"
#include "policy.h"
#include "unit.h"
#include "util.h"

#define MAX_ARGS	20

static struct command	 cm;
static char		 said[4096];	/* of the last command */

/* Words separated by |, for some have spaces in them. */
static int
parse(const char *line)
{
	static char	 buf[2048];
	char		*argv[MAX_ARGS], *p = buf;
	FILE		*err;
	int		 argc = 0, ret;

	(void)snprintf(buf, sizeof(buf), "%s", line);
	while (p != NULL && argc < MAX_ARGS && line[0] != '\0')
		argv[argc++] = strsep(&p, "|");
	memset(said, 0, sizeof(said));
	if ((err = fmemopen(said, sizeof(said) - 1, "w")) == NULL)
		exit(1);
	ret = command_parse(&cm, argc, argv, err);
	fclose(err);
	return (ret);
}

static int
says(const char *text)
{
	return (strstr(said, text) != NULL);
}

/* Every command in full: its imsg and its argument. */
static void
test_all(void)
{
	static const struct {
		const char	*line;
		uint32_t	 type;
		uint8_t		 arg;
	}		 all[] = {
		{ "tenant|add|acme", IMSG_C_TENANT_ADD, 0 },
		{ "tenant|list", IMSG_C_TENANT_LIST, 0 },
		{ "tenant|show|acme", IMSG_C_TENANT_SHOW, 0 },
		{ "tenant|suspend|acme", IMSG_C_TENANT_STATE,
		    TENANT_SUSPENDED },
		{ "tenant|resume|acme", IMSG_C_TENANT_STATE, TENANT_ACTIVE },
		{ "user|add|acme|a@b.example", IMSG_C_USER_ADD, 0 },
		{ "user|add|acme|a@b.example|role|admin", IMSG_C_USER_ADD, 0 },
		{ "user|role|acme|a@b.example|admin", IMSG_C_USER_ROLE, 0 },
		{ "role|list|acme", IMSG_C_ROLE_LIST, 0 },
		{ "role|add|acme|Contractor", IMSG_C_ROLE_ADD, 0 },
		{ "role|delete|acme|Contractor", IMSG_C_ROLE_DEL, 0 },
		{ "role|rename|acme|Contractor|Temp", IMSG_C_ROLE_NAME, 0 },
		{ "role|allow|acme|member|guest", IMSG_C_ROLE_ALLOW,
		    RIGHT_GUEST },
		{ "role|deny|acme|member|dm", IMSG_C_ROLE_DENY, RIGHT_DM },
		{ "user|invite|acme|a@b.example", IMSG_C_USER_LINK,
		    LINK_INVITE },
		{ "user|reset|acme|a@b.example", IMSG_C_USER_LINK,
		    LINK_RESET },
		{ "user|list|acme", IMSG_C_USER_LIST, 0 },
		{ "user|show|acme|a@b.example", IMSG_C_USER_SHOW, 0 },
		{ "user|lock|acme|a@b.example", IMSG_C_USER_STATE,
		    USER_LOCKED },
		{ "user|unlock|acme|a@b.example", IMSG_C_USER_STATE,
		    USER_ACTIVE },
		{ "user|delete|acme|a@b.example", IMSG_C_USER_DEL, 0 },
		{ "user|import|acme|people.csv", IMSG_C_IMPORT_END, 0 },
		{ "user|import|acme|-|dry", IMSG_C_IMPORT_END, 1 },
		{ "floor|add|acme|3F", IMSG_C_FLOOR_ADD, 0 },
		{ "floor|list|acme", IMSG_C_FLOOR_LIST, 0 },
		{ "floor|show|acme|3F", IMSG_C_FLOOR_SHOW, 0 },
		{ "floor|allow|acme|3F|all", IMSG_C_FLOOR_ALLOW, 1 },
		{ "floor|deny|acme|3F|all", IMSG_C_FLOOR_ALLOW, 0 },
		{ "floor|networks|acme|3F|::/0 10.0.0.0/8",
		    IMSG_C_FLOOR_NETWORKS, 0 },
		{ "floor|networks|acme|3F|", IMSG_C_FLOOR_NETWORKS, 0 },
		{ "floor|talk|acme|3F|voice|no", IMSG_C_FLOOR_TALK, 0 },
		{ "f|t|acme|3F|w|443|vi|yes|vo|no|sc|no",
		    IMSG_C_FLOOR_TALK, 0 },
		{ "policy|set|acme|talk-way|443", IMSG_C_POLICY_SET,
		    POLICY_TALK_WAY },
		{ "policy|set|acme|talk-listen|0", IMSG_C_POLICY_SET,
		    POLICY_TALK_LISTEN },
		{ "policy|set|acme|talk-hidden-mute|1", IMSG_C_POLICY_SET,
		    POLICY_TALK_HIDDEN },
		{ "floor|delete|acme|3F", IMSG_C_FLOOR_DEL, 0 },
		{ "guest|add|acme|floor|3F", IMSG_C_GUEST_ADD, 0 },
		{ "guest|list|acme", IMSG_C_GUEST_LIST, 0 },
		{ "guest|revoke|acme|3", IMSG_C_GUEST_DEL, 0 },
		{ "policy|show|acme", IMSG_C_POLICY_SHOW, 0 },
		{ "policy|set|acme|password-length|12", IMSG_C_POLICY_SET,
		    POLICY_LENGTH },
		{ "policy|set|acme|password-k|2", IMSG_C_POLICY_SET,
		    POLICY_KINDS },
		{ "session|list|acme", IMSG_C_SESSION_LIST, 0 },
		{ "session|end|acme|a@b.example", IMSG_C_SESSION_END, 0 },
		{ "operator|add|ann|role|auditor", IMSG_C_OPERATOR_ADD,
		    OP_AUDITOR },
		{ "operator|add|ann|role|operator", IMSG_C_OPERATOR_ADD,
		    OP_OPERATOR },
		{ "operator|add|ann|role|owner|until|2027-03-31",
		    IMSG_C_OPERATOR_ADD, OP_OWNER },
		{ "operator|list", IMSG_C_OPERATOR_LIST, 0 },
		{ "operator|remove|1000", IMSG_C_OPERATOR_DEL, 0 },
		{ "show|status", IMSG_C_STATUS, 0 },
		{ "show|processes", IMSG_C_PROCESSES, 0 },
		{ "show|stats", IMSG_C_STATS, 0 },
		{ "show|key", IMSG_C_PROOF_KEY, 0 },
		{ "audit|show", IMSG_C_AUDIT_SHOW, 0 },
		{ "audit|show|tenant|acme|last|20", IMSG_C_AUDIT_SHOW, 0 },
		{ "audit|verify", IMSG_C_AUDIT_VERIFY, 0 },
		{ "audit|verify|tenant|acme|against|f|key|k",
		    IMSG_C_AUDIT_VERIFY, 0 },
		{ "audit|checkpoints", IMSG_C_AUDIT_POINTS, 0 },
		{ "audit|checkpoints|tenant|acme", IMSG_C_AUDIT_POINTS, 0 },
		{ "tenant|end|acme|on|2027-03-31", IMSG_C_TENANT_END, 0 },
		{ "tenant|end|acme|never", IMSG_C_TENANT_END, 0 },
		{ "tenant|erase|acme|confirm|acme|f", IMSG_C_TENANT_ERASE,
		    0 },
		{ "tenant|erased", IMSG_C_TENANT_ERASED, 0 },
		{ "tenant|certificate|7|f", IMSG_C_TENANT_CERT, 0 },
		{ "key|rotate|tenant|acme", IMSG_C_KEY_ROTATE, 0 },
		{ "key|rotate|system", IMSG_C_KEY_ROTATE, 0 },
		{ "key|show", IMSG_C_KEY_SHOW, 0 },
		{ "key|backup|f", IMSG_C_KEY_BACKUP, 0 },
		{ "key|backup|f|from|d", IMSG_C_KEY_BACKUP, 0 },
		{ "key|verify|f", IMSG_NONE, 0 },
		{ "key|restore|f|d", IMSG_NONE, 0 },
		{ "backup|list", IMSG_C_BACKUP_LIST, 0 },
		{ "backup|now", IMSG_C_BACKUP_NOW, 0 },
		{ "backup|rehearse", IMSG_C_BACKUP_REHEARSE, 0 },
		{ "backup|verify", IMSG_C_BACKUP_VERIFY, 0 },
		{ "backup|verify|20261129T033000Z", IMSG_C_BACKUP_VERIFY,
		    0 },
		{ "backup|restore|20261129T033000Z", IMSG_C_BACKUP_RESTORE,
		    0 },
		{ "backup|restore|20261129T033000Z|tenant|acme",
		    IMSG_C_BACKUP_RESTORE, 0 },
		{ "tenant|export|acme|f|reason|asked for by mail",
		    IMSG_C_TENANT_EXPORT, 0 },
		{ "export|list", IMSG_C_EXPORTS, 0 },
		{ "export|list|tenant|acme", IMSG_C_EXPORTS, 0 },
		{ "confirm|list", IMSG_C_CONFIRMS, 0 },
		{ "confirm|7", IMSG_C_CONFIRM, 0 },
		{ "confirm|refuse|7", IMSG_C_CONFIRM, 1 },
		{ "show|storage|tenant|acme", IMSG_C_STORAGE, 0 },
		{ "checksheet", IMSG_C_STORAGE, 1 },
		{ "show|alerts|tenant|acme", IMSG_C_ALERTS, 0 },
		{ "show|attacks", IMSG_C_ATTACKS, 0 },
		{ "alert|clear|disk-low", IMSG_C_ALERT_CLEAR, 0 },
		{ "log|export|csv|f|reason|why|tenant|acme", IMSG_C_LOG_SHOW,
		    LOG_CSV },
		{ "purge|show", IMSG_C_PURGE_SHOW, 0 },
		{ "purge|show|tenant|acme", IMSG_C_PURGE_SHOW, 0 },
		{ "purge|run", IMSG_C_PURGE_RUN, 0 },
		{ "purge|run|dry|tenant|acme", IMSG_C_PURGE_SHOW, 0 },
		{ "purge|run|tenant|acme", IMSG_C_PURGE_RUN, 0 },
		{ "retention|show", IMSG_C_PURGE_SHOW, 0 },
		{ "retention|installation|audit|1096", IMSG_C_KEEP,
		    KEEP_AUDIT },
		{ "retention|installation|log|366", IMSG_C_KEEP, KEEP_LOG },
		{ "user|erase|acme|a@b.example|messages|keep", IMSG_C_ERASE,
		    ERASE_NAMES },
		{ "user|erase|acme|a@b.example|messages|erase",
		    IMSG_C_ERASE, ERASE_PERSON },
		{ "chat|erase|acme|floor|One", IMSG_C_ERASE, ERASE_FLOOR },
		{ "chat|erase|acme|floor|One|to|2026-11-30|from|30d",
		    IMSG_C_ERASE, ERASE_FLOOR },
		{ "chat|erase|acme|floors|from|2026-11-01|to|2026-11-30",
		    IMSG_C_ERASE, ERASE_FLOORS },
		{ "chat|erase|acme|all|from|2026-11-01", IMSG_C_ERASE,
		    ERASE_ALL },
		{ "chat|erase|acme|between|a@b.example|and|c@b.example",
		    IMSG_C_ERASE, ERASE_PAIR },
		{ "hold|set|acme|user|a@b.example|reason|Case 12",
		    IMSG_C_HOLD_SET, 0 },
		{ "hold|set|acme|reason|Case 13", IMSG_C_HOLD_SET, 0 },
		{ "hold|clear|acme", IMSG_C_HOLD_CLEAR, 0 },
		{ "hold|clear|acme|user|a@b.example", IMSG_C_HOLD_CLEAR, 0 },
		{ "hold|show|acme", IMSG_C_HOLD_SHOW, 0 },
		{ "retention|set|acme|chat|30", IMSG_C_POLICY_SET,
		    POLICY_CHAT_DAYS },
		{ "log|show", IMSG_C_LOG_SHOW, LOG_ROWS },
		{ "log|show|tenant|acme|from|2h|to|2026-11-30|user|7|floor|3F|"
		    "kind|enter|address|10.0.0.0/8|last|5", IMSG_C_LOG_SHOW,
		    LOG_ROWS },
		{ "log|export|csv|f|tenant|acme", IMSG_C_LOG_SHOW, LOG_CSV },
		{ "log|export|jsonl|f|user|a@b.example", IMSG_C_LOG_SHOW,
		    LOG_JSONL },
		{ "verify|f|signature|s|key|k", IMSG_NONE, 0 },
		{ "verify|f", IMSG_NONE, 0 },
		{ "verify|f|key|k", IMSG_NONE, 0 },
		{ "reload", IMSG_C_RELOAD, 0 },
		{ "log|verbose", IMSG_C_VERBOSE, 1 },
		{ "log|brief", IMSG_C_VERBOSE, 0 },
	};
	size_t		 i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		CHECK_INT(parse(all[i].line), 0);
		CHECK_INT(cm.cm_type, all[i].type);
		CHECK_INT(cm.cm_arg, all[i].arg);
		CHECK_STR(said, "");
	}
}

static void
test_arguments(void)
{
	CHECK_INT(parse("tenant|add|acme|title|Acme K.K.|contact|A@B.Example"),
	    0);
	CHECK_STR(cm.cm_tenant, "acme");
	CHECK_STR(cm.cm_title, "Acme K.K.");
	CHECK_STR(cm.cm_mail, "a@b.example");
	CHECK_INT(parse("guest|add|acme|floor|3F|uses|7|expires|2h|password|"
	    "approval"), 0);
	CHECK_INT(cm.cm_number, 7);
	CHECK_INT(cm.cm_seconds, 7200);
	CHECK_INT(cm.cm_flags, CM_PASSWORD | CM_APPROVAL);
	CHECK_INT(parse("guest|add|acme|floor|3F|expires|10w"), 0);
	CHECK_INT(cm.cm_number, 1);
	CHECK_INT(cm.cm_seconds, 6048000);
	CHECK_INT(cm.cm_flags, 0);
	CHECK_INT(parse("guest|add|acme|floor|3F|expires|0m"), -1);
	CHECK_INT(parse("guest|add|acme|floor|3F|expires|2hh"), -1);
	CHECK_INT(parse("guest|add|acme|floor|3F|expires|h"), -1);
	CHECK_INT(parse("guest|add|acme|floor|3F|expires|9999999w"), -1);
	CHECK_INT(parse("tenant|add|acme|contact|a@b.example|title|t"), 0);
	CHECK_STR(cm.cm_title, "t");
	CHECK_INT(parse("user|add|acme|M@B.example|role|admin|name|佐藤 美咲"),
	    0);
	CHECK_STR(cm.cm_mail, "m@b.example");
	CHECK_STR(cm.cm_name, "佐藤 美咲");
	CHECK_STR(cm.cm_role, "admin");
	CHECK(cm.cm_title == NULL && cm.cm_floor == NULL);
	CHECK_INT(parse("floor|add|acme|3F 開発|template|lobby"), 0);
	CHECK_STR(cm.cm_floor, "3F 開発");
	CHECK_STR(cm.cm_template, "lobby");
	CHECK(cm.cm_file == NULL);
	CHECK_INT(parse("floor|add|acme|a|map|./m.json"), 0);
	CHECK_STR(cm.cm_file, "./m.json");
	CHECK(cm.cm_template == NULL);
	CHECK_INT(parse("floor|allow|acme|3|user|a@b.example"), 0);
	CHECK_STR(cm.cm_mail, "a@b.example");
	CHECK(cm.cm_group == NULL);
	CHECK_INT(parse("floor|deny|acme|3|group|sales"), 0);
	CHECK_STR(cm.cm_group, "sales");
	CHECK_STR(cm.cm_mail, "");
	CHECK_INT(parse("role|rename|acme|Temp|Contractor"), 0);
	CHECK_STR(cm.cm_role, "Temp");
	CHECK_STR(cm.cm_name, "Contractor");
	/* What looks like a word is an argument where one is due. */
	CHECK_INT(parse("floor|show|list|add"), 0);
	CHECK_STR(cm.cm_tenant, "list");
	CHECK_STR(cm.cm_floor, "add");
}

/* The words of the rules are those of policy.c, and all of them. */
static void
test_rules(void)
{
	const char	*const *words;
	char		 line[128];
	uint32_t	 n;
	size_t		 i;

	for (i = 0; i < POLICY_KEYS; i++) {
		words = policy_rules[i].pr_words;
		n = words == NULL ? 7 : policy_rules[i].pr_max;
		(void)snprintf(line, sizeof(line), "policy|set|acme|%s|%s",
		    policy_rules[i].pr_name, words == NULL ? "7" : words[n]);
		CHECK_INT(parse(line), 0);
		CHECK_INT(cm.cm_arg, i);
		CHECK_INT(cm.cm_number, n);
	}
	for (i = 0; i < POLICY_LISTS; i++) {
		(void)snprintf(line, sizeof(line), "policy|set|acme|%s|a b",
		    policy_lists[i].pw_name);
		CHECK_INT(parse(line), 0);
		CHECK_INT(cm.cm_arg, POLICY_KEYS + i);
		CHECK_STR(cm.cm_text, "a b");
	}
	CHECK_INT(parse("policy|set|acme|mail-domains|"), 0);
	CHECK_INT(parse("policy|set|acme|mail-domains"), -1);
	CHECK_INT(parse("policy|set|acme|password-length|-1"), -1);
	CHECK_INT(parse("policy|set|acme|password-length|8 "), -1);
	CHECK_INT(parse("policy|set|acme|password-length|4294967296"), -1);
	CHECK(says("a whole number expected\n"));
	CHECK_INT(parse("policy|set|acme|password-length"), -1);
	CHECK_INT(parse("policy|set|acme|strength|8"), -1);
	CHECK(says("valid here: "));
	for (i = 0; i < POLICY_KEYS; i++)
		CHECK(says(policy_rules[i].pr_name));
}

/* Until when: a day to its end, or a second; in UTC, and there must be one. */
static void
test_dates(void)
{
	static const char	*const bad[] = { "", "2027", "2027-02-29",
				    "2027-3-31", "27-03-31", "2027-03-32",
				    "2027-00-01", "2027-13-01", "2027-03-31x",
				    " 2027-03-31", "2027-03-31T18:00Z",
				    "2027-03-31T18:00:00+9:00",
				    "2027-03-31T24:00:00Z", "1969-12-31",
				    "2027-03-31T18:00:60Z", "yesterday",
				    "Tomorrow", "tomorrow ", "30d", "+30",
				    "+d", "+0d", "++3d", "+-3d", "+3y",
				    "+99999999d", "03-04-2027", "3/4/2027",
				    "12027-03-31", "-2027-03-31" };
	const uint64_t		 day = 86400000;
	uint64_t		 before, after;
	char			 line[128];
	size_t			 i;

	CHECK_INT(parse("operator|add|ann|role|auditor"), 0);
	CHECK_STR(cm.cm_account, "ann");
	CHECK(cm.cm_until == 0);
	CHECK_INT(parse("o|a|ann|r|au|u|2027-03-31"), 0);
	CHECK(cm.cm_until == 1806537599999ULL);
	CHECK_INT(parse("operator|add|ann|role|owner|until|2028-02-29"), 0);
	CHECK_INT(parse("operator|add|ann|role|owner|until|"
	    "2027-03-31T18:00:01Z"), 0);
	CHECK(cm.cm_until == 1806516001000ULL);
	before = now_ms();
	CHECK_INT(parse("operator|add|ann|role|owner|until|+2w"), 0);
	after = now_ms();
	CHECK(cm.cm_until >= before + 14 * day);
	CHECK(cm.cm_until <= after + 14 * day);
	before = now_ms();
	CHECK_INT(parse("tenant|end|acme|on|tomorrow"), 0);
	after = now_ms();
	CHECK((cm.cm_until + 1) % day == 0);
	CHECK(cm.cm_until > before + day);
	CHECK(cm.cm_until < after + 2 * day);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(line, sizeof(line),
		    "operator|add|ann|role|owner|until|%s", bad[i]);
		CHECK_INT(parse(line), -1);
		CHECK(says("a day as 2027-03-31 expected, or a time as"));
	}
	CHECK_INT(parse("operator|add|ann"), -1);
	CHECK(says("valid here: role\n"));
	CHECK_INT(parse("operator|add|ann|role|root"), -1);
	CHECK(says("valid here: auditor operator owner\n"));
	CHECK_INT(parse("operator|add|ann|role|o"), -1);
	CHECK(says("could be: operator owner\n"));
	CHECK_INT(parse("operator|remove|"), -1);
	CHECK(says("an account's name or number expected\n"));
	CHECK_INT(parse("operator"), -1);
	CHECK(says("valid here: add list remove\n"));
}

static void
test_short(void)
{
	CHECK_INT(parse("t|l"), 0);
	CHECK_INT(cm.cm_type, IMSG_C_TENANT_LIST);
	CHECK_INT(parse("se|e|acme|a@b.example"), 0);
	CHECK_INT(cm.cm_type, IMSG_C_SESSION_END);
	CHECK_INT(parse("u|a|acme|a@b.example|r|a|n|Al"), 0);
	/* A role is never cut: it may be one of the tenant's own. */
	CHECK_STR(cm.cm_role, "a");
	CHECK_INT(parse("f|del|acme|3"), 0);
	CHECK_INT(cm.cm_type, IMSG_C_FLOOR_DEL);
	CHECK_INT(parse("rel"), 0);
	CHECK_INT(cm.cm_type, IMSG_C_RELOAD);
	CHECK_INT(parse("user|lo|acme|a@b.example"), 0);
	CHECK_INT(parse("tenant|res|acme"), 0);

	CHECK_INT(parse("s|list"), -1);
	CHECK(says("ambiguous word: s\n"));
	CHECK(says("could be: session show\n"));
	CHECK_INT(parse("user|l|acme"), -1);
	CHECK(says("could be: list lock\n"));
	CHECK_INT(parse("floor|de|acme|3"), -1);
	CHECK(says("could be: delete deny\n"));
	CHECK_INT(parse("show|stat"), -1);
	CHECK(says("could be: stats status\n"));
	CHECK_INT(parse("tenant|s|acme"), -1);
	CHECK(says("could be: show suspend\n"));
}

static void
test_wrong_words(void)
{
	CHECK_INT(parse(""), -1);
	CHECK(says("something is missing"));
	CHECK(says("valid here: alert audit backup chat checksheet confirm "
	    "export floor guest hold key log operator policy purge reload "
	    "retention role session show tenant user verify\n"));
	CHECK_INT(parse("tenants"), -1);
	CHECK(says("unknown word: tenants\n"));
	CHECK(says("valid here: alert"));
	CHECK_INT(parse("|list"), -1);
	CHECK(says("unknown word: \n"));
	CHECK_INT(parse("Tenant|list"), -1);
	CHECK_INT(parse("tenant"), -1);
	CHECK(says("valid here: add certificate end erase erased export list "
	    "resume show suspend\n"));
	CHECK_INT(parse("tenant|show"), -1);
	CHECK(says("valid here: TENANT\n"));
	CHECK_INT(parse("tenant|add|acme|name|x"), -1);
	CHECK(says("valid here: (nothing more) contact title\n"));
	CHECK_INT(parse("tenant|list|acme"), -1);
	CHECK(says("one word too many: acme\n"));
	CHECK_INT(parse("tenant|show|acme|globex"), -1);
	CHECK_INT(parse("floor|add|acme|3F|template|a|map|b"), -1);
	CHECK(says("one word too many: map\n"));
	CHECK_INT(parse("floor|allow|acme|3F"), -1);
	CHECK(says("valid here: all group user\n"));
	CHECK_INT(parse("floor|allow|acme|3F|everybody"), -1);
	CHECK_INT(parse("user|add|acme|a@b.example|role"), -1);
	CHECK(says("valid here: ROLE\n"));
	CHECK_INT(parse("user|role|acme|a@b.example"), -1);
	CHECK_INT(parse("role|allow|acme|member|root"), -1);
	CHECK(says("valid here: chat dm guest screen video voice\n"));
	CHECK_INT(parse("user|add|acme|a@b.example|role|admin|role|member"),
	    -1);
	CHECK(says("given twice: role\n"));
	CHECK_INT(parse("user|add|acme|a@b.example|name|a|name|b|name|c|name|"
	    "d|name|e|name|f|name|g|name|h"), -1);
	CHECK(says("given twice: name\n"));
}

static void
test_wrong_arguments(void)
{
	char	 line[2048], name[600];
	int	 i;

	CHECK_INT(parse("tenant|add|Acme"), -1);
	CHECK(says("Acme: a tenant's name of a-z, 0-9 and - expected\n"));
	CHECK_INT(parse("tenant|show|"), -1);
	CHECK_INT(parse("tenant|show|a.b"), -1);
	CHECK_INT(parse("tenant|show|-a"), -1);
	CHECK_INT(parse("user|show|acme|nobody"), -1);
	CHECK(says("nobody: a mail address expected\n"));
	CHECK_INT(parse("tenant|add|acme|contact|a b@c.example"), -1);
	CHECK_INT(parse("tenant|add|acme|title|"), -1);
	CHECK(says("a title of 1 to 100 characters expected"));
	CHECK_INT(parse("tenant|add|acme|title|a\nb"), -1);
	CHECK_INT(parse("user|add|acme|a@b.example|name|\xff"), -1);
	CHECK(says("a name of 1 to 64 characters expected"));
	CHECK_INT(parse("floor|show|acme| "), -1);
	CHECK_INT(parse("floor|add|acme|3F|map|"), -1);
	CHECK(says("a file expected"));

	/* The limits are of characters: 64 of three bytes each. */
	for (i = 0, name[0] = '\0'; i < 64; i++)
		(void)strlcat(name, "\xe6\x97\xa5", sizeof(name));
	(void)snprintf(line, sizeof(line), "floor|show|acme|%s", name);
	CHECK_INT(parse(line), 0);
	(void)snprintf(line, sizeof(line), "floor|show|acme|%sa", name);
	CHECK_INT(parse(line), -1);
	(void)snprintf(line, sizeof(line), "tenant|add|acme|title|%s", name);
	CHECK_INT(parse(line), 0);
	(void)snprintf(line, sizeof(line), "tenant|add|acme|title|%s%s", name,
	    name);
	CHECK_INT(parse(line), -1);
	for (i = 0; i < 33; i++)
		name[i] = 'a';
	name[i] = '\0';
	(void)snprintf(line, sizeof(line), "tenant|show|%s", name);
	CHECK_INT(parse(line), -1);
	CHECK_INT(parse("tenant|show|aaaaaaaabbbbbbbbccccccccdddddddd"), 0);
}

/* What a floor lets people do in a talk: only what is named is meant. */
static void
test_talk(void)
{
	CHECK_INT(parse("floor|talk|acme|3F|voice|no"), 0);
	CHECK_STR(cm.cm_tenant, "acme");
	CHECK_STR(cm.cm_floor, "3F");
	CHECK_INT(cm.cm_mask, RIGHT_VOICE);
	CHECK_INT(cm.cm_can, 0);
	CHECK_INT(cm.cm_way, WAY_MAX);
	CHECK_INT(parse("floor|talk|acme|3F|way|tenant"), 0);
	CHECK_INT(cm.cm_mask, 0);
	CHECK_INT(cm.cm_way, WAY_TENANT);
	CHECK_INT(parse("floor|talk|acme|3F|screen|yes|way|443|voice|yes|"
	    "video|no"), 0);
	CHECK_INT(cm.cm_mask, RIGHT_TALK);
	CHECK_INT(cm.cm_can, RIGHT_SCREEN | RIGHT_VOICE);
	CHECK_INT(cm.cm_way, WAY_443);
	CHECK_INT(parse("floor|show|acme|3F"), 0);
	CHECK_INT(cm.cm_mask, 0);
	CHECK_INT(parse("policy|set|acme|talk-way|relay"), 0);
	CHECK_INT(cm.cm_number, WAY_RELAY);
	CHECK_INT(parse("policy|set|acme|talk-way|tenant"), -1);
	CHECK(says("tenant: direct, relay or 443 expected\n"));
	CHECK_INT(parse("policy|set|acme|talk-way|2"), -1);
	CHECK_INT(parse("floor|talk|acme|3F"), -1);
	CHECK(says("valid here: screen video voice way\n"));
	CHECK_INT(parse("floor|talk|acme|3F|voice"), -1);
	CHECK_INT(parse("floor|talk|acme|3F|voice|on"), -1);
	CHECK(says("on: yes or no expected\n"));
	CHECK_INT(parse("floor|talk|acme|3F|way|udp"), -1);
	CHECK(says("udp: tenant, direct, relay or 443 expected\n"));
	CHECK_INT(parse("floor|talk|acme|3F|way|443|way|443"), -1);
	CHECK(says("given twice: way\n"));
}

int
main(void)
{
	test_all();
	test_arguments();
	test_talk();
	test_rules();
	test_dates();
	test_short();
	test_wrong_words();
	test_wrong_arguments();
	return (unit_end());
}
