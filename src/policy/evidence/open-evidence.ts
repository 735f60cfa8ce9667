import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { type Bundle, MOST_BUNDLE_BYTES, parseBundle } from '../../supply/sign/bundle.ts';
import { insideOf } from '../../supply/sign/ignored.ts';
import { isObject } from '../../supply/sign/json-fields.ts';
import { type Manifest, rootDigest } from '../../supply/sign/manifest.ts';
import { manifestFrom } from '../../supply/sign/oms-statement.ts';
import { type ManifestOptions, readManifest } from '../../supply/sign/read-manifest.ts';
import type { SignatureCheck } from '../../supply/sign/signer.ts';
import { verifyModel } from '../../supply/sign/verify-model.ts';
import type { GateModel } from '../gate/question.ts';
import { MODEL_SIGNATURE, type Statement } from './statement.ts';
import { checkBundle, type EnvelopeTrust } from './trust.ts';

/** Files of evidence in one folder, at most. */
const MOST_FILES = 1000;
/** Subjects of one statement, at most. */
const MOST_SUBJECTS = 1000;

/** A model and the statements that were found about anything, each checked. */
export interface OpenedEvidence {
  readonly model: GateModel;
  readonly statements: readonly Statement[];
  readonly warnings: readonly string[];
}

/** What evidence is opened with. */
export interface EvidenceOptions
  extends Pick<ManifestOptions, 'threads' | 'digestCache' | 'signal' | 'progress'> {
  /** Files, or folders whose files are taken (not those of folders in them). */
  readonly paths: readonly string[];
  readonly trust: EnvelopeTrust;
  /** What the model is called; its file's or folder's name unless given. */
  readonly name?: string | undefined;
}

/**
 * Hashes the model, reads every file of evidence and checks its envelope. A model's own signature counts as verified only when the files on
 * disk are, one by one, those that it signed. What cannot be read becomes a statement that was not verified, with the reason: it must
 * be seen, and it must not count. Bundles among the evidence are no part of the model, even where they lie in its folder. Network: none.
 * Errors: `model/unreadable`, `manifest/refused`, `manifest/changed`, `option/invalid` for a path that is not there or a folder too full.
 */
export async function openEvidence(path: string, options: EvidenceOptions): Promise<OpenedEvidence> {
  const { trust, signal, progress, threads, digestCache } = options;
  const read = await readAll(options.paths, trust);
  // Only bundles: whatever else lies there is a part of the model, or evidence could hide a file from the hash.
  const bundles = read.flatMap(({ statement, isBundle }) => (isBundle ? [statement.file] : []));
  const own = await Promise.all(bundles.map(insideOf(path)));
  const ignorePaths = own.filter((each) => each !== undefined);
  const hashing = { ignorePaths, threads, digestCache, signal, progress };
  const { manifest, warnings } = await readManifest(path, hashing);
  const statements = await statementsFrom(read, (bundle) => signedRoot(path, manifest, bundle, hashing));
  const model: GateModel = {
    name: options.name ?? basename(resolve(path)),
    roots: [`sha256:${rootDigest(manifest.resources)}`],
    files: manifest.resources.map(({ digest }) => `sha256:${digest}`),
  };
  return { model, statements, warnings };
}

/** The root digest that a model's own signature names, where the model is file by file the one that was signed, or why it is not. */
export type SignedRoot = { readonly root: string } | { readonly reason: string };

/**
 * The statements in `paths`, each checked, for a model that was hashed elsewhere: `signedRoot` holds it against what a signature covers, whose envelope was
 * checked before. Errors: `option/invalid` for a path that is not there or a folder too full.
 */
export async function openStatements(
  paths: readonly string[],
  trust: EnvelopeTrust,
  signedRoot: (bundle: Bundle) => Promise<SignedRoot>,
): Promise<readonly Statement[]> {
  return statementsFrom(await readAll(paths, trust), signedRoot);
}

async function readAll(paths: readonly string[], trust: EnvelopeTrust): Promise<readonly Read[]> {
  const files = (await Promise.all(paths.map(filesAt))).flat();
  const read: Read[] = [];
  for (const file of files) read.push(await readFileOf(bytesOf(file), file, trust));
  return read;
}

async function statementsFrom(
  read: readonly Read[],
  signedRoot: (bundle: Bundle) => Promise<SignedRoot>,
): Promise<readonly Statement[]> {
  const statements: Statement[] = [];
  for (const { statement, signature } of read) {
    const signed = signature && (await signedRoot(signature));
    if (signed === undefined) statements.push(statement);
    else if ('reason' in signed)
      statements.push({ ...statement, check: { verified: false, reason: signed.reason } });
    else statements.push({ ...statement, subjects: [signed.root], filesMatch: true });
  }
  return statements;
}

