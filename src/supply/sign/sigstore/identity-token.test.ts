import { describe, expect, it } from 'vitest';
import { identityTokenFrom } from './identity-token.ts';

const NOW = new Date('2026-11-22T12:00:00Z');
const SECONDS = NOW.getTime() / 1000;
const GOOD = { iss: 'https://issuer.example.org', sub: '17', aud: 'sigstore', exp: SECONDS + 60 };
const part = (json: unknown) => Buffer.from(JSON.stringify(json)).toString('base64url');
const token = (claims: object) => `${part({ alg: 'ES256' })}.${part(claims)}.c2ln`;
const read = (claims: object) => identityTokenFrom(token({ ...GOOD, ...claims }), 'sigstore', NOW);

describe('an identity token', () => {
  it('stands for the address that its issuer has verified, else for its subject', () => {
    expect(read({})).toMatchObject({ subject: '17', issuer: 'https://issuer.example.org' });
    expect(read({ email: 'a@example.org', email_verified: true }).subject).toBe('a@example.org');
    expect(read({ email: 'a@example.org', email_verified: false }).subject).toBe('17');
    expect(read({ email: 'a@example.org' }).subject).toBe('17');
  });

  it('is taken with blanks around it, for one of several audiences, and from a clock that is slightly off', () => {
    expect(identityTokenFrom(` ${token(GOOD)}\n`, 'sigstore', NOW).text).toBe(token(GOOD));
    expect(read({ aud: ['other', 'sigstore'] }).subject).toBe('17');
    expect(read({ exp: SECONDS - 4, nbf: SECONDS + 4 }).subject).toBe('17');
  });

  it.each<[string, object, RegExp]>([
    ['has ended', { exp: SECONDS - 5 }, /got one that ended at 2026-11-22T11:59:55/],
    ['has not begun', { nbf: SECONDS + 60 }, /got one that begins at 2026-11-22T12:01:00/],
    ['never ends', { exp: undefined }, /without/],
    ['ends at no time', { exp: 'never' }, /without/],
    ['ended before all time', { exp: -1e300 }, /no time at all/],
    ['names no issuer', { iss: 1 }, /without/],
    ['names nobody', { sub: undefined }, /without/],
    [
      'is meant for another service',
      { aud: 'https://vault.example.org' },
      /audience 'sigstore'.*'https:\/\/vault/,
    ],
    ['is meant for nobody', { aud: undefined }, /audience/],
  ])('is refused when it %s', (_, claims, message) => {
    expect(() => read(claims)).toThrow(expect.objectContaining({ code: 'option/invalid' }));
    expect(() => read(claims)).toThrow(message);
  });

  it.each(['', 'a.b', 'a.b.c.d', `${part({})}.${part(GOOD)}.`, `a.${part([])}.c`, `a.!.c`, 'a.bm9uZQ.c'])(
    'is refused when it is none: %j, and not repeated',
    (text) => {
      expect(() => identityTokenFrom(text, 'sigstore', NOW)).toThrow(/in three parts.*something else$/);
    },
  );
});
