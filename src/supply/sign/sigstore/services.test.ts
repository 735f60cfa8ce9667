import { describe, expect, it } from 'vitest';
import { servicesFrom, serviceUrl } from './services.ts';

const NOW = new Date('2026-11-22T12:00:00Z');
const from = (start: string, end?: string) => ({ validFor: { start, ...(end && { end }) } });
const service = (url: string, more = {}) => ({
  url,
  majorApiVersion: 1,
  ...from('2020-01-01T00:00:00Z'),
  ...more,
});
const SIGNING = {
  caUrls: [service('https://ca.example.org')],
  oidcUrls: [service('https://login.example.org/auth')],
  rekorTlogUrls: [
    service('https://log2.example.org', { majorApiVersion: 2 }),
    service('https://log.example.org/'),
  ],
};
const read = (json: unknown) => servicesFrom(Buffer.from(JSON.stringify(json) ?? ''), NOW);

describe('a client trust configuration', () => {
  it('names authority, log and issuer: the first of each that is valid and of version 1', () => {
    const services = {
      fulcio: 'https://ca.example.org',
      rekor: 'https://log.example.org',
      issuer: 'https://login.example.org/auth',
    };
    expect(read({ signingConfig: SIGNING, trustedRoot: {} })).toEqual(services);
    expect(read(SIGNING)).toEqual(services);
    const caUrls = [
      service('https://old.example.org', from('2020-01-01T00:00:00Z', '2026-11-22T12:00:00Z')),
      service('https://next.example.org', from('2026-11-22T12:00:01Z')),
      service('https://odd.example.org', from('2020-01-01T00:00:00Z', 'soon')),
      service('https://ca.example.org', from('2026-11-22T12:00:00Z', '2026-11-22T12:00:01Z')),
    ];
    expect(read({ ...SIGNING, caUrls }).fulcio).toBe('https://ca.example.org');
    expect(read({ ...SIGNING, oidcUrls: undefined })).not.toHaveProperty('issuer');
  });

  it.each<[string, unknown, RegExp]>([
    ['no JSON', undefined, /expected JSON/],
    ['a trusted root alone', { certificateAuthorities: [] }, /signing configuration/],
    ['a list', [], /signing configuration/],
    ['no authority', { ...SIGNING, caUrls: [] }, /caUrls: expected a certificate authority/],
    ['no log', { ...SIGNING, rekorTlogUrls: null }, /rekorTlogUrls/],
    ['only a newer log', { ...SIGNING, rekorTlogUrls: SIGNING.rekorTlogUrls.slice(0, 1) }, /Rekor v1/],
    ['no address', { ...SIGNING, caUrls: [service('')] }, /expected an address with https/],
    ['an address that others can read', { ...SIGNING, caUrls: [service('http://ca.example.org')] }, /https/],
    [
      'things that are no services',
      { ...SIGNING, caUrls: [1, null, { url: 1, majorApiVersion: 1 }] },
      /caUrls/,
    ],
  ])('with %s is refused', (_, json, message) => {
    expect(() => read(json)).toThrow(message);
  });

  it('takes http only where it does not leave the machine', () => {
    for (const good of [
      'http://localhost:5555',
      'http://127.0.0.1:1/x',
      'http://[::1]:1',
      'https://a.example.org',
    ])
      expect(serviceUrl(good, 'x')).toBe(good);
    for (const bad of [
      'http://localhost.example.org',
      'http://127.example.org.',
      'ftp://localhost',
      'https://a:b@c.example',
      'x',
    ])
      expect(() => serviceUrl(bad, 'x')).toThrow(/https/);
  });
});
