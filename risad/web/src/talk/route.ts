/* Which way a connection takes, from the browser's own statistics. */
export interface Route {
	way: 'direct' | 'relay';
	by: 'udp' | 'tcp' | 'tls';
	ms: number;		/* there and back, 0 not known */
}

/* The entries differ between browsers: only what is looked at. */
export interface Stat {
	id: string;
	type: string;
	selectedCandidatePairId?: string;
	localCandidateId?: string;
	remoteCandidateId?: string;
	candidateType?: string;
	protocol?: string;
	relayProtocol?: string;
	state?: string;
	nominated?: boolean;
	selected?: boolean;
	currentRoundTripTime?: number;
}

function pairOf(all: Stat[]): Stat | undefined {
	const id = all.find((s) => s.type === 'transport' &&
	    s.selectedCandidatePairId !== undefined)
	    ?.selectedCandidatePairId;
	const pairs = all.filter((s) => s.type === 'candidate-pair');

	return (pairs.find((s) => s.id === id) ??
	    pairs.find((s) => s.selected === true) ??
	    pairs.find((s) => s.nominated === true &&
	    s.state === 'succeeded'));
}

function proto(word: string | undefined): Route['by'] {
	return (word === 'tcp' || word === 'tls' ? word : 'udp');
}

export function routeOf(all: Stat[]): Route | null {
	const pair = pairOf(all);
	const local = all.find((s) => s.id === pair?.localCandidateId);
	const remote = all.find((s) => s.id === pair?.remoteCandidateId);

	if (pair === undefined || local === undefined)
		return (null);
	const ours = local.candidateType === 'relay';
	return ({
		way: ours || remote?.candidateType === 'relay' ? 'relay' :
		    'direct',
		by: proto(ours ? local.relayProtocol ?? local.protocol :
		    local.protocol),
		ms: Math.round((pair.currentRoundTripTime ?? 0) * 1000),
	});
}
