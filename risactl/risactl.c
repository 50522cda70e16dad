/*
 * The operator's tool: one command, sent to the running daemon, and what it
 * answers.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <pwd.h>
#include <readpassphrase.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "control.h"
#include "drop.h"
#include "import.h"
#include "keys.h"
#include "log.h"
#include "map.h"
#include "msg.h"
#include "output.h"
#include "parser.h"
#include "points.h"
#include "util.h"
#include "zone.h"

#define TEMPLATE	"office"	/* of a floor without one */
#define AUDIT_LINES	100	/* shown, unless it is said how many */
#define LOG_MS		(24ULL * 3600 * 1000)	/* of a log without a time */
#define GUEST_SECONDS	(24 * 3600)	/* of a guest URL without a time */

static const struct output	*output = &output_text;
static int			 more;	/* a part of the command is answered */
static int			 backup;	/* keys are asked for */
static int			 whole;	/* rows are to be seen though refused */
static char			 secret[MAX_PASSWORD + 1];

static void __attribute__((noreturn))
usage(void)
{
	fprintf(stderr, "usage: risactl [-j] [-s socket] [-z zone] word ...\n");
	command_help(stderr);
	exit(2);
}

/* The map that a floor is made of, checked here where its author sits. */
static void
map_load(const char *path, struct m_blob *mb)
{
	struct floor_map	*map;
	char			 why[256];
	void			*data;
	ssize_t			 len;
	int			 fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 ||
	    (len = read_all(fd, MAX_MAP, &data)) == -1)
		err(1, "%s", path);
	close(fd);
	if ((map = map_parse(data, (size_t)len, why, sizeof(why))) == NULL)
		errx(1, "%s: %s", path, why);
	map_free(map);
	mb->mb_data = data;
	mb->mb_len = (size_t)len;
}

/*
 * The account that is meant.  An entry can outlive its account, so for its
 * removal a number is enough.
 */
static void
account_find(const struct command *cm, struct m_c_operator *m)
{
	struct passwd	*pw;
	const char	*why = NULL;
	uint32_t	 uid;

	uid = (uint32_t)strtonum(cm->cm_account, 0, UINT32_MAX - 1, &why);
	errno = 0;
	if ((pw = getpwnam(cm->cm_account)) == NULL && why == NULL) {
		errno = 0;
		pw = getpwuid((uid_t)uid);
	}
	if (pw == NULL && errno != 0 && errno != ENOENT && errno != ESRCH)
		err(1, "%s", cm->cm_account);
	if (pw != NULL) {
		m->uid = pw->pw_uid;
		if ((m->name = strdup(pw->pw_name)) == NULL)
			err(1, NULL);
	} else if (cm->cm_type == IMSG_C_OPERATOR_DEL && why == NULL)
		m->uid = uid;
	else if (cm->cm_type == IMSG_C_OPERATOR_DEL)
		errx(1, "%s: no such account; an entry whose account is gone "
		    "is removed by its number", cm->cm_account);
	else
		errx(1, "%s: no such account", cm->cm_account);
}

/* Not in the command line, where others see it: typed, or piped in. */
static void
secret_ask(void)
{
	if (readpassphrase("Password of the URL: ", secret, sizeof(secret),
	    RPP_ECHO_OFF | (isatty(STDIN_FILENO) ? 0 : RPP_STDIN)) == NULL ||
	    secret[0] == '\0')
		errx(1, "no password was given");
}

static void
control_connect(struct imsgbuf *ib, const char *path)
{
	struct sockaddr_un	 sun;
	int			 fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path))
		errx(1, "%s: too long for the path of a socket", path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		err(1, "%s: risad does not answer there", path);
	if (imsgbuf_init(ib, fd) == -1 ||
	    imsgbuf_set_maxsize(ib, MAX_PAYLOAD) == -1)
		err(1, "imsg");
}

/*
 * An export: the file, and beside it a signature with the same name and .sig.
 * Both are opened before the sandbox; a file that is not whole is taken away.
 */
static FILE		*export_file, *export_sig;
static const char	*export_name;

