import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const LAUNCHER = fileURLToPath(new URL('../../bin/glacis.mjs', import.meta.url));

/** What a run of the program left. */
export interface CliResult {
  readonly code: number | null;
  /** The signal that ended it, if one did. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run the program. */
export interface CliOptions {
  readonly cwd?: string;
  /** Looked at after every piece of standard error; may send signals. */
  readonly watch?: (stderr: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs `glacis` as a process of its own, as a user would. */
export function glacis(args: readonly string[], { cwd, watch }: CliOptions = {}): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [LAUNCHER, ...args], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (part: Buffer) => {
      stdout += part.toString();
    });
    child.stderr.on('data', (part: Buffer) => {
      stderr += part.toString();
      watch?.(stderr, (signal) => child.kill(signal));
    });
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
