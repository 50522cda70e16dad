/* The configuration as the parent holds it, and the files it names. */
#ifndef CONF_H
#define CONF_H

#include <sys/queue.h>
#include <sys/socket.h>

#include "risad.h"

#define MAX_PROXIES	16	/* networks of a listen line; fit in MAX_PATH */

/* A descriptor that children get by IMSG_CONF_FILE. */
struct conf_file_fd {
	TAILQ_ENTRY(conf_file_fd)	 cf_entry;
	enum conf_file			 cf_kind;
	char				*cf_name;
	int				 cf_fd;
};

struct conf_listen {
	TAILQ_ENTRY(conf_listen)	 cl_entry;
	struct sockaddr_storage		 cl_addr;
	socklen_t			 cl_len;
	enum conf_file			 cl_kind;	/* FILE_LISTEN_* */
	char				*cl_from;	/* proxies, or NULL */
};

struct conf {
	uint64_t	 co_generation;
	char		*co_domain;
	char		*co_country;
	char		*co_cert, *co_key;
	char		*co_data, *co_master, *co_pepper;
	char		*co_previous;	/* master key before, or NULL */
	char		*co_sign;	/* beside co_master if not given */
	char		*co_htdocs, *co_control, *co_chroot;
	char		*co_turn;	/* URLs with a blank between */
	char		*co_turn_secret;	/* or NULL */
	uint16_t	 co_port;
	uint32_t	 co_nsession, co_nhash;
	uint32_t	 co_argon_kib, co_argon_passes;
	uint32_t	 co_max_conns, co_max_addr_conns;
	uint32_t	 co_tenant_pages, co_account_pages;
	uint32_t	 co_addr_arrivals;	/* these: a minute */
	uint32_t	 co_addr_requests;
	uint32_t	 co_tenant_requests, co_account_requests;
	uint32_t	 co_buffers;	/* MiB */
	uint32_t	 co_idle, co_absolute, co_invite;
	uint32_t	 co_backup_at, co_backup_keep;	/* as in m_site */
	uint32_t	 co_confirm;	/* CONFIRM_* */
	TAILQ_HEAD(, conf_listen) co_listens;
	TAILQ_HEAD(, conf_file_fd) co_files;
};

/* Defaults in place, no listen and no file; NULL without memory. */
struct conf	*conf_new(void);
/* Closes the descriptors too; NULL is harmless. */
void		 conf_free(struct conf *);

/*
 * parse.y: read risad.conf with its includes, macros "name=value" from the
 * command line first.  Every mistake is printed as file:line: what was
 * expected, by the function.  NULL if there was any.
 */
struct conf	*parse_config(const char *path, char **macros, int nmacros,
		    void (*complain)(const char *));
/* The configuration as text that parses to the same again, for -nv. */
void		 print_config(const struct conf *);

/*
 * Take over the listening sockets that whoever has started us has opened, as
 * LISTEN_PID and LISTEN_FDS say (see sd_listen_fds(3)).  Once, before files
 * are opened; from then on no address is listened to that is not among them.
 * 0, also without any, or -1.
 */
int		 conf_inherit(void);

/*
 * Open what the configuration names: listening sockets (taken over from old
 * where the address is the same), certificate, keys with their secrecy
 * checked, every file below htdocs, the control socket.  0, or -1 with a
 * sentence in err.
 */
int		 conf_open(struct conf *, const struct conf *old, char *err,
		    size_t errlen);
/*
 * May a running daemon go over to the new one?  0, or -1 with a sentence that
 * names what only a restart can change.
 */
int		 conf_reloadable(const struct conf *old, const struct conf *new,
		    char *err, size_t errlen);

#endif
