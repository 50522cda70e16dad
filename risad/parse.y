/*
 * risad.conf.  Runs in the parent, as root, at the start and at each reload:
 * whatever the file says, the parser ends with a configuration or with
 * complaints, and leaves nothing behind for the next run.
 */
%{
#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "hash.h"
#include "log.h"
#include "network.h"
#include "utf8.h"
#include "util.h"
#include "way.h"

#define MAX_TOKEN	(MAX_PATH + 1)
#define MAX_FILE	(256 * 1024)	/* bytes of a file */
#define MAX_FILES	64		/* read in all, or includes explode */
#define MAX_DEPTH	8		/* of includes */
#define MAX_ERRORS	20
#define MAX_LISTENS	32
#define MAX_ONCE	32		/* statements that stand only once */

#define DAY		86400
#define CONFIRM_WORDS	"delete, erase, export, operator or purge"
#define CONFIRM_NEXT	"a comma or the end of the line"
#define MAX_LIFE	(30 * DAY)	/* of a sign-in */
#define MAX_INVITE	(90 * DAY)
#define MAX_CONNS	100000
#define MAX_RATE	10000000	/* a minute */
#define MAX_BUFFERS	65536		/* MiB */

/* A file, or the text of a macro that is read in its place. */
struct input {
	SLIST_ENTRY(input)	 in_entry;
	char			*in_name;	/* NULL: a macro */
	char			*in_text;
	size_t			 in_len, in_pos;
	unsigned int		 in_line;
	int			 in_ended;
};

struct macro {
	SLIST_ENTRY(macro)	 ma_entry;
	char			*ma_name, *ma_value;
	int			 ma_fixed;	/* from the command line */
};

/* The text of a token.  Kept until the end: yacc may drop its values. */
struct word {
	SLIST_ENTRY(word)	 wo_entry;
	char			 wo_text[];
};

/* All there is to know of one run. */
static struct {
	struct conf		*conf;
	void			(*complain)(const char *);
	int			 errors;
	SLIST_HEAD(, input)	 inputs;
	SLIST_HEAD(, macro)	 macros;
	SLIST_HEAD(, word)	 words;
	int			 depth, files, listens, turns;
	int			 relays;	/* of the turns */
	struct networks		 from;		/* of a listen line */
	const char		*once[MAX_ONCE];
	int			 nonce;
	/* The token that was read last, and what stands before it. */
	int			 token;
	const char		*text, *before;
	char			*name;		/* of its file */
	unsigned int		 line;
	int			 first, last;	/* keywords of the line */
	int			 args;		/* since the last keyword */
	int			 broken;	/* complained within it */
} ps;

int		 yylex(void);
int		 yyparse(void);
void		 yyerror(const char *, ...);

static void	 bad(const char *, ...) __attribute__((format(printf, 1, 2)));
static int	 once(const char *);
static const char *keep(const char *, const char *);
static int	 input_push(const char *, char *, size_t);
static void	 input_pop(void);
static int	 include_file(const char *);
static int	 macro_set(const char *, const char *, int);
static uint32_t	 number(const char *, long long, long long, long long);
static uint32_t	 seconds(const char *, const char *, uint32_t);
static void	 set_string(char **, const char *);
static void	 set_path(char **, const char *, const char *);
static void	 set_domain(const char *);
static void	 set_country(const char *);
static void	 set_socket(const char *);
static void	 set_daily(const char *);
static void	 add_listen(const char *, long long, enum conf_file);
static void	 add_from(const char *);
static void	 add_turn(const char *);
%}

%union {
	struct {
		const char	*string;
		long long	 number;
	} v;
}

%token	ABSOLUTE ACCOUNT ADDRESS ARRIVALS AT BACKUP BUFFERS CERTIFICATE
%token	CHROOT CONFIRM CONNECTIONS CONTROL COUNTRY DAILY DATA DELETE DOMAIN_
%token	ERASE EXPIRES EXPORT FROM HASH HTDOCS IDLE INCLUDE INVITE KEEP KEY
%token	KEYS LIMIT LISTEN MASTER MEMORY NONE ON OPERATOR PASSES PASSWORD
%token	PEPPER PORT PREVIOUS PROXY PURGE REDIRECT REQUESTS SECRET SESSION
%token	SIGN SITE SOCKET TENANT TLS TURN URL WORKERS
%token	BROKEN
%token	<v> NUMBER STRING
%type	<v> value kind confirms confirm

%%

grammar		: /* nothing */
		| grammar '\n'
		| grammar statement '\n'
		| grammar INCLUDE STRING '\n'	{
			(void)include_file($3.string);
		}
		| grammar error '\n'		{ yyerrok; }
		;

