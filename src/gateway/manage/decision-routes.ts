import { GlacisError } from '../../core/error.ts';
import type { OpenLiveLog } from '../record/live/open-live-log.ts';
import type { OpenRecorder } from '../record/open-recorder.ts';
import { textFrom, wholeFrom } from './query-values.ts';
import { type ManagementRoute, route } from './route.ts';

/**
 * Decisions as the log has them, and the proofs that it has them. Who a decision is about, where that is sealed, sees who may disclose (`log.payload`); everybody else who
 * may read the log sees the rest.
 */
export function decisionRoutes(
  live: Pick<OpenLiveLog, 'page' | 'find'>,
  recorder: Pick<OpenRecorder, 'receipt' | 'trust'>,
): readonly ManagementRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/decisions',
      about:
        'Decisions, the newest first; ?principal=, ?tenant=, ?model=, ?digest=, ?outcome=, ?id=, ?from=, ?to=, ?before=, ?most=.',
      action: 'log.read',
      async run({ query, may }) {
        const of = (name: string) => textFrom(query[name], name);
        const whole = (name: string) => wholeFrom(query[name], name);
        const asked = {
          principal: of('principal'),
          tenant: of('tenant'),
          model: of('model'),
          digest: of('digest'),
          outcome: of('outcome'),
          id: of('id'),
          from: whole('from'),
          to: whole('to'),
          before: whole('before'),
          most: whole('most'),
        };
        return { json: await live.page(asked, may('log.payload')) };
      },
    }),
    route({
      method: 'GET',
      path: '/api/decisions/:which',
      about:
        "An entry of the log, by its index or by its decision's id, with the bytes that the log's tree is made of.",
      action: 'log.read',
      async run({ params, may }) {
        const found = await live.find(params.which!, may('log.payload'));
        return found === undefined
          ? { json: { error: 'no such entry, or none that is signed yet' }, status: 404 }
          : { json: found };
      },
    }),
    route({
      method: 'GET',
      path: '/api/receipts/:entry',
      about: 'The proof that an entry is in the log (C2SP tlog-proof), which anybody can check.',
      action: 'log.read',
      async run({ params }) {
        const entry = wholeFrom(params.entry, 'entry');
        if (entry === undefined)
          throw new GlacisError('option/invalid', 'receipt: expected the index of an entry');
        return { bytes: await recorder.receipt(entry), type: 'text/plain; charset=utf-8' };
      },
    }),
    route({
      method: 'GET',
      path: '/api/trust',
      about: "The log's name and its public keys: what a receipt is checked with. Keep a copy elsewhere.",
      action: 'log.read',
      run: () => ({ json: recorder.trust }),
    }),
  ];
}
