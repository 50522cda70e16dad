/* How loud somebody is: full near by, a murmur at the edge of hearing. */
const NEAR = 150;		/* cm */
const FAR = 500;
const LEAST = 0.15;

export function volume(cm: number): number {
	const t = (cm - NEAR) / (FAR - NEAR);

	return (1 - Math.min(1, Math.max(0, t)) * (1 - LEAST));
}
