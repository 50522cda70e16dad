#include <sys/file.h>
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "conf.h"
#include "log.h"
#include "proof.h"
#include "spawn.h"
#include "util.h"

#define RELOAD_TIMEOUT	10		/* seconds for all children to accept */
#define SECRET_LEN	32

static const char	*conf_path = RISAD_CONF;
static char		 conf_real[PATH_MAX];
static char		**macros;
static int		 nmacros;
static int		 debug;
static int		 exit_code;
static int		 ready_fd = -1;	/* the starter waits for a byte */

static struct conf	*conf;		/* in force */
static struct conf	*conf_next;	/* offered to the children */
static int		 conf_settling;	/* not all have put it in force yet */
static uint64_t		 generation;
static uint32_t		 reload_id;	/* auth's request; 0: a signal */
static int		 reload_asked;
static int		 reload_waits;	/* until one may be offered */
static struct event	 reload_timer;

static void		 reload(int);

/* Which child gets which file. */
static const enum proc_type	 file_for[FILE_MAX][2] = {
	[FILE_LISTEN_TLS] = { PROC_SESSION },
	[FILE_LISTEN_REDIRECT] = { PROC_SESSION },
	[FILE_LISTEN_PROXY] = { PROC_SESSION },
	[FILE_CERT] = { PROC_SESSION, PROC_KEYS },
	[FILE_KEY] = { PROC_KEYS },
	[FILE_MASTER] = { PROC_STORAGE },
	[FILE_PREVIOUS] = { PROC_STORAGE },
	[FILE_PEPPER] = { PROC_HASH },
	[FILE_SIGN] = { PROC_KEYS },
	[FILE_CONTROL] = { PROC_AUTH },
	[FILE_TURN] = { PROC_AUTH },
	[FILE_HTDOC] = { PROC_SESSION },
	[FILE_TEMPLATE] = { PROC_STORAGE },
};

static void __attribute__((noreturn))
usage(void)
{
	fprintf(stderr, "usage: risad [-dnv] [-D macro=value] [-f file]\n"
	    "       risad -k directory\n");
	exit(2);
}

static void
complain(const char *line)
{
	fprintf(stderr, "%s\n", line);
}

/* The last complaint of a reload, for risactl. */
static char	 reload_why[MAX_LINE + 1];

static void
reload_complain(const char *line)
{
	log_warnx("%s", line);
	if (reload_why[0] == '\0')
		(void)strlcpy(reload_why, line, sizeof(reload_why));
}

static int
send_files(struct child *ch, const struct conf *co)
{
	const struct conf_file_fd	*cf;
	struct m_conf_file		 m;
	int				 fd;

	TAILQ_FOREACH(cf, &co->co_files, cf_entry) {
		if (file_for[cf->cf_kind][0] != ch->ch_peer.pe_proc &&
		    file_for[cf->cf_kind][1] != ch->ch_peer.pe_proc)
			continue;
		m.kind = (uint8_t)cf->cf_kind;
		m.name = cf->cf_name;
		if ((fd = fcntl(cf->cf_fd, F_DUPFD_CLOEXEC, 3)) == -1)
			return (-1);
		if (spawn_send(ch, IMSG_CONF_FILE, 0, fd, &m) == -1) {
			close(fd);
			return (-1);
		}
		/* One by one, or the copies pile up in our table. */
		if (imsgbuf_write(&ch->ch_peer.pe_ibuf) == -1)
			return (-1);
	}
	return (0);
}