statement	: STRING '=' value		{
			if (macro_set($1.string, $3.string, 0) == -1)
				bad("expected a name of letters, digits and _ "
				    "before \"=\"");
		}
		| SITE site
		| LISTEN ON STRING PORT NUMBER kind	{
			add_listen($3.string, $5.number,
			    (enum conf_file)$6.number);
		}
		| TLS CERTIFICATE STRING KEY STRING	{
			if (once("tls certificate")) {
				set_path(&ps.conf->co_cert, "tls certificate",
				    $3.string);
				set_path(&ps.conf->co_key, "key", $5.string);
			}
		}
		| DATA STRING			{
			if (once("data"))
				set_path(&ps.conf->co_data, "data", $2.string);
		}
		| KEYS MASTER STRING previous PEPPER STRING sign	{
			if (once("keys")) {
				set_path(&ps.conf->co_master, "keys master",
				    $3.string);
				set_path(&ps.conf->co_pepper, "pepper",
				    $6.string);
			}
		}
		| HTDOCS STRING			{
			if (once("htdocs"))
				set_path(&ps.conf->co_htdocs, "htdocs",
				    $2.string);
		}
		| CONTROL SOCKET STRING		{
			if (once("control socket"))
				set_socket($3.string);
		}
		| CHROOT STRING			{
			if (once("chroot"))
				set_path(&ps.conf->co_chroot, "chroot",
				    $2.string);
		}
		| workers
		| workers HASH NUMBER		{
			ps.conf->co_nhash = number("workers hash", $3.number,
			    1, MAX_HASHES);
		}
		| PASSWORD HASH MEMORY NUMBER PASSES NUMBER	{
			if (once("password hash")) {
				ps.conf->co_argon_kib = number(
				    "password hash memory", $4.number,
				    HASH_MIN_KIB, HASH_MAX_KIB);
				ps.conf->co_argon_passes = number(
				    "password hash passes", $6.number,
				    1, HASH_MAX_PASSES);
			}
		}
		| SESSION IDLE value ABSOLUTE value	{
			if (once("session")) {
				ps.conf->co_idle = seconds("session idle",
				    $3.string, MAX_LIFE);
				ps.conf->co_absolute = seconds(
				    "session absolute", $5.string, MAX_LIFE);
				if (ps.conf->co_idle > ps.conf->co_absolute)
					bad("session absolute: not less than "
					    "idle expected");
			}
		}
		| INVITE EXPIRES value		{
			if (once("invite expires"))
				ps.conf->co_invite = seconds("invite expires",
				    $3.string, MAX_INVITE);
		}
		| BACKUP daily keep		{ (void)once("backup"); }
		| TURN SECRET STRING		{
			if (once("turn secret"))
				set_path(&ps.conf->co_turn_secret,
				    "turn secret", $3.string);
		}
		| TURN URL urls
		| CONFIRM confirms		{
			if (once("confirm"))
				ps.conf->co_confirm = (uint32_t)$2.number;
		}
		| LIMIT CONNECTIONS NUMBER ADDRESS NUMBER pages	{
			if (once("limit connections")) {
				ps.conf->co_max_conns = number(
				    "limit connections", $3.number, 1,
				    MAX_CONNS);
				ps.conf->co_max_addr_conns = number(
				    "limit address", $5.number, 1,
				    ps.conf->co_max_conns);
			}
		}
		| LIMIT ARRIVALS NUMBER		{
			if (once("limit arrivals"))
				ps.conf->co_addr_arrivals = number(
				    "limit arrivals", $3.number, 1, MAX_RATE);
		}
		| LIMIT BUFFERS NUMBER		{
			if (once("limit buffers"))
				ps.conf->co_buffers = number("limit buffers",
				    $3.number, 1, MAX_BUFFERS);
		}
		| LIMIT REQUESTS ADDRESS NUMBER requests	{
			if (once("limit requests"))
				ps.conf->co_addr_requests = number(
				    "limit requests address", $4.number, 1,
				    MAX_RATE);
		}
		;

pages		: /* the default */
		| TENANT NUMBER ACCOUNT NUMBER	{
			ps.conf->co_tenant_pages = number(
			    "limit connections tenant", $2.number, 1,
			    MAX_CONNS);
			ps.conf->co_account_pages = number(
			    "limit connections account", $4.number, 1,
			    MAX_CONNS);
		}
		;

requests	: /* the default */
		| TENANT NUMBER ACCOUNT NUMBER	{
			ps.conf->co_tenant_requests = number(
			    "limit requests tenant", $2.number, 1, MAX_RATE);
			ps.conf->co_account_requests = number(
			    "limit requests account", $4.number, 1, MAX_RATE);
		}
		;

previous	: /* the master key was never another */
		| PREVIOUS STRING		{
			set_path(&ps.conf->co_previous, "previous",
			    $2.string);
		}
		;

daily		: NONE				{
			ps.conf->co_backup_at = BACKUP_NONE;
		}
		| DAILY AT STRING		{ set_daily($3.string); }
		;

keep		: /* the default */
		| KEEP NUMBER			{
			ps.conf->co_backup_keep = number("backup keep",
			    $2.number, 1, MAX_BACKUPS);
		}
		;

/* What takes a second operator. */
confirms	: confirm			{ $$ = $1; }
		| confirms ',' confirm		{
			$$.number = $1.number | $3.number;
		}
		;

confirm		: DELETE		{ $$.number = CONFIRM_DELETE; }
		| ERASE			{ $$.number = CONFIRM_ERASE; }
		| EXPORT		{ $$.number = CONFIRM_EXPORT; }
		| OPERATOR		{ $$.number = CONFIRM_OPERATOR; }
		| PURGE			{ $$.number = CONFIRM_PURGE; }
		;

sign		: /* beside the master key */
		| SIGN STRING			{
			set_path(&ps.conf->co_sign, "sign", $2.string);
		}
		;

site		: DOMAIN_ STRING		{
			if (once("site domain"))
				set_domain($2.string);
		}
		| COUNTRY STRING		{
			if (once("site country"))
				set_country($2.string);
		}
		| PORT NUMBER			{
			if (once("site port"))
				ps.conf->co_port = (uint16_t)number(
				    "site port", $2.number, 1, UINT16_MAX);
		}
		;

workers		: WORKERS SESSION NUMBER	{
			if (once("workers"))
				ps.conf->co_nsession = number(
				    "workers session", $3.number, 1,
				    MAX_SESSIONS);
		}
		;

kind		: /* nothing */		{ $$.number = FILE_LISTEN_TLS; }
		| TLS			{ $$.number = FILE_LISTEN_TLS; }
		| TLS PROXY FROM from	{ $$.number = FILE_LISTEN_PROXY; }
		| REDIRECT		{ $$.number = FILE_LISTEN_REDIRECT; }
		;

from		: STRING			{
			ps.from.ns_count = 0;
			add_from($1.string);
		}
		| from ',' STRING		{ add_from($3.string); }
		;

urls		: STRING			{ add_turn($1.string); }
		| urls ',' STRING		{ add_turn($3.string); }
		;

/* Words in a row are one text. */
value		: STRING			{ $$ = $1; }
		| NUMBER			{ $$ = $1; }
		| value STRING			{
			$$.string = keep($1.string, $2.string);
			if ($$.string == NULL)
				YYABORT;
		}
		| value NUMBER			{
			$$.string = keep($1.string, $2.string);
			if ($$.string == NULL)
				YYABORT;
		}
		;

%%

