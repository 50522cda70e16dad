/*
 * The directory of backups: its generations, their manifests, and what is known
 * of each besides.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup.h"
#include "log.h"
#include "util.h"

#define CUT		(32L * 1024 * 1024)	/* bytes of a file at once */
#define MAC_LINE	(4 + 2 * SEAL_INDEX + 1)

/*
 * The directory.
 */

int
remove_file(const char *path)
{
	struct stat	 st;
	int		 fd, ret = 1;

	if (lstat(path, &st) == -1)
		return (errno == ENOENT ? 0 : -1);
	if (!S_ISREG(st.st_mode) || st.st_nlink > 1 || st.st_size <= CUT)
		return (unlink(path) == -1 ? -1 : 0);
	if ((fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)) == -1)
		return (-1);
	if (ftruncate(fd, st.st_size - CUT) == -1)
		ret = -1;
	(void)close(fd);
	return (ret);
}

int
remove_some(const char *dir)
{
	char		 path[PATH_MAX];
	struct dirent	*de;
	struct stat	 st;
	DIR		*d;
	int		 ret = 0;

	if ((d = opendir(dir)) == NULL)
		return (errno == ENOENT ? 0 : -1);
	while ((de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			break;
	if (de == NULL)
		ret = rmdir(dir) == -1 ? -1 : 0;
	else if (snprintf(path, sizeof(path), "%s/%s", dir, de->d_name) >=
	    (int)sizeof(path) || lstat(path, &st) == -1)
		ret = -1;
	else if (!S_ISDIR(st.st_mode))
		ret = remove_file(path) == -1 ? -1 : 1;
	else
		ret = remove_some(path) == -1 ? -1 : 1;
	(void)closedir(d);
	return (ret);
}

void
remove_all(const char *dir)
{
	int	 n;

	while ((n = remove_some(dir)) == 1)
		;
	if (n == -1)
		log_warn("%s: cannot be removed", dir);
}

/* How many generations are newer than one ("": all); the first, the last. */
unsigned int
generation_count(const char *than, char first[STAMP_TEXT],
    char last[STAMP_TEXT])
{
	struct dirent	*de;
	unsigned int	 n = 0;
	DIR		*d;

	first[0] = last[0] = '\0';
	if ((d = opendir(BACKUP_DIR)) == NULL)
		return (0);
	while ((de = readdir(d)) != NULL) {
		if (stamp_read(de->d_name, NULL) == -1 ||
		    strcmp(de->d_name, than) <= 0)
			continue;
		n++;
		if (first[0] == '\0' || strcmp(de->d_name, first) < 0)
			(void)strlcpy(first, de->d_name, STAMP_TEXT);
		if (strcmp(de->d_name, last) > 0)
			(void)strlcpy(last, de->d_name, STAMP_TEXT);
	}
	(void)closedir(d);
	return (n);
}

/* The one after this one, in its place; 0: there is none. */
int
generation_next(char stamp[STAMP_TEXT])
{
	char	 first[STAMP_TEXT], last[STAMP_TEXT];

	if (generation_count(stamp, first, last) == 0)
		return (0);
	(void)strlcpy(stamp, first, STAMP_TEXT);
	return (1);
}

/* What counts for nothing: begun and not ended.  1: some of it is left. */
int
generation_leftover(char path[MANIFEST_PATH])
{
	struct dirent	*de;
	const char	*dot;
	DIR		*d;

	path[0] = '\0';
	if ((d = opendir(BACKUP_DIR)) == NULL)
		return (0);
	while ((de = readdir(d)) != NULL) {
		dot = strrchr(de->d_name, '.');
		if (dot != NULL && (strcmp(dot, ".part") == 0 ||
		    strcmp(dot, ".gone") == 0) && strlen(de->d_name) < 32)
			(void)snprintf(path, MANIFEST_PATH, BACKUP_DIR "/%s",
			    de->d_name);
	}
	(void)closedir(d);
	return (path[0] != '\0');
}

void
backup_holds(FILE *f, uint32_t tenant)
{
	char		 stamp[STAMP_TEXT] = "";
	char		 path[MANIFEST_PATH];
	struct stat	 st;
	unsigned int	 n = 0;

	fprintf(f, "backups that hold it, and cannot be read any more:");
	while (generation_next(stamp)) {
		(void)snprintf(path, sizeof(path), BACKUP_DIR
		    "/%s/tenants/%u/main.db", stamp, tenant);
		if (stat(path, &st) == 0 && ++n)
			fprintf(f, " %s", stamp);
	}
	fprintf(f, "%s\n", n == 0 ? " none" : "");
}

void
task_path(const struct task *tk, const char *suffix,
    const struct manifest_file *mf, char path[MANIFEST_PATH])
{
	char	 dir[MANIFEST_PATH];

	(void)snprintf(dir, sizeof(dir), BACKUP_DIR "/%s%s",
	    tk->tk_mn.mn_stamp, suffix);
	if (manifest_path(path, dir, mf) == -1)
		path[0] = '\0';		/* no file has this name */
}

/*
 * Manifests, and what is known besides.
 */

static int
manifest_mac(const char *text, size_t len, uint8_t mac[SEAL_INDEX])
{
	struct db	*sys = db_system();

	return (sys == NULL ? -1 : seal_index(sys->db_seal, "backup", text,
	    len, mac));
}

/* NULL, or what is wrong with it. */
const char *
generation_load(struct manifest *mn, const char *stamp)
{
	char		 path[MANIFEST_PATH], *text = NULL;
	uint8_t		 mac[SEAL_INDEX], is[SEAL_INDEX];
	const char	*why = NULL;
	void		*data;
	ssize_t		 n;
	int		 fd;

	memset(mn, 0, sizeof(*mn));
	(void)snprintf(path, sizeof(path), BACKUP_DIR "/%s/manifest", stamp);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK)) == -1)
		return ("its manifest is missing");
	n = read_all(fd, MANIFEST_MAX, &data);
	(void)close(fd);
	if (n == -1)
		return ("its manifest cannot be read");
	text = data;
	if (n < MAC_LINE + 1 || memcmp(text + n - MAC_LINE, "mac ", 4) != 0 ||
	    text[n - 1] != '\n') {
		free(data);
		return ("its manifest is not whole");
	}
	text[n - 1] = '\0';
	if (hex_decode(is, sizeof(is), text + n - MAC_LINE + 4) == -1 ||
	    manifest_mac(text, (size_t)(n - MAC_LINE), mac) == -1 ||
	    memcmp(is, mac, sizeof(mac)) != 0)
		why = "its manifest was changed";
	text[n - MAC_LINE] = '\0';
	if (why == NULL && (manifest_read(mn, text,
	    (size_t)(n - MAC_LINE)) == -1 || strcmp(mn->mn_stamp, stamp) != 0))
		why = "its manifest is not of this backup";
	free(data);
	return (why);
}