static int
send_conf(struct child *ch, void *arg)
{
	const struct conf	*co = arg;
	struct m_site		 m = { 0 };
	struct m_conf_end	 end = { co->co_generation };

	m.generation = co->co_generation;
	m.domain = co->co_domain;
	m.country = co->co_country;
	m.port = co->co_port;
	m.argon_kib = co->co_argon_kib;
	m.argon_passes = co->co_argon_passes;
	m.max_conns = co->co_max_conns;
	m.max_addr_conns = co->co_max_addr_conns;
	m.tenant_pages = co->co_tenant_pages;
	m.account_pages = co->co_account_pages;
	m.addr_arrivals = co->co_addr_arrivals;
	m.addr_requests = co->co_addr_requests;
	m.tenant_requests = co->co_tenant_requests;
	m.account_requests = co->co_account_requests;
	m.buffers = co->co_buffers;
	m.idle = co->co_idle;
	m.absolute = co->co_absolute;
	m.invite = co->co_invite;
	m.backup_at = (uint16_t)co->co_backup_at;
	m.backup_keep = (uint16_t)co->co_backup_keep;
	m.confirm = co->co_confirm;
	m.turn = co->co_turn;
	if (spawn_send(ch, IMSG_CONF_SITE, 0, -1, &m) == -1 ||
	    send_files(ch, co) == -1 ||
	    spawn_send(ch, IMSG_CONF_END, 0, -1, &end) == -1) {
		log_warn("configuration to %s %u",
		    proc_title(ch->ch_peer.pe_proc), ch->ch_peer.pe_inst);
		/* It would wait for ever; a new one gets a new chance. */
		kill(ch->ch_pid, SIGKILL);
	}
	return (0);
}

static int
send_commit(struct child *ch, void *arg)
{
	struct m_conf_end	 m = { *(uint64_t *)arg };

	(void)spawn_send(ch, IMSG_CONF_COMMIT, 0, -1, &m);
	return (0);
}

static int
not_acked(struct child *ch, void *arg)
{
	return (ch->ch_acked < *(uint64_t *)arg);
}

static int
not_live(struct child *ch, void *arg)
{
	return (ch->ch_live < *(uint64_t *)arg);
}

static void
reload_answer(enum result code, const char *why)
{
	struct child	*auth = spawn_child(PROC_AUTH, 0);

	if (reload_asked && auth != NULL)
		(void)proc_result(&auth->ch_peer, reload_id, code, 0, why);
	reload_asked = 0;
	if (reload_waits)
		reload(0);
}

/* Tell whoever started the daemon that it serves, and let go of him. */
static void
detach(void)
{
	int	 fd;

	if (ready_fd == -1)
		return;
	log_init(0);
	if ((fd = open("/dev/null", O_RDWR)) != -1) {
		(void)dup2(fd, STDIN_FILENO);
		(void)dup2(fd, STDOUT_FILENO);
		(void)dup2(fd, STDERR_FILENO);
		if (fd > 2)
			close(fd);
	}
	if (write(ready_fd, "", 1) != 1)
		log_warn("whoever started us has gone");
	close(ready_fd);
	ready_fd = -1;
}

static void
conf_commit(void)
{
	struct timeval	 tv = { RELOAD_TIMEOUT, 0 };

	conf_free(conf);
	conf = conf_next;
	conf_next = NULL;
	conf_settling = 1;
	evtimer_add(&reload_timer, &tv);
	(void)spawn_each(send_commit, &conf->co_generation);
}

/* Whoever asked may now count on it: no process holds the one before. */
static void
conf_live(struct child *ch, const struct m_conf_end *m)
{
	ch->ch_live = m->generation;
	if (!conf_settling || spawn_each(not_live, &conf->co_generation) != 0)
		return;
	conf_settling = 0;
	evtimer_del(&reload_timer);
	if (conf->co_generation == 1)
		log_info("risad %s serves %s with %u session workers",
		    RISAD_VERSION, conf->co_domain, conf->co_nsession);
	else
		log_info("configuration reloaded");
	detach();
	reload_answer(R_OK, NULL);
}

static void
conf_abort(const char *why)
{
	evtimer_del(&reload_timer);
	log_warnx("configuration: %s", why);
	if (conf == NULL) {
		/* The first one: without it there is nothing to keep. */
		exit_code = 1;
		spawn_stop();
		return;
	}
	conf_free(conf_next);
	conf_next = NULL;
	reload_answer(R_REFUSED, why);
}

