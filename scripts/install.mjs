/**
 * Brings node_modules in line with package-lock.json when it is not. Plain JavaScript for Node 20: it runs in a fresh
 * clone, before anything is installed.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What npm prints when the registry cannot be reached. */
const NETWORK_TROUBLE =
  /\b(ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED)\b/;

/**
 * What is wrong with node_modules under `root`, in a few words, or `undefined` when it holds what package-lock.json
 * asks for: same versions, same integrity, folder present. An optional package may be absent (another platform's).
 *
 * @param {string} root the folder of package-lock.json
 * @returns {string | undefined}
 */
export function staleReason(root) {
  const installedFile = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return 'node_modules is not installed yet';
  let wanted;
  let installed;
  try {
    wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
    installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  } catch {
    return 'the record of what is installed cannot be read';
  }
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const present = installed[path];
    if (present === undefined) {
      if (entry.optional === true || entry.devOptional === true) continue;
      return `${path} is missing`;
    }
    if (present.version !== entry.version || present.integrity !== entry.integrity) {
      return `${path} is not the version in package-lock.json`;
    }
    if (!existsSync(join(root, path))) return `${path} is missing`;
  }
  return undefined;
}

/**
 * Runs `npm ci` in `root` when {@link staleReason} gives a reason; with everything in place it touches no network.
 * npm's warnings stay hidden (under Node 20 they would say that vitest wants a newer Node, which is on its way in);
 * its errors are shown. On failure it says what to do.
 *
 * @param {string} root the folder of package-lock.json
 * @returns {Promise<boolean>} true when node_modules is in order afterwards
 */
export async function ensureInstalled(root) {
  const reason = staleReason(root);
  if (reason === undefined) return true;
  if (process.platform === 'win32' && process.execPath.startsWith(join(root, 'node_modules'))) {
    say(
      `${reason}. Run \`npm ci\` first: Windows cannot replace the Node.js that this script is running on.`,
    );
    return false;
  }
  say(`${reason}: running npm ci (a few hundred MB the first time)`);
  const started = Date.now();
  const { code, errors } = await npmCi(root);
  if (code === 0) {
    say(`installed in ${((Date.now() - started) / 1000).toFixed(0)} s`);
    return true;
  }
  if (NETWORK_TROUBLE.test(errors)) {
    say(
      'the npm registry could not be reached. The first start needs it once (check the network, proxy and `npm config get registry`); afterwards no network is needed.',
    );
  } else {
    say('npm ci failed; its message is above.');
  }
  return false;
}

/** Runs `npm ci` with its errors both shown and returned. */
function npmCi(root) {
  const args = [
    'ci',
    '--loglevel=error',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--include=dev',
    '--include=optional',
  ];
  args.push('--fetch-retry-mintimeout=2000', '--fetch-retry-maxtimeout=10000');
  const npmScript = process.env.npm_execpath;
  const viaScript = npmScript !== undefined && /npm-cli\.c?js$/.test(npmScript) && existsSync(npmScript);
  const command = viaScript ? (process.env.npm_node_execpath ?? process.execPath) : 'npm';
  return new Promise((resolve) => {
    const child = spawn(command, viaScript ? [npmScript, ...args] : args, {
      cwd: root,
      // For an npm that does not know allowScripts yet: onnxruntime-node downloads no CUDA libraries unless told to.
      env: { ONNXRUNTIME_NODE_INSTALL: 'skip', ...process.env },
      stdio: ['ignore', 'ignore', 'pipe'],
      shell: !viaScript && process.platform === 'win32',
    });
    let errors = '';
    child.stderr.on('data', (chunk) => {
      errors = (errors + chunk).slice(-20_000);
      process.stderr.write(chunk);
    });
    child.once('error', (error) => resolve({ code: 1, errors: `${errors}\n${error.message}` }));
    child.once('close', (code) => resolve({ code: code ?? 1, errors }));
  });
}

function say(text) {
  process.stderr.write(`glacis: ${text}\n`);
}