static const struct keyword {
	const char	*k_name;
	int		 k_token;
} keywords[] = {		/* sorted */
	{ "absolute",		ABSOLUTE },
	{ "account",		ACCOUNT },
	{ "address",		ADDRESS },
	{ "arrivals",		ARRIVALS },
	{ "at",			AT },
	{ "backup",		BACKUP },
	{ "buffers",		BUFFERS },
	{ "certificate",	CERTIFICATE },
	{ "chroot",		CHROOT },
	{ "confirm",		CONFIRM },
	{ "connections",	CONNECTIONS },
	{ "control",		CONTROL },
	{ "country",		COUNTRY },
	{ "daily",		DAILY },
	{ "data",		DATA },
	{ "delete",		DELETE },
	{ "domain",		DOMAIN_ },
	{ "erase",		ERASE },
	{ "expires",		EXPIRES },
	{ "export",		EXPORT },
	{ "from",		FROM },
	{ "hash",		HASH },
	{ "htdocs",		HTDOCS },
	{ "idle",		IDLE },
	{ "include",		INCLUDE },
	{ "invite",		INVITE },
	{ "keep",		KEEP },
	{ "key",		KEY },
	{ "keys",		KEYS },
	{ "limit",		LIMIT },
	{ "listen",		LISTEN },
	{ "master",		MASTER },
	{ "memory",		MEMORY },
	{ "none",		NONE },
	{ "on",			ON },
	{ "operator",		OPERATOR },
	{ "passes",		PASSES },
	{ "password",		PASSWORD },
	{ "pepper",		PEPPER },
	{ "port",		PORT },
	{ "previous",		PREVIOUS },
	{ "proxy",		PROXY },
	{ "purge",		PURGE },
	{ "redirect",		REDIRECT },
	{ "requests",		REQUESTS },
	{ "secret",		SECRET },
	{ "session",		SESSION },
	{ "sign",		SIGN },
	{ "site",		SITE },
	{ "socket",		SOCKET },
	{ "tenant",		TENANT },
	{ "tls",		TLS },
	{ "turn",		TURN },
	{ "url",		URL },
	{ "workers",		WORKERS }
};

/*
 * What a complaint says is expected: in a line that begins with the first
 * keyword, right after the last one, and after the argument of that.  Without
 * a row, or NULL: the end of the line.
 */
static const struct follow {
	int		 f_first, f_last;
	const char	*f_next, *f_then;
} follows[] = {
	{ BACKUP, BACKUP, "daily or none", NULL },
	{ BACKUP, DAILY, "at", NULL },
	{ BACKUP, AT, "a time of the day as 03:30", "keep" },
	{ BACKUP, NONE, "keep or the end of the line", NULL },
	{ BACKUP, KEEP, "a number", NULL },
	{ CHROOT, CHROOT, "a path", NULL },
	{ CONFIRM, CONFIRM, CONFIRM_WORDS, NULL },
	{ CONFIRM, DELETE, CONFIRM_NEXT, NULL },
	{ CONFIRM, ERASE, CONFIRM_NEXT, NULL },
	{ CONFIRM, EXPORT, CONFIRM_NEXT, NULL },
	{ CONFIRM, OPERATOR, CONFIRM_NEXT, NULL },
	{ CONFIRM, PURGE, CONFIRM_NEXT, NULL },
	{ CONTROL, CONTROL, "socket", NULL },
	{ CONTROL, SOCKET, "a path", NULL },
	{ DATA, DATA, "a path", NULL },
	{ HTDOCS, HTDOCS, "a path", NULL },
	{ INCLUDE, INCLUDE, "a path", NULL },
	{ INVITE, INVITE, "expires", NULL },
	{ INVITE, EXPIRES, "a time", NULL },
	{ KEYS, KEYS, "master", NULL },
	{ KEYS, MASTER, "a path", "previous or pepper" },
	{ KEYS, PREVIOUS, "a path", "pepper" },
	{ KEYS, PEPPER, "a path", "sign" },
	{ KEYS, SIGN, "a path", NULL },
	{ LIMIT, LIMIT, "arrivals, buffers, connections or requests", NULL },
	{ LIMIT, ARRIVALS, "a number", NULL },
	{ LIMIT, BUFFERS, "a number", NULL },
	{ LIMIT, CONNECTIONS, "a number", "address" },
	{ LIMIT, REQUESTS, "address", NULL },
	{ LIMIT, ADDRESS, "a number", "tenant or the end of the line" },
	{ LIMIT, TENANT, "a number", "account" },
	{ LIMIT, ACCOUNT, "a number", NULL },
	{ LISTEN, LISTEN, "on", NULL },
	{ LISTEN, ON, "an address or *", "port" },
	{ LISTEN, PORT, "a number", "tls or redirect" },
	{ LISTEN, TLS, "proxy or the end of the line", NULL },
	{ LISTEN, PROXY, "from", NULL },
	{ LISTEN, FROM, "a network", "a comma" },
	{ PASSWORD, PASSWORD, "hash", NULL },
	{ PASSWORD, HASH, "memory", NULL },
	{ PASSWORD, MEMORY, "a number", "passes" },
	{ PASSWORD, PASSES, "a number", NULL },
	{ SESSION, SESSION, "idle", NULL },
	{ SESSION, IDLE, "a time", "absolute" },
	{ SESSION, ABSOLUTE, "a time", NULL },
	{ SITE, SITE, "domain, country or port", NULL },
	{ SITE, DOMAIN_, "a domain name", NULL },
	{ SITE, COUNTRY, "the name of a country", NULL },
	{ SITE, PORT, "a number", NULL },
	{ TLS, TLS, "certificate", NULL },
	{ TLS, CERTIFICATE, "a path", "key" },
	{ TLS, KEY, "a path", NULL },
	{ TURN, TURN, "secret or url", NULL },
	{ TURN, SECRET, "a path", NULL },
	{ TURN, URL, "the URL of a server", "a comma" },
	{ WORKERS, WORKERS, "session", NULL },
	{ WORKERS, SESSION, "a number", "hash" },
	{ WORKERS, HASH, "a number", NULL }
};

/* A complaint about the token that was read last. */
static void
bad(const char *fmt, ...)
{
	char	 line[MAX_LINE + 1];
	va_list	 ap;
	int	 n = 0;

	if (ps.errors++ >= MAX_ERRORS)
		return;
	if (ps.name != NULL)
		n = snprintf(line, sizeof(line), "%s:%u: ", log_safe(ps.name),
		    ps.line);
	va_start(ap, fmt);
	(void)vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	ps.complain(line);
}

