import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkReceipt, receiptExtra } from '../../src/gateway/record/receipt.ts';
import {
  formatCheckpoint,
  formatProof,
  formatVerifierKey,
  inclusionProof,
  leafHash,
  nodeHash,
  noteSigner,
  parseProof,
  parseVerifierKey,
  rootFromInclusion,
  rootOf,
  signNote,
} from '../../src/ledger/index.ts';
import { climb } from './inclusion.ts';
import { type LogTrust, verifyReceipt } from './verify-receipt.ts';

const ORIGIN = 'glacis.example/log';
const ed = noteSigner(ORIGIN, 'ed25519', generateKeyPairSync('ed25519').privateKey);
const timed = noteSigner(ORIGIN, 'ed25519-cosignature', generateKeyPairSync('ed25519').privateKey);
const dsa = noteSigner(ORIGIN, 'ml-dsa-44-cosignature', generateKeyPairSync('ml-dsa-44').privateKey);
const witness = noteSigner(
  'witness.example',
  'ed25519-cosignature',
  generateKeyPairSync('ed25519').privateKey,
);
type Signer = typeof ed;

const entryText = (i: number) =>
  JSON.stringify({ schema: 'glacis.decision/1', decision: { id: i, é: '\u202e' } });

/** A subtree's hash in a log of entries. */
const reader = (size: number) => {
  const leaves = Array.from({ length: size }, (_, i) => leafHash(Buffer.from(entryText(i))));
  const read = (height: number, index: number): Uint8Array =>
    height === 0 ? leaves[index]! : nodeHash(read(height - 1, 2 * index), read(height - 1, 2 * index + 1));
  return read;
};

async function receiptOf(
  index: number,
  size: number,
  signers: readonly Signer[] = [ed],
  extra = true,
): Promise<string> {
  const read = reader(size);
  const text = formatCheckpoint({ origin: ORIGIN, size, root: await rootOf(size, read) });
  return formatProof({
    index,
    proof: await inclusionProof(index, size, read),
    checkpoint: signNote(text, signers, 1_764_000_000),
    extra: extra ? receiptExtra(leafHash(Buffer.from(entryText(index)))) : undefined,
  });
}

const trustIn = (signers: readonly Signer[], more: Partial<LogTrust> = {}): LogTrust => ({
  origin: ORIGIN,
  keys: signers.map(formatVerifierKey),
  ...more,
});

/** What the program itself says. */
function onServer(receipt: string, entry: string, trust: LogTrust): boolean {
  const { origin, keys, witnesses, quorum } = trust;
  try {
    const parsed = {
      ...{ origin, quorum, keys: keys.map(parseVerifierKey) },
      witnesses: (witnesses ?? []).map(parseVerifierKey),
    };
    const { leaf } = checkReceipt(receipt, parsed, 'receipt', Buffer.from(entry));
    // The receipt's own word about its leaf, where it has one, must agree: that is how a browser shows one for another entry.
    const [, own = leaf] =
      /"leaf":"([0-9a-f]{64})"/.exec(Buffer.from(parseProof(receipt).extra ?? []).toString()) ?? [];
    return own === leaf;
  } catch {
    return false;
  }
}

