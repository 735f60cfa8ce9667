import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * A program that appends to the log in a folder with a journal, several entries outstanding at all times, and prints `INDEX ENTRY` for each
 * acknowledged entry, until it is killed. The log is signed by the fixed signer of `origin`.
 */
const program = (origin: string) => `
import { folderStore } from ${JSON.stringify(new URL('./log-store.ts', import.meta.url).href)};
import { openWriter } from ${JSON.stringify(new URL('./log-writer.ts', import.meta.url).href)};
import { fixedSigner } from ${JSON.stringify(new URL('./note-keys.fixture.ts', import.meta.url).href)};
import { writeSync } from 'node:fs';
const [folder, name] = process.argv.slice(1);
const identity = { origin: '${origin}', signers: [fixedSigner('${origin}')], now: () => new Date() };
const writer = await openWriter(folderStore(folder), identity, { publishEvery: 20, patience: 60_000 });
let n = 0;
const keepOn = async () => {
  for (;;) {
    const entry = name + ' ' + n++ + ' ' + 'x'.repeat(n % 700);
    const index = await writer.append(Buffer.from(entry));
    writeSync(1, index + ' ' + entry + '\\n');
  }
};
await Promise.all(Array.from({ length: 24 }, keepOn));
`;

/** Runs it until `delay` milliseconds after its first acknowledged entry, kills it, and gives what it said was acknowledged. */
export async function killedWriter(
  folder: string,
  name: string,
  origin: string,
  delay: number,
): Promise<ReadonlyMap<number, string>> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--input-type=module', '-e', program(origin), folder, name],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  let armed = false;
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk;
    if (!armed) setTimeout(() => child.kill('SIGKILL'), delay);
    armed = true;
  });
  await once(child, 'close');
  // The last line may have been cut off.
  const lines = text.split('\n').slice(0, -1);
  return new Map(
    lines.map((line) => [Number(line.slice(0, line.indexOf(' '))), line.slice(line.indexOf(' ') + 1)]),
  );
}
