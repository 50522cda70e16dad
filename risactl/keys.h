/* Key backups: made of what risad hands out, shown, and unpacked. */
#ifndef RISACTL_KEYS_H
#define RISACTL_KEYS_H

#include "output.h"

#define KEYS_DIRECTORY	"/etc/risad"	/* where risad -k has made them */

/*
 * Before risad is asked: read the keys that stand in files below dir, ask for
 * the passphrase, open the file.  Each ends the program where it fails.
 */
void	 keys_begin(const char *path, const char *dir);
/* A key that risad hands out. */
void	 keys_copy(const struct m_c_key_copy *);
/* All are there: seal and write the file, which is named only then. */
void	 keys_end(uint32_t backup, const struct output *);

/* Say what is in a file.  The exit code. */
int	 keys_verify(const char *path, const struct output *);
/* Unpack it to a directory that is not there yet.  The exit code. */
int	 keys_restore(const char *path, const char *dir,
	    const struct output *);

#endif
