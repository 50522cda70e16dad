/* What travels about talk: the names are those of risa-protocol(7). */
import type { TalkWays } from '../types';

/* What one takes part with at this moment. */
export interface Part {
	hear: boolean;
	mic: boolean;
	cam: boolean;
	screen: boolean;
	listen: boolean;
}

/* Who hears whom: both, we only them, they only us. */
export type Way = 'both' | 'hear' | 'heard';

export interface With {
	id: number;		/* of an avatar, as everywhere here */
	way: Way;
	mic: boolean;
	cam: boolean;
	screen: boolean;
}

export interface Stage {
	speakers: number[];
	hands: number[];
}

/* The whole of one's talk as it is now. */
export interface TalkMsg {
	me: Part;
	with: With[];
	soon: { id: number; ms: number }[];
	full: boolean;
	bubble: number[];
	place: 'open' | 'room';
	stage?: Stage;
}

export interface Description {
	type: 'offer' | 'answer' | 'rollback';
	sdp: string;
	of?: string;		/* the offer that it answers */
}

export interface Candidate {
	candidate: string;
	sdpMid?: string | null;
	sdpMLineIndex?: number | null;
	usernameFragment?: string | null;
}

export type Signal = { description: Description } |
    { candidates: Candidate[] };

/* From risad. */
export type TalkServerMsg =
    ({ t: 'talk' } & TalkMsg) |
    { t: 'signal'; from: number; data: Signal } |
    { t: 'rules'; floor: number };

/* To risad. */
export type TalkClientMsg =
    ({ t: 'media' } & Part) |
    { t: 'signal'; to: number; data: Signal } |
    { t: 'hand'; up: boolean } |
    { t: 'word'; to: number; on: boolean } |
    { t: 'unbubble' };

/* GET /api/v1/talk?floor=N: how talk goes there, and through which ways. */
export interface TalkInfo extends TalkWays {
	can: ('voice' | 'video' | 'screen')[];
	listen: boolean;
	hidden_mute: boolean;
	limits: { voice: number; video: number };
}
