import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatVerifierKey } from '../ledger/note-key.ts';
import { fixedSigner } from '../ledger/note-keys.fixture.ts';
import { parseIndex } from './bundle/index-file.ts';
import { parseEnvelope } from './envelope.ts';
import { EVENT_TYPE, parseEvent } from './event.ts';
import { parseManifest } from './model-manifest.ts';
import { parseReference } from './names.ts';
import { privateKeysIn, publicKeyFromText } from './party-key.ts';
import { formatTrust, parseTrust } from './trust.ts';

const digest = `sha256:${'0'.repeat(64)}`;

it('a trust file is read up to 64 KiB', () => {
  const trust = {
    schema: 'glacis.registry.trust/1' as const,
    origin: 'example.com/models',
    keys: [formatVerifierKey(fixedSigner('example.com/models'))],
    genesis: digest,
  };
  const padded = (size: number) => Buffer.from(formatTrust(trust).padEnd(size));
  expect(parseTrust(padded(2 ** 16), 'x')).toEqual(trust);
  expect(() => parseTrust(padded(2 ** 16 + 1), 'x')).toThrow(
    expect.objectContaining({ code: 'registry/invalid' }),
  );
});

/** Values that stand where a format has others, or nearly the right ones. */
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    digest,
    'glacis.registry.event/1',
    'promotion',
    'genesis',
    EVENT_TYPE,
    '2026-01-01T00:00:00Z',
    -1,
    1e300,
    '../x',
  ),
);
const key = fc.constantFrom(
  'schema',
  'kind',
  'at',
  'registry',
  'model',
  'version',
  'alias',
  'digest',
  'manifest',
  'sequence',
  'evidence',
  'roles',
  'payload',
  'payloadType',
  'signatures',
  'layers',
  'config',
  'mediaType',
  'artifactType',
  'schemaVersion',
  'files',
  'name',
  'origin',
  '__proto__',
);
const text = fc.oneof(
  fc.string(),
  fc.dictionary(key, value).map((object) => JSON.stringify(object)),
  fc.constantFrom('[', '[]', 'null', '{"a":', '"', `${'['.repeat(10_000)}`),
);

describe('what reads bytes from outside', () => {
  it.each<[string, (bytes: Buffer) => unknown, readonly string[]]>([
    ['an event', (bytes) => parseEvent(bytes, 'x'), ['registry/invalid']],
    ['an envelope', (bytes) => parseEnvelope(bytes, 'x'), ['registry/invalid']],
    ['a manifest', (bytes) => parseManifest(bytes, 'x'), ['registry/invalid']],
    ['a trust file', (bytes) => parseTrust(bytes, 'x'), ['registry/invalid']],
    ['the index of a bundle', (bytes) => parseIndex(bytes, 'x'), ['bundle/invalid']],
    ['keys', (bytes) => privateKeysIn(bytes, 'x'), ['key/unusable']],
    ['a key of an event', (bytes) => publicKeyFromText(bytes.toString(), 'x'), ['key/unusable']],
    ['a reference', (bytes) => parseReference(bytes.toString()), ['option/invalid']],
  ])('%s reads it or refuses it with its own error', (_, read, codes) => {
    fc.assert(
      fc.property(
        fc.oneof(
          text.map((t) => Buffer.from(t)),
          fc.uint8Array().map((b) => Buffer.from(b)),
        ),
        (bytes) => {
          try {
            read(bytes);
          } catch (thrown) {
            expect(codes).toContain((thrown as { code?: string }).code);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('an event with a field that is not known is refused, because it may have meant something to who signed it', () => {
    const event = {
      schema: 'glacis.registry.event/1',
      kind: 'revocation',
      at: '2026-01-01T00:00:00Z',
      registry: digest,
      model: 'net',
      digest,
      reason: 'x',
    };
    expect(parseEvent(Buffer.from(JSON.stringify(event)), 'x')).toEqual(event);
    expect(() => parseEvent(Buffer.from(JSON.stringify({ ...event, unless: 'friday' })), 'x')).toThrow(
      'nrecognized',
    );
  });
});
