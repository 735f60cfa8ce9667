import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askWitness, type Post } from './ask-witness.ts';
import { openCheckpoint } from './checkpoint.ts';
import { openLog } from './log-reader.ts';
import { folderSource } from './log-source.ts';
import { folderStore } from './log-store.ts';
import { createLog } from './log-writer.ts';
import { noteSigner } from './note-key.ts';
import { fixedKey, fixedSigner } from './note-keys.fixture.ts';
import { formatRequest, MOST_REQUEST_BYTES, openWitness } from './witness.ts';
import { folderMemory } from './witness-memory.ts';

const ORIGIN = 'example.com/watched';
const signer = fixedSigner(ORIGIN);
const identity = { origin: ORIGIN, signers: [signer], now: () => new Date(1_700_000_000_000) };
const trust = { origin: ORIGIN, keys: [signer] };
const witnessKey = noteSigner('witness.example', 'ed25519-cosignature', fixedKey(7));

let home = '';
const closing: (() => void)[] = [];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'glacis-witness-'));
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await rm(home, { recursive: true, force: true });
});

const entry = (i: number) => Buffer.from(`entry ${i}`);
async function logOf(name: string, sizes: readonly number[], of = entry) {
  const folder = join(home, name);
  const writer = await createLog(folderStore(folder), identity);
  const logs = [];
  let at = 0;
  for (const size of sizes) {
    if (size > at) await writer.appendAll(Array.from({ length: size - at }, (_, i) => of(at + i)));
    at = size;
    logs.push(await openLog(folderSource(folder), trust));
  }
  await writer.close();
  return logs;
}
async function open(folder = join(home, 'memory')) {
  const memory = await folderMemory(folder);
  closing.push(memory.close);
  const now = () => new Date(1_700_000_500_000);
  return openWitness({ signers: [witnessKey], logs: new Map([[ORIGIN, [signer]]]), memory, now });
}
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing was thrown',
    (thrown: { code?: string }) => thrown.code ?? String(thrown),
  );