/* What is there already is somebody's, and stays. */
static FILE *
export_create(const char *name, const char *end)
{
	char	 path[PATH_MAX];
	FILE	*f;
	int	 fd;

	if (snprintf(path, sizeof(path), "%s%s", name, end) >= PATH_MAX)
		errx(1, "%s: name too long", name);
	if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600)) == -1)
		err(1, "%s", path);
	drop_file(path);
	if ((f = fdopen(fd, "w")) == NULL)
		err(1, "%s", path);
	return (f);
}

static void
export_open(const char *name)
{
	export_name = name;
	export_file = export_create(name, "");
	export_sig = export_create(name, ".sig");
}

static void
export_text(const struct m_blob *mb)
{
	if (export_file == NULL || fwrite(mb->mb_data, 1, mb->mb_len,
	    export_file) != mb->mb_len)
		err(1, "%s", export_name);
}

static void
export_sign(const char *line)
{
	if (fprintf(export_sig, "%s\n", line) < 0)
		err(1, "%s", export_name);
}

static void
export_close(int code)
{
	if (fflush(export_file) == EOF || fsync(fileno(export_file)) == -1 ||
	    fflush(export_sig) == EOF || fsync(fileno(export_sig)) == -1)
		err(1, "%s", export_name);
	if (code == 0)
		drop_none();
}

static int
send_tenant(struct imsgbuf *ib, const struct command *cm)
{
	struct m_c_tenant_add	 add = { 0 };
	struct m_c_tenant_state	 state = { 0 };
	struct m_c_name		 name = { 0 };
	struct m_c_tenant_end	 end = { 0 };
	struct m_c_cert		 cert = { 0 };
	struct m_c_export	 export = { 0 };

	switch (cm->cm_type) {
	case IMSG_C_TENANT_ADD:
		add.name = cm->cm_tenant;
		add.title = cm->cm_title;
		add.contact = cm->cm_mail;
		return (msg_compose(ib, cm->cm_type, 1, -1, &add));
	case IMSG_C_TENANT_STATE:
		state.name = cm->cm_tenant;
		state.state = cm->cm_arg;
		return (msg_compose(ib, cm->cm_type, 1, -1, &state));
	case IMSG_C_TENANT_END:
		end.name = cm->cm_tenant;
		end.at = cm->cm_until;
		return (msg_compose(ib, cm->cm_type, 1, -1, &end));
	case IMSG_C_TENANT_EXPORT:
		export.tenant = cm->cm_tenant;
		export.reason = cm->cm_reason;
		return (msg_compose(ib, cm->cm_type, 1, -1, &export));
	case IMSG_C_TENANT_CERT:
		cert.tenant = cm->cm_number;
		return (msg_compose(ib, cm->cm_type, 1, -1, &cert));
	default:
		name.name = cm->cm_tenant;
		return (msg_compose(ib, cm->cm_type, 1, -1, &name));
	}
}

static int
send_user(struct imsgbuf *ib, const struct command *cm)
{
	struct m_c_user	 m = { 0 };

	m.tenant = cm->cm_tenant;
	m.email = cm->cm_mail;
	m.arg = cm->cm_arg;
	m.name = cm->cm_name;
	m.role = cm->cm_role;
	return (msg_compose(ib, cm->cm_type, 1, -1, &m));
}

static int
send_role(struct imsgbuf *ib, const struct command *cm)
{
	struct m_c_role	 m = { 0 };

	m.tenant = cm->cm_tenant;
	m.role = cm->cm_role;
	m.right = cm->cm_arg;
	m.name = cm->cm_name;
	return (msg_compose(ib, cm->cm_type, 1, -1, &m));
}