static void
reload_slow(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (!conf_settling) {
		conf_abort("not all processes have accepted it in time");
		return;
	}
	/* Accepted is accepted; who is stuck is found by other means. */
	conf_settling = 0;
	log_warnx("configuration: accepted, not yet in force everywhere");
	detach();
	reload_answer(R_REFUSED, "accepted, not yet in force everywhere");
}

/*
 * Offer the next configuration to all children.  It comes into force when each
 * of them has accepted it; until then, and if one refuses, the old one holds.
 */
static void
conf_offer(struct conf *co)
{
	struct timeval	 tv = { RELOAD_TIMEOUT, 0 };

	conf_next = co;
	co->co_generation = ++generation;
	evtimer_add(&reload_timer, &tv);
	if (conf != NULL)
		(void)spawn_each(send_conf, co);
}

/*
 * asked: by risactl, whom the one that is under way may not be for.  A signal
 * is of whoever has edited the file since that was read: it is read again.
 */
static void
reload(int asked)
{
	char		 err[MAX_LINE + 1];
	struct conf	*co;

	if (conf == NULL || conf_next != NULL || conf_settling) {
		log_warnx("reload: a configuration is under way");
		if (asked)
			reload_answer(R_REFUSED,
			    "a configuration is under way");
		else
			reload_waits = 1;
		return;
	}
	/* It holds one offer: the next would take the place of ours. */
	reload_waits = spawn_each(not_acked, &conf->co_generation) != 0;
	if (reload_waits) {
		log_info("reload: waits for a process that starts");
		return;
	}
	reload_why[0] = '\0';
	co = parse_config(conf_path, macros, nmacros, reload_complain);
	if (co == NULL) {
		reload_answer(R_REFUSED, reload_why);
		return;
	}
	if (conf_reloadable(conf, co, err, sizeof(err)) == -1 ||
	    conf_open(co, conf, err, sizeof(err)) == -1) {
		log_warnx("configuration: %s", err);
		conf_free(co);
		reload_answer(R_REFUSED, err);
		return;
	}
	conf_offer(co);
}

static void
conf_ack(struct child *ch, const struct m_conf_ack *m)
{
	char	 why[MAX_LINE + 64];

	if (conf_next == NULL || m->generation != conf_next->co_generation) {
		if (conf == NULL || m->generation != conf->co_generation)
			return;			/* of an offer withdrawn */
		/* Started again: it joins the configuration in force. */
		if (!m->ok) {
			log_warnx("%s: %s", proc_title(ch->ch_peer.pe_proc),
			    log_safe(m->why));
			kill(ch->ch_pid, SIGKILL);
			return;
		}
		ch->ch_acked = m->generation;
		spawn_settled(ch);
		(void)send_commit(ch, &conf->co_generation);
		if (reload_waits)
			reload(0);
		return;
	}
	if (!m->ok) {
		(void)snprintf(why, sizeof(why), "%s: %s",
		    proc_title(ch->ch_peer.pe_proc), log_safe(m->why));
		conf_abort(why);
		return;
	}
	ch->ch_acked = m->generation;
	spawn_settled(ch);
	if (spawn_each(not_acked, &conf_next->co_generation) == 0)
		conf_commit();
}

/* A new child: at the start with the offer, later with what is in force. */
static void
child_started(struct child *ch)
{
	/* Whom the one before it asked for has gone with it. */
	if (ch->ch_peer.pe_proc == PROC_AUTH)
		reload_asked = 0;
	if (conf == NULL)
		(void)send_conf(ch, conf_next);
	else {
		(void)send_conf(ch, conf);
		if (conf_next != NULL)
			conf_abort("a process died meanwhile");
	}
}

