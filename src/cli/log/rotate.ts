import { readFile } from 'node:fs/promises';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { signersFrom } from '../../gateway/record/log-folder.ts';
import { rotateKeys } from '../../gateway/record/rotate-keys.ts';
import { logSigners, newLogKey } from '../../registry/log-key.ts';
import type { Verb } from '../verbs.ts';
import { openFrom } from './open-log.ts';

/** `glacis log rotate`: new keys for a log, announced in it and signed by the old ones. */
export const rotate: Verb = async ({ given }, [location = '']) => {
  const by = given.text('by');
  if (by === undefined)
    throw new GlacisError('option/invalid', '--by: expected who says so, for the log, got nothing');
  const { places, trust } = await openFrom(given, location);
  if (places === undefined)
    throw new GlacisError('option/invalid', 'log rotate: expected the folder of a server');
  const keyFile = given.text('key') ?? places.keyFile;
  const next = given.text('new-key');
  const pem =
    next === undefined
      ? Buffer.from(newLogKey())
      : await readFile(next).catch((thrown) => {
          throw asGlacisError(thrown, 'key/unusable', next);
        });
  const { origin } = trust;
  const old = await signersFrom(places, origin, given.text('key'));
  const fresh = logSigners(pem, origin, next ?? 'new keys');
  const index = await rotateKeys(places, keyFile, origin, [old, fresh], { pem, by, now: Date.now });
  return {
    json: {
      schema: 'glacis.log.rotation/1',
      entry: index,
      keys: fresh.map(({ algorithm, id }) => `${algorithm} ${id}`),
    },
    text: `entry ${index} announces the new keys; ${keyFile} and ${places.trustFile} hold them\nWhoever checks the log may keep the old trust file: it leads to the new keys through the folder 'rotations'.\n`,
  };
};
