import { type ChildProcess, spawn } from 'node:child_process';
import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Debian's user for what should own nothing. Servers refuse to run, or should not run, as root. */
const NOBODY = 65_534;

/** The user that servers run as: this one, unless it is root. */
export const USER: { readonly uid?: number; readonly gid?: number } =
  process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

/** The program's path: from the search path, or from Debian's folders of PostgreSQL versions. */
export function findProgram(name: string): string | undefined {
  const versions = '/usr/lib/postgresql';
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...(existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, 'bin')) : []),
  ];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A folder for a server, with a short path, because names of sockets may not be long. */
export function serverFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  if (USER.uid !== undefined) chownSync(folder, USER.uid, USER.gid!);
  return folder;
}

/** A server of a test, with the processes that it has started. */
export interface ServerProcess {
  /** Whether it has ended. */
  readonly isOver: () => boolean;
  /** Kills it as a power cut would. */
  kill(): Promise<void>;
  /** Stops it in the middle of whatever it does; it goes on after {@link resume}. */
  pause(): void;
  resume(): void;
  /** Asks it to stop, and waits. */
  stop(signal: NodeJS.Signals): Promise<void>;
}

/** Starts a server. What it prints goes to `log`. */
export function startProcess(program: string, args: readonly string[], log: string[]): ServerProcess {
  const child: ChildProcess = spawn(program, args, {
    ...USER,

    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const over = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (bytes: Buffer) => {
      log.push(bytes.toString());
      if (log.length > 200) log.shift();
    });
  const signalAll = (signal: NodeJS.Signals) => {
    for (const pid of [child.pid!, ...childrenOf(child.pid!)])
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended already.
      }
  };
  // A test that fails must not leave servers behind.
  const atExit = () => signalAll('SIGKILL');
  process.once('exit', atExit);
  const finish = async () => {
    await over;
    process.off('exit', atExit);
  };
  return {
    isOver: () => child.exitCode !== null || child.signalCode !== null,
    async kill() {
      signalAll('SIGKILL');
      await finish();
    },
    pause: () => signalAll('SIGSTOP'),
    resume: () => signalAll('SIGCONT'),
    async stop(signal) {
      signalAll('SIGCONT');
      child.kill(signal);
      await finish();
    },
  };
}

/** Processes that a process has started: those of PostgreSQL are in groups of their own. */
function childrenOf(parent: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        // The name in brackets may hold anything; state and parent follow it.
        return Number(/\) \S (\d+) [^)]*$/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]) === parent;
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Looks at whether a server is ready: a minute of them where the machine does not stand still, which is not counted. */
const MOST_TRIES = 3000;

/** Waits until a server is ready. */
export async function until(
  server: ServerProcess,
  ready: () => boolean | Promise<boolean>,
  what: () => string,
): Promise<void> {
  for (let tries = 0; tries < MOST_TRIES && !server.isOver(); tries++, await sleep(20)) {
    if (await ready()) return;
  }
  throw new Error(`not ready: ${what()}`);
}

/** Removes a server's folder. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