static int
send_floor(struct imsgbuf *ib, const struct command *cm,
    const struct m_blob *map)
{
	struct m_c_floor_add	 add = { 0 };
	struct m_c_floor_networks networks = { 0 };
	struct m_c_floor_talk	 talk = { 0 };
	struct m_c_floor	 m = { 0 };

	if (cm->cm_type == IMSG_C_FLOOR_NETWORKS) {
		networks.tenant = cm->cm_tenant;
		networks.floor = cm->cm_floor;
		networks.networks = cm->cm_text;
		return (msg_compose(ib, cm->cm_type, 1, -1, &networks));
	}
	if (cm->cm_type == IMSG_C_FLOOR_TALK) {
		talk.tenant = cm->cm_tenant;
		talk.floor = cm->cm_floor;
		talk.mask = cm->cm_mask;
		talk.can = cm->cm_can;
		talk.way = cm->cm_way;
		return (msg_compose(ib, cm->cm_type, 1, -1, &talk));
	}
	if (cm->cm_type == IMSG_C_FLOOR_ADD) {
		add.tenant = cm->cm_tenant;
		add.name = cm->cm_floor;
		add.map = *map;
		add.template = cm->cm_template;
		if (map->mb_len == 0 && cm->cm_template == NULL)
			add.template = TEMPLATE;
		return (msg_compose(ib, cm->cm_type, 1, -1, &add));
	}
	m.tenant = cm->cm_tenant;
	m.floor = cm->cm_floor;
	m.user = cm->cm_mail;
	m.group = cm->cm_group;
	m.allow = cm->cm_arg;
	return (msg_compose(ib, cm->cm_type, 1, -1, &m));
}

static int
send_policy(struct imsgbuf *ib, const struct command *cm)
{
	struct m_c_policy	 m = { 0 };

	m.tenant = cm->cm_tenant;
	m.key = cm->cm_arg;
	m.value = cm->cm_number;
	m.text = cm->cm_text;
	return (msg_compose(ib, cm->cm_type, 1, -1, &m));
}

static int
send_guest(struct imsgbuf *ib, const struct command *cm)
{
	struct m_c_guest_add	 add = { 0 };
	struct m_c_guest_del	 del = { 0 };

	if (cm->cm_type == IMSG_C_GUEST_DEL) {
		del.tenant = cm->cm_tenant;
		del.guest = cm->cm_number;
		return (msg_compose(ib, cm->cm_type, 1, -1, &del));
	}
	add.tenant = cm->cm_tenant;
	add.floor = cm->cm_floor;
	add.uses = cm->cm_number;
	add.seconds = cm->cm_seconds == 0 ? GUEST_SECONDS : cm->cm_seconds;
	add.approval = (cm->cm_flags & CM_APPROVAL) != 0;
	add.password = secret;
	return (msg_compose(ib, cm->cm_type, 1, -1, &add));
}

static int
send_audit(struct imsgbuf *ib, const struct command *cm)
{
	struct m_c_audit	 m = { 0 };

	m.tenant = cm->cm_tenant;
	m.all = cm->cm_tenant == NULL && cm->cm_type != IMSG_C_AUDIT_SHOW;
	m.count = cm->cm_flags & CM_COUNT ? cm->cm_number : AUDIT_LINES;
	if (cm->cm_file != NULL)
		points_kept(&m.kept);
	return (msg_compose(ib, cm->cm_type, 1, -1, &m));
}

static int
send_log(struct imsgbuf *ib, const struct command *cm)
{
	struct m_c_log	 m = { 0 };

	m.tenant = cm->cm_tenant;
	m.from = cm->cm_from != 0 ? cm->cm_from : now_ms() - LOG_MS;
	m.to = cm->cm_to != 0 ? cm->cm_to : UINT64_MAX;
	m.kind = cm->cm_kind == 0 ? ACCESS_MAX : cm->cm_kind - 1;
	m.user = cm->cm_user;
	m.floor = cm->cm_floor;
	m.network = cm->cm_network;
	m.format = cm->cm_arg;
	m.reason = cm->cm_reason;
	return (msg_compose(ib, cm->cm_type, 1, -1, &m));
}

