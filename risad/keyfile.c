#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keyfile.h"
#include "log.h"

#define PATH		32

/* ID.key is in force; a kill may leave one of the others. */
enum name { NAME_KEY, NAME_NEW, NAME_OLD };

static struct seal	*master, *previous;

int
keyfile_masters(const uint8_t now[SEAL_KEY], const uint8_t *before)
{
	struct seal	*m, *p = NULL;

	if ((m = seal_new(now, 0)) == NULL ||
	    (before != NULL && (p = seal_new(before, 0)) == NULL)) {
		seal_free(m);
		return (-1);
	}
	keyfile_forget();
	master = m;
	previous = p;
	return (0);
}

const uint8_t *
keyfile_master(void)
{
	return (master == NULL ? NULL : seal_key(master));
}

const uint8_t *
keyfile_previous(void)
{
	return (previous == NULL ? NULL : seal_key(previous));
}

void
keyfile_forget(void)
{
	seal_free(master);
	seal_free(previous);
	master = previous = NULL;
}

static void
key_path(char buf[PATH], uint32_t tenant, enum name name)
{
	static const char *const	 ends[] = { "key", "new", "old" };

	(void)snprintf(buf, PATH, "keys/%u.%s", tenant, ends[name]);
}

int
keyfile_there(uint32_t tenant)
{
	char	 path[PATH];

	key_path(path, tenant, NAME_KEY);
	return (access(path, F_OK) == 0);
}

int
dir_sync(const char *path)
{
	int	 fd, ret;

	if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (-1);
	ret = fsync(fd);
	(void)close(fd);
	return (ret);
}

/* One record of a file, by the one master or the other; 0, or -1. */
static int
unwrap(struct keyfile *kf, uint32_t tenant, const uint8_t *rec,
    uint32_t *generation, uint8_t key[SEAL_KEY])
{
	if (master != NULL && seal_unwrap(seal_key(master), tenant, rec,
	    SEAL_WRAPPED, generation, key) == 0)
		return (0);
	if (previous == NULL || seal_unwrap(seal_key(previous), tenant, rec,
	    SEAL_WRAPPED, generation, key) == -1)
		return (-1);
	kf->kf_previous = 1;
	return (0);
}

enum db_why
keyfile_read(uint32_t tenant, struct keyfile *kf)
{
	uint8_t	 file[KEYFILE_MAX + 1];
	char	 path[PATH];
	ssize_t	 n;
	int	 fd;

	memset(kf, 0, sizeof(*kf));
	key_path(path, tenant, NAME_KEY);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) == -1) {
		log_warn("%s", path);
		return (errno == ENOENT ? DB_MISSING : DB_TROUBLE);
	}
	n = read(fd, file, sizeof(file));
	(void)close(fd);
	if ((n == SEAL_WRAPPED || n == KEYFILE_MAX) && unwrap(kf, tenant,
	    file, &kf->kf_generation, kf->kf_key) == 0 &&
	    (n == SEAL_WRAPPED || unwrap(kf, tenant, file + SEAL_WRAPPED,
	    &kf->kf_oldgen, kf->kf_old) == 0))
		return (DB_OK);
	explicit_bzero(kf, sizeof(*kf));
	log_warnx("%s: not a key of this tenant and master key", path);
	return (DB_KEY);
}

/* Over the old bytes where they stand, unless another name needs them. */
static int
destroy(uint32_t tenant, enum name name)
{
	struct stat	 sb;
	uint8_t		 noise[KEYFILE_MAX];
	char		 path[PATH];
	int		 fd, failed = 0;

	key_path(path, tenant, name);
	if ((fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)) == -1)
		return (errno == ENOENT ? 0 : -1);
	if (fstat(fd, &sb) == -1 || sb.st_nlink <= 1) {
		arc4random_buf(noise, sizeof(noise));
		failed = pwrite(fd, noise, sizeof(noise), 0) !=
		    sizeof(noise) || fsync(fd) == -1;
	}
	(void)close(fd);
	return (failed || unlink(path) == -1 ? -1 : 0);
}

/* The old bytes stay until the disk is sure to have the name of the new. */
int
keyfile_tidy(uint32_t tenant)
{
	char	 old[PATH];

	key_path(old, tenant, NAME_OLD);
	if (destroy(tenant, NAME_NEW) == -1 || (access(old, F_OK) == 0 &&
	    (dir_sync("keys") == -1 || destroy(tenant, NAME_OLD) == -1)))
		return (-1);
	return (0);
}

int
keyfile_destroy(uint32_t tenant)
{
	if (keyfile_tidy(tenant) == -1 || destroy(tenant, NAME_KEY) == -1)
		return (-1);
	return (dir_sync("keys"));
}

static int
write_new(const char *path, const uint8_t *data, size_t len)
{
	ssize_t	 n;
	int	 fd, failed;

	if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600)) == -1)
		return (-1);
	n = write(fd, data, len);
	failed = n == -1 || (size_t)n != len || fsync(fd) == -1;
	return (close(fd) == -1 || failed ? -1 : 0);
}

/* The one that goes keeps a name until it is overwritten. */
static int
replace(uint32_t tenant)
{
	char	 path[PATH], new[PATH], old[PATH];

	key_path(path, tenant, NAME_KEY);
	key_path(new, tenant, NAME_NEW);
	key_path(old, tenant, NAME_OLD);
	if (link(path, old) == -1 && errno != ENOENT)
		return (-1);
	if (rename(new, path) == -1 || dir_sync("keys") == -1)
		return (-1);
	return (0);
}

size_t
keyfile_wrap(uint32_t tenant, const struct keyfile *kf,
    uint8_t file[KEYFILE_MAX])
{
	if (master == NULL || seal_wrap(seal_key(master), tenant,
	    kf->kf_generation, kf->kf_key, file) == -1)
		return (0);
	if (kf->kf_oldgen == 0)
		return (SEAL_WRAPPED);
	return (seal_wrap(seal_key(master), tenant, kf->kf_oldgen, kf->kf_old,
	    file + SEAL_WRAPPED) == -1 ? 0 : KEYFILE_MAX);
}

int
keyfile_write(uint32_t tenant, const struct keyfile *kf)
{
	uint8_t	 file[KEYFILE_MAX];
	size_t	 len;
	char	 path[PATH];

	if ((len = keyfile_wrap(tenant, kf, file)) == 0)
		return (-1);
	key_path(path, tenant, NAME_NEW);
	if (keyfile_tidy(tenant) == -1 || write_new(path, file, len) == -1 ||
	    replace(tenant) == -1) {
		log_warn("%s", path);
		(void)keyfile_tidy(tenant);
		return (-1);
	}
	/* It is in force: if this fails, keyfile_tidy() is called later. */
	if (destroy(tenant, NAME_OLD) == -1)
		log_warnx("keys/%u.old: not overwritten yet", tenant);
	return (0);
}