static void
child_hopeless(struct child *ch)
{
	log_warnx("%s %u dies again and again: stopping",
	    proc_title(ch->ch_peer.pe_proc), ch->ch_peer.pe_inst);
	exit_code = 1;
	spawn_stop();
}

static void
all_stopped(int killed)
{
	if (conf != NULL && unlink(conf->co_control) == -1 && errno != ENOENT)
		log_warn("%s", conf->co_control);
	proc_exit(killed ? 1 : exit_code);
}

struct asked {
	struct child	*by;
	uint32_t	 id;
};

static int
proc_row(struct child *ch, void *arg)
{
	struct asked		*a = arg;
	struct m_c_proc_row	 m = { 0 };

	m.proc = (uint8_t)ch->ch_peer.pe_proc;
	m.inst = (uint16_t)ch->ch_peer.pe_inst;
	m.pid = (uint32_t)ch->ch_pid;
	m.restarts = ch->ch_restarts;
	m.started = ch->ch_started;
	m.up = ch->ch_acked != 0;
	(void)spawn_send(a->by, IMSG_C_PROC_ROW, a->id, -1, &m);
	return (0);
}

static int
count_restarts(struct child *ch, void *arg)
{
	*(uint64_t *)arg += ch->ch_restarts;
	return (0);
}

static uint64_t	 started;

static void
show_processes(struct child *by, uint32_t id)
{
	struct asked		 a = { by, id };
	struct m_c_proc_row	 self = { 0 };

	self.pid = (uint32_t)getpid();
	self.started = started;
	self.up = 1;
	(void)spawn_send(by, IMSG_C_PROC_ROW, id, -1, &self);
	(void)spawn_each(proc_row, &a);
	(void)proc_result(&by->ch_peer, id, R_OK, 0, NULL);
}

static void
stat_row(struct child *by, uint32_t id, const char *name, uint64_t value)
{
	struct m_c_stat_row	 m = { name, value };

	(void)spawn_send(by, IMSG_C_STAT_ROW, id, -1, &m);
}

static void
show_stats(struct child *by, uint32_t id)
{
	uint64_t	 restarts = 0;

	(void)spawn_each(count_restarts, &restarts);
	stat_row(by, id, "risad.started", started);
	stat_row(by, id, "risad.generation",
	    conf == NULL ? 0 : conf->co_generation);
	stat_row(by, id, "risad.restarts", restarts);
	(void)proc_result(&by->ch_peer, id, R_OK, 0, NULL);
}

static int
send_verbose(struct child *ch, void *arg)
{
	(void)spawn_send(ch, IMSG_VERBOSE, 0, -1, arg);
	return (0);
}

static int
child_said(struct child *ch, uint32_t type, uint32_t id, const void *m)
{
	struct m_verbose	 v;

	switch (type) {
	case IMSG_CONF_ACK:
		conf_ack(ch, m);
		return (0);
	case IMSG_CONF_LIVE:
		conf_live(ch, m);
		return (0);
	case IMSG_C_PROCESSES:
		show_processes(ch, id);
		return (0);
	case IMSG_C_STATUS:
	case IMSG_C_STATS:
		show_stats(ch, id);
		return (0);
	case IMSG_C_VERBOSE:
		v.verbose = ((const struct m_c_verbose *)m)->verbose;
		log_setverbose(v.verbose != 0);
		(void)spawn_each(send_verbose, &v);
		(void)proc_result(&ch->ch_peer, id, R_OK, 0, NULL);
		return (0);
	case IMSG_C_RELOAD:
		if (reload_asked) {
			(void)proc_result(&ch->ch_peer, id, R_REFUSED, 0,
			    "a configuration is under way");
			return (0);
		}
		reload_id = id;
		reload_asked = 1;
		reload(1);
		return (0);
	default:
		return (-1);
	}
}

static const struct spawn_ops	 spawn_ops = {
	.so_imsg = child_said,
	.so_started = child_started,
	.so_hopeless = child_hopeless,
	.so_stopped = all_stopped,
};

