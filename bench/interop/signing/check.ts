import { execFile, spawnSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseBundle } from '../../../src/supply/sign/bundle.ts';
import { type Issued, issue } from '../../../src/supply/sign/certificate.fixture.ts';
import { certificateSigner, checkCertificateSignature } from '../../../src/supply/sign/certificate-method.ts';
import { HASH_TYPES, type HashType } from '../../../src/supply/sign/hash-type.ts';
import { checkKeySignature, keySigner } from '../../../src/supply/sign/key-method.ts';
import { signModel } from '../../../src/supply/sign/sign-model.ts';
import { sigstoreCheck } from '../../../src/supply/sign/sigstore/check.ts';
import { identityTokenFrom, SIGSTORE_CLIENT } from '../../../src/supply/sign/sigstore/identity-token.ts';
import { PERSON } from '../../../src/supply/sign/sigstore/issuer.fixture.ts';
import { loopbackSigstore } from '../../../src/supply/sign/sigstore/services.fixture.ts';
import { sigstoreSigner } from '../../../src/supply/sign/sigstore/signer.ts';
import { verifyModel } from '../../../src/supply/sign/verify-model.ts';

/** One way to sign. */
interface Case {
  readonly signer: string;
  readonly hash: HashType;
  readonly model: 'folder' | 'one file';
  readonly shardSize: number;
}

/** What both programs said about it. */
interface Row extends Case {
  readonly oursByPython: string;
  readonly pythonByOurs: string;
}

const HERE = import.meta.dirname;
const PYTHON = join(HERE, 'venv/bin/python');
const PAGE = join(HERE, '../../../docs/signing.md');
const CURVES = ['P-256', 'P-384', 'P-521'] as const;
const NOW = new Date();

/**
 * Signs with Glacis and verifies with the Python package, and the other way round, for every kind of key and every hash that the package has.
 * Prints a line for each, and with `--write` puts the table into docs/signing.md. Leaves with 1 when a signature is not verified.
 */
