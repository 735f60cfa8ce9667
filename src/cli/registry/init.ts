import { rm, stat } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { writeAtomically } from '../../data/index.ts';
import { CHECKPOINT_PATH } from '../../ledger/log-reader.ts';
import { MOST_NOTE_BYTES } from '../../ledger/note.ts';
import { logSigners, newLogKey } from '../../registry/log-key.ts';
import { openBlobs } from '../../registry/place.ts';
import { initRegistry } from '../../registry/registry.ts';
import { formatTrust } from '../../registry/trust.ts';
import { prepareFile, prepareFolder, writeText } from '../output.ts';
import type { Verb } from '../verbs.ts';
import { keysFrom, LOG_KEY, placeFrom, rolesFrom } from './surroundings.ts';

const DAY = 86_400;
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: DAY };

/** `glacis registry init`: starts a registry and makes its log's keys. */
export const init: Verb = async ({ given, signal }, [location = '']) => {
  const { place, memory } = placeFrom(given, location);
  const keys = await keysFrom(given);
  const roles = await rolesFrom(given, keys);
  const trustFile = given.text('trust');
  const logKey = resolve(given.text('log-key') ?? join(memory.folder, LOG_KEY));
  if (logKey.startsWith(`${place.where}${sep}`))
    throw new GlacisError(
      'option/invalid',
      `--log-key: expected a place outside the registry, got ${logKey}; whoever copies the storage must not get the key`,
    );
  if (trustFile !== undefined) await prepareFile(trustFile);
  if (place.local) await prepareFolder(place.where);
  await prepareFile(logKey);
  const origin =
    given.text('origin') ?? `${basename(place.where).replace(/[^\w.-]+/g, '-') || 'models'}.local/registry`;
  const where = given.text('blobs') ?? '';
  // The first event keeps it for every machine and folder that the registry is used from.
  const blobs = where === '' || /^[a-z0-9+]+:\/\//.test(where) ? where : resolve(where);
  openBlobs(place, blobs, process.env);
  if (await stat(logKey).catch(() => undefined))
    throw new GlacisError(
      'ledger/exists',
      `${logKey}: expected no key there, got one; remove ${memory.folder} if its registry is gone`,
    );
  const pem = newLogKey();
  // The key first: a log whose key was lost could not go on.
  await writeAtomically(logKey, (write) => write(Buffer.from(pem)), { mode: 0o600 });
  const now = () => new Date();
  const keeper = { origin, signers: logSigners(Buffer.from(pem), origin, logKey), now };
  const freshness = seconds(given.text('max-age') ?? '30d');
  const encrypted = given.flag('encrypted');
  const trust = await initRegistry(
    { place, memory, now, signal },
    { keeper, roles, freshness, blobs, encrypted, keys },
  ).catch(async (thrown) => {
    // A key of a log that does not exist would only be in the way of the next try.
    const begun = await place.log.source.read(CHECKPOINT_PATH, MOST_NOTE_BYTES).catch(() => 'unknown');
    if (begun === undefined) await rm(logKey, { force: true });
    throw thrown;
  });
  if (trustFile !== undefined) await writeText(trustFile, formatTrust(trust));
  return {
    json: { schema: 'glacis.registry.init/1', location: place.where, trust, logKey },
    text: [
      `${place.where}  ${trust.genesis}`,
      `approvers  ${roles.approvers.map(({ name }) => name).join(', ')} (${roles.threshold} needed)`,
      ...(roles.publishers.length > 0
        ? [`publishers ${roles.publishers.map(({ name }) => name).join(', ')}`]
        : []),
      `log key    ${logKey} (keep a copy; it is not in the registry)`,
      trustFile === undefined
        ? 'trust      remembered on this machine; --trust FILE writes it for others'
        : `trust      ${trustFile} (for every other machine)`,
      '',
    ].join('\n'),
  };
};

/** A time such as `12h` or `30d` in seconds. */
function seconds(text: string): number {
  const [, digits = '', unit = 's'] = /^(\d{1,9})([smhd])?$/.exec(text) ?? [];
  if (digits === '')
    throw new GlacisError('option/invalid', `--max-age: expected a time such as 12h or 30d, got '${text}'`);
  return Number(digits) * (UNITS[unit] ?? 1);
}
