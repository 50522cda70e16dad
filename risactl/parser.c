#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "parser.h"
#include "policy.h"
#include "util.h"

#define MAX_WORDS	16

enum token_type {
	END,			/* the command may end here */
	KEYWORD,
	TENANT,
	MAIL,
	TITLE,
	NAME,
	FLOOR,
	GROUP,
	TEMPLATE,
	FILENAME,
	NUMBER
};

/*
 * What may stand in a place of the command line, and the table of the next
 * place, NULL where the command ends.  A word with a type of imsg decides what
 * is sent, and with which argument.
 */
struct token {
	enum token_type		 t_type;
	const char		*t_word;	/* or the argument's name */
	uint32_t		 t_imsg;
	uint8_t			 t_arg;
	const struct token	*t_next;
};

#define WORD(w, next)		{ KEYWORD, w, IMSG_NONE, 0, next }
#define DOES(w, imsg, arg, next) { KEYWORD, w, IMSG_##imsg, arg, next }
#define TAKES(type, next)	{ type, #type, IMSG_NONE, 0, next }
#define MAYEND			{ END, "(nothing more)", IMSG_NONE, 0, NULL }
#define LAST			{ END, NULL, IMSG_NONE, 0, NULL }

static const struct token	 tenant_add_opts[4], user_add_opts[4];

/* tenant ... */
static const struct token tenant_title[] = {
	TAKES(TITLE, tenant_add_opts), LAST
};
static const struct token tenant_contact[] = {
	TAKES(MAIL, tenant_add_opts), LAST
};
static const struct token tenant_add_opts[4] = {
	MAYEND,
	WORD("contact", tenant_contact),
	WORD("title", tenant_title),
	LAST
};
static const struct token tenant_add[] = {
	TAKES(TENANT, tenant_add_opts), LAST
};
static const struct token tenant_one[] = {
	TAKES(TENANT, NULL), LAST
};
static const struct token tenant_words[] = {
	DOES("add", C_TENANT_ADD, 0, tenant_add),
	DOES("list", C_TENANT_LIST, 0, NULL),
	DOES("resume", C_TENANT_STATE, TENANT_ACTIVE, tenant_one),
	DOES("show", C_TENANT_SHOW, 0, tenant_one),
	DOES("suspend", C_TENANT_STATE, TENANT_SUSPENDED, tenant_one),
	LAST
};

/* user ... */
static const struct token user_name[] = {
	TAKES(NAME, user_add_opts), LAST
};
static const struct token user_role[] = {
	DOES("admin", C_USER_ADD, ROLE_ADMIN, user_add_opts),
	DOES("member", C_USER_ADD, ROLE_MEMBER, user_add_opts),
	LAST
};
static const struct token user_add_opts[4] = {
	MAYEND,
	WORD("name", user_name),
	WORD("role", user_role),
	LAST
};
static const struct token user_add_mail[] = {
	TAKES(MAIL, user_add_opts), LAST
};
static const struct token user_add[] = {
	TAKES(TENANT, user_add_mail), LAST
};
static const struct token user_mail[] = {
	TAKES(MAIL, NULL), LAST
};
static const struct token user_one[] = {
	TAKES(TENANT, user_mail), LAST
};
static const struct token user_words[] = {
	DOES("add", C_USER_ADD, ROLE_MEMBER, user_add),
	DOES("delete", C_USER_DEL, 0, user_one),
	DOES("invite", C_USER_LINK, LINK_INVITE, user_one),
	DOES("list", C_USER_LIST, 0, tenant_one),
	DOES("lock", C_USER_STATE, USER_LOCKED, user_one),
	DOES("reset", C_USER_LINK, LINK_RESET, user_one),
	DOES("show", C_USER_SHOW, 0, user_one),
	DOES("unlock", C_USER_STATE, USER_ACTIVE, user_one),
	LAST
};

