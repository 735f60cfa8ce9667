import { folderStore } from './log-store.ts';
import { openWriter } from './log-writer.ts';
import { fixedSigner } from './note-keys.fixture.ts';

/** Appends to the log in a folder and prints `INDEX ENTRY` for each acknowledged entry, until it is killed. */
const [folder = '', name = ''] = process.argv.slice(2);
const origin = 'example.com/log';
const writer = await openWriter(folderStore(folder), {
  origin,
  signers: [fixedSigner(origin)],
  now: () => new Date(),
});
for (let round = 0; round < 10_000; round++) {
  const entries = Array.from({ length: 1 + (round % 7) }, (_, i) => `${name} ${round} ${i}`);
  await Promise.all(
    entries.map(async (entry) => {
      const index = await writer.append(Buffer.from(entry));
      process.stdout.write(`${index} ${entry}\n`);
    }),
  );
}
