import type { JSX } from 'preact';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';

/* A picture that moves; what is heard comes from elsewhere. */
export function Video(p: { stream: MediaStream | null; label: string;
    mirror?: boolean }): JSX.Element {
	const ref = useRef<HTMLVideoElement>(null);

	useLayoutEffect(() => {
		const el = ref.current;
		if (el === null)
			return;
		el.muted = true;
		el.srcObject = p.stream;
		if (p.stream !== null)
			void el.play().catch(() => undefined);
		return (() => {
			el.srcObject = null;
		});
	}, [p.stream]);
	return (<video ref={ref} class={p.mirror ? 'mirror' : undefined}
	    autoPlay playsInline muted aria-label={p.label} />);
}

/* The same stream as long as it is the same track. */
export function useStream(track: MediaStreamTrack | null): MediaStream | null {
	return (useMemo(() => track === null ? null :
	    new MediaStream([track]), [track]));
}
