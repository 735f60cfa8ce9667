import { type ChildProcess, fork } from 'node:child_process';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';

/** What the process sees of the environment: nothing that could be a secret. */
const ENVIRONMENT = ['PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR', 'LANG'];
/** Milliseconds between two looks at the memory. */
const LOOK = 100;

/**
 * Starts a process that works beside a server and may be killed at any time: with little of the environment, `heap` MiB of JavaScript's own memory, and messages as structured clones. An idle one does not keep
 * the server alive.
 */
export function startHelper(program: URL, heap: number): ChildProcess {
  const child = fork(fileURLToPath(program), [], {
    serialization: 'advanced',
    execArgv: [`--max-old-space-size=${heap}`],
    env: Object.fromEntries(
      ENVIRONMENT.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    ),
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  child.unref();
  child.channel?.unref?.();
  return child;
}

/** In such a process: serving comes first, it ends with its server, and when it holds more than `most()` bytes it calls `tooMuch` and ends. */
export function beHelper(most: () => number, tooMuch: (bytes: number) => void): void {
  process.on('disconnect', () => process.exit(0));
  try {
    setPriority(10);
  } catch {
    // Some systems do not let a process do that.
  }
  setInterval(() => {
    const bytes = most();
    if (process.memoryUsage.rss() <= bytes) return;
    tooMuch(bytes);
    process.exit(1);
  }, LOOK);
}