/**
 * The root digest that a model's signature names, when the model is file by file the one that was signed; the envelope was checked before.
 * A signature over the very files and digests of `manifest` needs no second hashing, which is the usual case.
 */
async function signedRoot(
  path: string,
  manifest: Manifest,
  bundle: Bundle,
  hashing: ManifestOptions,
): Promise<SignedRoot> {
  try {
    const signed = manifestFrom(bundle.envelope.payload).manifest;
    if (filesOf(signed, path) === filesOf(manifest, path))
      return { root: `sha256:${rootDigest(signed.resources)}` };
  } catch (thrown) {
    if (!(thrown instanceof GlacisError)) throw thrown;
    return { reason: thrown.message };
  }
  const checked: SignatureCheck = { fits: true, by: { method: bundle.material.method }, warnings: [] };
  const { ignorePaths = [], threads, digestCache, signal, progress } = hashing;
  const how = { ignorePaths, threads, digestCache, signal, progress };
  const verified = await verifyModel(path, bundle, () => checked, how);
  const { verdict, digest, reasons } = verified;
  return verdict === 'verified' && digest !== undefined ? { root: digest } : { reason: reasons.join('; ') };
}

/** Names and SHA-256 digests of whole files as one text; different for every manifest of another kind. */
function filesOf({ resources, serialization }: Manifest, path: string): string {
  const { method, hashType, allowSymlinks } = serialization;
  const single = basename(resolve(path));
  const files = resources.map(({ name, digest }) => [name === '.' ? single : name, digest]);
  return JSON.stringify([method, hashType, allowSymlinks, files.sort()]);
}

/** The files that `path` means. */
async function filesAt(path: string): Promise<readonly string[]> {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = (await readdir(path, { withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort();
    if (names.length > MOST_FILES)
      throw new GlacisError(
        'option/invalid',
        `${path}: expected at most ${MOST_FILES} files, got ${names.length}`,
      );
    return names.map((name) => join(path, name));
  } catch (thrown) {
    throw asGlacisError(thrown, 'option/invalid', path);
  }
}

// Without O_NONBLOCK, opening a named pipe would wait for ever.
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * The file's bytes; those of one that cannot be read, is no regular file or too large are empty, which is no bundle. Read on the spot: statements are short, and handing
 * four calls to another thread takes several times as long.
 */
function bytesOf(file: string): Uint8Array {
  let fd: number | undefined;
  try {
    fd = openSync(file, FLAGS);
    const state = fstatSync(fd);
    if (!state.isFile() || state.size > MOST_BUNDLE_BYTES) return new Uint8Array();
    const bytes = Buffer.alloc(state.size);
    return bytes.subarray(0, readSync(fd, bytes, 0, state.size, 0));
  } catch {
    return new Uint8Array();
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** A file of evidence, read. */
interface Read {
  readonly statement: Statement;
  readonly isBundle: boolean;
  /** The bundle of a model's own signature whose envelope was verified. */
  readonly signature?: Bundle;
}

/** The statement in a file's bytes. Everything in them is attacker-controlled until its envelope was verified. */
async function readFileOf(bytes: Uint8Array, file: string, trust: EnvelopeTrust): Promise<Read> {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const nothing = (reason: string): Statement => ({
    file,
    digest,
    check: { verified: false, reason },
    subjects: [],
    predicateType: '',
    predicate: undefined,
  });
  let bundle: Bundle;
  try {
    bundle = parseBundle(bytes);
  } catch (thrown) {
    const { message } = asGlacisError(thrown, 'signature/unreadable', file);
    return { statement: nothing(message), isBundle: false };
  }
  const check = await checkBundle(bundle, trust, digest);
  if (!check.verified) return { statement: nothing(check.reason), isBundle: true };
  const content = contentOf(bundle.envelope.payload);
  if (!content) return { statement: nothing('what is signed is no in-toto statement'), isBundle: true };
  const signature = content.predicateType === MODEL_SIGNATURE ? { signature: bundle } : {};
  return { statement: { file, digest, check, ...content }, isBundle: true, ...signature };
}

function contentOf(
  payload: Uint8Array,
): Pick<Statement, 'subjects' | 'predicateType' | 'predicate'> | undefined {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
  if (!isObject(json) || json._type !== 'https://in-toto.io/Statement/v1') return undefined;
  const { subject, predicateType, predicate } = json;
  if (typeof predicateType !== 'string' || !Array.isArray(subject) || subject.length > MOST_SUBJECTS)
    return undefined;
  const subjects = subject.flatMap((each: unknown) => {
    const sha256 = isObject(each) && isObject(each.digest) ? each.digest.sha256 : undefined;
    return typeof sha256 === 'string' && /^[0-9a-fA-F]{64}$/.test(sha256)
      ? [`sha256:${sha256.toLowerCase()}`]
      : [];
  });
  return { subjects, predicateType, predicate };
}