static const char *
expected(void)
{
	size_t	 i;

	if (ps.last == 0)
		return (ps.args == 0 ? "a statement" : "a value");
	for (i = 0; i < sizeof(follows) / sizeof(follows[0]); i++) {
		if (follows[i].f_first != ps.first ||
		    follows[i].f_last != ps.last)
			continue;
		if (ps.args == 0 && follows[i].f_next != NULL)
			return (follows[i].f_next);
		if (ps.args == 1 && follows[i].f_then != NULL)
			return (follows[i].f_then);
	}
	return ("the end of the line");
}

/* yacc says only that it is an error; what was expected, we know better. */
void
yyerror(const char *fmt, ...)
{
	(void)fmt;
	if (ps.broken || ps.errors >= MAX_ERRORS)
		return;
	/* A word and no "=": more likely a slip of the pen than a macro. */
	if (ps.last == 0 && ps.args == 1)
		bad("expected a statement, got \"%s\"", log_safe(ps.before));
	else if (ps.token == '\n')
		bad("expected %s, got the end of the line", expected());
	else
		bad("expected %s, got \"%s\"", expected(), log_safe(ps.text));
}

/* 1 the first time, then a complaint and 0. */
static int
once(const char *what)
{
	int	 i;

	for (i = 0; i < ps.nonce; i++) {
		if (strcmp(ps.once[i], what) == 0) {
			bad("%s: only once expected", what);
			return (0);
		}
	}
	if (ps.nonce < MAX_ONCE)
		ps.once[ps.nonce++] = what;
	return (1);
}

/* A copy of the text, of both with a space between; NULL after complaining. */
static const char *
keep(const char *a, const char *b)
{
	struct word	*wo;
	size_t		 len;

	len = strlen(a) + (b == NULL ? 0 : 1 + strlen(b));
	if (len >= MAX_TOKEN) {
		bad("at most %d bytes of text expected", MAX_TOKEN - 1);
		len = 0;
		a = "";
		b = NULL;
	}
	if ((wo = malloc(sizeof(*wo) + len + 1)) == NULL) {
		bad("%s", strerror(errno));
		return (NULL);
	}
	(void)snprintf(wo->wo_text, len + 1, "%s%s%s", a,
	    b == NULL ? "" : " ", b == NULL ? "" : b);
	SLIST_INSERT_HEAD(&ps.words, wo, wo_entry);
	return (wo->wo_text);
}

/* Read this text next.  It becomes ours, freed on -1. */
static int
input_push(const char *name, char *text, size_t len)
{
	struct input	*in;

	if ((in = calloc(1, sizeof(*in))) == NULL ||
	    (name != NULL && (in->in_name = strdup(name)) == NULL)) {
		bad("%s", strerror(errno));
		free(in);
		free(text);
		return (-1);
	}
	in->in_text = text;
	in->in_len = len;
	in->in_line = 1;
	if (name != NULL)
		ps.depth++;
	SLIST_INSERT_HEAD(&ps.inputs, in, in_entry);
	return (0);
}

static void
input_pop(void)
{
	struct input	*in = SLIST_FIRST(&ps.inputs);

	SLIST_REMOVE_HEAD(&ps.inputs, in_entry);
	if (in->in_name != NULL)
		ps.depth--;
	free(in->in_name);
	free(in->in_text);
	free(in);
}

/*
 * Who may write this file may become root: so nobody but root, or whoever
 * tries out a file of his own.  Asked of the descriptor that is read.
 */
static int
input_open(const char *path)
{
	struct stat	 st;
	void		*text;
	ssize_t		 len;
	int		 fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1 ||
	    fstat(fd, &st) == -1) {
		bad("%s: %s", log_safe(path), strerror(errno));
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		bad("%s: a regular file expected", log_safe(path));
		goto fail;
	}
	if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		bad("%s: a file expected that only its owner, root, may write",
		    log_safe(path));
		goto fail;
	}
	if ((len = read_all(fd, MAX_FILE, &text)) == -1) {
		bad("%s: %s", log_safe(path), strerror(errno));
		goto fail;
	}
	close(fd);
	if (!utf8_valid(text, (size_t)len)) {
		bad("%s: UTF-8 expected", log_safe(path));
		free(text);
		return (-1);
	}
	return (input_push(path, text, (size_t)len));
 fail:
	if (fd != -1)
		close(fd);
	return (-1);
}

/* A relative path begins where the file is that has the word. */
static int
include_file(const char *path)
{
	char		 full[MAX_PATH + 1];
	const char	*slash;
	int		 n = 0;

	if (ps.name == NULL) {
		bad("%s", strerror(ENOMEM));
		return (-1);
	}
	if (ps.depth > MAX_DEPTH) {	/* the first is not included */
		bad("include: at most %d files deep expected", MAX_DEPTH);
		return (-1);
	}
	if (++ps.files > MAX_FILES) {
		bad("include: at most %d files expected", MAX_FILES);
		return (-1);
	}
	if (path[0] != '/' && (slash = strrchr(ps.name, '/')) != NULL)
		n = (int)(slash + 1 - ps.name);
	n = snprintf(full, sizeof(full), "%.*s%s", n, ps.name, path);
	if (n < 0 || (size_t)n >= sizeof(full)) {
		bad("include: a shorter path expected");
		return (-1);
	}
	return (input_open(full));
}

static int
name_char(int c, int start)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	    (!start && c >= '0' && c <= '9'));
}

static struct macro *
macro_find(const char *name, size_t len)
{
	struct macro	*ma;

	SLIST_FOREACH(ma, &ps.macros, ma_entry)
		if (strlen(ma->ma_name) == len &&
		    memcmp(ma->ma_name, name, len) == 0)
			return (ma);
	return (NULL);
}

/* -1: that is no name.  What the command line has set, stays. */
static int
macro_set(const char *name, const char *value, int fixed)
{
	struct macro	*ma;
	char		*copy;
	size_t		 i;

	for (i = 0; name[i] != '\0'; i++)
		if (!name_char((unsigned char)name[i], i == 0))
			return (-1);
	if (i == 0)
		return (-1);
	if ((ma = macro_find(name, i)) != NULL && ma->ma_fixed && !fixed)
		return (0);
	if ((copy = strdup(value)) == NULL)
		goto fail;
	if (ma == NULL) {
		if ((ma = calloc(1, sizeof(*ma))) == NULL ||
		    (ma->ma_name = strdup(name)) == NULL) {
			free(ma);
			goto fail;
		}
		SLIST_INSERT_HEAD(&ps.macros, ma, ma_entry);
	}
	free(ma->ma_value);
	ma->ma_value = copy;
	ma->ma_fixed = fixed;
	return (0);
 fail:
	bad("%s", strerror(errno));
	free(copy);
	return (0);
}

