import { GlacisError } from '../core/error.ts';
import { type LogSource, tooLarge } from './log-source.ts';

/** How long one file may take, in milliseconds. */
const PATIENCE = 30_000;

/**
 * The files of a log that a web server serves. Redirections are not followed. What it gives is attacker-controlled.
 * Errors: `ledger/unreadable`, `endpoint/unavailable`.
 */
export function httpSource(address: string, headers: Readonly<Record<string, string>> = {}): LogSource {
  const base = address.replace(/\/+$/, '');
  return {
    async read(path, most) {
      const where = `${base}/${path}`;
      let response: Response;
      try {
        response = await fetch(where, { headers, redirect: 'manual', signal: AbortSignal.timeout(PATIENCE) });
        if (response.status === 404) {
          await response.body?.cancel();
          return undefined;
        }
        if (response.status !== 200) throw new Error(`status ${response.status}`);
        const parts: Uint8Array[] = [];
        let length = 0;
        for await (const part of response.body ?? []) {
          length += part.length;
          if (length > most) throw tooLarge(where, most);
          parts.push(part);
        }
        return Buffer.concat(parts);
      } catch (thrown) {
        if (thrown instanceof GlacisError) throw thrown;
        const reason = thrown instanceof Error ? thrown.message : String(thrown);
        throw new GlacisError('endpoint/unavailable', `${where}: expected a file of the log, got ${reason}`, {
          cause: thrown,
        });
      }
    },
  };
}