static int
write_all(int fd, const char *text, size_t len)
{
	ssize_t	 n;

	for (; len > 0; text += n, len -= (size_t)n)
		if ((n = write(fd, text, len)) == -1)
			return (-1);
	return (0);
}

int
generation_store(struct task *tk, const char *dir)
{
	char	 path[MANIFEST_PATH], line[MAC_LINE + 1] = "mac ", *text;
	uint8_t	 mac[SEAL_INDEX];
	size_t	 len;
	int	 fd = -1, ret = -1;

	(void)snprintf(path, sizeof(path), "%.40s/manifest", dir);
	if ((text = manifest_write(&tk->tk_mn, &len)) != NULL &&
	    manifest_mac(text, len, mac) == 0 && (fd = open(path, O_WRONLY |
	    O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)) != -1) {
		hex_encode(line + 4, mac, sizeof(mac));
		line[MAC_LINE - 1] = '\n';
		if (write_all(fd, text, len) == 0 &&
		    write_all(fd, line, MAC_LINE) == 0)
			ret = fsync(fd);
	}
	if (fd != -1)
		(void)close(fd);
	free(text);
	return (ret);
}

/* A stamp as the number of its row. */
static uint64_t
stamp_row(const char *stamp)
{
	uint64_t	 n = 0;

	for (; *stamp != '\0'; stamp++)
		if (*stamp >= '0' && *stamp <= '9')
			n = n * 10 + (uint64_t)(*stamp - '0');
	return (n);
}