describe('a receipt checked in the browser', () => {
  it.each([
    [0, 1],
    [3, 8],
    [5, 11],
    [10, 11],
    [100, 257],
  ])('of entry %i of %i holds, and says each step', async (index, size) => {
    const receipt = await receiptOf(index, size);
    const { verdict, checks, way } = await verifyReceipt(receipt, entryText(index), trustIn([ed]));
    expect(checks.map(({ id, state }) => `${id} ${state}`)).toEqual([
      'receipt good',
      'leaf good',
      'path good',
      'log good',
      'signature good',
    ]);
    expect(verdict).toBe('holds');
    expect(way!.length).toBe((await inclusionProof(index, size, reader(size))).length);
  });

  it('knows all signatures that a log may have, or says that it does not', async () => {
    const signers = [ed, timed, dsa];
    const receipt = await receiptOf(2, 5, signers);
    const { verdict, checks, at } = await verifyReceipt(receipt, entryText(2), trustIn(signers));
    expect(checks.filter(({ id }) => id === 'signature').map(({ state }) => state)).toEqual([
      'good',
      'good',
      expect.stringMatching(/^(good|unchecked)$/),
    ]);
    expect(verdict).not.toBe('fails');
    expect(at).toBe(1_764_000_000_000);
  });

  it('fails where a key of the log has not signed', async () => {
    const receipt = await receiptOf(2, 5, [ed]);
    const { verdict, checks } = await verifyReceipt(receipt, entryText(2), trustIn([ed, timed]));
    expect(verdict).toBe('fails');
    expect(checks.at(-1)!.text).toMatch(/has not signed with this key/);
  });

  it('asks for as many witnesses as the trust does, and counts nobody twice', async () => {
    const receipt = await receiptOf(2, 5, [ed, witness]);
    const witnesses = [formatVerifierKey(witness), formatVerifierKey(witness)];
    const one = await verifyReceipt(receipt, entryText(2), trustIn([ed], { witnesses, quorum: 1 }));
    expect(one.verdict).toBe('holds');
    const two = await verifyReceipt(receipt, entryText(2), trustIn([ed], { witnesses, quorum: 2 }));
    expect(two.verdict).toBe('fails');
  });

  it.each<[string, (receipt: string) => string, (entry: string) => string, string]>([
    ['a changed entry', (r) => r, (e) => e.replace('"id":5', '"id":6'), 'leaf'],
    ['a receipt of another entry', (r) => r.replace('index 5', 'index 4'), (e) => e, 'path'],
    ['a larger log than was signed', (r) => r.replace('\n11\n', '\n12\n'), (e) => e, 'signature'],
    ['another name', (r) => r.replace(`\n${ORIGIN}\n`, '\nevil.example/log\n'), (e) => e, 'log'],
    ['a hash less', (r) => r.replace(/(index 5\n)[^\n]+\n/, '$1'), (e) => e, 'path'],
    ['no signature', (r) => r.replace(/\n\u2014 .*\n$/, '\n'), (e) => e, 'receipt'],
    ['nothing', () => '', (e) => e, 'receipt'],
  ])('fails visibly for %s', async (_, change, alter, where) => {
    const receipt = change(await receiptOf(5, 11));
    const { verdict, checks } = await verifyReceipt(receipt, alter(entryText(5)), trustIn([ed]));
    expect(verdict).toBe('fails');
    expect(checks.filter(({ state }) => state === 'bad').map(({ id }) => id)).toContain(where);
  });

  it('says the same as the program about whatever was changed', async () => {
    const signers = [ed, timed];
    const trust = trustIn(signers);
    const whole = await receiptOf(37, 100, signers);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.constantFrom('', 'A', '=', '\n', '+', '0', '\u2014', ' ', '\r'),
        fc.boolean(),
        async (at, put, replaces) => {
          const changed = whole.slice(0, at) + put + whole.slice(replaces ? at + 1 : at);
          const { verdict } = await verifyReceipt(changed, entryText(37), trust);
          expect(verdict === 'holds').toBe(onServer(changed, entryText(37), trust));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('never throws for what anybody hands it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string(),
        fc.string(),
        fc.array(fc.string(), { maxLength: 3 }),
        async (text, entry, keys) => {
          const { verdict } = await verifyReceipt(text, entry, { origin: 'x', keys });
          expect(verdict).toBe('fails');
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('the way to the root', () => {
  it('is that of RFC 9162, for any index, size and number of hashes', async () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(300),
        fc.nat(300),
        hash,
        fc.array(hash, { maxLength: 10 }),
        async (index, size, leaf, proof) => {
          const way = await climb(index, size, leaf, proof);
          const expected = rootFromInclusion(index, size, leaf, proof);
          expect(way && (way.at(-1)?.parent ?? leaf)).toEqual(expected && Uint8Array.from(expected));
        },
      ),
    );
  });
});
