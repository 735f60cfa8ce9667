import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { silent } from '../core/progress.ts';
import { folderWith } from '../supply/sign/model-folder.fixture.ts';
import { PERSON } from '../supply/sign/sigstore/issuer.fixture.ts';
import { type LoopbackSigstore, loopbackSigstore } from '../supply/sign/sigstore/services.fixture.ts';
import { readArgs } from './args.ts';
import { askLine } from './ask-line.ts';
import type { Command } from './command.ts';
import { command as signing } from './sign.ts';
import { command as verifying } from './verify.ts';

vi.mock('./ask-line.ts', () => ({ askLine: vi.fn() }));

let sigstore: LoopbackSigstore;
let home: string;
let said: string[];
const at = (name: string) => join(home, name);
beforeAll(async () => {
  sigstore = await loopbackSigstore();
});
afterAll(() => sigstore.close());
beforeEach(() => {
  home = folderWith({ 'model.onnx': 'weights' });
  writeFileSync(at('root.json'), JSON.stringify(sigstore.trustedRoot));
  said = [];
  vi.stubEnv('GLACIS_IDENTITY_TOKEN', '');
});
afterEach(() => vi.unstubAllEnvs());

/** Exit code, or code and message of the error. */
async function run(command: Command, ...args: readonly string[]): Promise<number | string> {
  const terminal = {
    width: 96,
    print: (text: string) => void said.push(text),
    say: (text: string) => void said.push(text),
    progress: silent,
    clear() {},
    bold: (text: string) => text,
  };
  try {
    const given = readArgs([at('model.onnx'), ...args], command.options);
    return await command.run({ given, args, terminal, signal: new AbortController().signal });
  } catch (thrown) {
    const { code, message } = thrown as { code: string; message: string };
    return `${code}: ${message}`;
  }
}
const sign = (...args: readonly string[]) => run(signing, '--signature', at('m.sig'), ...args);
const services = () => ['--fulcio', sigstore.fulcio, '--rekor', sigstore.rekor];
const verify = (...args: readonly string[]) =>
  run(
    verifying,
    '--signature',
    at('m.sig'),
    '--identity',
    PERSON,
    '--identity-provider',
    sigstore.issuer,
    ...args,
  );