async function main(argv: readonly string[]): Promise<number> {
  if (!existsSync(PYTHON))
    throw new Error(`${PYTHON} is not there; run bench/interop/signing/setup.sh first`);
  const work = mkdtempSync(join(tmpdir(), 'glacis-interop-'));
  try {
    const { rows: own, version } = await compare(work);
    const rows = [...own, await compareSigstore(work)];
    const lines = table(rows);
    process.stdout.write(`${lines.join('\n')}\nmodel-signing ${version}\n`);
    if (argv.includes('--write')) writePage(lines, version);
    return rows.every(({ oursByPython, pythonByOurs }) => oursByPython === 'yes' && pythonByOurs === 'yes')
      ? 0
      : 1;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function cases(): readonly Case[] {
  const keys = CURVES.flatMap((curve) => [
    ...HASH_TYPES.map((hash) => ({ signer: `key ${curve}`, hash, model: 'folder' as const, shardSize: 0 })),
    { signer: `key ${curve}`, hash: 'sha256' as const, model: 'one file' as const, shardSize: 0 },
  ]);
  // The package does not cut files into shards for BLAKE3.
  const shards = (['sha256', 'blake2b'] as const).map((hash) => ({
    signer: 'key P-256',
    hash,
    model: 'folder' as const,
    shardSize: 1000,
  }));
  const certificates = CURVES.map((curve) => ({
    signer: `certificate ${curve}`,
    hash: 'sha256' as const,
    model: 'folder' as const,
    shardSize: 0,
  }));
  return [...keys, ...shards, ...certificates];
}

/** Keys and certificates as files, by the signer's name. */
function makeSigners(work: string) {
  const authority = { authority: true, keyUsage: 0x04, curve: 'P-384' };
  const root = issue({ name: 'Interop root', ...authority });
  const middle = issue({ name: 'Interop intermediate', issuer: root, ...authority });
  writeFileSync(join(work, 'root.crt'), root.pem);
  writeFileSync(join(work, 'middle.crt'), middle.pem);
  const signers = new Map<string, { issued?: Issued; key: Issued['key'] }>();
  for (const curve of CURVES) {
    const leaf = issue({ name: 'Interop signer', issuer: middle, keyUsage: 0x80, curve });
    writeFileSync(join(work, `certificate ${curve}.crt`), leaf.pem);
    signers.set(`certificate ${curve}`, { issued: leaf, key: leaf.key });
    signers.set(`key ${curve}`, { key: generateKeyPairSync('ec', { namedCurve: curve }).privateKey });
  }
  for (const [name, { key }] of signers) {
    writeFileSync(join(work, `${name}.pem`), key.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(join(work, `${name}.pub`), createPublicKey(key).export({ type: 'spki', format: 'pem' }));
  }
  return { signers, root, middle };
}

async function compare(work: string): Promise<{ readonly rows: readonly Row[]; readonly version: string }> {
  const folder = join(work, 'model');
  mkdirSync(join(folder, 'sub'), { recursive: true });
  // `sub-1` beside `sub/`: the package sorts them otherwise than the specification.
  const files = {
    'sub/weights.bin': Buffer.alloc(2500, 7),
    'sub-1': 'one',
    'ünïcode ☃.txt': 'x',
    '.hidden': 'y',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  writeFileSync(join(work, 'model.onnx'), Buffer.alloc(3000, 1));
  const { signers, root, middle } = makeSigners(work);
  const all = cases();
  const jobs = all.map((one, i) => {
    const method = one.signer.split(' ')[0]!;
    const model = join(work, one.model === 'folder' ? 'model' : 'model.onnx');
    return {
      ...one,
      method,
      model,
      ours: join(work, `${i}.ours.sig`),
      theirs: join(work, `${i}.theirs.sig`),
    };
  });
  for (const { signer, hash, shardSize, model, ours } of jobs) {
    const { key, issued } = signers.get(signer)!;
    const by = issued ? certificateSigner(key, issued.certificate, [middle.certificate]) : keySigner(key);
    const options = { hashType: hash, ...(shardSize ? { shardSize } : {}) };
    writeFileSync(ours, (await signModel(model, by, options)).bundle);
  }
  const python = runPython(
    jobs.flatMap(({ signer, method, hash, shardSize, model, ours, theirs }) => {
      const common = {
        method,
        hash,
        shardSize,
        model,
        root: join(work, 'root.crt'),
        chain: join(work, 'middle.crt'),
      };
      const certificate = join(work, `${signer}.crt`);
      return [
        { ...common, do: 'sign', key: join(work, `${signer}.pem`), certificate, signature: theirs },
        // It takes its settings from the signature, except that it does not know the name that it writes for BLAKE2b.
        {
          ...common,
          do: 'verify',
          key: join(work, `${signer}.pub`),
          signature: ours,
          guess: hash !== 'blake2b',
        },
      ];
    }),
  );
  const rows: Row[] = [];
  for (const [i, { signer, hash, model: path, theirs }] of jobs.entries()) {
    const [signed, verified] = [python.outcomes[2 * i]!, python.outcomes[2 * i + 1]!];
    const { key } = signers.get(signer)!;
    const found =
      signed.ok &&
      (await verifyModel(path, parseBundle(readFileSync(theirs)), (bundle) =>
        signer.startsWith('key')
          ? checkKeySignature(bundle, createPublicKey(key))
          : checkCertificateSignature(bundle, { trusted: [root.certificate], at: NOW }),
      ));
    rows.push({
      ...all[i]!,
      hash,
      oursByPython: verified.ok ? 'yes' : `no: ${verified.error}`,
      pythonByOurs: found
        ? found.verdict === 'verified'
          ? 'yes'
          : `no: ${found.reasons}`
        : `not signed: ${signed.error}`,
    });
  }
  return { rows, version: python.version };
}

/** With an identity instead of a key: both sign at the same authority and log, which exist on this machine only. */
async function compareSigstore(work: string): Promise<Row> {
  const sigstore = await loopbackSigstore();
  try {
    const { trustedRoot, signingConfig, issuer } = sigstore;
    const mediaType = 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json';
    const config = join(work, 'client.json');
    writeFileSync(config, JSON.stringify({ mediaType, trustedRoot, signingConfig }));
    const [model, ours, theirs] = ['model', 'ours.sigstore', 'theirs.sigstore'].map((name) =>
      join(work, name),
    );
    const token = sigstore.token();
    const signer = sigstoreSigner(async () => identityTokenFrom(token, SIGSTORE_CLIENT, NOW), sigstore);
    writeFileSync(ours!, (await signModel(model!, signer)).bundle);
    const trust = ['--trust_config', config];
    const who = ['--identity', PERSON, '--identity_provider', issuer];
    const verified = await modelSigning('verify', 'sigstore', model!, '--signature', ours!, ...who, ...trust);
    const signed = await modelSigning(
      'sign',
      'sigstore',
      model!,
      '--signature',
      theirs!,
      '--identity_token',
      token,
      ...trust,
    );
    const check = await sigstoreCheck({
      trustedRoot: Buffer.from(JSON.stringify(trustedRoot)),
      identity: PERSON,
      identityProvider: issuer,
    });
    const found = signed === '' && (await verifyModel(model!, parseBundle(readFileSync(theirs!)), check));
    return {
      signer: 'an identity (Sigstore)',
      hash: 'sha256',
      model: 'folder',
      shardSize: 0,
      oursByPython: verified === '' ? 'yes' : `no: ${verified}`,
      pythonByOurs: !found
        ? `not signed: ${signed}`
        : found.verdict === 'verified'
          ? 'yes'
          : `no: ${found.reasons}`,
    };
  } finally {
    await sigstore.close();
  }
}

/** Runs the package's command; empty when it says that all is well. */
function modelSigning(...args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(PYTHON, ['-m', 'model_signing', ...args], (error, _, stderr) =>
      resolve(error ? stderr.trim() || error.message : ''),
    );
  });
}

function runPython(jobs: readonly object[]) {
  const { stdout, stderr, status } = spawnSync(PYTHON, [join(HERE, 'tool.py')], {
    input: JSON.stringify(jobs),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as {
    readonly version: string;
    readonly outcomes: readonly { readonly ok: boolean; readonly error?: string }[];
  };
}

function table(rows: readonly Row[]): readonly string[] {
  return [
    '| signed with | hash | model | signed here, verified by the Python package | the other way round |',
    '|---|---|---|---|---|',
    ...rows.map(
      ({ signer, hash, model, shardSize, oursByPython, pythonByOurs }) =>
        `| ${signer} | ${hash}${shardSize ? ', shards' : ''} | ${model} | ${oursByPython} | ${pythonByOurs} |`,
    ),
  ];
}

function writePage(lines: readonly string[], version: string): void {
  const [start, end] = ['<!-- interop -->', '<!-- /interop -->'];
  const page = readFileSync(PAGE, 'utf8');
  const before = page.slice(0, page.indexOf(start) + start.length);
  const date = NOW.toISOString().slice(0, 10);
  const text = `\n\nWith \`model-signing\` ${version}, ${date}:\n\n${lines.join('\n')}\n\n`;
  writeFileSync(PAGE, `${before}${text}${page.slice(page.indexOf(end))}`);
}

process.exitCode = await main(process.argv.slice(2));
