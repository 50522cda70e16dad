/* What a browser calls itself, in words that its owner knows it by. */
const BROWSERS: [RegExp, string][] = [[/\bEdg(A|iOS)?\//, 'Edge'],
    [/\bOPR\//, 'Opera'], [/\b(Firefox|FxiOS)\//, 'Firefox'],
    [/\b(Chrome|Chromium|CriOS|HeadlessChrome)\//, 'Chrome'],
    [/\bVersion\/.*Safari\//, 'Safari']];
const SYSTEMS: [RegExp, string][] = [[/\biPhone\b/, 'iPhone'],
    [/\biPad\b/, 'iPad'], [/\bAndroid\b/, 'Android'],
    [/\bWindows\b/, 'Windows'], [/\bMac OS X\b/, 'macOS'],
    [/\bCrOS\b/, 'ChromeOS'], [/\bLinux\b/, 'Linux']];

/* Browser and system as far as they are known; "" for neither. */
export function device(agent: string): string {
	return ([BROWSERS, SYSTEMS].map((list) => list.find(([re]) =>
	    re.test(agent))?.[1]).filter((s) => s !== undefined)
	    .join(' · '));
}
