import { access, open } from 'node:fs/promises';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { visible } from '../report/markup.ts';
import { MOST_BUNDLE_BYTES, parseBundle } from '../supply/sign/bundle.ts';
import { ignorePathFrom } from '../supply/sign/ignored.ts';
import { type Verification, verifyModel } from '../supply/sign/verify-model.ts';
import type { Given } from './args.ts';
import { CHECK_OPTIONS, type Check, checkFrom, VERIFYING_METHODS } from './check-from.ts';
import { type Command, EXIT } from './command.ts';
import { HASHING_OPTIONS, switchFrom } from './hashing-options.ts';
import { prepareFile, writeText } from './output.ts';
import { readKey } from './read-key.ts';
import { ownFiles, postQuantumPath } from './sign.ts';
import { methodAndSubject, required } from './signer-from.ts';

/** Lines of differences that the text shows; the JSON has all. */
const MOST_LINES = 20;

/** `glacis verify`: whether a model is, file by file, the one that somebody signed. */
export const command: Command = {
  usage: 'verify [METHOD] MODEL --signature FILE',
  about: `Verifies a model against an OpenSSF Model Signing bundle of any version, without network. How links are treated and what is ignored is up to the signature. METHOD is ${VERIFYING_METHODS.join(', ')}; sigstore when it is left out. Leaves with 1 when the signature does not fit or a file differs.`,
  options: {
    signature: { value: 'FILE', help: 'the signature' },
    ...CHECK_OPTIONS,
    'pq-public-key': { value: 'FILE', help: "the signer's ML-DSA-65 key, for the second signature" },
    'pq-signature': {
      value: 'FILE',
      help: 'the second signature; beside the first with .pq.sig unless given',
    },
    'require-pq': { help: 'refuse without a second signature' },
    'ignore-paths': HASHING_OPTIONS['ignore-paths']!,
    'ignore-git-paths': {
      help: 'let these be where they were not signed; so it is unless the other is given',
    },
    'no-ignore-git-paths': { help: 'refuse unsigned .git, .github, .gitattributes and .gitignore, too' },
    'ignore-unsigned-files': { help: 'let files be that were not signed' },
    'no-ignore-unsigned-files': { help: 'refuse them; so it is unless the other is given' },
    'digest-cache': HASHING_OPTIONS['digest-cache']!,
    threads: HASHING_OPTIONS.threads!,
    json: { value: 'FILE', help: 'the verdict as JSON, with every difference' },
  },
  examples: [
    [
      'glacis verify key model.onnx --public-key key.pub --signature model.onnx.sig',
      'is it what was signed?',
    ],
  ],
  async run({ given, terminal, signal }) {
    const [method, model] = methodAndSubject(given, VERIFYING_METHODS, 'verify: expected METHOD MODEL');
    const path = required(given, 'signature');
    const json = given.text('json');
    if (json !== undefined) await prepareFile(json);
    const first = await checkFrom(method, given, terminal);
    const { check, pqPath } = await withPostQuantum(first, given, path);
    const bundle = parseBundle(await readBundle(path));
    const ignored = await Promise.all(given.texts('ignore-paths').map((p) => ignorePathFrom(model, p)));
    const verification = await verifyModel(model, bundle, check, {
      ignorePaths: [...ignored, ...(await ownFiles(model, [path, pqPath, json]))],
      ignoreGitPaths: switchFrom(given, 'ignore-git-paths', true),
      ignoreUnsignedFiles: switchFrom(given, 'ignore-unsigned-files', false),
      digestCache: given.text('digest-cache'),
      threads: given.whole('threads', 1),
      signal,
      progress: terminal.progress,
    });
    if (json !== undefined) await writeText(json, `${JSON.stringify(verification, null, 2)}\n`);
    for (const warning of verification.warnings) terminal.say(`Warning: ${warning}`);
    terminal.print(textOf(verification, (text) => terminal.bold(text)));
    return verification.verdict === 'verified' ? EXIT.good : EXIT.negative;
  },
};

/** `check` with the second signature, where its key is given. Errors: `option/invalid`, `key/unusable`, `signature/unreadable`. */
async function withPostQuantum(
  check: Check,
  given: Given,
  signature: string,
): Promise<{ readonly check: Check; readonly pqPath?: string }> {
  const required = given.flag('require-pq');
  const keyPath = given.text('pq-public-key');
  if (keyPath === undefined) {
    if (required || given.text('pq-signature') !== undefined)
      throw new GlacisError(
        'option/invalid',
        '--pq-public-key: expected the key of the second signature, got nothing',
      );
    return { check };
  }
  const { checkBoth, postQuantumKeyFrom } = await import('../supply/sign/post-quantum.ts');
  const key = postQuantumKeyFrom(await readKey(keyPath), 'public', keyPath);
  const pqPath = postQuantumPath(given, signature);
  const exists = await access(pqPath).then(
    () => true,
    () => false,
  );
  const bundle = exists ? parseBundle(await readBundle(pqPath)) : undefined;
  return { check: checkBoth(check, { key, bundle, required }), pqPath };
}

/** The bytes of a signature file. Errors: `signature/unreadable`. */
export async function readBundle(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > MOST_BUNDLE_BYTES)
      throw new GlacisError('signature/unreadable', `${path}: expected a signature, got ${size} bytes`);
    return await file.readFile();
  } catch (thrown) {
    throw asGlacisError(thrown, 'signature/unreadable', path);
  }
}

function textOf(
  { verdict, model, digest, signedBy, reasons, differences }: Verification,
  bold: (text: string) => string,
): string {
  const { method, keyFingerprint, postQuantumFingerprint, subject, identity, identityProvider, signedAt } =
    signedBy ?? {};
  const who = [
    keyFingerprint && `key ${keyFingerprint}`,
    postQuantumFingerprint && `ML-DSA-65 key ${postQuantumFingerprint}`,
    subject,
    identity && `${identity} (by ${identityProvider})`,
    signedAt && `at ${signedAt}`,
  ].filter((part) => part);
  const more = differences.length - MOST_LINES;
  const lines = [
    `${verdict === 'verified' ? 'Verified' : 'REFUSED'}  ${model}${digest ? `  ${digest}` : ''}`,
    ...(signedBy ? [`  signed with a ${method}: ${who.join(', ')}`] : []),
    ...reasons.map((reason) => `  ${reason}`),
    ...differences
      .slice(0, MOST_LINES)
      .map(({ kind, name, reason }) => `    ${kind.padEnd(8)} ${name}${reason ? `: ${reason}` : ''}`),
    ...(more > 0 ? [`    and ${more} more (--json FILE has all)`] : []),
  ];
  return `${lines.map((line, i) => (i === 0 ? bold(visible(line)) : visible(line))).join('\n')}\n`;
}