/* In the trail and in certificates it is a file by its name alone. */
static int
send_key_backup(struct imsgbuf *ib, const struct command *cm)
{
	struct m_c_key_backup	 m = { 0 };
	const char		*slash = strrchr(cm->cm_file, '/');

	m.name = slash == NULL ? cm->cm_file : slash + 1;
	if (!name_valid(m.name, MAX_NAME_CHARS))
		errx(1, "%s: its name is not of 1 to 64 characters",
		    visible(cm->cm_file));
	return (msg_compose(ib, cm->cm_type, 1, -1, &m));
}

static int
send_backup(struct imsgbuf *ib, const struct command *cm)
{
	struct m_c_backup	 m = { 0, cm->cm_stamp, cm->cm_tenant };

	return (msg_compose(ib, cm->cm_type, 1, -1, &m));
}

static int
send_erase(struct imsgbuf *ib, const struct command *cm)
{
	struct m_c_erase	 m = { 0 };

	m.tenant = cm->cm_tenant;
	m.what = cm->cm_arg;
	m.email = cm->cm_mail;
	m.other = cm->cm_other;
	m.floor = cm->cm_floor;
	m.from = cm->cm_from;
	m.to = cm->cm_to;
	return (msg_compose(ib, cm->cm_type, 1, -1, &m));
}

static int
send_hold(struct imsgbuf *ib, const struct command *cm)
{
	struct m_c_hold	 m = { 0 };

	m.tenant = cm->cm_tenant;
	m.email = cm->cm_mail;
	m.reason = cm->cm_reason;
	return (msg_compose(ib, cm->cm_type, 1, -1, &m));
}

static int
send_keep(struct imsgbuf *ib, const struct command *cm)
{
	struct m_c_keep	 m = { 0, cm->cm_arg, cm->cm_number };

	return (msg_compose(ib, cm->cm_type, 1, -1, &m));
}

static int
send_command(struct imsgbuf *ib, const struct command *cm,
    const struct m_blob *map, struct m_c_operator *operator)
{
	struct m_c_none		 none = { 0 };
	struct m_c_verbose	 verbose = { 0 };
	struct m_c_alert_clear	 clear = { 0 };
	struct m_c_confirm	 confirm = { 0 };

	switch (cm->cm_type) {
	case IMSG_C_TENANT_ADD:
	case IMSG_C_TENANT_SHOW:
	case IMSG_C_TENANT_STATE:
	case IMSG_C_TENANT_END:
	case IMSG_C_TENANT_ERASE:
	case IMSG_C_TENANT_CERT:
	case IMSG_C_TENANT_EXPORT:
	case IMSG_C_ALERTS:
	case IMSG_C_EXPORTS:
	case IMSG_C_STORAGE:
	case IMSG_C_USER_LIST:
	case IMSG_C_FLOOR_LIST:
	case IMSG_C_ROLE_LIST:
	case IMSG_C_SESSION_LIST:
	case IMSG_C_POLICY_SHOW:
	case IMSG_C_GUEST_LIST:
	case IMSG_C_PURGE_SHOW:
	case IMSG_C_PURGE_RUN:
	case IMSG_C_HOLD_SHOW:
	case IMSG_C_KEY_ROTATE:
		return (send_tenant(ib, cm));
	case IMSG_C_ERASE:
		return (send_erase(ib, cm));
	case IMSG_C_HOLD_SET:
	case IMSG_C_HOLD_CLEAR:
		return (send_hold(ib, cm));
	case IMSG_C_KEEP:
		return (send_keep(ib, cm));
	case IMSG_C_POLICY_SET:
		return (send_policy(ib, cm));
	case IMSG_C_OPERATOR_ADD:
	case IMSG_C_OPERATOR_DEL:
		operator->role = cm->cm_arg;
		operator->until = cm->cm_until;
		return (msg_compose(ib, cm->cm_type, 1, -1, operator));
	case IMSG_C_GUEST_ADD:
	case IMSG_C_GUEST_DEL:
		return (send_guest(ib, cm));
	case IMSG_C_AUDIT_SHOW:
	case IMSG_C_AUDIT_VERIFY:
	case IMSG_C_AUDIT_POINTS:
		return (send_audit(ib, cm));
	case IMSG_C_LOG_SHOW:
		return (send_log(ib, cm));
	case IMSG_C_BACKUP_VERIFY:
	case IMSG_C_BACKUP_RESTORE:
		return (send_backup(ib, cm));
	case IMSG_C_USER_ADD:
	case IMSG_C_USER_SHOW:
	case IMSG_C_USER_STATE:
	case IMSG_C_USER_LINK:
	case IMSG_C_USER_DEL:
	case IMSG_C_USER_FACTOR:
	case IMSG_C_USER_ROLE:
	case IMSG_C_SESSION_END:
		return (send_user(ib, cm));
	case IMSG_C_ROLE_ADD:
	case IMSG_C_ROLE_ALLOW:
	case IMSG_C_ROLE_DENY:
	case IMSG_C_ROLE_NAME:
	case IMSG_C_ROLE_DEL:
		return (send_role(ib, cm));
	case IMSG_C_FLOOR_ADD:
	case IMSG_C_FLOOR_SHOW:
	case IMSG_C_FLOOR_ALLOW:
	case IMSG_C_FLOOR_NETWORKS:
	case IMSG_C_FLOOR_TALK:
	case IMSG_C_FLOOR_DEL:
		return (send_floor(ib, cm, map));
	case IMSG_C_ALERT_CLEAR:
		clear.name = cm->cm_text;
		return (msg_compose(ib, cm->cm_type, 1, -1, &clear));
	case IMSG_C_CONFIRM:
		confirm.number = cm->cm_number;
		confirm.refuse = cm->cm_arg;
		return (msg_compose(ib, cm->cm_type, 1, -1, &confirm));
	case IMSG_C_KEY_BACKUP:
		return (send_key_backup(ib, cm));
	case IMSG_C_VERBOSE:
		verbose.verbose = cm->cm_arg;
		return (msg_compose(ib, cm->cm_type, 1, -1, &verbose));
	default:
		return (msg_compose(ib, cm->cm_type, 1, -1, &none));
	}
}

