import type { JSX } from 'preact';
import { linkify } from '../lib/linkify';
import { hasHidden, spans } from '../lib/text';

/* Characters that would not be seen, or would turn the line, by number. */
export function Plain(p: { text: string }): JSX.Element {
	if (!hasHidden(p.text))
		return (<>{p.text}</>);
	return (<>{spans(p.text).map((s, i) => s.mark ?
	    <span key={i} class="hidden-mark">{s.text}</span> : s.text)}</>);
}

export function Name(p: { text: string }): JSX.Element {
	return (<bdi><Plain text={p.text} /></bdi>);
}

/* What somebody wrote: plain text and links that name where they lead. */
export function Written(p: { text: string }): JSX.Element {
	return (
		<bdi class="written" dir="auto">
			{linkify(p.text).map((x, i) => x.href === undefined ?
			    <Plain key={i} text={x.text} /> :
			    <a key={i} href={x.href} target="_blank"
				rel="noopener noreferrer" title={x.href}>
				<Plain text={x.text} /></a>)}
		</bdi>
	);
}
