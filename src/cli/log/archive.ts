import { readFile } from 'node:fs/promises';
import { GlacisError } from '../../core/error.ts';
import { archiveEntries, restoreEntries } from '../../gateway/record/archive.ts';
import { signersFrom } from '../../gateway/record/log-folder.ts';
import { visible } from '../../report/markup.ts';
import { openWrappingKey } from '../../supply/vault/wrapping-key.ts';
import type { Given } from '../args.ts';
import { prepareFile } from '../output.ts';
import type { Verb } from '../verbs.ts';
import { openFrom } from './open-log.ts';

/** `glacis log archive`: the oldest entries go into a file, encrypted where a key is given; their hashes stay. */
export const archive: Verb = async ({ given, signal }, [location = '', file = '']) => {
  const [by, before] = [given.text('by'), given.whole('until', 1)];
  if (by === undefined || before === undefined)
    throw new GlacisError('option/invalid', 'log archive: expected --by NAME and --until ENTRY');
  const { places, trust } = await openFrom(given, location);
  if (places === undefined)
    throw new GlacisError('option/invalid', 'log archive: expected the folder of a server');
  await prepareFile(file);
  if (
    await readFile(file).then(
      () => true,
      () => false,
    )
  )
    throw new GlacisError(
      'output/unwritable',
      `${file}: expected no file there, got one; archives are not overwritten`,
    );
  const signers = await signersFrom(places, trust.origin, given.text('key'));
  const wrapping = await wrappingFrom(given);
  const range = await archiveEntries(
    places,
    { origin: trust.origin, signers },
    { before, file, by, now: Date.now, wrapping, signal },
  );
  return {
    json: { schema: 'glacis.log.archive/1', ...range, encrypted: wrapping !== undefined },
    text: `${visible(file)}: entries ${range.from} to ${range.to - 1}${wrapping ? ', encrypted' : ''}; entry ${range.entry} says so\n`,
  };
};

/** `glacis log restore`: archived entries come back, verified. */
export const restore: Verb = async ({ given }, [location = '', file = '']) => {
  const { places, log } = await openFrom(given, location);
  if (places === undefined)
    throw new GlacisError('option/invalid', 'log restore: expected the folder of a server');
  const range = await restoreEntries(places, log, file, await wrappingFrom(given));
  return {
    json: { schema: 'glacis.log.restore/1', ...range },
    text: `entries ${range.from} to ${range.to - 1} are back\n`,
  };
};

async function wrappingFrom(given: Given) {
  const name = given.text('wrapping-key');
  return name === undefined ? undefined : openWrappingKey(name, process.env);
}