/* floor ... */
static const struct token floor_template[] = {
	TAKES(TEMPLATE, NULL), LAST
};
static const struct token floor_map[] = {
	TAKES(FILENAME, NULL), LAST
};
static const struct token floor_add_opts[] = {
	MAYEND,
	WORD("map", floor_map),
	WORD("template", floor_template),
	LAST
};
static const struct token floor_add_name[] = {
	TAKES(FLOOR, floor_add_opts), LAST
};
static const struct token floor_add[] = {
	TAKES(TENANT, floor_add_name), LAST
};
static const struct token floor_group[] = {
	TAKES(GROUP, NULL), LAST
};
static const struct token floor_who[] = {
	WORD("all", NULL),
	WORD("group", floor_group),
	WORD("user", user_mail),
	LAST
};
static const struct token floor_access_floor[] = {
	TAKES(FLOOR, floor_who), LAST
};
static const struct token floor_access[] = {
	TAKES(TENANT, floor_access_floor), LAST
};
static const struct token floor_one_floor[] = {
	TAKES(FLOOR, NULL), LAST
};
static const struct token floor_one[] = {
	TAKES(TENANT, floor_one_floor), LAST
};
static const struct token floor_words[] = {
	DOES("add", C_FLOOR_ADD, 0, floor_add),
	DOES("allow", C_FLOOR_ALLOW, 1, floor_access),
	DOES("delete", C_FLOOR_DEL, 0, floor_one),
	DOES("deny", C_FLOOR_ALLOW, 0, floor_access),
	DOES("list", C_FLOOR_LIST, 0, tenant_one),
	DOES("show", C_FLOOR_SHOW, 0, floor_one),
	LAST
};

/* policy ... */
static const struct token policy_value[] = {
	TAKES(NUMBER, NULL), LAST
};
/* In the words of policy_rules, which storage checks the value by. */
static const struct token policy_keys[] = {
	DOES("password-kinds", C_POLICY_SET, POLICY_KINDS, policy_value),
	DOES("password-length", C_POLICY_SET, POLICY_LENGTH, policy_value),
	LAST
};
static const struct token policy_set[] = {
	TAKES(TENANT, policy_keys), LAST
};
static const struct token policy_words[] = {
	WORD("set", policy_set),
	DOES("show", C_POLICY_SHOW, 0, tenant_one),
	LAST
};

/* The rest. */
static const struct token session_words[] = {
	DOES("end", C_SESSION_END, 0, user_one),
	DOES("list", C_SESSION_LIST, 0, tenant_one),
	LAST
};
static const struct token show_words[] = {
	DOES("processes", C_PROCESSES, 0, NULL),
	DOES("stats", C_STATS, 0, NULL),
	DOES("status", C_STATUS, 0, NULL),
	LAST
};
static const struct token log_words[] = {
	DOES("brief", C_VERBOSE, 0, NULL),
	DOES("verbose", C_VERBOSE, 1, NULL),
	LAST
};
static const struct token main_words[] = {
	WORD("floor", floor_words),
	WORD("log", log_words),
	WORD("policy", policy_words),
	DOES("reload", C_RELOAD, 0, NULL),
	WORD("session", session_words),
	WORD("show", show_words),
	WORD("tenant", tenant_words),
	WORD("user", user_words),
	LAST
};

static void	 complain(FILE *, const struct token *, const char *, ...)
		    __attribute__((format(printf, 3, 4)));

static void
words(FILE *err, const struct token *table)
{
	const struct token	*t;

	fprintf(err, "valid here:");
	for (t = table; t->t_word != NULL; t++)
		fprintf(err, " %s", t->t_word);
	fprintf(err, "\n");
}

void
command_help(FILE *err)
{
	words(err, main_words);
}

static void
complain(FILE *err, const struct token *table, const char *fmt, ...)
{
	va_list	 ap;

	fprintf(err, "risactl: ");
	va_start(ap, fmt);
	vfprintf(err, fmt, ap);
	va_end(ap);
	fprintf(err, "\n");
	if (table != NULL)
		words(err, table);
}

