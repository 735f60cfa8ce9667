import { afterEach, describe, expect, it } from 'vitest';
import type { GlacisError } from '../../../core/error.ts';
import { browserLogin, type Login, type LoginPerson } from './browser-login.ts';
import { identityTokenFrom } from './identity-token.ts';
import { PERSON } from './issuer.fixture.ts';
import { type LoopbackSigstore, loopbackSigstore } from './services.fixture.ts';

const open: LoopbackSigstore[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});
const start = async (options?: { readonly secret: string }) => {
  const services = await loopbackSigstore(options);
  open.push(services);
  return services;
};
const never = new AbortController().signal;
const login = ({ issuer }: LoopbackSigstore, more: Partial<Login> = {}): Login => ({
  issuer,
  clientId: 'sigstore',
  outOfBand: false,
  ...more,
});
/** Somebody whose browser goes where it is sent; `visit` may do something else with the address. */
const person = (visit: (address: string) => Promise<unknown> = fetch, asked: string[] = []): LoginPerson => ({
  show: (text) => void asked.push(text),
  async open(address) {
    void visit(address);
    return true;
  },
  ask: async () => {
    throw new Error('nothing should be asked');
  },
});
/** Somebody who copies the code from a browser elsewhere. */
const copying = (): LoginPerson => {
  let address = '';
  return {
    show(text) {
      address = /https?:\S+/.exec(text)![0];
    },
    open: async () => false,
    ask: async () => ` ${await (await fetch(address)).text()}\n`,
  };
};
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
const failure = (work: Promise<string>) =>
  work.then(
    () => 'a token came',
    (error: GlacisError) => `${error.code}: ${error.message}`,
  );

describe('a login in the browser', () => {
  it('gives a token for this program: code with a proof of its own, back to this machine', async () => {
    const services = await start();
    const pages: string[] = [];
    const shown: string[] = [];
    const visit = async (address: string) => {
      const query = new URL(address).searchParams;
      expect(query.get('redirect_uri')).toMatch(/^http:\/\/localhost:\d+\/auth\/callback$/);
      expect(query.get('code_challenge_method')).toBe('S256');
      pages.push(await (await fetch(address)).text());
    };
    const token = await browserLogin(login(services), person(visit, shown), never);
    expect(identityTokenFrom(token, 'sigstore', new Date()).subject).toBe(PERSON);
    expect(shown.join()).toContain(`${services.issuer}/auth?`);
  });

  it('waits on while others come with a state that they guessed, and ends with the login', async () => {
    const services = await start();
    let callback = '';
    const visit = async (address: string) => {
      callback = new URL(address).searchParams.get('redirect_uri')!;
      for (const wrong of ['?code=x&state=guess', '', '?state=guess&error=access_denied'])
        expect((await fetch(callback + wrong)).status).toBe(404);
      expect((await fetch(new URL('/', callback))).status).toBe(404);
      const state = new URL(address).searchParams.get('state');
      expect((await fetch(`${callback}?code=x&state=${state}`, { method: 'POST' })).status).toBe(404);
      await fetch(address);
    };
    expect(await failure(browserLogin(login(services), person(visit), never))).toBe('a token came');
    await expect(fetch(callback)).rejects.toThrow();
  });

  it('shows an address and takes the code where no browser opens, or none is wanted', async () => {
    const services = await start();
    for (const outOfBand of [true, false]) {
      const token = await browserLogin(login(services, { outOfBand }), copying(), never);
      expect(identityTokenFrom(token, 'sigstore', new Date()).subject).toBe(PERSON);
    }
  });

  it('names the program and shows its secret where it has one', async () => {
    const services = await start({ secret: 'secret1' });
    const own = { clientId: 'glacis', outOfBand: true };
    const token = await browserLogin(login(services, { ...own, clientSecret: 'secret1' }), copying(), never);
    expect(identityTokenFrom(token, 'glacis', new Date()).subject).toBe(PERSON);
    expect(await failure(browserLogin(login(services, own), copying(), never))).toMatch(
      /^signing\/unavailable: login at http.*invalid_client/,
    );
  });

  it('is refused when the person refuses, or brings no code or a wrong one', async () => {
    const services = await start();
    const refusing = async (address: string) => {
      const query = new URL(address).searchParams;
      const back = new URLSearchParams({ error: 'access_denied', state: query.get('state')! });
      await fetch(`${query.get('redirect_uri')}?${back}`);
    };
    expect(await failure(browserLogin(login(services), person(refusing), never))).toMatch(/access_denied/);
    const typing = (code: string): LoginPerson => ({
      ...person(),
      open: async () => false,
      ask: async () => code,
    });
    expect(await failure(browserLogin(login(services), typing(''), never))).toMatch(/expected a code/);
    expect(await failure(browserLogin(login(services), typing('guess'), never))).toMatch(/invalid_grant/);
  });

  it.each<[string, object, RegExp]>([
    ['for another login', { nonce: 'another' }, /nonce/],
    ['for another program', { aud: 'another' }, /aud/],
    ['of another issuer', { iss: 'https://other.example.org' }, /iss/],
    ['that has ended', { exp: 1 }, /exp/],
  ])('takes no token %s', async (_, claims, message) => {
    const services = await start();
    services.bend('/token', ({ body, ...rest }) => {
      const { id_token: own } = body as { id_token: string };
      return {
        ...rest,
        body: { ...(body as object), id_token: services.token({ ...claimsOf(own), ...claims }) },
      };
    });
    expect(await failure(browserLogin(login(services, { outOfBand: true }), copying(), never))).toMatch(
      message,
    );
  });

  it('takes no token that the issuer did not sign', async () => {
    const [services, other] = [await start(), await start()];
    services.bend('/token', ({ body, ...rest }) => {
      const { id_token: own } = body as { id_token: string };
      return { ...rest, body: { ...(body as object), id_token: other.token(claimsOf(own)) } };
    });
    expect(await failure(browserLogin(login(services, { outOfBand: true }), copying(), never))).toMatch(
      /^signing\/unavailable.*signature/i,
    );
  });

  it('ends when it is cancelled, while it waits and before', async () => {
    const services = await start();
    const controller = new AbortController();
    const visit = async () => controller.abort('Ctrl-C');
    expect(await failure(browserLogin(login(services), person(visit), controller.signal))).toMatch(
      /^run\/cancelled/,
    );
    expect(await failure(browserLogin(login(services), person(visit), controller.signal))).toMatch(
      /^run\/cancelled/,
    );
  });

  it('does not go to an issuer that others can listen to, or that is none', async () => {
    const services = await start();
    expect(
      await failure(browserLogin(login(services, { issuer: 'http://login.example.org' }), copying(), never)),
    ).toMatch(/^option\/invalid.*https/);
    services.bend('openid-configuration', () => ({
      status: 200,
      body: { issuer: 'https://other.example.org' },
    }));
    expect(await failure(browserLogin(login(services), copying(), never))).toMatch(/^signing\/unavailable/);
  });
});
