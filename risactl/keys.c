#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <readpassphrase.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drop.h"
#include "keypack.h"
#include "keys.h"
#include "seal.h"
#include "utf8.h"
#include "util.h"

#define PASS_MIN	12		/* characters of a new passphrase */
#define PASS_MAX	1024

static const struct {
	enum keypack_kind	 kind;
	const char		*name;
} singles[] = {
	{ KEYPACK_MASTER, "master" },
	{ KEYPACK_PEPPER, "pepper" },
	{ KEYPACK_SIGN, "sign" },
};
#define SINGLES	(sizeof(singles) / sizeof(singles[0]))

static char		 pass[PASS_MAX];
static struct ibuf	*entries;
static uint32_t		 count;
static uint64_t		 made_at;
static uint8_t		 master[SEAL_KEY];
static char		 path_end[PATH_MAX], path_part[PATH_MAX];
static int		 part_fd = -1;

/* Typed, or the first line of what is piped in; never in argv. */
static void
pass_read(const char *prompt, char buf[PASS_MAX])
{
	if (readpassphrase(prompt, buf, PASS_MAX, RPP_ECHO_OFF |
	    (isatty(STDIN_FILENO) ? 0 : RPP_STDIN)) == NULL || buf[0] == '\0')
		errx(1, "no passphrase was given");
}

static void
pass_new(void)
{
	char	 again[PASS_MAX];
	ssize_t	 len;
	int	 same;

	pass_read("Passphrase of the key backup: ", pass);
	if ((len = utf8_length(pass, strlen(pass))) == -1)
		errx(1, "the passphrase is not UTF-8");
	if (len < PASS_MIN)
		errx(1, "the passphrase is shorter than %d characters",
		    PASS_MIN);
	if (!isatty(STDIN_FILENO))
		return;
	pass_read("The same again: ", again);
	same = strcmp(pass, again) == 0;
	explicit_bzero(again, sizeof(again));
	if (!same)
		errx(1, "the two passphrases differ");
}

/* dir/name with an end; ends the program where that is too long. */
static void
join(char buf[PATH_MAX], const char *dir, const char *name, const char *end)
{
	if (snprintf(buf, PATH_MAX, "%s/%s%s", dir, name, end) >= PATH_MAX)
		errx(1, "%s: name too long", dir);
}

static void
entry_add(const struct keypack_entry *ke)
{
	if (keypack_put(entries, ke) == -1)
		errx(1, "no memory");
	count++;
}

static void
single_read(const char *dir, size_t i)
{
	struct keypack_entry	 ke = { .ke_kind = (uint8_t)singles[i].kind };
	char			 path[PATH_MAX];
	void			*data;
	ssize_t			 n;
	int			 fd;

	join(path, dir, singles[i].name, ".key");
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 ||
	    (n = read_all(fd, SEAL_KEY, &data)) == -1)
		err(1, "%s", path);
	close(fd);
	if (n != SEAL_KEY)
		errx(1, "%s: not a key of 32 bytes", path);
	memcpy(ke.ke_key, data, SEAL_KEY);
	ke.ke_len = SEAL_KEY;
	if (ke.ke_kind == KEYPACK_MASTER)
		memcpy(master, data, SEAL_KEY);
	freezero(data, (size_t)n);
	entry_add(&ke);
	explicit_bzero(&ke, sizeof(ke));
}

/* At the exit, whatever led to it. */
static void
forget(void)
{
	explicit_bzero(pass, sizeof(pass));
	explicit_bzero(master, sizeof(master));
}

static void
part_open(const char *path)
{
	struct stat	 sb;

	if (lstat(path, &sb) == 0)
		errx(1, "%s: exists, left alone", path);
	if (snprintf(path_end, sizeof(path_end), "%s.part", path) >= PATH_MAX)
		errx(1, "%s: name too long", path);
	if ((part_fd = open(path_end, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600)) == -1)
		err(1, "%s", path_end);
	(void)strlcpy(path_part, path_end, sizeof(path_part));
	(void)strlcpy(path_end, path, sizeof(path_end));
	drop_file(path_part);		/* its end has another name */
}

void
keys_begin(const char *path, const char *dir)
{
	size_t	 i;

	if (atexit(forget) != 0)
		err(1, NULL);
	if (seal_init() == -1 ||
	    (entries = ibuf_dynamic(4096, KEYPACK_MAX)) == NULL)
		errx(1, "no memory");
	for (i = 0; i < SINGLES; i++)
		single_read(dir, i);
	part_open(path);
	pass_new();
}