static void
on_signal(int sig, short what, void *arg)
{
	(void)what;
	(void)arg;
	if (sig == SIGHUP) {
		reload(0);
		return;
	}
	log_info("stopping");
	spawn_stop();
}

static int
run_child(const char *title, unsigned int inst)
{
	static const struct proc_ops	*const all[] = {
		&storage_ops, &keys_ops, &hash_ops, &auth_ops, &session_ops
	};
	size_t				 i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(title, proc_title(all[i]->po_proc)) == 0)
			return (proc_main(all[i], inst));
	errx(2, "no process is called %s", title);
}

/*
 * What the parent, root for ever, needs of the file system from now on: to
 * read what a reload names, to start this very program, the lock and what
 * storage will write, and to take the control socket away at the end.
 */
static void
jail(const char *program)
{
	char	 dir[PATH_MAX];

	if (strlcpy(dir, conf_next->co_control, sizeof(dir)) >= sizeof(dir))
		fatalx("control socket: name too long");
	*strrchr(dir, '/') = '\0';
	if (unveil("/", "r") == -1 || unveil(program, "rx") == -1 ||
	    unveil("/dev/null", "rw") == -1 ||
	    unveil(conf_next->co_data, "rwc") == -1 ||
	    unveil(*dir == '\0' ? "/" : dir, *dir == '\0' ? "rc" : "c") == -1 ||
	    unveil(NULL, NULL) == -1)
		fatal("unveil");
	if (pledge("stdio rpath wpath cpath flock fattr inet unix sendfd "
	    "recvfd proc exec id", NULL) == -1)
		fatal("sandbox");
}

/* Fork away; the first process stays until the daemon serves or has failed. */
static void
go_background(void)
{
	int	 fds[2];
	char	 byte;

	if (pipe2(fds, O_CLOEXEC) == -1)
		err(1, "pipe");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		break;
	default:
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) == 1 ? 0 : 1);
	}
	close(fds[0]);
	ready_fd = fds[1];
	if (setsid() == -1)
		err(1, "setsid");
}

/* Said here once, and not by each child in each of its lives. */
static void
dir_needed(const char *path)
{
	int	 fd;

	if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		err(1, "%s", path);
	close(fd);
}

static int
run_parent(const char *program)
{
	static const int	 sigs[] = { SIGINT, SIGTERM, SIGHUP };
	static struct event	 evs[3];
	char			 msg[MAX_LINE + 1];
	const char		*user;
	size_t			 i;

	if (conf_inherit() == -1)
		err(1, "the sockets that were handed over");
	dir_needed(conf_next->co_data);
	dir_needed(conf_next->co_chroot);
	if ((user = spawn_nobody()) != NULL)
		errx(1, "no such user: %s", user);
	if (conf_open(conf_next, NULL, msg, sizeof(msg)) == -1)
		errx(1, "%s", msg);
	if (!debug)
		go_background();
	log_init(1);		/* on stderr until we serve */
	log_title("parent");
	if (chdir("/") == -1)
		fatal("chdir");
	started = now_ms();
	signal(SIGPIPE, SIG_IGN);
	event_init();
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		signal_set(&evs[i], sigs[i], on_signal, NULL);
		signal_add(&evs[i], NULL);
	}
	evtimer_set(&reload_timer, reload_slow, NULL);
	jail(program);
	conf_offer(conf_next);
	spawn_init(&spawn_ops, program, debug, conf_next);
	return (proc_loop(NULL, NULL));
}

static void
make_secret(int dirfd, const char *dir, const char *name)
{
	uint8_t	 key[SECRET_LEN];
	int	 fd;

	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0400);
	if (fd == -1 && errno == EEXIST) {
		printf("%s/%s: exists, left alone\n", dir, name);
		return;
	}
	arc4random_buf(key, sizeof(key));
	if (fd == -1 || write(fd, key, sizeof(key)) != sizeof(key) ||
	    fsync(fd) == -1 || close(fd) == -1)
		err(1, "%s/%s", dir, name);
	explicit_bzero(key, sizeof(key));
	printf("%s/%s: made\n", dir, name);
}

