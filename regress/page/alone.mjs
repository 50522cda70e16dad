/*
 * Imported first: the test starts over in a network that has only a loopback,
 * so that nothing which finds its way has found another one.
 */
import { spawnSync } from 'node:child_process';

if (process.env.RISAD_ALONE === undefined) {
	const r = spawnSync('unshare', ['-n', 'sh', '-c',
	    'ip link set lo up && exec "$0" "$@"', process.execPath,
	    ...process.execArgv, process.argv[1]], { stdio: 'inherit',
	    env: { ...process.env, RISAD_ALONE: '1' } });
	process.exit(r.status ?? 1);
}
