/*
 * Passkeys by the browser's own dialog: bytes of the server's options, which
 * come as base64url, in; what the authenticator says, in the same form, out.
 */

/* In the page as in the API, see risa-protocol(7). */
export interface CreateOptions {
	publicKey: {
		challenge: string;
		rp: { id: string; name: string };
		user: { id: string; name: string; displayName: string };
		pubKeyCredParams: { type: 'public-key'; alg: number }[];
		excludeCredentials: { type: 'public-key'; id: string }[];
		authenticatorSelection: AuthenticatorSelectionCriteria;
		timeout: number;
		attestation: AttestationConveyancePreference;
	};
}

export interface GetOptions {
	publicKey: {
		challenge: string;
		rpId: string;
		allowCredentials: [];
		userVerification: UserVerificationRequirement;
		timeout: number;
	};
}

export interface Registration {
	challenge: string;
	clientDataJSON: string;
	attestationObject: string;
}

export interface Assertion {
	challenge: string;
	id: string;
	clientDataJSON: string;
	authenticatorData: string;
	signature: string;
	userHandle?: string;
}

export function toText(bytes: ArrayBuffer): string {
	const s = Array.from(new Uint8Array(bytes), (b) =>
	    String.fromCharCode(b)).join('');

	return (btoa(s).replaceAll('+', '-').replaceAll('/', '_')
	    .replaceAll('=', ''));
}

export function toBytes(text: string): Uint8Array<ArrayBuffer> {
	const s = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
	const bytes = new Uint8Array(s.length);

	for (let i = 0; i < s.length; i++)
		bytes[i] = s.charCodeAt(i);
	return (bytes);
}

/* Is there anything in this browser to make or use one with? */
export function passkeysWork(): boolean {
	return ('PublicKeyCredential' in globalThis &&
	    navigator.credentials !== undefined);
}

function none(): DOMException {
	return (new DOMException('no passkey', 'NotAllowedError'));
}

export async function makePasskey(o: CreateOptions): Promise<Registration> {
	const { publicKey: k } = o;
	const c = await navigator.credentials.create({ publicKey: {
		...k,
		challenge: toBytes(k.challenge),
		user: { ...k.user, id: toBytes(k.user.id) },
		excludeCredentials: k.excludeCredentials.map((x) =>
		    ({ ...x, id: toBytes(x.id) })),
	} });

	if (!(c instanceof PublicKeyCredential) ||
	    !(c.response instanceof AuthenticatorAttestationResponse))
		throw none();
	return ({ challenge: k.challenge,
	    clientDataJSON: toText(c.response.clientDataJSON),
	    attestationObject: toText(c.response.attestationObject) });
}

export async function usePasskey(o: GetOptions): Promise<Assertion> {
	const { publicKey: k } = o;
	const c = await navigator.credentials.get({ publicKey: { ...k,
	    challenge: toBytes(k.challenge) } });

	if (!(c instanceof PublicKeyCredential) ||
	    !(c.response instanceof AuthenticatorAssertionResponse))
		throw none();
	const { response: r } = c;
	const a: Assertion = { challenge: k.challenge, id: toText(c.rawId),
	    clientDataJSON: toText(r.clientDataJSON),
	    authenticatorData: toText(r.authenticatorData),
	    signature: toText(r.signature) };

	if (r.userHandle !== null && r.userHandle.byteLength > 0)
		a.userHandle = toText(r.userHandle);
	return (a);
}