/* "name=value" of the command line. */
static void
macro_option(const char *arg)
{
	char		 name[64];
	const char	*eq = strchr(arg, '=');
	size_t		 len;

	len = eq == NULL ? 0 : (size_t)(eq - arg);
	if (len < sizeof(name) && len > 0 && note_valid(eq + 1, MAX_PATH)) {
		memcpy(name, arg, len);
		name[len] = '\0';
		if (macro_set(name, eq + 1, 1) == 0)
			return;
	}
	bad("-D %s: name=value expected", log_safe(arg));
}

/* A "$" is next: its name goes, its value is read in its place. */
static void
macro_expand(struct input *in)
{
	struct macro	*ma;
	char		*copy;
	const char	*name = in->in_text + ++in->in_pos;
	size_t		 len = 0;

	while (in->in_pos < in->in_len &&
	    name_char((unsigned char)name[len], len == 0)) {
		in->in_pos++;
		len++;
	}
	if ((ma = macro_find(name, len)) == NULL) {
		ps.broken = 1;
		bad("expected a macro that is set, got \"$%.*s\"",
		    len > 64 ? 64 : (int)len, name);
		return;
	}
	if ((copy = strdup(ma->ma_value)) == NULL)
		bad("%s", strerror(errno));
	else
		(void)input_push(NULL, copy, strlen(copy));
}

/*
 * The next byte, or EOF at the end of a file.  Lines that are continued are
 * one; macros are followed, unless in quotes or in another macro.
 */
static int
peek(int quoted)
{
	struct input	*in;
	const char	*p;

	for (;;) {
		in = SLIST_FIRST(&ps.inputs);
		if (in->in_pos == in->in_len) {
			if (in->in_name != NULL)
				return (EOF);
			input_pop();
			continue;
		}
		p = in->in_text + in->in_pos;
		if (p[0] == '\\' && in->in_len - in->in_pos > 1 &&
		    p[1] == '\n') {
			in->in_pos += 2;
			in->in_line++;
		} else if (p[0] == '$' && !quoted && in->in_name != NULL)
			macro_expand(in);
		else
			return ((unsigned char)p[0]);
	}
}

static void
take(void)
{
	struct input	*in = SLIST_FIRST(&ps.inputs);

	if (in->in_text[in->in_pos++] == '\n')
		in->in_line++;
}

/* To the end of the line.  A backslash continues no comment: so not by peek. */
static void
skip_comment(void)
{
	struct input	*in;

	for (;;) {
		in = SLIST_FIRST(&ps.inputs);
		if (in->in_pos < in->in_len) {
			if (in->in_text[in->in_pos] == '\n')
				return;
			in->in_pos++;
		} else if (in->in_name == NULL)
			input_pop();
		else
			return;
	}
}

/* 0: it does not fit any more. */
static int
append(char *buf, size_t *len, int c)
{
	if (*len >= MAX_TOKEN - 1)
		return (0);
	buf[(*len)++] = (char)c;
	return (1);
}

static int
lex_quoted(char *buf)
{
	size_t	 len = 0;
	int	 c, fits = 1;

	take();
	while ((c = peek(1)) != '"') {
		if (c == EOF || c == '\n') {
			bad("expected a closing quote");
			return (-1);
		}
		take();
		if (c == '\\' && (peek(1) == '"' || peek(1) == '\\')) {
			c = peek(1);
			take();
		}
		if (c < ' ' || c == 0x7f) {
			bad("expected no control character");
			return (-1);
		}
		fits &= append(buf, &len, c);
	}
	take();
	buf[len] = '\0';
	if (!fits) {
		bad("at most %d bytes of text expected", MAX_TOKEN - 1);
		return (-1);
	}
	return (0);
}

static int
word_char(int c)
{
	return (c > ' ' && c != 0x7f && strchr("\"#={}(),;\\", c) == NULL);
}

static int
lex_word(char *buf)
{
	size_t	 len = 0;
	int	 c, fits = 1;

	/* A comment begins in front of a word only. */
	while ((c = peek(0)) != EOF &&
	    (word_char(c) || (c == '#' && len > 0))) {
		take();
		fits &= append(buf, &len, c);
	}
	buf[len] = '\0';
	if (!fits) {
		bad("at most %d bytes of text expected", MAX_TOKEN - 1);
		return (-1);
	}
	return (0);
}

static int
keyword_cmp(const void *name, const void *k)
{
	return (strcmp(name, ((const struct keyword *)k)->k_name));
}

/* A number that is too large stays so, for the range in the complaint. */
static int
word_token(const char *s)
{
	const struct keyword	*k;
	size_t			 i;

	k = bsearch(s, keywords, sizeof(keywords) / sizeof(keywords[0]),
	    sizeof(keywords[0]), keyword_cmp);
	if (k != NULL)
		return (k->k_token);
	yylval.v.number = 0;
	for (i = 0; s[i] != '\0'; i++) {
		if (s[i] < '0' || s[i] > '9')
			return (STRING);
		if (yylval.v.number <= INT32_MAX)
			yylval.v.number = yylval.v.number * 10 + (s[i] - '0');
	}
	return (NUMBER);
}

/* The token read before becomes what stands before the next one. */
static void
lex_history(void)
{
	if (ps.token == '\n' || ps.token == 0) {
		ps.first = ps.last = ps.args = 0;
	} else if (ps.token == ',') {
		ps.args = 0;		/* as after the keyword of the list */
		if (ps.first == CONFIRM)
			ps.last = CONFIRM;
	} else if (ps.token == STRING || ps.token == NUMBER ||
	    ps.token < 256)
		ps.args++;
	else {
		ps.last = ps.token;
		ps.args = 0;
		if (ps.first == 0)
			ps.first = ps.token;
	}
}

