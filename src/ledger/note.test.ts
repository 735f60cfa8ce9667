import { createPrivateKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from './checkpoint.ts';
import { formatCheckpoint, readCheckpoint } from './checkpoint-body.ts';
import { EMPTY_ROOT } from './merkle.ts';
import { cosignNote, parseNote, signNote, verifyNote } from './note.ts';
import {
  formatVerifierKey,
  noteKey,
  noteSigner,
  parseVerifierKey,
  signText,
  verifyText,
} from './note-key.ts';
import { fixedKey, fixedSigner, quantumSafeSigner } from './note-keys.fixture.ts';

/** The example of C2SP signed-note. */
const SPEC_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const SPEC_NOTE =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
/** Keys and note of golang.org/x/mod/sumdb/note. */
const GO_SEED = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
const GO_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const GO_TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const GO_NOTE = `${GO_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

const bytes = (text: string) => Buffer.from(text);
const code = (work: () => unknown) => {
  try {
    work();
    return 'nothing was thrown';
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? String(thrown);
  }
};
const BODY = { origin: 'example.com/log', size: 7, root: EMPTY_ROOT };

describe('signed notes', () => {
  it('verify the example of the specification and that of Go, and write the keys back', () => {
    for (const [note, key, text] of [
      [SPEC_NOTE, SPEC_KEY, 'This is an example message.\n'],
      [GO_NOTE, GO_KEY, GO_TEXT],
    ] as const) {
      const parsed = parseNote(bytes(note));
      expect(verifyNote(parsed, [parseVerifierKey(key)])).toHaveLength(1);
      expect(Buffer.from(parsed.text).toString()).toBe(text);
      expect(formatVerifierKey(parseVerifierKey(key))).toBe(key);
    }
  });

  it('are signed to the same bytes as Go signs them', () => {
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), GO_SEED]);
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const note = signNote(GO_TEXT, [noteSigner('PeterNeumann', 'ed25519', key)], 0);
    expect(Buffer.from(note).toString()).toBe(GO_NOTE);
  });

  it.each([
    ['a changed text', SPEC_NOTE.replace('example message', 'example massage'), 'ledger/untrusted'],
    ['a changed signature', SPEC_NOTE.replace('Uw2QOkn8', 'Uw2QOkn9'), 'ledger/untrusted'],
    ['another key of the same name', SPEC_NOTE.replace('Uw2QOk', 'Uw2QPk'), 'ledger/untrusted'],
    ['no signature', 'text\n\n', 'ledger/unreadable'],
    ['no empty line', 'text\n', 'ledger/unreadable'],
    ['nothing', '', 'ledger/unreadable'],
    ['a hyphen for the dash', SPEC_NOTE.replace('—', '-'), 'ledger/unreadable'],
    ['a control character', SPEC_NOTE.replace('This', 'Th\ris'), 'ledger/unreadable'],
    ['base64 that is not canonical', 'text\n\n— k AAAAAAB=\n', 'ledger/unreadable'],
    ['a signature without bytes', 'text\n\n— k AAAAAA==\n', 'ledger/unreadable'],
    ['a missing last newline', SPEC_NOTE.slice(0, -1), 'ledger/unreadable'],
    ['too many signatures', `text\n\n${'— k AAAAAAE=\n'.repeat(65)}`, 'ledger/unreadable'],
    ['too many bytes', 'x'.repeat(1 << 19), 'ledger/unreadable'],
  ])('are refused with %s', (_, note, expected) => {
    expect(code(() => verifyNote(parseNote(bytes(note)), [parseVerifierKey(SPEC_KEY)]))).toBe(expected);
  });

  it('are refused when they are not UTF-8', () => {
    expect(code(() => parseNote(Uint8Array.of(0xff, 10, 10)))).toBe('ledger/unreadable');
  });

  it('split at the last empty line, wherever the text has others', () => {
    const signer = fixedSigner('example.com/k');
    for (const text of ['a\n\nb\n', '\n', 'a\n\n', 'x\n\n\n\n']) {
      const note = parseNote(signNote(text, [signer], 0));
      expect(Buffer.from(note.text).toString()).toBe(text);
      expect(verifyNote(note, [signer])).toHaveLength(1);
    }
  });

  it('pass over unknown keys, but not over a wrong signature of a known one', () => {
    const [a, b] = [fixedSigner('a.example', 1), fixedSigner('b.example', 2)];
    const note = signNote('text\n', [a, b], 0);
    expect(verifyNote(parseNote(note), [b]).map((v) => v.key.name)).toEqual(['b.example']);
    const bad = Buffer.from(note)
      .toString()
      .replace(/(b\.example .{40})./, (_, start: string) => `${start}~`)
      .replace('~', 'A');
    expect(code(() => verifyNote(parseNote(bytes(bad)), [a, b]))).toBe('ledger/untrusted');
  });

  it('are not signed when a reader would refuse them', () => {
    const signer = fixedSigner('k');
    for (const text of ['', 'no newline', 'tab\there\n', '\ud800\n'])
      expect(code(() => signNote(text, [signer], 0))).toBe('option/invalid');
    expect(code(() => signNote('text\n', [], 0))).toBe('option/invalid');
  });

  it('keep their bytes when a witness signs as well, and hold its newest word only', () => {
    const [log, witness] = [fixedSigner('log', 1), noteSigner('w', 'ed25519-cosignature', fixedKey(2))];
    const note = signNote(formatCheckpoint(BODY), [log], 0);
    const once = cosignNote(note, [witness], 100);
    expect(Buffer.from(once).subarray(0, note.length).equals(note)).toBe(true);
    const twice = parseNote(cosignNote(once, [witness], 200));
    expect(twice.signatures).toHaveLength(2);
    expect(verifyNote(twice, [witness])[0]?.at).toBe(200);
  });

  it('never make a reader throw anything but its own errors', () => {
    const piece = fc.constantFrom('\n', '\n\n', '— ', 'k', ' ', 'AAAAAAE=', 'é', '+', '\u2028', SPEC_NOTE);
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 12 }), (parts) => {
        expect(['ledger/unreadable', 'ledger/untrusted', 'nothing was thrown']).toContain(
          code(() => verifyNote(parseNote(bytes(parts.join(''))), [parseVerifierKey(SPEC_KEY)])),
        );
      }),
    );
  });
});

describe('verifier keys', () => {
  it.each([
    ['', 'NAME+ID+KEY'],
    ['name', 'NAME+ID+KEY'],
    [SPEC_KEY.replace('530d903a', '530d903b'), 'an id that belongs'],
    ['a b+00000000+AQ==', 'without spaces'],
    ['k+00000000+AQ==', '32 bytes of key'],
    ['k+00000000+/wAA', 'type 1'],
    [`${SPEC_KEY}=`, 'base64'],
  ])('%s is refused', (key, message) => {
    expect(() => parseVerifierKey(key)).toThrow(message);
  });

  it('round-trip for every algorithm', () => {
    for (const key of [
      fixedSigner('k'),
      noteSigner('k', 'ed25519-cosignature', fixedKey(1)),
      quantumSafeSigner('k'),
    ])
      expect(formatVerifierKey(parseVerifierKey(formatVerifierKey(key)))).toBe(formatVerifierKey(key));
  });

  it('take only keys of their kind', () => {
    expect(code(() => noteKey('k', 'ml-dsa-44-cosignature', fixedSigner('k').publicKey))).toBe(
      'option/invalid',
    );
    expect(code(() => noteSigner('k', 'ed25519', fixedSigner('k').publicKey))).toBe('option/invalid');
    expect(code(() => fixedSigner('a+b'))).toBe('option/invalid');
  });
});

describe('cosignatures', () => {
  const text = bytes(formatCheckpoint(BODY));

  it('of ML-DSA-44 sign the structure of the specification', async () => {
    const signer = quantumSafeSigner('w.example');
    const signature = signText(signer, text, 1_700_000_000);
    expect(signature.length).toBe(8 + 2420);
    // cosigned_message, written out by hand: label, name, time, origin, start, end, hash.
    const message = Buffer.concat([
      Buffer.from('737562747265652f76310a00', 'hex'),
      Buffer.from('\x09w.example'),
      Buffer.from('000000006553f100', 'hex'),
      Buffer.from('\x0fexample.com/log'),
      Buffer.from('0000000000000000', 'hex'),
      Buffer.from('0000000000000007', 'hex'),
      EMPTY_ROOT,
    ]);
    const { verify } = await import('node:crypto');
    expect(verify(null, message, signer.publicKey, signature.subarray(8))).toBe(true);
    expect(verifyText(signer, text, signature)).toEqual({ at: 1_700_000_000 });
  });

  it('of Ed25519 sign header, time and text', async () => {
    const signer = noteSigner('w.example', 'ed25519-cosignature', fixedKey(3));
    const signature = signText(signer, text, 1679315147);
    const { verify } = await import('node:crypto');
    const message = Buffer.concat([bytes('cosignature/v1\ntime 1679315147\n'), text]);
    expect(verify(null, message, signer.publicKey, signature.subarray(8))).toBe(true);
  });

  it('do not verify with another time, text, name or length', () => {
    const signer = quantumSafeSigner('w');
    const signature = signText(signer, text, 5);
    const later = Buffer.from(signature);
    later[7] = 6;
    expect(verifyText(signer, text, later)).toBe(false);
    expect(verifyText(signer, bytes(formatCheckpoint({ ...BODY, size: 8 })), signature)).toBe(false);
    expect(verifyText(noteKey('v', signer.algorithm, signer.publicKey), text, signature)).toBe(false);
    expect(verifyText(signer, text, signature.subarray(1))).toBe(false);
    expect(verifyText(signer, bytes('no checkpoint\n'), signature)).toBe(false);
  });
});

describe('checkpoints', () => {
  const [log, safe] = [fixedSigner(BODY.origin, 1), quantumSafeSigner(BODY.origin)];
  const witnesses = [2, 3].map((byte) => noteSigner(`w${byte}`, 'ed25519-cosignature', fixedKey(byte)));
  const text = formatCheckpoint(BODY);

  it('open with all keys of the log and say when they were signed', () => {
    const note = signNote(text, [log, safe], 1234);
    expect(openCheckpoint(note, { origin: BODY.origin, keys: [log, safe] })).toMatchObject({
      size: 7,
      at: 1234,
    });
    expect(openCheckpoint(note, { origin: BODY.origin, keys: [log] }).at).toBeUndefined();
  });

  it('are as old as the oldest signature of the log says: one stolen key does not make them fresh', () => {
    const timed = noteSigner(BODY.origin, 'ed25519-cosignature', fixedKey(9));
    const note = cosignNote(signNote(text, [log, safe], 1000), [timed], 2000);
    expect(openCheckpoint(note, { origin: BODY.origin, keys: [log, safe, timed] }).at).toBe(1000);
  });

  it('are untrusted when a key of the log did not sign: nobody can leave the second algorithm out', () => {
    const note = signNote(text, [log], 0);
    expect(code(() => openCheckpoint(note, { origin: BODY.origin, keys: [log, safe] }))).toBe(
      'ledger/untrusted',
    );
  });

  it('are untrusted for another log, without keys, or below the quorum of witnesses', () => {
    const note = signNote(text, [log, witnesses[0]!], 0);
    const trust = { origin: BODY.origin, keys: [log] };
    expect(code(() => openCheckpoint(note, { ...trust, origin: 'other' }))).toBe('ledger/untrusted');
    expect(code(() => openCheckpoint(note, { ...trust, keys: [] }))).toBe('ledger/untrusted');
    expect(code(() => openCheckpoint(note, { ...trust, witnesses }))).toBe('ledger/untrusted');
    expect(openCheckpoint(note, { ...trust, witnesses, quorum: 1 }).size).toBe(7);
    const twice = [witnesses[0]!, witnesses[0]!];
    expect(code(() => openCheckpoint(note, { ...trust, witnesses: twice, quorum: 2 }))).toBe(
      'ledger/untrusted',
    );
  });

  it.each([
    'o\n7\n',
    'o\n07\nAA==\n',
    'o\n-1\n',
    `\n7\n${'A'.repeat(43)}=\n`,
    `o\n9007199254740992\n${'A'.repeat(43)}=\n`,
    `o\n7\n${'A'.repeat(43)}=\n\nx\n`,
  ])('are not read from %j', (body) => {
    expect(readCheckpoint(bytes(body))).toBeUndefined();
    const note = signNote(body, [log], 0);
    expect(code(() => openCheckpoint(note, { origin: 'o', keys: [log] }))).toBe('ledger/unreadable');
  });

  it('may have extension lines, which are not looked at', () => {
    expect(readCheckpoint(bytes(`${text}extension\n`))).toMatchObject({ size: 7 });
  });
});
