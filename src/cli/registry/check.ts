import { GlacisError } from '../../core/error.ts';
import { filesOf } from '../../registry/pull.ts';
import { rotate } from '../../registry/sealed-blobs.ts';
import { verifyRegistry } from '../../registry/verify-registry.ts';
import { visible } from '../../report/markup.ts';
import type { Verb } from '../verbs.ts';
import { keeperFrom, openFrom, wrappingKeyFrom } from './surroundings.ts';

/** `glacis registry verify`: everything again, from the log. */
export const verify: Verb = async (run) => {
  const { given } = run;
  const { registry, blobs } = await openFrom(run);
  const key = await wrappingKeyFrom(given);
  const checks = await verifyRegistry(registry, blobs, { deep: !given.flag('quick'), key });
  const bad = checks.filter(({ ok }) => !ok).length;
  return {
    json: { schema: 'glacis.registry.verification/1', location: registry.place.where, ok: bad === 0, checks },
    text: [
      ...checks.map(({ what, ok, detail }) => `${ok ? 'ok     ' : 'NOT OK '} ${what}: ${detail}`),
      bad === 0 ? `all ${checks.length} checks are good` : `${bad} of ${checks.length} checks are not good`,
      '',
    ]
      .map(visible)
      .join('\n'),
    good: bad === 0,
  };
};

/** `glacis registry refresh`: the same state, signed now. */
export const refresh: Verb = async (run) => {
  const { registry } = await openFrom(run);
  const { size, at = 0 } = await registry.place.log.refresh(
    await keeperFrom(run.given, registry),
    run.signal,
  );
  const signed = new Date(at * 1000).toISOString();
  return {
    json: { schema: 'glacis.registry.refresh/1', entries: size, signed },
    text: `${size} entries, signed ${signed}\n`,
  };
};

/** `glacis registry rewrap`: every data key under another wrapping key; no blob is touched. */
export const rewrap: Verb = async (run) => {
  const { given } = run;
  const [from, to] = [await wrappingKeyFrom(given), await wrappingKeyFrom(given, 'new-wrapping-key')];
  if (!from || !to)
    throw new GlacisError(
      'option/invalid',
      'registry rewrap: expected --wrapping-key and --new-wrapping-key',
    );
  const { registry, blobs } = await openFrom(run);
  let count = 0;
  for (const version of registry.state.versions.values())
    for (const entry of await filesOf(blobs, version)) {
      if (entry.plain.digest === entry.stored.digest) continue;
      await rotate(registry.place.records, from, to, entry);
      count++;
    }
  return {
    json: { schema: 'glacis.registry.rewrap/1', from: from.id, to: to.id, keys: count },
    text: `${count} data keys are under ${to.id} now\n`,
  };
};