/* What others check our signatures by, beside the key that makes them. */
static void
make_public(int dirfd, const char *dir)
{
	uint8_t	 seed[PROOF_KEY], pub[PROOF_KEY];
	char	 pem[PROOF_PEM];
	size_t	 len;
	int	 fd;

	if ((fd = openat(dirfd, "sign.key", O_RDONLY | O_NOFOLLOW |
	    O_CLOEXEC)) == -1 || read(fd, seed, sizeof(seed)) != sizeof(seed))
		err(1, "%s/sign.key", dir);
	close(fd);
	if (proof_public(seed, pub) == -1 || proof_pem(pub, pem) == -1)
		errx(1, "%s/sign.pub: cannot be made", dir);
	explicit_bzero(seed, sizeof(seed));
	len = strlen(pem);
	if ((fd = openat(dirfd, "sign.pub", O_WRONLY | O_CREAT | O_TRUNC |
	    O_NOFOLLOW | O_CLOEXEC, 0444)) == -1 ||
	    write(fd, pem, len) != (ssize_t)len || fsync(fd) == -1 ||
	    close(fd) == -1)
		err(1, "%s/sign.pub", dir);
}

/* risad -k: the secrets that an installation needs, never over old ones. */
static int
make_secrets(const char *dir)
{
	int	 fd;

	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		err(1, "%s", dir);
	make_secret(fd, dir, "master.key");
	make_secret(fd, dir, "pepper.key");
	make_secret(fd, dir, "sign.key");
	make_public(fd, dir);
	if (fsync(fd) == -1)
		err(1, "%s", dir);
	close(fd);
	return (0);
}

int
main(int argc, char *argv[])
{
	const char	*title = NULL, *errstr, *keys = NULL;
	char		 program[PATH_MAX];
	unsigned int	 inst = 0;
	int		 ch, check = 0, verbose = 0;

	json_set_alloc_funcs(memory_or_die, free);
	while ((ch = getopt(argc, argv, "D:df:I:k:nP:v")) != -1) {
		switch (ch) {
		case 'D':
			macros = reallocarray(macros, (size_t)nmacros + 1,
			    sizeof(*macros));
			if (macros == NULL)
				err(1, NULL);
			macros[nmacros++] = optarg;
			break;
		case 'd':
			debug = 1;
			break;
		case 'f':
			conf_path = optarg;
			break;
		case 'I':
			inst = (unsigned int)strtonum(optarg, 0,
			    MAX_SESSIONS - 1, &errstr);
			if (errstr != NULL)
				usage();
			break;
		case 'k':
			keys = optarg;
			break;
		case 'n':
			check = 1;
			break;
		case 'P':
			title = optarg;
			break;
		case 'v':
			verbose = 1;
			break;
		default:
			usage();
		}
	}
	if (argc != optind)
		usage();
	if (title != NULL)
		return (run_child(title, inst));
	if (keys != NULL)
		return (make_secrets(keys));

	conf_next = parse_config(conf_path, macros, nmacros, complain);
	if (conf_next == NULL)
		return (1);
	if (check) {
		if (verbose)
			print_config(conf_next);
		fprintf(stderr, "configuration OK\n");
		return (0);
	}
	if (geteuid() != 0)
		errx(1, "must be started as root");
	/* The children are this very program, wherever we are by then. */
	if (realpath(argv[0], program) == NULL || argv[0][0] != '/')
		errx(1, "start it by its absolute path: the children are "
		    "started by it");
	/* Likewise the configuration, when it is read again. */
	if (realpath(conf_path, conf_real) == NULL)
		err(1, "%s", conf_path);
	conf_path = conf_real;
	log_setverbose(verbose);
	return (run_parent(program));
}
