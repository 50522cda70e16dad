#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "db.h"
#include "log.h"

#define PAGES	64			/* in one step */

struct db_copy {
	sqlite3		*dc_to;
	sqlite3_backup	*dc_run;
	int		 dc_fd;		/* of the copy, to have it written */
};

struct db_copy *
db_copy_begin(struct db *from, const char *path)
{
	struct db_copy	*dc;

	if ((dc = calloc(1, sizeof(*dc))) == NULL)
		return (NULL);
	if ((dc->dc_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600)) == -1 ||
	    sqlite3_open_v2(path, &dc->dc_to, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOFOLLOW, NULL) != SQLITE_OK ||
	    sqlite3_exec(dc->dc_to, stmt_setup(STMT_COPY), NULL, NULL,
	    NULL) != SQLITE_OK || (dc->dc_run = sqlite3_backup_init(dc->dc_to,
	    "main", from->db_conn, "main")) == NULL) {
		log_warn("%s", path);
		db_copy_end(dc);
		return (NULL);
	}
	return (dc);
}

/* It is written on the way: else the end of a large one would take long. */
int
db_copy_step(struct db_copy *dc, uint64_t *done)
{
	int	 rc = sqlite3_backup_step(dc->dc_run, PAGES);

	*done = (uint64_t)(sqlite3_backup_pagecount(dc->dc_run) -
	    sqlite3_backup_remaining(dc->dc_run)) * DB_PAGE;
	if (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		return (fdatasync(dc->dc_fd) == -1 ? -1 : 1);
	if (rc != SQLITE_DONE) {
		log_warnx("a backup: %s", sqlite3_errstr(rc));
		return (-1);
	}
	rc = sqlite3_backup_finish(dc->dc_run);
	dc->dc_run = NULL;
	if (rc == SQLITE_OK)
		rc = sqlite3_close(dc->dc_to);
	dc->dc_to = NULL;
	return (rc != SQLITE_OK || fsync(dc->dc_fd) == -1 ? -1 : 0);
}

void
db_copy_end(struct db_copy *dc)
{
	if (dc == NULL)
		return;
	if (dc->dc_run != NULL)
		(void)sqlite3_backup_finish(dc->dc_run);
	(void)sqlite3_close(dc->dc_to);
	if (dc->dc_fd != -1)
		(void)close(dc->dc_fd);
	free(dc);
}