/* Spaces and comments; then a file's end, if it has said its newline. */
static int
lex_start(void)
{
	struct input	*in;
	int		 c;

	for (;;) {
		while ((c = peek(0)) == ' ' || c == '\t')
			take();
		if (c == '#') {
			skip_comment();
			continue;
		}
		in = SLIST_FIRST(&ps.inputs);
		if (c != EOF || !in->in_ended)
			return (c);
		if (SLIST_NEXT(in, in_entry) == NULL)
			return (0);
		input_pop();
	}
}

/* Where a token stands; kept, for an include ends before its complaints. */
static void
lex_place(void)
{
	struct input	*in;

	SLIST_FOREACH(in, &ps.inputs, in_entry)
		if (in->in_name != NULL)
			break;
	if (in == NULL)
		return;
	ps.line = in->in_line;
	if (ps.name != NULL && strcmp(ps.name, in->in_name) == 0)
		return;
	free(ps.name);
	ps.name = strdup(in->in_name);
}

static int
lex(void)
{
	char	 buf[MAX_TOKEN];
	int	 c, token;

	lex_place();
	c = lex_start();
	lex_place();
	if (c == 0)
		return (0);
	if (c == EOF) {
		SLIST_FIRST(&ps.inputs)->in_ended = 1;
		return ('\n');
	}
	if (c == '\n' || c == '=' || c == ',') {
		take();
		ps.text = c == ',' ? "," : "=";
		return (c);
	}
	if (c == '"') {
		token = STRING;
		if (lex_quoted(buf) == -1)
			return (BROKEN);
	} else if (word_char(c)) {
		if (lex_word(buf) == -1)
			return (BROKEN);
		token = word_token(buf);
	} else {
		take();
		bad("expected a word, got the character \"%c\"",
		    c > ' ' && c < 0x7f ? c : '?');
		return (BROKEN);
	}
	if ((ps.text = keep(buf, NULL)) == NULL)
		return (BROKEN);
	yylval.v.string = ps.text;
	return (token);
}

int
yylex(void)
{
	if (ps.errors >= MAX_ERRORS)
		return (0);
	lex_history();
	ps.before = ps.text;
	ps.broken = 0;
	ps.token = lex();
	if (ps.token == BROKEN)
		ps.broken = 1;
	if (ps.broken && ps.token != '\n' && ps.token != 0)
		ps.token = BROKEN;
	return (ps.token);
}

/* Out of range is a complaint, and then the lower end. */
static uint32_t
number(const char *what, long long n, long long min, long long max)
{
	if (n < min || n > max) {
		bad("%s: %lld to %lld expected", what, min, max);
		n = min;
	}
	return ((uint32_t)n);
}

/* 90, 90s, 30m, 12h, 7d */
static uint32_t
seconds(const char *what, const char *s, uint32_t max)
{
	static const struct {
		char		 unit;
		uint32_t	 seconds;
	}		 units[] = {
		{ '\0', 1 }, { 's', 1 }, { 'm', 60 }, { 'h', 3600 },
		{ 'd', DAY }
	};
	uint64_t	 n = 0;
	size_t		 i;
	const char	*p;

	for (p = s; *p >= '0' && *p <= '9'; p++)
		if (n <= max)
			n = n * 10 + (uint64_t)(*p - '0');
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (p == s || *p != units[i].unit ||
		    (*p != '\0' && p[1] != '\0'))
			continue;
		n *= units[i].seconds;
		if (n >= 1 && n <= max)
			return ((uint32_t)n);
	}
	bad("%s: 1s to %ud expected", what, max / DAY);
	return (1);
}

/* 00:00 to 23:59, both of two digits. */
static void
set_daily(const char *s)
{
	unsigned int	 h, m;

	if (strlen(s) == 5 && strspn(s, "0123456789") == 2 && s[2] == ':' &&
	    strspn(s + 3, "0123456789") == 2) {
		h = (unsigned int)(s[0] - '0') * 10 + (unsigned int)(s[1] -
		    '0');
		m = (unsigned int)(s[3] - '0') * 10 + (unsigned int)(s[4] -
		    '0');
		if (h < 24 && m < 60) {
			ps.conf->co_backup_at = h * 60 + m;
			return;
		}
	}
	bad("backup daily at: 00:00 to 23:59 expected");
}

static void
set_string(char **where, const char *s)
{
	char	*copy;

	if ((copy = strdup(s)) == NULL) {
		bad("%s", strerror(errno));
		return;
	}
	free(*where);
	*where = copy;
}

static void
set_path(char **where, const char *what, const char *path)
{
	if (path[0] != '/' || !note_valid(path, MAX_PATH) ||
	    strlen(path) > MAX_PATH)
		bad("%s: a path that begins with / expected", what);
	else
		set_string(where, path);
}

static void
set_socket(const char *path)
{
	struct sockaddr_un	 sun;

	if (strlen(path) >= sizeof(sun.sun_path))
		bad("control socket: at most %zu bytes expected",
		    sizeof(sun.sun_path) - 1);
	else
		set_path(&ps.conf->co_control, "control socket", path);
}

/* Labels of 1 to 63 letters, digits and inner hyphens; no IP address. */
static int
domain_valid(const char *s)
{
	size_t	 i, label = 0;
	int	 digits = 1;

	for (i = 0; s[i] != '\0'; i++) {
		if (s[i] == '.') {
			if (label == 0 || s[i - 1] == '-')
				return (0);
			label = 0;
			digits = 1;
			continue;
		}
		if (++label > 63 || (s[i] == '-' && label == 1))
			return (0);
		if ((s[i] < 'a' || s[i] > 'z') && (s[i] < '0' || s[i] > '9') &&
		    s[i] != '-')
			return (0);
		if (s[i] < '0' || s[i] > '9')
			digits = 0;
	}
	return (label > 0 && s[i - 1] != '-' && !digits);
}

/* In lower case, as Host is compared; a tenant's label must fit in front. */
static void
set_domain(const char *s)
{
	char	 name[MAX_HOST - MAX_LABEL];
	size_t	 i;

	for (i = 0; s[i] != '\0' && i < sizeof(name) - 1; i++)
		name[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ?
		    s[i] - 'A' + 'a' : s[i]);
	name[i] = '\0';
	if (s[i] != '\0' || !domain_valid(name))
		bad("site domain: a domain name of at most %zu characters "
		    "expected", sizeof(name) - 1);
	else
		set_string(&ps.conf->co_domain, name);
}

