/*
 * Bundles the page into ../htdocs: hashed names under assets/, an index.html
 * that names them, the icon, the manifest and the maps.  The old bundle goes
 * only when the new one is complete.
 */
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, '..', 'htdocs');
const LIMIT = 250 * 1024;	/* first visit, compressed */

const hash = (data) => createHash('sha256').update(data).digest('hex')
    .slice(0, 12);

/*
 * Konva empties its container through innerHTML, which Trusted Types refuse.
 * A newer Konva that does it another way must be looked at, so not finding
 * the line is an error.
 */
const konvaTrusted = {
	name: 'konva-trusted-types',
	setup(b) {
		b.onLoad({ filter: /konva[\\/]lib[\\/]Stage\.js$/ },
		    async (args) => {
			const src = await fs.readFile(args.path, 'utf8');
			const contents = src.replace(
			    "container.innerHTML = '';",
			    'container.replaceChildren();');
			if (contents === src || contents.includes('innerHTML'))
				throw new Error('konva: innerHTML is back');
			return ({ contents, loader: 'js' });
		});
	},
};

async function bundle() {
	const r = await build({
		absWorkingDir: here,
		entryPoints: { app: 'src/main.tsx' },
		bundle: true,
		minify: true,
		write: false,
		outdir: out,
		format: 'esm',
		splitting: true,
		entryNames: 'assets/[name]',
		metafile: true,
		chunkNames: 'assets/[name]-[hash]',
		target: ['es2022', 'chrome109', 'firefox115', 'safari16.4'],
		jsx: 'automatic',
		jsxImportSource: 'preact',
		charset: 'utf8',
		legalComments: 'none',
		define: { 'process.env.NODE_ENV': '"production"' },
		plugins: [konvaTrusted],
		logLevel: 'warning',
	});
	for (const [name, o] of Object.entries(r.metafile.outputs))
		if (o.imports.some((i) => i.kind === 'import-statement'))
			throw new Error(`${name}: what is shared with a part ` +
			    'that comes later would be fetched one by one');
	return (r.outputFiles.map((f) => ({
		name: path.relative(out, f.path), ext: path.extname(f.path),
		data: Buffer.from(f.contents),
	})));
}

function manifest(icon) {
	return (JSON.stringify({
		name: 'risa',
		short_name: 'risa',
		start_url: '/',
		display: 'standalone',
		background_color: '#fbf9f5',
		theme_color: '#127a72',
		icons: [{ src: icon, sizes: 'any', type: 'image/svg+xml' }],
	}, null, '\t') + '\n');
}

async function maps() {
	const dir = path.join(here, 'maps');
	const names = await fs.readdir(dir).catch(() => []);

	return (Promise.all(names.filter((n) => n.endsWith('.json')).map(
	    async (n) => {
		const text = await fs.readFile(path.join(dir, n), 'utf8');
		return ({ name: `maps/${n}`,
		    data: Buffer.from(JSON.stringify(JSON.parse(text))) });
	    })));
}

/* A page with the names of what it needs. */
async function filled(name, names) {
	const html = await fs.readFile(path.join(here, name), 'utf8');

	return (Buffer.from(html.replace(/\{\{(\w+)\}\}/g, (_, k) => {
		if (names[k] === undefined)
			throw new Error(`${name}: no ${k}`);
		return (names[k]);
	})));
}

async function pages() {
	const files = [];
	const names = {};

	for (const f of await bundle()) {
		/* What comes later is named by its content already. */
		if (!f.name.startsWith('assets/app.')) {
			files.push({ name: f.name, data: f.data });
			continue;
		}
		const name = `assets/app-${hash(f.data)}${f.ext}`;
		names[f.ext.slice(1)] = `/${name}`;
		files.push({ name, data: f.data });
	}
	const svg = await fs.readFile(path.join(here, 'icon.svg'));
	const icon = `assets/icon-${hash(svg)}.svg`;
	names.icon = `/${icon}`;
	files.push({ name: icon, data: svg });
	files.push({ name: 'favicon.svg', data: svg, extra: true });
	files.push({ name: 'manifest.webmanifest',
	    data: Buffer.from(manifest(`/${icon}`)) });
	names.mark = `data:image/svg+xml;base64,${svg.toString('base64')}`;
	for (const name of ['index.html', 'full.html'])
		files.push({ name, data: await filled(name, names),
		    extra: name !== 'index.html' });
	return (files);
}

/* Writes all files, then removes what an older bundle left. */
async function write(files) {
	const keep = new Set(files.map((f) => f.name));

	for (const f of files) {
		const to = path.join(out, f.name);
		await fs.mkdir(path.dirname(to), { recursive: true });
		await fs.writeFile(`${to}.new`, f.data);
		await fs.rename(`${to}.new`, to);
	}
	for (const d of ['.', 'assets', 'maps'])
		for (const n of await fs.readdir(path.join(out, d))
		    .catch(() => [])) {
			const rel = d === '.' ? n : `${d}/${n}`;
			const st = await fs.stat(path.join(out, rel));
			if (st.isFile() && !keep.has(rel))
				await fs.unlink(path.join(out, rel));
		}
}

/* The server sends these to who takes them; tiny files stay alone. */
function smaller(files) {
	return (files.filter((f) => f.data.length > 1024).flatMap((f) => [
	    { name: `${f.name}.gz`, data: gzipSync(f.data, { level: 9 }) },
	    { name: `${f.name}.br`, data: brotliCompressSync(f.data) },
	]));
}

function report(files) {
	let sum = 0;

	for (const f of files) {
		const gz = gzipSync(f.data, { level: 9 }).length;
		if (!f.extra && !f.name.startsWith('maps/'))
			sum += gz;
		console.log(`${f.name.padEnd(34)} ${String(f.data.length)
		    .padStart(8)} ${String(gz).padStart(8)} gz ${String(
		    brotliCompressSync(f.data).length).padStart(8)} br`);
	}
	console.log(`first visit: ${sum} bytes gzip of ${LIMIT}`);
	if (sum > LIMIT) {
		console.error('too large for a first visit');
		process.exitCode = 1;
	}
}

const files = await pages();
const all = files.concat(await maps());
await write(all.concat(smaller(all)));
report(all);
