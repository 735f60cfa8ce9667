import { GlacisError } from '../../core/error.ts';
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
    since: timeFrom(given, 'after'),
    until: timeFrom(given, 'before'),
    limit: given.whole('limit', 1),
  };
}

function timeFrom(given: Given, option: 'after' | 'before'): number | undefined {
  const text = given.text(option);
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new GlacisError(
      'option/invalid',
      `--${option}: expected a time such as 2026-11-21T08:00:00Z, got '${text}'`,
    );
  return time;
}
