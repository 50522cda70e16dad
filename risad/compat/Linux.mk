# What building on Linux takes: Debian's packages, and the parts of OpenBSD
# that Linux lacks.
PKGS =		libevent libtls libcrypto libssl sqlite3 jansson liboath \
		libbsd-overlay
CPPFLAGS +=	-D_GNU_SOURCE -DLIBBSD_OPENBSD_VIS -Irisad/compat/include
CPPFLAGS +=	$$(pkg-config --cflags ${PKGS})
# What not every compiler or machine has: calls and returns that go where they
# may only, and variables that begin as zero.
HARDEN !=	for f in -fcf-protection -ftrivial-auto-var-init=zero; do \
		${CC} $$f -x c -c -o /dev/null /dev/null 2>/dev/null && \
		echo $$f; done; true
CFLAGS +=	-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 \
		-fstack-clash-protection ${HARDEN}
LDADD =		$$(pkg-config --libs ${PKGS}) -largon2 -lfido2 -lzxcvbn -lm
LDADD_CTL =	$$(pkg-config --libs libcrypto jansson libbsd-overlay) \
		-largon2
LDFLAGS +=	-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack \
		-Wl,-z,separate-code
COMPAT_CTL =	risad/compat/imsg.c risad/compat/imsg-buffer.c \
		risad/compat/pledge.c risad/compat/unveil.c
COMPAT =	${COMPAT_CTL} risad/compat/memory.c risad/compat/tls_ssl.c
YACC =		byacc