void
keys_copy(const struct m_c_key_copy *m)
{
	struct keypack_entry	 ke = { .ke_kind = KEYPACK_TENANT };
	uint8_t			 key[SEAL_KEY];
	uint32_t		 generation;

	ke.ke_tenant = m->tenant;
	(void)strlcpy(ke.ke_name, m->name, sizeof(ke.ke_name));
	ke.ke_len = m->key.mb_len;
	if (ke.ke_len < SEAL_WRAPPED)
		errx(1, "risad has handed out what is no key");
	memcpy(ke.ke_key, m->key.mb_data, ke.ke_len);
	if (seal_unwrap(master, m->tenant, ke.ke_key, SEAL_WRAPPED,
	    &generation, key) == -1)
		errx(1, "the master key that was read is not the one that "
		    "risad uses");
	explicit_bzero(key, sizeof(key));
	made_at = m->at;
	entry_add(&ke);
}

/* The text is the begin, which knows how many there are, and the entries. */
static uint8_t *
file_make(uint32_t backup, size_t *len)
{
	struct keypack_head	 kh = { made_at, backup, count };
	struct ibuf		*text;
	uint8_t			*file = NULL;

	if ((text = ibuf_dynamic(4096, KEYPACK_MAX)) != NULL &&
	    keypack_begin(text, &kh) == 0 && ibuf_add(text,
	    ibuf_data(entries), ibuf_size(entries)) == 0)
		file = keypack_seal(pass, KEYPACK_KIB, KEYPACK_PASSES,
		    ibuf_data(text), ibuf_size(text), len);
	ibuf_free(text);
	ibuf_free(entries);
	if (file == NULL)
		errx(1, "no memory for the key backup");
	return (file);
}

void
keys_end(uint32_t backup, const struct output *output)
{
	uint8_t	*file;
	size_t	 len, off;
	ssize_t	 n;

	if (made_at == 0)
		made_at = now_ms();	/* there is no tenant yet */
	file = file_make(backup, &len);
	for (off = 0; off < len; off += (size_t)n)
		if ((n = write(part_fd, file + off, len - off)) <= 0)
			err(1, "%s", path_part);
	free(file);
	if (fsync(part_fd) == -1 || close(part_fd) == -1)
		err(1, "%s", path_part);
	/* Unlike rename, it replaces nothing. */
	if (link(path_part, path_end) == -1)
		err(1, "%s", path_end);
	output->out_keypack(backup, made_at, count);
}

/*
 * Without the daemon.
 */

static struct ibuf	 opened;
static uint8_t		*opened_text;
static size_t		 opened_len;
static struct keypack_head opened_head;

static void
opened_drop(void)
{
	freezero(opened_text, opened_len);
	explicit_bzero(pass, sizeof(pass));
}

static void
file_open(const char *path, struct keypack_head *kh)
{
	const char	*why;
	void		*data;
	ssize_t		 n;
	int		 fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 ||
	    (n = read_all(fd, KEYPACK_MAX, &data)) == -1)
		err(1, "%s", path);
	close(fd);
	pass_read("Passphrase of the key backup: ", pass);
	opened_text = keypack_open(pass, data, (size_t)n, &opened_len, &why);
	free(data);
	if (atexit(opened_drop) != 0)
		err(1, NULL);
	if (opened_text == NULL)
		errx(1, "%s: %s", path, why);
	ibuf_from_buffer(&opened, opened_text, opened_len);
	if (keypack_head(&opened, kh) == -1)
		errx(1, "%s: it is damaged", path);
}

static const char *
single_name(uint8_t kind)
{
	size_t	 i;

	for (i = 0; i < SINGLES; i++)
		if (singles[i].kind == kind)
			return (singles[i].name);
	return (NULL);
}

/* Each entry in turn; a file that is not what we write ends the program. */
static void
each(const char *path, const struct keypack_head *kh,
    void (*fn)(const struct keypack_entry *))
{
	struct keypack_entry	 ke;
	struct ibuf		 buf;
	uint32_t		 i;

	ibuf_from_ibuf(&buf, &opened);
	for (i = 0; i < kh->kh_count; i++) {
		if (keypack_get(&buf, &ke) == -1 ||
		    (i == 0 && ke.ke_kind != KEYPACK_MASTER))
			errx(1, "%s: it is damaged", path);
		if (fn != NULL)
			fn(&ke);
		explicit_bzero(&ke, sizeof(ke));
	}
	if (ibuf_size(&buf) != 0)
		errx(1, "%s: it is damaged", path);
}

