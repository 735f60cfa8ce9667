import { access } from 'node:fs/promises';
import { GlacisError } from '../../core/error.ts';
import { eventText } from '../../gateway/record/decision-text.ts';
import { EVENT_SCHEMA } from '../../gateway/record/entry-text.ts';
import { signersFrom } from '../../gateway/record/log-folder.ts';
import { openLogIndex } from '../../gateway/record/log-index.ts';
import { folderStore, openWriter } from '../../ledger/index.ts';
import type { Verb } from '../verbs.ts';
import { openFrom, subjectsFrom } from './open-log.ts';

/** `glacis log erase`: the key of a subject goes, and with it everything that was sealed for it or committed to. Only with the server stopped. */
export const erase: Verb = async ({ given, signal }, [location = '', subject = '']) => {
  const by = given.text('by');
  if (by === undefined)
    throw new GlacisError('option/invalid', '--by: expected who says so, for the log, got nothing');
  const { places, trust } = await openFrom(given, location);
  const keys = await subjectsFrom(given, places);
  if (places === undefined)
    throw new GlacisError('option/invalid', 'log erase: expected the folder of a server');
  const signers = await signersFrom(places, trust.origin, given.text('key'));
  const identity = { origin: trust.origin, signers, now: () => new Date() };
  // The lock keeps a server out that still has the key in memory.
  await using writer = await openWriter(folderStore(places.log), identity, { signal, patience: 2000 });
  const pseudonym = await keys.erase(subject);
  if (pseudonym === undefined)
    return {
      json: { schema: 'glacis.log.erasure/1', erased: false },
      text: 'there is no key of that subject\n',
      good: false,
    };
  const body = eventText({
    kind: 'event',
    at: Date.now(),
    event: 'subject-erased',
    by,
    about: { subject: pseudonym },
  });
  const entry = await writer.append(Buffer.from(`{"event":${body},"schema":"${EVENT_SCHEMA}"}`));
  const indexed = await access(places.index).then(
    () => true,
    () => false,
  );
  if (indexed) {
    const index = openLogIndex(places.index);
    index.forget(pseudonym);
    index.close();
  }
  return {
    json: { schema: 'glacis.log.erasure/1', erased: true, subject: pseudonym, entry },
    text: `the key is gone: nothing sealed for that subject can be opened any more, here; entry ${entry} says so\nCopies of the folder 'subjects' in backups must go as well.\n`,
    good: true,
  };
};