/* Say who we are and what we want; the answer is to both. */
static void
ask(struct imsgbuf *ib, const struct command *cm, const struct m_blob *map,
    struct m_c_operator *operator)
{
	struct m_c_hello	 hello = { CONTROL_VERSION };

	if (msg_compose(ib, IMSG_C_HELLO, 0, -1, &hello) == -1 ||
	    send_command(ib, cm, map, operator) == -1)
		err(1, "imsg");
	/* Turned away while we write: the reason may wait to be read. */
	if (imsgbuf_flush(ib) == -1 && errno != EPIPE && errno != ECONNRESET)
		err(1, "write");
}

/* How it ended: the exit code. */
static int
result(const struct m_result *m)
{
	static const char	*const why[R_MAX] = {
		[R_UNAVAILABLE] = "cannot be done now, try again",
		[R_BUSY] = "risad is busy, try again",
		[R_TOOMANY] = "too often, try again later",
		[R_LOCKED] = "locked after failures, try again later",
		[R_SIGNIN] = "refused",
		[R_SESSION] = "refused",
		[R_FORBIDDEN] = "not for your role",
		[R_NOTFOUND] = "not found",
		[R_CONFLICT] = "exists already, or something prevents it",
		[R_INVALID] = "not valid",
		[R_WEAK] = "guessed too easily",
		[R_USED] = "used before",
		[R_DOMAIN] = "not a domain that may be invited",
		[R_LINK] = "the link is unknown, used or expired",
		[R_REFUSED] = "refused",
		[R_HELD] = "a legal hold forbids it",
	};
	char			*field = visible(m->field);

	if (m->code == R_OK && backup)
		keys_end((uint32_t)m->arg, output);
	if (!more && (m->code == R_OK || whole))
		output->out_end();
	if (m->code == R_OK) {
		if (field[0] != '\0')
			warnx("%s", field);
		free(field);
		return (0);
	}
	if (m->code >= R_MAX)
		warnx("refused, for a reason that is not known here");
	else if (field[0] == '\0')
		warnx("%s", why[m->code]);
	else if (m->code == R_REFUSED || m->code == R_FORBIDDEN)
		warnx("%s", field);
	else
		warnx("%s: %s", field, why[m->code]);
	free(field);
	return (1);
}