static void
set_country(const char *s)
{
	if (strlen(s) > MAX_COUNTRY || !name_valid(s, MAX_COUNTRY))
		bad("site country: 1 to 64 bytes of text expected");
	else
		set_string(&ps.conf->co_country, s);
}

static void
listen_insert(const struct addrinfo *ai, enum conf_file kind)
{
	struct conf_listen	*cl, *old;

	if (++ps.listens > MAX_LISTENS) {
		bad("listen: at most %d addresses expected", MAX_LISTENS);
		return;
	}
	if ((cl = calloc(1, sizeof(*cl))) == NULL) {
		bad("%s", strerror(errno));
		return;
	}
	memcpy(&cl->cl_addr, ai->ai_addr, ai->ai_addrlen);
	cl->cl_len = ai->ai_addrlen;
	cl->cl_kind = kind;
	if (kind == FILE_LISTEN_PROXY &&
	    (cl->cl_from = networks_text(&ps.from)) == NULL) {
		bad("%s", strerror(errno));
		free(cl);
		return;
	}
	TAILQ_FOREACH(old, &ps.conf->co_listens, cl_entry) {
		if (old->cl_len == cl->cl_len && memcmp(&old->cl_addr,
		    &cl->cl_addr, cl->cl_len) == 0) {
			bad("listen: an address and port that is not yet "
			    "listened on expected");
			free(cl->cl_from);
			free(cl);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&ps.conf->co_listens, cl, cl_entry);
}

static void
add_listen(const char *host, long long port, enum conf_file kind)
{
	struct addrinfo	 hints, *res;
	char		 text[8];
	uint32_t	 n;

	if (strcmp(host, "*") == 0) {
		add_listen("0.0.0.0", port, kind);
		if (port >= 1 && port <= UINT16_MAX)
			add_listen("::", port, kind);
		return;
	}
	n = number("listen port", port, 1, UINT16_MAX);
	(void)snprintf(text, sizeof(text), "%u", n);
	memset(&hints, 0, sizeof(hints));
	hints.ai_family = AF_UNSPEC;
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
	if (getaddrinfo(host, text, &hints, &res) != 0) {
		bad("listen: an IPv4 or IPv6 address or * expected, got "
		    "\"%s\"", log_safe(host));
		return;
	}
	listen_insert(res, kind);
	freeaddrinfo(res);
}

/* Whom we believe for whom he connects: never everybody. */
static void
add_from(const char *s)
{
	struct network	 nw;
	uint8_t		 any[NETWORK_ADDR];

	switch (network_parse(&nw, s)) {
	case NETWORK_OK:
		break;
	case NETWORK_BITS:
		bad("listen proxy: a network without bits behind its prefix "
		    "expected, got \"%s\"", log_safe(s));
		return;
	default:
		bad("listen proxy: an IPv4 or IPv6 address or network "
		    "expected, got \"%s\"", log_safe(s));
		return;
	}
	(void)network_addr(any, "0.0.0.0");
	if (nw.nw_bits == 0 || (nw.nw_bits == 96 && network_has(&nw, any)))
		bad("listen proxy: not everybody expected, got \"%s\"",
		    log_safe(s));
	else if (ps.from.ns_count == MAX_PROXIES ||
	    networks_add(&ps.from, &nw) == -1)
		bad("listen proxy: at most %d networks expected",
		    MAX_PROXIES);
}

/* A server that helps pages through networks; they try all of them at once. */
static void
add_turn(const char *url)
{
	struct way_url	 wu;
	char		*urls;
	size_t		 size;

	if (way_url(&wu, url) == -1) {
		bad("turn url: stun:, turn: or turns:, a host, :port and "
		    "?transport=udp or tcp expected, got \"%s\"",
		    log_safe(url));
		return;
	}
	if (++ps.turns > MAX_TURN_URLS) {
		bad("turn url: at most %d expected", MAX_TURN_URLS);
		return;
	}
	ps.relays += wu.wu_relay;
	size = strlen(ps.conf->co_turn) + 1 + strlen(url) + 1;
	if ((urls = malloc(size)) == NULL) {
		bad("%s", strerror(errno));
		return;
	}
	(void)snprintf(urls, size, "%s%s%s", ps.conf->co_turn,
	    ps.turns > 1 ? " " : "", url);
	free(ps.conf->co_turn);
	ps.conf->co_turn = urls;
}

static uint16_t
listen_port(const struct conf_listen *cl)
{
	const struct sockaddr_storage	*ss = &cl->cl_addr;

	return (ntohs(ss->ss_family == AF_INET6 ?
	    ((const struct sockaddr_in6 *)ss)->sin6_port :
	    ((const struct sockaddr_in *)ss)->sin_port));
}

/* A file of this name where the other one is; malloc'ed, or NULL. */
static char *
beside(const char *path, const char *name)
{
	size_t	 dir = (size_t)(strrchr(path, '/') + 1 - path);
	size_t	 size = dir + strlen(name) + 1;
	char	*s;

	if ((s = malloc(size)) == NULL)
		return (NULL);
	memcpy(s, path, dir);
	(void)strlcpy(s + dir, name, size - dir);
	return (s);
}

/* What has no default must be there; what follows from the rest is set. */
static void
complete(struct conf *co)
{
	struct conf_listen	*cl;
	long			 cores = sysconf(_SC_NPROCESSORS_ONLN);

	TAILQ_FOREACH(cl, &co->co_listens, cl_entry)
		if (cl->cl_kind != FILE_LISTEN_REDIRECT)
			break;
	if (co->co_domain == NULL)
		bad("expected site domain, got the end of the file");
	if (cl == NULL)
		bad("expected listen with tls, got the end of the file");
	if (co->co_cert == NULL || co->co_key == NULL)
		bad("expected tls certificate, got the end of the file");
	if (ps.relays > 0 && co->co_turn_secret == NULL)
		bad("expected turn secret, got the end of the file");
	if (ps.relays == 0 && co->co_turn_secret != NULL)
		bad("expected turn url of a relay, got the end of the file");
	if (cl != NULL && co->co_port == 0)
		co->co_port = listen_port(cl);
	if (co->co_sign == NULL && (co->co_sign = beside(co->co_master,
	    "sign.key")) == NULL)
		bad("%s", strerror(errno));
	if (cores < 1)
		cores = 1;
	if (co->co_nsession == 0)
		co->co_nsession = (uint32_t)(cores > MAX_SESSIONS ?
		    MAX_SESSIONS : cores);
	if (co->co_nhash == 0)
		co->co_nhash = (uint32_t)(cores <= 2 ? 1 :
		    cores >= 8 ? 4 : cores / 2);
}

static void
forget(void)
{
	struct macro	*ma;
	struct word	*wo;

	while (!SLIST_EMPTY(&ps.inputs))
		input_pop();
	while ((ma = SLIST_FIRST(&ps.macros)) != NULL) {
		SLIST_REMOVE_HEAD(&ps.macros, ma_entry);
		free(ma->ma_name);
		free(ma->ma_value);
		free(ma);
	}
	while ((wo = SLIST_FIRST(&ps.words)) != NULL) {
		SLIST_REMOVE_HEAD(&ps.words, wo_entry);
		free(wo);
	}
	free(ps.name);
	memset(&ps, 0, sizeof(ps));
}

struct conf *
parse_config(const char *path, char **macros, int nmacros,
    void (*complain)(const char *))
{
	struct conf	*co;
	int		 i;

	memset(&ps, 0, sizeof(ps));
	ps.complain = complain;
	if ((ps.conf = conf_new()) == NULL) {
		bad("%s", strerror(errno));
		return (NULL);
	}
	ps.conf->co_nhash = 0;
	for (i = 0; i < nmacros; i++)
		macro_option(macros[i]);
	if (input_open(path) == 0) {
		if (yyparse() != 0 && ps.errors == 0)
			bad("not enough memory");
		/* The first mistakes matter; these may come of them. */
		if (ps.errors == 0)
			complete(ps.conf);
	}
	co = ps.conf;
	if (ps.errors > 0) {
		conf_free(co);
		co = NULL;
	}
	forget();
	return (co);
}

/* In quotes, as the lexer reads it. */
static void
print_string(const char *what, const char *s)
{
	printf("%s \"", what);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			putchar('\\');
		putchar(*s);
	}
	putchar('"');
}

