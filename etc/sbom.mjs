/*
 * What an installation consists of, for who follows the news of its parts, as
 * CycloneDX 1.5: the programs and the page with their hashes, the packages of
 * the libraries that are loaded with them, those that the page is bundled of,
 * and what has built it.  The same comes of the same; "make sbom" calls it.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const top = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const PROGRAMS = ['risad/risad', 'risactl/risactl'];
const HTDOCS = 'risad/htdocs';
const BUILD_NPM = ['node_modules/esbuild'];

const run = (cmd, ...argv) => execFileSync(cmd, argv,
    { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
const read = (name) => fs.readFileSync(path.join(top, name), 'utf8');
const order = (a, b) => (a < b ? -1 : Number(a > b));
const sorted = (set) => [...set].sort(order);

function sha256(name) {
	const data = fs.readFileSync(path.join(top, name));
	return ([{ alg: 'SHA-256',
	    content: createHash('sha256').update(data).digest('hex') }]);
}

/* Packages of the distribution. */

const [ID, RELEASE] = ['ID', 'VERSION_ID'].map((key) => {
	const m = fs.readFileSync('/etc/os-release', 'utf8')
	    .match(new RegExp(`^${key}="?([^"\n]+)"?$`, 'm'));
	if (m === null)
		throw new Error(`os-release: no ${key}`);
	return (m[1]);
});

const owners = new Map();

/* Packages name files as they were before /lib became a link, or after. */
function ownerOf(file) {
	const real = fs.realpathSync(file);

	if (owners.has(real))
		return (owners.get(real));
	for (const name of [real, real.replace(/^\/usr/, '')]) {
		let text;
		try {
			text = execFileSync('dpkg-query', ['-S', name],
			    { encoding: 'utf8', stdio: ['ignore', 'pipe',
			    'ignore'] });
		} catch (e) {
			if (e.status === 1)	/* no package has it */
				continue;
			throw e;
		}
		const m = text.match(/^([^\s,]+): [^\n]*\n$/);
		if (m === null)
			throw new Error(`${real}: of whom? ${text}`);
		owners.set(real, m[1]);
		return (m[1]);
	}
	throw new Error(`${real}: of no package`);
}

function debian(name, more) {
	const [pkg, version, arch, source, from] = run('dpkg-query', '-W', '-f',
	    '${Package}\n${Version}\n${Architecture}\n${source:Package}\n' +
	    '${source:Version}', name).split('\n');
	const purl = `pkg:deb/${ID}/${encodeURIComponent(pkg)}@` +
	    `${encodeURIComponent(version)}?arch=${arch}&distro=${ID}-` +
	    RELEASE;

	return ({ type: 'library', 'bom-ref': purl, name: pkg, version, purl,
	    properties: [{ name: 'risad:source',
	    value: `${source} ${from}` }], ...more });
}

/* The libraries that a program or library asks for. */
const needed = (file) => [...run('readelf', '-dW', file)
    .matchAll(/\(NEEDED\).*\[(.*)\]/g)].map((m) => m[1]);

