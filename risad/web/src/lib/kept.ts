export interface Store {
	getItem(key: string): string | null;
	setItem(key: string, value: string): void;
}

/*
 * What somebody has chosen, for this tab: it outlives a reload.  In the
 * browser's storage nothing is left behind (D1).
 */
export const tab: Store = {
	getItem(key) {
		const kept = history.state as Record<string, string> | null;

		return (kept?.[key] ?? null);
	},
	setItem(key, value) {
		history.replaceState({ ...(history.state ?? {}),
		    [key]: value }, '');
	},
};