static void
print_time(const char *what, uint32_t n)
{
	if (n % DAY == 0)
		printf("%s %ud", what, n / DAY);
	else if (n % 3600 == 0)
		printf("%s %uh", what, n / 3600);
	else if (n % 60 == 0)
		printf("%s %um", what, n / 60);
	else
		printf("%s %us", what, n);
}

static void
print_listen(const struct conf_listen *cl)
{
	char		 host[NI_MAXHOST];
	const char	*p;

	if (getnameinfo((const struct sockaddr *)&cl->cl_addr, cl->cl_len,
	    host, sizeof(host), NULL, 0, NI_NUMERICHOST) != 0)
		return;
	print_string("listen on", host);
	printf(" port %u %s", listen_port(cl),
	    cl->cl_kind == FILE_LISTEN_REDIRECT ? "redirect" : "tls");
	if (cl->cl_from != NULL) {
		printf(" proxy from ");
		for (p = cl->cl_from; *p != '\0'; p++) {
			if (*p == ' ')
				putchar(',');
			putchar(*p);
		}
	}
	putchar('\n');
}

static void
print_backup(const struct conf *co)
{
	if (co->co_backup_at == BACKUP_NONE)
		printf("\nbackup none");
	else
		printf("\nbackup daily at %02u:%02u",
		    co->co_backup_at / 60, co->co_backup_at % 60);
	printf(" keep %u\n", co->co_backup_keep);
}

static void
print_turn(const struct conf *co)
{
	const char	*before = "turn url \"", *p = co->co_turn;
	size_t		 n;

	/* Of the characters in a URL none needs a backslash. */
	for (; (n = strcspn(p, " ")) > 0; p += n + strspn(p + n, " ")) {
		printf("%s%.*s\"", before, (int)n, p);
		before = ", \"";
	}
	if (p != co->co_turn)
		putchar('\n');
	if (co->co_turn_secret != NULL) {
		print_string("turn secret", co->co_turn_secret);
		putchar('\n');
	}
}

/* Bits in their order. */
static void
print_confirm(uint32_t bits)
{
	static const char *const words[] = {
		"delete", "erase", "export", "operator", "purge"
	};
	const char	*before = "confirm ";
	size_t		 i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((bits & 1U << i) == 0)
			continue;
		printf("%s%s", before, words[i]);
		before = ", ";
	}
	if (bits != 0)
		putchar('\n');
}

void
print_config(const struct conf *co)
{
	const struct conf_listen	*cl;

	print_string("site domain", co->co_domain);
	if (co->co_country[0] != '\0')
		print_string("\nsite country", co->co_country);
	printf("\nsite port %u\n", co->co_port);
	TAILQ_FOREACH(cl, &co->co_listens, cl_entry)
		print_listen(cl);
	print_string("tls certificate", co->co_cert);
	print_string(" key", co->co_key);
	print_string("\ndata", co->co_data);
	print_string("\nkeys master", co->co_master);
	if (co->co_previous != NULL)
		print_string(" previous", co->co_previous);
	print_string(" pepper", co->co_pepper);
	print_string(" sign", co->co_sign);
	print_string("\nhtdocs", co->co_htdocs);
	print_string("\ncontrol socket", co->co_control);
	print_string("\nchroot", co->co_chroot);
	printf("\nworkers session %u hash %u\n", co->co_nsession,
	    co->co_nhash);
	printf("password hash memory %u passes %u\n", co->co_argon_kib,
	    co->co_argon_passes);
	print_time("session idle", co->co_idle);
	print_time(" absolute", co->co_absolute);
	print_time("\ninvite expires", co->co_invite);
	print_backup(co);
	printf("limit connections %u address %u tenant %u account %u\n",
	    co->co_max_conns, co->co_max_addr_conns, co->co_tenant_pages,
	    co->co_account_pages);
	printf("limit arrivals %u\n", co->co_addr_arrivals);
	printf("limit requests address %u tenant %u account %u\n",
	    co->co_addr_requests, co->co_tenant_requests,
	    co->co_account_requests);
	printf("limit buffers %u\n", co->co_buffers);
	print_turn(co);
	print_confirm(co->co_confirm);
}
