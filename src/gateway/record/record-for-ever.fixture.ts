import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';

const at = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);

/** A program that records decisions, many outstanding, and prints `INDEX ID` when one is acknowledged, until it is killed. */
const PROGRAM = `
import { writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { openRecorder } from ${at('./open-recorder.ts')};
import { decision, recordConfig } from ${at('./record.fixture.ts')};
const recorder = await openRecorder(recordConfig({ who: 'sealed', payloads: { keep: 'input' } }), { folder: process.argv[2] });
const keepOn = async () => {
  for (;;) {
    const id = randomBytes(16).toString('hex');
    const index = await recorder.record(decision(0, { id }), { input: [randomBytes(500)], output: [] });
    writeSync(1, index + ' ' + id + '\\n');
  }
};
await Promise.all(Array.from({ length: 32 }, keepOn));
`;

/** Runs it until `delay` milliseconds after its first acknowledged decision, kills it, and gives what was acknowledged. */
export async function killedRecorder(folder: string, delay: number): Promise<ReadonlyMap<number, string>> {
  // A file and not an argument: the recorder's thread would inherit the option that goes with one.
  const program = `${folder}.mjs`;
  await writeFile(program, PROGRAM);
  const child = spawn(process.execPath, [program, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  let armed = false;
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
    if (!armed) setTimeout(() => child.kill('SIGKILL'), delay);
    armed = true;
  });
  await once(child, 'close');
  await rm(program);
  const lines = text.split('\n').slice(0, -1);
  return new Map(lines.map((line) => [Number(line.split(' ')[0]), line.split(' ')[1]!]));
}