/* Where the loader finds them, and itself, which libc asks for. */
function loaded(program) {
	const at = new Map();

	for (const line of run('ldd', program).split('\n')) {
		const m = line.match(/^\s+(?:(\S+) => )?(\/\S+) \(0x/);
		if (m !== null)
			at.set(m[1] ?? path.basename(m[2]), m[2]);
		else if (/not found/.test(line))
			throw new Error(`${program}: ${line.trim()}`);
	}
	return (at);
}

/* A program and packages by name, each with the packages that it loads. */
function libraries(program, edges) {
	const at = loaded(program);
	const seen = new Set();
	const walk = (file, from) => {
		for (const soname of needed(file)) {
			if (!at.has(soname))
				throw new Error(`${file}: ${soname}?`);
			const lib = at.get(soname), pkg = ownerOf(lib);
			if (pkg !== from)
				edges.get(from).add(pkg);
			if (!edges.has(pkg))
				edges.set(pkg, new Set());
			if (seen.has(lib))
				continue;
			seen.add(lib);
			walk(lib, pkg);
		}
	};

	edges.set(program, new Set());
	walk(path.join(top, program), program);
}

/* Packages of the page. */

const lock = JSON.parse(read('risad/web/package-lock.json')).packages;

function npm(key, more) {
	const p = lock[key];
	const name = key.replace(/^.*node_modules\//, '');
	const purl = `pkg:npm/${name.replace('@', '%40')}@${p.version}`;
	const [, alg, digest] = p.integrity.match(/^sha(\d+)-(\S+)$/);

	return ({ type: 'library', 'bom-ref': purl, name, version: p.version,
	    hashes: [{ alg: `SHA-${alg}`,
	    content: Buffer.from(digest, 'base64').toString('hex') }],
	    licenses: [{ expression: p.license }], purl, ...more });
}

/* As node looks for it: beside the package, then further out. */
function resolve(key, name) {
	const own = /(^|\/)node_modules\/[^/]*(\/[^/]*)?$/;

	for (let at = key; ; at = at.replace(own, '')) {
		const to = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
		if (lock[to] !== undefined)
			return (to);
		if (at === '')
			throw new Error(`${key}: ${name} is not locked`);
	}
}

/* What the page and its packages depend on; tools to build it are not. */
function bundled() {
	const edges = new Map();
	const walk = (key) => {
		if (edges.has(key))
			return;
		const to = Object.keys(lock[key].dependencies ?? {})
		    .map((name) => resolve(key, name));
		edges.set(key, new Set(to));
		to.forEach(walk);
	};

	walk('');
	return (edges);
}

/* What has built it: not part of it, and yet what it came of. */
function tools() {
	const { CC = 'cc', YACC = 'byacc' } = process.env;
	const which = (cmd) => run('sh', '-c', 'command -v "$1"', 'sh', cmd)
	    .trim();
	const cc = CC.split(' ')[0], yacc = YACC.split(' ')[0];
	const ld = run(cc, '-print-prog-name=ld').trim();
	const one = (cmd) => debian(ownerOf(which(cmd)),
	    { type: 'application', scope: 'excluded' });

	return ([one(cc), one(ld), one(yacc),
	    { type: 'application', 'bom-ref': 'node', name: 'node',
	    version: process.versions.node, scope: 'excluded' },
	    ...BUILD_NPM.map((key) => npm(key, { type: 'application',
	    scope: 'excluded' }))]);
}

function ours() {
	const [, version] = read('risad/risad.h')
	    .match(/^#define RISAD_VERSION\s+"(.*)"$/m);
	const files = fs.readdirSync(path.join(top, HTDOCS),
	    { recursive: true }).map((f) => `${HTDOCS}/${f}`)
	    .filter((f) => fs.statSync(path.join(top, f)).isFile());
	const licenses = [{ expression: 'ISC' }];

	return ({ type: 'application', 'bom-ref': 'risad', name: 'risad',
	    version, licenses, components: [
	    ...PROGRAMS.map((f) => ({ type: 'application', 'bom-ref': f,
	    name: path.basename(f), version, hashes: sha256(f), licenses })),
	    { type: 'application', 'bom-ref': HTDOCS, name: 'htdocs', version,
	    licenses, components: sorted(files).map((f) => ({ type: 'file',
	    'bom-ref': f, name: path.relative(path.join(HTDOCS), f),
	    hashes: sha256(f) })) }] });
}

function bom() {
	const native = new Map(), web = bundled();
	const parts = new Map(), graph = new Map();
	const ref = new Map([['', HTDOCS], ...PROGRAMS.map((p) => [p, p])]);

	PROGRAMS.forEach((p) => libraries(p, native));
	const add = (key, part) => {
		parts.set(part['bom-ref'], part);
		ref.set(key, part['bom-ref']);
	};
	for (const key of native.keys())
		if (!PROGRAMS.includes(key))
			add(key, debian(key, { scope: 'required' }));
	for (const key of web.keys())
		if (key !== '')
			add(key, npm(key, { scope: 'required' }));
	for (const t of tools())
		if (!parts.has(t['bom-ref']))
			parts.set(t['bom-ref'], t);
	graph.set('risad', [...PROGRAMS, HTDOCS]);
	for (const [key, to] of [...native, ...web])
		graph.set(ref.get(key), [...to].map((k) => ref.get(k)));
	return ({ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1,
	    metadata: { component: ours() },
	    components: sorted(parts.keys()).map((k) => parts.get(k)),
	    dependencies: sorted(graph.keys()).map((k) => ({ ref: k,
	    dependsOn: sorted(graph.get(k)) })) });
}

process.stdout.write(JSON.stringify(bom(), null, '\t') + '\n');
