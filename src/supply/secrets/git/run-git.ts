import { spawn } from 'node:child_process';
import { GlacisError } from '../../../core/error.ts';

/**
 * Settings with which Git runs nothing that a repository names and reaches no network: a repository is attacker-controlled, its
 * configuration included. Replacements and grafts could hide objects, so they are not followed.
 */
const SAFE = [
  '--no-pager',
  '--no-replace-objects',
  '--no-optional-locks',
  ...[
    'core.fsmonitor=false',
    'core.hooksPath=/dev/null',
    'log.showSignature=false',
    'protocol.allow=never',
  ].flatMap((setting) => ['-c', setting]),
];

const SAFE_ENVIRONMENT = {
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_NO_LAZY_FETCH: '1',
  GIT_TERMINAL_PROMPT: '0',
  LC_ALL: 'C',
};

/** What makes Git look at another repository than the one of the folder. */
const ELSEWHERE = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_COMMON_DIR',
  'GIT_OBJECT_DIRECTORY',
  'GIT_NAMESPACE',
  'GIT_GRAFT_FILE',
];

/** How {@link runGit} runs. */
export interface GitRun {
  /** Standard input. */
  readonly input?: Iterable<string>;
  /** Whether what the environment says about the repository holds, as in a hook. */
  readonly asInHook?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Longest message of Git's that is kept. */
const MESSAGE = 2000;

/**
 * What `git args` prints, piece by piece. Errors: `data/unreadable` where there is no Git, no repository, or Git fails;
 * `run/cancelled`.
 */
export async function* runGit(
  folder: string,
  args: readonly string[],
  { input, asInHook = false, signal }: GitRun = {},
): AsyncGenerator<Buffer> {
  const env: NodeJS.ProcessEnv = { ...process.env, ...SAFE_ENVIRONMENT };
  if (!asInHook) for (const name of ELSEWHERE) delete env[name];
  const child = spawn('git', [...SAFE, ...args], { cwd: folder, env, stdio: 'pipe' });
  let message = '';
  child.stderr.on('data', (piece: Buffer) => {
    if (message.length < MESSAGE) message += piece.toString();
  });
  const ended = new Promise<Error | number | null>((resolve) => {
    child.once('error', resolve);
    child.once('close', resolve);
  });
  const stop = () => child.kill();
  signal?.addEventListener('abort', stop);
  // Git may end before it has read everything; why is in its message.
  child.stdin.on('error', () => {});
  const write = async () => {
    for (const piece of input ?? [])
      if (!child.stdin.write(piece))
        await new Promise<unknown>((resolve) => {
          child.stdin.once('drain', resolve);
          child.stdin.once('close', resolve);
        });
    child.stdin.end();
  };
  const written = write();
  try {
    if (signal?.aborted) stop();
    yield* child.stdout as AsyncIterable<Buffer>;
    const how = await ended;
    if (signal?.aborted) throw new GlacisError('run/cancelled', 'secrets: cancelled');
    if (how !== 0) {
      const reason = message.trim().split('\n')[0] || (how instanceof Error ? how.message : `status ${how}`);
      throw new GlacisError('data/unreadable', `git ${args[0]}: ${reason}`);
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
    child.stdin.destroy();
    await written;
  }
}

/** Everything that `git args` prints, up to `most` bytes. Errors: as {@link runGit}; `data/too-large`. */
export async function gitOutput(
  folder: string,
  args: readonly string[],
  most: number,
  run: GitRun = {},
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of runGit(folder, args, run)) {
    size += piece.length;
    if (size > most)
      throw new GlacisError('data/too-large', `git ${args[0]}: expected at most ${most} bytes, got more`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
