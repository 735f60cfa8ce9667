import { expect } from 'vitest';
import { killedWriter } from './append-for-ever.fixture.ts';
import { auditLog } from './audit.ts';
import { openLog } from './log-reader.ts';
import { folderSource } from './log-source.ts';
import { folderStore } from './log-store.ts';
import { createLog, openWriter } from './log-writer.ts';
import { fixedSigner } from './note-keys.fixture.ts';

/**
 * Kills a writer under load again and again, and checks after each round that the log goes on from what was signed before, holds every entry
 * that was ever acknowledged at the index that was told, and leads to its signed root.
 */
export async function killRounds(folder: string, rounds: number, delayOf: (round: number) => number) {
  const origin = 'example.com/killed';
  const identity = { origin, signers: [fixedSigner(origin)], now: () => new Date() };
  const trust = { origin, keys: identity.signers };
  await (await createLog(folderStore(folder), identity, { publishEvery: 20 })).close();
  const acknowledged = new Map<number, string>();
  let seen = (await openLog(folderSource(folder), trust)).checkpoint;
  for (let round = 0; round < rounds; round++) {
    const said = await killedWriter(folder, `round ${round}`, origin, delayOf(round));
    for (const [index, entry] of said) {
      // Nothing that was acknowledged is ever written over.
      expect(acknowledged.has(index)).toBe(false);
      acknowledged.set(index, entry);
    }
    const left = await openLog(folderSource(folder), trust);
    await left.extend(seen);
    await (await openWriter(folderStore(folder), identity)).close();
    const log = await openLog(folderSource(folder), trust);
    await log.extend(left.checkpoint);
    seen = log.checkpoint;
  }
  const log = await openLog(folderSource(folder), trust);
  const entries: string[] = [];
  for await (const bytes of log.entries()) entries.push(Buffer.from(bytes).toString());
  for (const [index, entry] of acknowledged) expect(entries[index]).toBe(entry);
  await auditLog(log, folderSource(folder));
  return { acknowledged: acknowledged.size, entries: entries.length };
}
