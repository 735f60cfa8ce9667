import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CertificateSpec, issue } from '../../../supply/sign/certificate.fixture.ts';
import { Refused } from '../../refusal.ts';
import { alternativeNames } from './alternative-names.ts';
import {
  type CertificateEntry,
  certificatePrint,
  hasCertificate,
  openCertificateBook,
} from './certificate-book.ts';

let at = Date.parse('2026-11-21T10:00:00Z');

/** A certificate as a TLS socket gives it. */
function peer(over: Partial<CertificateSpec> = {}): PeerCertificate & { print: string } {
  const { pem } = issue({ name: 'client', ...over });
  const { raw, subjectAltName, validFrom, validTo, fingerprint256 } = new X509Certificate(pem);
  return {
    raw,
    subjectaltname: subjectAltName,
    valid_from: validFrom,
    valid_to: validTo,
    print: `sha256:${fingerprint256.replaceAll(':', '').toLowerCase()}`,
  } as unknown as PeerCertificate & { print: string };
}
const entry = (over: Partial<CertificateEntry>): CertificateEntry => ({
  principal: 'scanner',
  tenant: 'acme',
  roles: ['machine'],
  ...over,
});
const outcome = (
  certificate: PeerCertificate,
  entries: CertificateEntry[],
  refused: string[] = [],
): string => {
  try {
    return openCertificateBook(entries, refused, { now: () => at }).identify(certificate).id;
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown;
    return thrown.because.replace(/sha256:\w+/, '…');
  }
};

describe('a certificate', () => {
  const uri = 'spiffe://example.org/scanner';
  const named = peer({
    alternativeNames: [
      [0x82, 'Scanner.Example.org'],
      [0x86, uri],
      [0x81, 'ann@example.org'],
    ],
  });

  it('is a principal by one of its names, or by its fingerprint', () => {
    const book = openCertificateBook([entry({ name: `uri:${uri}` })], [], { now: () => at });
    const principal = book.identify(named);
    expect(principal).toEqual({
      id: 'scanner',
      tenant: 'acme',
      credential: named.print,
      kind: 'certificate',
      roles: ['machine'],
    });
    expect(book.identify(named)).toBe(principal);
    for (const name of ['dns:scanner.example.org', 'dns:SCANNER.example.ORG', 'email:ann@example.org'])
      expect(outcome(named, [entry({ name })])).toBe('scanner');
    expect(outcome(named, [entry({ fingerprint: named.print })])).toBe('scanner');
  });

  it('is nobody with other names, other spellings, or names of another kind', () => {
    for (const name of [
      `uri:${uri}/x`,
      `uri:${uri.toUpperCase()}`,
      'dns:example.org',
      `dns:${uri}`,
      'email:Ann@example.org',
      'dns:*.example.org',
    ])
      expect(outcome(named, [entry({ name })])).toMatch('nobody’s');
    expect(outcome(peer(), [entry({ name: 'dns:client' })])).toMatch('nobody’s');
  });

  it('with names of several principals is nobody; its own entry counts first', () => {
    const entries = [
      entry({ name: `uri:${uri}` }),
      entry({ name: 'email:ann@example.org', principal: 'ann' }),
    ];
    expect(outcome(named, entries)).toMatch('several principals');
    expect(outcome(named, [...entries, entry({ fingerprint: named.print, principal: 'own' })])).toBe('own');
    const sameButMore = [
      entry({ name: `uri:${uri}` }),
      entry({ name: 'email:ann@example.org', roles: ['admin'] }),
    ];
    expect(outcome(named, sameButMore)).toMatch('several principals');
  });

  it('is checked for its dates on each call, on the same connection', () => {
    const short = peer({
      from: '2026-11-21T09:00:00',
      to: '2026-11-21T11:00:00',
      alternativeNames: [[0x86, uri]],
    });
    const book = openCertificateBook([entry({ name: `uri:${uri}` })], [], { now: () => at });
    expect(book.identify(short).id).toBe('scanner');
    at += 3_600_000;
    expect(() => book.identify(short)).toThrow(Refused);
    at -= 2 * 3_600_000 + 1;
    expect(() => book.identify(short)).toThrow(Refused);
    at += 3_600_000 + 1;
    expect(book.identify(short).id).toBe('scanner');
    expect(outcome({ ...short, valid_to: 'soon' }, [entry({ name: `uri:${uri}` })])).toMatch('expired');
  });

  it('can be refused though its name is right', () => {
    expect(outcome(named, [entry({ name: `uri:${uri}` })], [named.print])).toMatch('refused');
    expect(outcome(named, [entry({ fingerprint: named.print })], [named.print])).toMatch('refused');
  });

  it('is there or not', () => {
    expect(hasCertificate(undefined)).toBe(false);
    expect(hasCertificate({} as PeerCertificate)).toBe(false);
    expect(hasCertificate(named)).toBe(true);
    expect(certificatePrint({} as PeerCertificate)).toBeUndefined();
    expect(Buffer.from(certificatePrint(named)!, 'base64url').toString('hex')).toBe(named.print.slice(7));
  });
});

describe('a name that tries to be two', () => {
  it.each([
    [0x82, 'evil.example, URI:spiffe://example.org/scanner'],
    [0x86, 'https://evil.example/, URI:spiffe://example.org/scanner'],
    [0x86, 'x", URI:spiffe://example.org/scanner, DNS:"'],
    [0x82, 'evil\0.example'],
    [0x81, 'a@b, URI:spiffe://example.org/scanner'],
  ] as const)('is one (%i %j)', (tag, value) => {
    const certificate = peer({ alternativeNames: [[tag, value]] });
    expect(outcome(certificate, [entry({ name: 'uri:spiffe://example.org/scanner' })])).toMatch(
      /nobody’s|cannot be read/,
    );
    expect(alternativeNames(certificate.subjectaltname!)?.length ?? 1).toBe(1);
  });

  it('reads back whatever is written as Node writes it, and throws at nothing', () => {
    const text = fc.string({ unit: 'binary-ascii', minLength: 1 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('DNS', 'URI', 'email', 'IP Address', 'othername'), text)),
        (names) => {
          const written = names
            .map(
              ([kind, value]) =>
                `${kind}:${/[^\w./: @+-]/.test(value) ? JSON.stringify(value).replaceAll(',', '\\u002c') : value}`,
            )
            .join(', ');
          expect(alternativeNames(written)?.map(({ value }) => value)).toEqual(
            names.filter(([kind]) => kind !== 'othername').map(([, value]) => value),
          );
        },
      ),
    );
    fc.assert(fc.property(fc.string(), (anything) => void alternativeNames(anything)));
    for (const bad of ['DNS', 'DNS:"a', 'DNS:"a"b', 'DNS:"\\x"', 'DNS:"a", ', ', ', 'DNS:a,'])
      expect(alternativeNames(bad)?.every(({ value }) => value === 'a,') ?? true).toBe(true);
  });
});
