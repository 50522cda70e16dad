/*
 * Copyright (c) 2026 The risad authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "utf8.h"

/* RFC 6455, the server's side.  No I/O; the caller owns all buffers. */

#define WS_MAXHEAD	14		/* of a frame from a client */
#define WS_SENDHEAD	10		/* of a frame from us: no mask */
#define WS_MAXCONTROL	125		/* payload of a control frame */
#define WS_ACCEPTLEN	29		/* base64 of SHA-1, and a NUL */

#define WS_OP_CONT	0x0
#define WS_OP_TEXT	0x1
#define WS_OP_BINARY	0x2
#define WS_OP_CLOSE	0x8
#define WS_OP_PING	0x9
#define WS_OP_PONG	0xa

#define WS_CODE_NORMAL	1000
#define WS_CODE_AWAY	1001
#define WS_CODE_PROTO	1002
#define WS_CODE_NONE	1005		/* never on the wire */
#define WS_CODE_TEXT	1007
#define WS_CODE_POLICY	1008
#define WS_CODE_BIG	1009
#define WS_CODE_INTERN	1011

enum ws_type {
	WS_NONE,			/* a fragment: nothing to do yet */
	WS_TEXT,
	WS_BINARY,
	WS_PING,
	WS_PONG,
	WS_CLOSE
};

/*
 * What one frame brought.  The bytes lie in the caller's buffer or, after a
 * fragmented message, in the parser; they are good until the next call or
 * until the caller moves his buffer.
 */
struct ws_event {
	enum ws_type	 we_type;
	const uint8_t	*we_data;	/* not terminated; a close's reason */
	size_t		 we_len;
	uint16_t	 we_code;	/* close code, or why it failed */
};

struct ws_parser {
	uint8_t			*wp_msg;	/* fragments so far */
	size_t			 wp_len;
	size_t			 wp_size;	/* allocated */
	size_t			 wp_max;	/* of a message, bytes */
	struct utf8_state	 wp_utf8;
	uint8_t			 wp_op;		/* of the message under way */
	uint8_t			 wp_closed;	/* a close came */
	uint16_t		 wp_failed;	/* sticks */
};

/*
 * The value of Sec-WebSocket-Accept for a NUL-terminated key (RFC 6455,
 * section 4.2.2).  Returns 0, or -1 if the destination is shorter than
 * WS_ACCEPTLEN or libcrypto fails.
 */
int	 ws_accept_key(const char *, char *, size_t);

/* Start on a connection; max is the largest message in bytes. */
void	 ws_init(struct ws_parser *, size_t);

/* Free what fragments occupy.  The parser is as after ws_init. */
void	 ws_clear(struct ws_parser *);

/*
 * Take one frame from the front of the buffer.  Its payload is unmasked in
 * place.  Returns the bytes used, which the caller drains after he has acted
 * on the event; 0 if the frame is not there yet; -1 if the connection must
 * fail, with the code to send in we_code.  A frame that is too large, or
 * wrong in any way its first bytes show, fails before its payload arrives.
 * Call until it returns 0: the work is one look at the head of the frame, or
 * once over its payload.  After a close everything that follows is dropped.
 */
ssize_t	 ws_parse(struct ws_parser *, uint8_t *, size_t, struct ws_event *);

/*
 * Write the head of an unfragmented, unmasked frame with a payload of so many
 * bytes.  The destination has WS_SENDHEAD bytes.  Returns 2, 4 or 10.
 */
size_t	 ws_frame_head(uint8_t *, uint8_t, uint64_t);

/*
 * Write the payload of a close: code and a reason (UTF-8, or NULL), cut at a
 * character if it is too long for a control frame.  The destination has
 * WS_MAXCONTROL bytes.  Returns the length: 0 for codes that may not be sent.
 */
size_t	 ws_close_payload(uint8_t *, uint16_t, const char *);

#endif
