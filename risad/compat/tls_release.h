/*
 * libtls hides the SSL object, and with it how much memory a quiet connection
 * keeps.
 */
#ifndef TLS_RELEASE_H
#define TLS_RELEASE_H

/*
 * From now on every TLS connection gives back its record buffers, 33 KB, while
 * it has nothing to read or write.  0, or -1: then they are kept.
 */
int	 tls_release_buffers(void);

#endif
