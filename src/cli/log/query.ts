import type { LogQuery } from '../../gateway/record/log-index.ts';
import type { Given } from '../args.ts';

/** What the options ask for. Errors: `option/invalid`. */
export function queryFrom(given: Given): LogQuery {
  return {
    principal: given.text('principal'),
    tenant: given.text('tenant'),
    model: given.text('model'),
    digest: given.text('digest'),
    outcome: given.text('outcome'),
    event: given.text('event'),
    since: given.time('after'),
    until: given.time('before'),
    limit: given.whole('limit', 1),
  };
}
