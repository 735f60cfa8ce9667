import type { LogSource } from '../../ledger/index.ts';
import { type ManagementRoute, route } from './route.ts';

/** Paths of tlog-tiles: what a monitor or a witness of the log asks for. */
const LOG_PATH = /^(?:checkpoint|tile\/(?:entries|\d{1,2})\/(?:x\d{3}\/)*\d{3}(?:\.p\/\d{1,3})?)$/;
const MOST_BYTES = 256 * 65_540;

/** The log as static files, in the format of C2SP tlog-tiles: any verifier of that format reads it here. */
export function logRoutes(source: LogSource): readonly ManagementRoute[] {
  return [
    route({
      method: 'GET',
      path: '/log/*',
      about: 'The log of decisions as tlog-tiles: checkpoint, tiles and entries.',
      action: 'log.read',
      async run({ params }) {
        const path = params['*'] ?? '';
        const bytes = LOG_PATH.test(path) ? await source.read(path, MOST_BYTES) : undefined;
        if (bytes === undefined) return { json: { error: 'no such file of the log' }, status: 404 };
        // Full tiles never change; the checkpoint and partial tiles do.
        const isFinal = path !== 'checkpoint' && !path.includes('.p/');
        return {
          bytes,
          type: path === 'checkpoint' ? 'text/plain; charset=utf-8' : 'application/octet-stream',
          cache: isFinal ? 'private, max-age=31536000, immutable' : 'no-store',
        };
      },
    }),
  ];
}