describe('sign and verify without a method', () => {
  it('are those of Sigstore: a token, a certificate, a log', async () => {
    expect(await sign('--identity_token', sigstore.token(), ...services())).toBe(0);
    expect(said.join()).toContain(`signed 1 file by ${PERSON} (by ${sigstore.issuer})`);
    expect(await verify('--trust_config', at('root.json'))).toBe(0);
    writeFileSync(at('model.onnx'), 'WEIGHTS');
    expect(await verify('--trust-config', at('root.json'))).toBe(1);
  });

  it('take a token from a file or the environment, and services from a trust configuration', async () => {
    const { signingConfig, trustedRoot } = sigstore;
    writeFileSync(at('client.json'), JSON.stringify({ signingConfig, trustedRoot }));
    writeFileSync(at('token'), `${sigstore.token()}\n`);
    expect(await sign('--identity-token', at('token'), '--trust-config', at('client.json'))).toBe(0);
    expect(await verify('--trust-config', at('client.json'))).toBe(0);
    vi.stubEnv('GLACIS_IDENTITY_TOKEN', sigstore.token());
    expect(await sign('--trust-config', at('client.json'))).toBe(0);
    expect(await verify('--trust-config', at('client.json'))).toBe(0);
  });

  it('take the identity that the surroundings give, for the audience that is asked for', async () => {
    for (const name of ['GITHUB_ACTIONS', 'CIRCLECI', 'BUILDKITE']) vi.stubEnv(name, '');
    vi.stubEnv('GITLAB_CI', 'true');
    vi.stubEnv('OWN_ID_TOKEN', sigstore.token({ aud: 'own' }));
    expect(await sign('--use-ambient-credentials', '--client-id', 'own', ...services())).toBe(0);
    expect(await verify('--trust-config', at('root.json'))).toBe(0);
    vi.stubEnv('SIGSTORE_ID_TOKEN', '');
    expect(await sign('--use-ambient-credentials', ...services())).toMatch(/^signing\/unavailable: GitLab/);
  });

  it.each<[string, () => readonly string[], RegExp]>([
    [
      'two ways to an identity',
      () => ['--identity-token', 'x', '--use-ambient-credentials'],
      /one of --identity-token, --use-ambient/,
    ],
    ['two instances', () => ['--use-staging', ...services()], /one of --use-staging, --fulcio and --rekor/],
    ['half of an instance', () => ['--rekor', sigstore.rekor], /--fulcio: expected with --rekor/],
    [
      'an address that others can read',
      () => ['--fulcio', 'http://ca.example.org', '--rekor', 'https://a.example.org'],
      /--fulcio: expected an address with https/,
    ],
    [
      'a login option without a login',
      () => ['--identity-token', sigstore.token(), '--client-secret', 'x'],
      /--client-secret: expected with a login/,
    ],
    [
      'an issuer that is not asked',
      () => ['--use-ambient-credentials', '--oidc-issuer', 'https://a.example.org'],
      /--oidc-issuer: expected with a login/,
    ],
    ['nobody to log in with', () => services(), /--oidc-issuer: expected where to log in/],
    ['no terminal to log in on', () => [], /no terminal for a login/],
    [
      'a token for somebody else',
      () => ['--identity-token', sigstore.token({ aud: 'vault' })],
      /audience 'sigstore'/,
    ],
    [
      'an option of another method',
      () => ['--private-key', 'x'],
      /--private-key: expected with key, certificate/,
    ],
  ])('refuse %s before anything is sent', async (_, args, message) => {
    const before = sigstore.asked.length;
    const refused = await sign(...args());
    expect(refused).toMatch(/^option\/invalid/);
    expect(refused).toMatch(message);
    expect(sigstore.asked.length).toBe(before);
  });

  it('say which trusted root is needed, and take no other for that of trials', async () => {
    expect(await sign('--identity-token', sigstore.token(), ...services())).toBe(0);
    expect(await verify()).toMatch(/^option\/invalid: --trust-config: .*cosign trusted-root create/);
    expect(await verify('--use-staging')).toMatch(
      /^option\/invalid.*cosign initialize --staging.*sigstage\.dev/,
    );
    const own = ['--use-staging', '--trust-config', at('root.json')];
    expect(await verify(...own)).toMatch(
      /^option\/invalid: --use-staging.*sigstage\.dev alone, got that of http:\/\/127/,
    );
    const staging = structuredClone(sigstore.trustedRoot) as { certificateAuthorities: { uri: string }[] };
    staging.certificateAuthorities[0]!.uri = 'https://fulcio.sigstage.dev';
    writeFileSync(at('root.json'), JSON.stringify(staging));
    expect(await verify(...own)).toBe(0);
    writeFileSync(at('root.json'), JSON.stringify({ ...staging, certificateAuthorities: [] }));
    expect(await verify(...own)).toMatch(/got that of no authority/);
  });

  it('log in with a code that is typed in, and leave no token behind', async () => {
    // Whoever asks for a code gets one: the page of the issuer shows it.
    const shown = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    vi.mocked(askLine).mockImplementation(async () => {
      const address = /http:\S+/.exec(shown.mock.calls.join())![0];
      return (await fetch(address)).text();
    });
    try {
      expect(await sign('--oauth-force-oob', '--oidc-issuer', sigstore.issuer, ...services())).toBe(0);
    } finally {
      shown.mockRestore();
    }
    expect(await verify('--trust-config', at('root.json'))).toBe(0);
    // The log's entry is base64 of JSON as well; the head of every token of this issuer is the same.
    const [head] = sigstore.token().split('.');
    expect(readFileSync(at('m.sig'), 'utf8') + said.join()).not.toContain(head);
  });
});

it('certificates of a signature and trusted ones are shown by their fingerprints', async () => {
  const { issue } = await import('../supply/sign/certificate.fixture.ts');
  const [root, other] = [
    issue({ name: 'root', authority: true, keyUsage: 4 }),
    issue({ name: 'other', authority: true }),
  ];
  const leaf = issue({ name: 'leaf', issuer: root, keyUsage: 0x80 });
  writeFileSync(at('root.pem'), root.pem);
  writeFileSync(at('other.pem'), other.pem);
  writeFileSync(at('leaf.pem'), leaf.pem);
  writeFileSync(at('key.pem'), leaf.key.export({ type: 'pkcs8', format: 'pem' }));
  const model = ['certificate', at('model.onnx'), '--signature', at('m.sig')];
  const both = async (command: Command, ...args: readonly string[]) => {
    const given = readArgs([...model, ...args], command.options);
    const terminal = {
      width: 96,
      print() {},
      say: (text: string) => void said.push(text),
      progress: silent,
      clear() {},
      bold: (text: string) => text,
    };
    return command.run({ given, args, terminal, signal: new AbortController().signal });
  };
  expect(await both(signing, '--private-key', at('key.pem'), '--signing-certificate', at('leaf.pem'))).toBe(
    0,
  );
  for (const [trusted, code] of [
    [root, 0],
    [other, 1],
  ] as const) {
    said = [];
    const chain = at(`${trusted.name}.pem`);
    expect(await both(verifying, '--certificate-chain', chain, '--log-fingerprints')).toBe(code);
    for (const { certificate } of [trusted, leaf])
      expect(said.join('\n')).toContain(certificate.x509.fingerprint256);
  }
});
