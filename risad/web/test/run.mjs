/*
 * Bundles each test with what it tests into a directory of its own and runs
 * them with node's runner: the sources are TypeScript without extensions.
 */
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = mkdtempSync(path.join(tmpdir(), 'risa-web-'));
const only = process.argv.slice(2);
const tests = readdirSync(here).filter((f) => f.endsWith('.test.ts') &&
    (only.length === 0 || only.some((o) => f.includes(o))));

try {
	await build({
		absWorkingDir: path.join(here, '..'),
		entryPoints: tests.map((t) => path.join('test', t)),
		outdir: out,
		outExtension: { '.js': '.mjs' },
		bundle: true,
		platform: 'node',
		format: 'esm',
		target: 'node20',
		external: ['node:*'],
		define: { TEST_ROOT: JSON.stringify(path.join(here, '..')) },
		logLevel: 'warning',
	});
	const r = spawnSync(process.execPath, ['--test',
	    ...readdirSync(out).map((f) => path.join(out, f))],
	    { stdio: 'inherit', cwd: path.join(here, '..') });
	process.exitCode = r.status ?? 1;
} finally {
	rmSync(out, { recursive: true, force: true });
}