/* -1: there is more to come. */
static int
answer(struct imsg *imsg)
{
	union msg_any	 any;
	const void	*m = any.bytes;
	uint32_t	 type = imsg_get_type(imsg);

	if (!msg_allowed(type, PROC_AUTH, PROC_CONTROL) ||
	    msg_decode(imsg, &any) == -1)
		errx(1, "risad says what risactl does not understand");
	switch (type) {
	case IMSG_RESULT:
		return (result(m));
	case IMSG_C_TENANT_ROW:
		output->out_tenant(m);
		break;
	case IMSG_C_USER_ROW:
		output->out_user(m);
		break;
	case IMSG_C_IMPORT_ROW:
		output->out_import(m);
		break;
	case IMSG_C_IMPORT_DONE:
		whole = 1;
		break;
	case IMSG_C_LINK:
		output->out_link(m);
		break;
	case IMSG_C_FLOOR_ROW:
		output->out_floor(m);
		break;
	case IMSG_C_GUEST_ROW:
		output->out_guest(m);
		break;
	case IMSG_C_SESSION_ROW:
		output->out_session(m);
		break;
	case IMSG_C_POLICY_ROW:
		output->out_policy(m);
		break;
	case IMSG_C_ROLE_ROW:
		output->out_role(m);
		break;
	case IMSG_C_OPERATOR_ROW:
		output->out_operator(m);
		break;
	case IMSG_C_PROC_ROW:
		output->out_process(m);
		break;
	case IMSG_C_ATTACK_ROW:
		output->out_attack(m);
		break;
	case IMSG_C_AUDIT_ROW:
		output->out_audit(m);
		break;
	case IMSG_C_AUDIT_STATE:
		whole = 1;
		output->out_trail(m);
		break;
	case IMSG_C_POINT:
		if (export_file != NULL)
			export_sign(((const struct m_c_point *)m)->line);
		else
			output->out_point(m);
		break;
	case IMSG_C_HOLD_ROW:
		output->out_hold(m);
		break;
	case IMSG_C_ERASED_ROW:
		output->out_erased(m);
		break;
	case IMSG_C_KEPT:
		output->out_kept(m);
		break;
	case IMSG_C_KEY_COPY:
		keys_copy(m);
		break;
	case IMSG_C_KEY_ROW:
		output->out_key_row(m);
		break;
	case IMSG_C_BACKUP_ROW:
		output->out_backup(m);
		break;
	case IMSG_C_BACKUP_PART:
		whole = 1;
		output->out_part(m);
		break;
	case IMSG_C_BACKUP_STEP:
		break;			/* it goes on */
	case IMSG_C_ALERT_ROW:
		output->out_alert(m);
		break;
	case IMSG_C_EXPORT_ROW:
		output->out_export(m);
		break;
	case IMSG_C_CONFIRM_ROW:
		output->out_confirm(m);
		break;
	case IMSG_C_STORAGE_ROW:
		output->out_storage(m);
		break;
	case IMSG_C_LOG_ROW:
		output->out_log(m);
		break;
	case IMSG_C_LOG_TEXT:
		export_text(&((const struct m_c_log_text *)m)->text);
		break;
	case IMSG_C_PROOF_ROW:
		output->out_key(m);
		break;
	case IMSG_C_STAT_ROW:
		output->out_stat(m);
		break;
	}
	return (-1);
}

/* Until RESULT: the exit code. */
static int
receive(struct imsgbuf *ib)
{
	struct imsg	 imsg;
	int		 n, code;

	for (;;) {
		while ((n = imsgbuf_get(ib, &imsg)) == 1) {
			code = answer(&imsg);
			imsg_free(&imsg);
			if (code != -1)
				return (code);
		}
		if (n == -1 || (n = imsgbuf_read(ib)) == -1)
			err(1, "read");
		if (n == 0)
			errx(1, "risad has closed the connection");
	}
}