void
generation_state(const char *stamp, struct state *sa)
{
	struct seal_at		 at = { "backups", "state", 0, 0, NULL, 0 };
	struct db		*sys = db_system();
	unsigned long long	 verified, rehearsed;
	sqlite3_stmt		*st;
	char			*text = NULL;
	size_t			 len;
	int			 n = 0;

	memset(sa, 0, sizeof(*sa));
	if (sys == NULL)
		return;
	at.sa_row = stamp_row(stamp);
	st = db_query(sys, S_BACKUP_GET, ARGS(NUM(at.sa_row)));
	if (db_step(sys, st) == 1)
		text = db_open(sys, &at, st, 0, &len);
	db_done(st);
	if (text != NULL && sscanf(text, "%llu %llu %n", &verified, &rehearsed,
	    &n) == 2 && n > 0) {
		sa->sa_verified = verified;
		sa->sa_rehearsed = rehearsed;
		(void)strlcpy(sa->sa_fault, text + n, sizeof(sa->sa_fault));
	}
	free(text);
}

void
generation_state_put(const char *stamp, const struct state *sa)
{
	struct seal_at	 at = { "backups", "state", 0, 0, NULL, 0 };
	struct db	*sys = db_system();
	char		 text[MAX_LINE + 64];
	void		*rec;
	size_t		 len;

	at.sa_row = stamp_row(stamp);
	(void)snprintf(text, sizeof(text), "%llu %llu %s",
	    (unsigned long long)sa->sa_verified,
	    (unsigned long long)sa->sa_rehearsed, sa->sa_fault);
	if (sys == NULL || (rec = db_seal(sys, &at, text, strlen(text),
	    &len)) == NULL)
		return;
	if (db_exec(sys, S_BACKUP_PUT, ARGS(NUM(at.sa_row),
	    BIN(rec, len))) != 1)
		log_warnx("backup %s: its state cannot be written", stamp);
	free(rec);
}

void
generation_forget(const char *stamp)
{
	struct db	*sys = db_system();

	if (sys != NULL && stamp[0] != '\0')
		(void)db_exec(sys, S_BACKUP_DEL,
		    ARGS(NUM(stamp_row(stamp))));
}

void
generation_row(struct peer *pe, uint32_t id, const char *stamp,
    const struct manifest *mn, const char *why)
{
	struct m_c_backup_row	 m = { 0 };
	struct state		 sa;

	generation_state(stamp, &sa);
	m.stamp = stamp;
	m.at = mn->mn_at;
	m.took = mn->mn_took;
	m.bytes = manifest_bytes(mn);
	m.tenants = manifest_tenants(mn);
	m.files = (uint32_t)mn->mn_n;
	m.verified = sa.sa_verified;
	m.rehearsed = sa.sa_rehearsed;
	m.fault = why != NULL ? why : sa.sa_fault;
	(void)proc_send(pe, IMSG_C_BACKUP_ROW, id, -1, &m);
}

int
backup_next(char stamp[STAMP_TEXT], uint64_t *at, uint64_t *bytes,
    uint64_t *rehearsed)
{
	struct manifest	 mn;
	struct state	 sa;

	if (!generation_next(stamp))
		return (0);
	generation_state(stamp, &sa);
	(void)generation_load(&mn, stamp);
	(void)stamp_read(stamp, at);
	*bytes = manifest_bytes(&mn);
	*rehearsed = sa.sa_rehearsed;
	manifest_clear(&mn);
	return (1);
}
