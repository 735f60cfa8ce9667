import { z } from 'zod';
import { publicFile } from '../../ledger/index.ts';
import type { OpenRecorder } from '../record/open-recorder.ts';
import { type ManagementRoute, route } from './route.ts';

const MOST_BYTES = 256 * 65_540;

/** The log as static files, in the format of C2SP tlog-tiles, so that any verifier of that format reads it here; and the right to be forgotten. */
export function logRoutes({
  source,
  erase,
}: Pick<OpenRecorder, 'source' | 'erase'>): readonly ManagementRoute[] {
  return [
    route({
      method: 'GET',
      path: '/log/*',
      about: 'The log of decisions as tlog-tiles: checkpoint, tiles and entries.',
      action: 'log.read',
      async run({ params }) {
        const path = params['*'] ?? '';
        const bytes = publicFile(path) ? await source.read(path, MOST_BYTES) : undefined;
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
    route<{ subject: string }>({
      method: 'POST',
      path: '/api/subjects/erase',
      about:
        'Destroys the key of a person: what the log holds of them cannot be read any more, and stays whole.',
      action: 'subjects.erase',
      body: z.strictObject({ subject: z.string().min(1).max(500) }),
      run: async ({ body, by }) => ({ json: { erased: await erase(body.subject, by.id) } }),
    }),
  ];
}
