# What building on Linux takes: Debian's packages, and the parts of OpenBSD
# that Linux lacks.
PKGS =		libevent libtls libcrypto libssl sqlite3 jansson liboath \
		libbsd-overlay
CPPFLAGS +=	-D_GNU_SOURCE -DLIBBSD_OPENBSD_VIS -Irisad/compat/include
CPPFLAGS +=	$$(pkg-config --cflags ${PKGS})
CFLAGS +=	-D_FORTIFY_SOURCE=2 -fstack-clash-protection
LDADD =		$$(pkg-config --libs ${PKGS}) -largon2 -lfido2 -lzxcvbn -lm
LDADD_CTL =	$$(pkg-config --libs libcrypto jansson libbsd-overlay) \
		-largon2
LDFLAGS +=	-pie -Wl,-z,relro -Wl,-z,now
COMPAT_CTL =	risad/compat/imsg.c risad/compat/imsg-buffer.c \
		risad/compat/pledge.c risad/compat/unveil.c
COMPAT =	${COMPAT_CTL} risad/compat/tls_ssl.c
YACC =		byacc