/* The keyword that s is or begins; NULL after complaining. */
static const struct token *
keyword(const struct token *table, const char *s, FILE *err)
{
	const struct token	*t, *found = NULL;
	size_t			 len = strlen(s);
	int			 n = 0;

	for (t = table; t->t_word != NULL; t++) {
		if (t->t_type != KEYWORD || len == 0 ||
		    strncmp(t->t_word, s, len) != 0)
			continue;
		if (t->t_word[len] == '\0')
			return (t);
		found = t;
		n++;
	}
	if (n == 1)
		return (found);
	if (n == 0) {
		complain(err, table, "unknown word: %s", s);
		return (NULL);
	}
	complain(err, NULL, "ambiguous word: %s", s);
	fprintf(err, "could be:");
	for (t = table; t->t_word != NULL; t++)
		if (t->t_type == KEYWORD && strncmp(t->t_word, s, len) == 0)
			fprintf(err, " %s", t->t_word);
	fprintf(err, "\n");
	return (NULL);
}

/* A table has keywords or one argument. */
static const struct token *
match(const struct token *table, const char *s, FILE *err)
{
	if (table->t_type != KEYWORD && table->t_type != END)
		return (table);
	return (keyword(table, s, err));
}

/* NULL, or what the argument should be. */
static const char *
argument(struct command *cm, enum token_type type, const char *s)
{
	const char	*why;

	switch (type) {
	case TENANT:
		cm->cm_tenant = s;
		return (label_valid(s) ? NULL :
		    "a tenant's name of a-z, 0-9 and - expected");
	case MAIL:
		return (mail_normal(cm->cm_mail, sizeof(cm->cm_mail), s) == 0 ?
		    NULL : "a mail address expected");
	case TITLE:
		cm->cm_title = s;
		return (name_valid(s, MAX_TITLE_CHARS) ? NULL :
		    "a title of 1 to 100 characters expected");
	case FILENAME:
		cm->cm_file = s;
		return (s[0] != '\0' ? NULL : "a file expected");
	case NUMBER:
		cm->cm_number = (uint32_t)strtonum(s, 0, UINT32_MAX, &why);
		return (why == NULL ? NULL : "a whole number expected");
	case NAME:
		cm->cm_name = s;
		break;
	case FLOOR:
		cm->cm_floor = s;
		break;
	case GROUP:
		cm->cm_group = s;
		break;
	case TEMPLATE:
		cm->cm_template = s;
		break;
	case END:
	case KEYWORD:
		return (NULL);
	}
	return (name_valid(s, MAX_NAME_CHARS) ? NULL :
	    "a name of 1 to 64 characters expected");
}

/* May the command end in this place? */
static int
finish(const struct token *table, FILE *err)
{
	if (table == NULL || table->t_type == END)
		return (0);
	complain(err, table, "something is missing");
	return (-1);
}

int
command_parse(struct command *cm, int argc, char *const argv[], FILE *err)
{
	const struct token	*table = main_words, *t, *seen[MAX_WORDS];
	const char		*why;
	int			 i, j;

	memset(cm, 0, sizeof(*cm));
	for (i = 0; i < argc; i++) {
		if (table == NULL || i >= MAX_WORDS) {
			complain(err, NULL, "one word too many: %s", argv[i]);
			return (-1);
		}
		if ((t = match(table, argv[i], err)) == NULL)
			return (-1);
		for (j = 0; j < i; j++) {
			if (seen[j] == t) {
				complain(err, NULL, "given twice: %s",
				    t->t_word);
				return (-1);
			}
		}
		seen[i] = t;
		if ((why = argument(cm, t->t_type, argv[i])) != NULL) {
			complain(err, NULL, "%s: %s", argv[i], why);
			return (-1);
		}
		if (t->t_imsg != IMSG_NONE) {
			cm->cm_type = t->t_imsg;
			cm->cm_arg = t->t_arg;
		}
		table = t->t_next;
	}
	return (finish(table, err));
}