/* The generations of a tenant's key, as far as the master key opens them. */
static const struct output	*out;
static int			 closed;

static void
entry_print(const struct keypack_entry *ke)
{
	struct packed	 pk = { .pk_tenant = ke->ke_tenant,
			    .pk_name = ke->ke_name };
	uint32_t	 generations[MAX_KEYFILE / SEAL_WRAPPED];
	uint8_t		 key[SEAL_KEY];
	size_t		 off;

	if (ke->ke_kind == KEYPACK_MASTER)
		memcpy(master, ke->ke_key, SEAL_KEY);
	pk.pk_kind = single_name(ke->ke_kind);
	pk.pk_generations = generations;
	for (off = 0; pk.pk_kind == NULL && off < ke->ke_len;
	    off += SEAL_WRAPPED) {
		if (seal_unwrap(master, ke->ke_tenant, ke->ke_key + off,
		    SEAL_WRAPPED, &generations[pk.pk_n], key) == -1)
			pk.pk_closed++;
		else
			pk.pk_n++;
	}
	explicit_bzero(key, sizeof(key));
	closed |= pk.pk_closed != 0;
	out->out_packed(&pk);
}

int
keys_verify(const char *path, const struct output *output)
{
	struct keypack_head	*kh = &opened_head;

	if (seal_init() == -1)
		errx(1, "no memory");
	file_open(path, kh);
	each(path, kh, NULL);		/* all of it, before a word */
	out = output;
	output->out_keypack(kh->kh_backup, kh->kh_at, kh->kh_count);
	each(path, kh, entry_print);
	explicit_bzero(master, sizeof(master));
	return (closed);
}

static void
file_put(const char *path, const void *data, size_t len, mode_t mode)
{
	ssize_t	 n;
	int	 fd;

	if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, mode)) == -1)
		err(1, "%s", path);
	n = write(fd, data, len);
	if (n == -1 || (size_t)n != len || fsync(fd) == -1 || close(fd) == -1)
		err(1, "%s", path);
}

/* Below path_part, which gets its name when all is there. */
static void
entry_put(const struct keypack_entry *ke)
{
	char	 path[PATH_MAX], name[32];

	if (ke->ke_kind != KEYPACK_TENANT) {
		join(path, path_part, single_name(ke->ke_kind), ".key");
		file_put(path, ke->ke_key, ke->ke_len, 0400);
		return;
	}
	(void)snprintf(name, sizeof(name), "keys/%u", ke->ke_tenant);
	join(path, path_part, name, ".key");
	file_put(path, ke->ke_key, ke->ke_len, 0600);
}

static void
entry_drop(const struct keypack_entry *ke)
{
	char	 path[PATH_MAX], name[32];

	(void)snprintf(name, sizeof(name), "keys/%u", ke->ke_tenant);
	join(path, path_part, ke->ke_kind == KEYPACK_TENANT ? name :
	    single_name(ke->ke_kind), ".key");
	(void)unlink(path);
}

/* At the exit: what is not whole goes again. */
static void
dir_drop(void)
{
	char	 keys[PATH_MAX];

	if (path_part[0] == '\0')
		return;
	each(path_part, &opened_head, entry_drop);
	join(keys, path_part, "keys", "");
	(void)rmdir(keys);
	(void)rmdir(path_part);
}

static void
dir_make(const char *dir)
{
	struct stat	 sb;
	char		 keys[PATH_MAX];

	if (lstat(dir, &sb) == 0)
		errx(1, "%s: exists, nothing is written", dir);
	if (snprintf(path_part, sizeof(path_part), "%s.part", dir) >= PATH_MAX)
		errx(1, "%s: name too long", dir);
	join(keys, path_part, "keys", "");
	if (mkdir(path_part, 0700) == -1) {
		warn("%s", path_part);
		path_part[0] = '\0';
		exit(1);
	}
	if (mkdir(keys, 0700) == -1)
		err(1, "%s", path_part);
}

static void
dir_name(const char *dir)
{
	int	 fd;

	if ((fd = open(path_part, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1 ||
	    fsync(fd) == -1 || rename(path_part, dir) == -1)
		err(1, "%s", dir);
	path_part[0] = '\0';
	close(fd);
}

int
keys_restore(const char *path, const char *dir, const struct output *output)
{
	file_open(path, &opened_head);
	each(path, &opened_head, NULL);
	if (atexit(dir_drop) != 0)
		err(1, NULL);
	dir_make(dir);
	each(path, &opened_head, entry_put);
	dir_name(dir);
	output->out_unpacked(dir);
	return (0);
}