describe('a witness', () => {
  it('cosigns a log that goes on from what it saw, and says when', async () => {
    const witness = await open();
    const post: Post = async (body) => {
      const { status, body: text } = await witness.addCheckpoint(body);
      return { status, text };
    };
    const logs = await logOf('log', [0, 3, 3, 300]);
    for (const [i, log] of logs.entries()) {
      // What was seen last is guessed wrongly every second time.
      const { note } = await askWitness(log, post, [witnessKey], i % 2 === 0 ? 0 : 2);
      const opened = openCheckpoint(note, { ...trust, witnesses: [witnessKey] });
      expect(opened.size).toBe(log.checkpoint.size);
    }
  });

  it('never cosigns two histories of a log, or one that went back, also after a restart', async () => {
    const memory = join(home, 'memory');
    const first = await open(memory);
    const post =
      (witness: Awaited<ReturnType<typeof open>>): Post =>
      async (body) => {
        const { status, body: text } = await witness.addCheckpoint(body);
        return { status, text };
      };
    const [small, large] = await logOf('log', [100, 500]);
    await askWitness(large!, post(first), [witnessKey]);
    for (const close of closing.splice(0)) close();
    const witness = await open(memory);
    expect(await code(askWitness(small!, post(witness), [witnessKey]))).toBe('ledger/forked');
    const [same, longer] = await logOf('fork', [500, 700], (i) => Buffer.from(`other ${i}`));
    expect(await code(askWitness(same!, post(witness), [witnessKey]))).toBe('ledger/forked');
    expect(await code(askWitness(longer!, post(witness), [witnessKey]))).toBe('ledger/forked');
    await askWitness(large!, post(witness), [witnessKey], 500);
  });

  it('answers as the specification says', async () => {
    const witness = await open();
    const [three, ten] = await logOf('log', [3, 10]);
    const status = async (old: number, log = ten!, proof?: readonly Uint8Array[]) => {
      const { size, note } = log.checkpoint;
      return (
        await witness.addCheckpoint(
          formatRequest(old, proof ?? (await log.proveSince(Math.min(old, size))), note),
        )
      ).status;
    };
    expect(await status(3)).toBe(409);
    expect(await status(0, three)).toBe(200);
    expect(await status(4, three)).toBe(400);
    expect(await status(0, three)).toBe(409);
    expect(await status(3, three)).toBe(200);
    expect(await status(3, ten, [Buffer.alloc(32)])).toBe(422);
    expect(await status(3)).toBe(200);
    const conflict = await witness.addCheckpoint(
      formatRequest(3, await ten!.proveSince(3), ten!.checkpoint.note),
    );
    expect(conflict).toEqual({ status: 409, type: 'text/x.tlog.size', body: '10\n' });
    const stranger = { ...identity, signers: [fixedSigner(ORIGIN, 5)] };
    const other = await createLog(folderStore(join(home, 'stranger')), stranger);
    expect((await witness.addCheckpoint(formatRequest(0, [], other.checkpoint.note))).status).toBe(403);
    await other.close();
    const unknown = await createLog(folderStore(join(home, 'unknown')), {
      ...identity,
      origin: 'example.com/unknown',
      signers: [fixedSigner('example.com/unknown')],
    });
    expect((await witness.addCheckpoint(formatRequest(0, [], unknown.checkpoint.note))).status).toBe(404);
    await unknown.close();
    for (const body of [
      '',
      'old 1',
      'old -1\n\nx',
      'old 01\n\nx',
      'old 0\nAA==\n\nx',
      'x'.repeat(MOST_REQUEST_BYTES + 1),
    ])
      expect((await witness.addCheckpoint(Buffer.from(body))).status).toBe(400);
  });

  it('handles requests that come together one after the other', async () => {
    const witness = await open();
    const [a] = await logOf('log', [50]);
    const [b] = await logOf('fork', [50], (i) => Buffer.from(`other ${i}`));
    const answers = await Promise.all(
      [a!, b!, a!, b!].map((log) => witness.addCheckpoint(formatRequest(0, [], log.checkpoint.note))),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 409, 409, 409]);
  });

  it('does not begin anew when its memory cannot be read', async () => {
    const witness = await open();
    const [log] = await logOf('log', [5]);
    const ask = () => witness.addCheckpoint(formatRequest(0, [], log!.checkpoint.note));
    expect((await ask()).status).toBe(200);
    const [name] = (await readdir(join(home, 'memory'))).filter((each) => each.endsWith('.note'));
    await writeFile(join(home, 'memory', name!), '');
    expect(await code(ask())).toBe('ledger/unreadable');
  });

  it('answers every body without an error', async () => {
    const witness = await open();
    const [log] = await logOf('log', [5]);
    const note = Buffer.from(log!.checkpoint.note).toString();
    const part = fc.constantFrom('old 0\n', 'old 5\n', '\n', note, `${'A'.repeat(43)}=\n`, '— ', ORIGIN);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(part, fc.string()), { maxLength: 6 }), async (parts) => {
        const { status } = await witness.addCheckpoint(Buffer.from(parts.join('')));
        expect([200, 400, 403, 404, 409, 422]).toContain(status);
      }),
    );
  });

  it('is not believed when it answers with anything but its signatures', async () => {
    const [log] = await logOf('log', [5]);
    const asked = (status: number, text: string) =>
      code(askWitness(log!, async () => ({ status, text }), [witnessKey]));
    expect(await asked(200, '')).toBe('ledger/untrusted');
    expect(await asked(200, 'hello')).toBe('ledger/unreadable');
    expect(await asked(200, '— witness.example AAAAAAAA\n')).toBe('ledger/untrusted');
    expect(await asked(500, 'x')).toBe('endpoint/bad-answer');
    expect(await asked(409, 'x')).toBe('endpoint/bad-answer');
    expect(await asked(409, '0\n')).toBe('ledger/forked');
  });
});
