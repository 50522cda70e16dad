/* What an authenticator app does: read the picture, show the code. */
import { createHmac } from 'node:crypto';
import jsQR from 'jsqr';
import { until } from './daemon.mjs';

const STEP = 30;		/* seconds, RFC 6238 */
const DOT = 4;			/* pixels of a module, for the reader */
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function base32(text) {
	let bits = '';

	for (const c of text)
		bits += DIGITS.indexOf(c).toString(2).padStart(5, '0');
	return (Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2))));
}

/* The code of the present step, or of one that is so much later. */
export function totp(secret, later = 0) {
	const b = Buffer.alloc(8);

	b.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 1000 / STEP) +
	    later));
	const mac = createHmac('sha1', base32(secret)).update(b).digest();
	const n = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
	return (String(n % 1000000).padStart(6, '0'));
}

/* Enough of a step is left for its neighbours to count as such. */
export async function early() {
	await until(() => Date.now() / 1000 % STEP < STEP - 8,
	    'a step has begun', STEP * 1000);
}

/* The words in a QR code that is drawn as one path of squares. */
export async function readQr(svg) {
	const size = Number((await svg.getAttribute('viewBox')).split(' ')[2]);
	const path = await svg.locator('path').getAttribute('d');
	const width = size * DOT;
	const data = new Uint8ClampedArray(width * width * 4).fill(255);

	for (const [, x, y] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g))
		for (let i = 0; i < DOT * DOT; i++) {
			const at = (y * DOT + Math.floor(i / DOT)) * width +
			    x * DOT + i % DOT;
			data.fill(0, at * 4, at * 4 + 3);
		}
	return (jsQR(data, width, width)?.data ?? '');
}

/* Sets TOTP up by the wire alone: the secret, and the recovery codes. */
export async function enrol(daemon, who) {
	const { secret } = await daemon.api(who, 'POST', '/factor/totp',
	    { password: who.password });
	await early();
	const { recovery } = await daemon.api(who, 'POST',
	    '/factor/totp/confirm', { code: totp(secret, -1) });

	return ({ secret, recovery });
}