/* Many messages and their answers, where others have one. */
static int
import(struct imsgbuf *ib, const struct command *cm)
{
	struct m_c_hello	 hello = { CONTROL_VERSION };
	int			 code;

	if (msg_compose(ib, IMSG_C_HELLO, 0, -1, &hello) == -1)
		err(1, "imsg");
	more = 1;
	code = import_send(ib, cm, receive);
	more = 0;
	return (code == 0 ? receive(ib) : code);
}

/* What needs no daemon. */
static int
alone(const struct command *cm)
{
	int	 code;

	output->out_begin(cm);
	if (cm->cm_flags & CM_KEYS)
		code = keys_verify(cm->cm_file, output);
	else if (cm->cm_flags & CM_RESTORE)
		code = keys_restore(cm->cm_file, cm->cm_directory, output);
	else if ((code = signature_check(cm->cm_file, cm->cm_signature,
	    cm->cm_key, output)) == -1) {
		points_read(cm->cm_file, cm->cm_key);
		code = points_print(output);
	}
	output->out_end();
	if (fflush(stdout) == EOF && code == 0)
		err(1, "stdout");
	return (code);
}

int
main(int argc, char *argv[])
{
	const char	*path = RISAD_SOCKET;
	struct imsgbuf	 ib;
	struct command	 cm;
	struct m_blob	 map = { NULL, 0 };
	struct m_c_operator operator = { 0 };
	int		 ch, code;

	json_set_alloc_funcs(memory_or_die, free);
	/* +: a name or a reason behind the first word is never an option. */
	while ((ch = getopt(argc, argv, "+js:z:")) != -1) {
		switch (ch) {
		case 'j':
			output = &output_json;
			break;
		case 's':
			path = optarg;
			break;
		case 'z':
			if (zone_set(optarg) == -1) {
				warnx("%s: no such zone", optarg);
				return (2);
			}
			break;
		default:
			usage();
		}
	}
	argc -= optind;
	argv += optind;
	if (argc == 0)
		usage();
	if (command_parse(&cm, argc, argv, stderr) == -1)
		return (2);
	/* Only for the width of characters: our text is always UTF-8. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	output_json_init();
	if (cm.cm_flags & (CM_VERIFY | CM_KEYS | CM_RESTORE))
		return (alone(&cm));
	if (cm.cm_type == IMSG_C_KEY_BACKUP) {
		keys_begin(cm.cm_file, cm.cm_directory == NULL ?
		    KEYS_DIRECTORY : cm.cm_directory);
		backup = 1;
	} else if (cm.cm_type == IMSG_C_IMPORT_END)
		import_read(cm.cm_file);
	else if (cm.cm_type == IMSG_C_AUDIT_VERIFY) {
		if (cm.cm_file != NULL)
			points_read(cm.cm_file, cm.cm_key);
	}
	else if (cm.cm_type == IMSG_C_LOG_SHOW ||
	    cm.cm_type == IMSG_C_TENANT_ERASE ||
	    cm.cm_type == IMSG_C_TENANT_EXPORT ||
	    cm.cm_type == IMSG_C_TENANT_CERT) {
		if (cm.cm_file != NULL)
			export_open(cm.cm_file);
	} else if (cm.cm_file != NULL)
		map_load(cm.cm_file, &map);
	if (cm.cm_account != NULL)
		account_find(&cm, &operator);
	if (cm.cm_flags & CM_PASSWORD)
		secret_ask();
	signal(SIGPIPE, SIG_IGN);
	control_connect(&ib, path);
	if (pledge(export_file == NULL && !backup ? "stdio" : "stdio cpath",
	    NULL) == -1)
		err(1, "sandbox");
	output->out_begin(&cm);
	if (cm.cm_type == IMSG_C_IMPORT_END)
		code = import(&ib, &cm);
	else {
		ask(&ib, &cm, &map, &operator);
		explicit_bzero(secret, sizeof(secret));
		code = receive(&ib);
	}
	if (export_file != NULL)
		export_close(code);
	if (fflush(stdout) == EOF && code == 0)
		err(1, "stdout");
	return (code);
}
