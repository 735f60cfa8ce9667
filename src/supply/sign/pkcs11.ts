import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { bundleOf } from './bundle.ts';
import type { Certificate } from './certificate.ts';
import { certificateSignerWith } from './certificate-method.ts';
import { derElements } from './der.ts';
import { IN_TOTO, preAuthEncoding } from './dsse.ts';
import { fingerprintOf, hashOf, requireCurve } from './ec-key.ts';
import type { Pkcs11Uri } from './pkcs11-uri.ts';
import type { Signer } from './signer.ts';

type Handle = Buffer;
type Template = readonly { readonly type: number; readonly value?: unknown }[];

/** What is used of the package `pkcs11js`. */
export interface Pkcs11Package {
  readonly PKCS11: new () => Pkcs11Module;
  readonly CK_PARAMS_AES_GCM: number;
}

/** What is used of a module. */
export interface Pkcs11Module {
  load(path: string): void;
  close(): void;
  C_Initialize(): void;
  C_Finalize(): void;
  C_GetSlotList(tokenPresent: boolean): Handle[];
  C_GetTokenInfo(slot: Handle): {
    readonly label: string;
    readonly serialNumber: string;
    readonly manufacturerID: string;
    readonly model: string;
  };
  C_OpenSession(slot: Handle, flags: number): Handle;
  C_CloseSession(session: Handle): void;
  C_Login(session: Handle, user: number, pin: string): void;
  C_FindObjectsInit(session: Handle, template: Template): void;
  C_FindObjects(session: Handle, count: number): Handle[];
  C_FindObjectsFinal(session: Handle): void;
  C_GetAttributeValue(session: Handle, object: Handle, template: Template): { readonly value: Buffer }[];
  C_SignInit(session: Handle, mechanism: { readonly mechanism: number }, key: Handle): void;
  C_Sign(session: Handle, data: Buffer, signature: Buffer): Buffer;
  C_EncryptInit(session: Handle, mechanism: AesGcm, key: Handle): void;
  C_Encrypt(session: Handle, data: Buffer, out: Buffer): Buffer;
  C_DecryptInit(session: Handle, mechanism: AesGcm, key: Handle): void;
  C_Decrypt(session: Handle, data: Buffer, out: Buffer): Buffer;
}

/** AES-GCM as `pkcs11js` wants it described; `type` is its `CK_PARAMS_AES_GCM`. */
interface AesGcm {
  readonly mechanism: number;
  readonly parameter: {
    readonly type: number;
    readonly iv: Buffer;
    readonly aad: Buffer;
    readonly tagBits: number;
  };
}

/** Constants of PKCS#11 v2.40. */
const CKF_SERIAL_SESSION = 4;
const CKU_USER = 1;
const CKA = { class: 0, label: 3, id: 0x102, ecParams: 0x180, ecPoint: 0x181 } as const;
const CKO = { publicKey: 2, privateKey: 3 } as const;
const WORDS: Readonly<Record<number, string>> = { [CKO.publicKey]: 'public', [CKO.privateKey]: 'private' };
const CKM_ECDSA = 0x1041;

/** Where systems keep modules. */
const MODULE_FOLDERS = [
  '/usr/lib64/pkcs11',
  '/usr/lib/pkcs11',
  '/usr/lib/x86_64-linux-gnu/pkcs11',
  '/usr/lib/softhsm',
];

/** A key on a token, open until it is closed. */
export interface Pkcs11Key {
  readonly publicKey: KeyObject;
  /** Signs a payload as DSSE does; ECDSA in DER. */
  sign(payload: Uint8Array): Uint8Array;
  close(): void;
}

/** Loads the package `pkcs11js`, which is not installed with Glacis because it compiles. Errors: `signing/unavailable`. */
export async function loadPkcs11(): Promise<Pkcs11Package> {
  const name = 'pkcs11js';
  try {
    const loaded = (await import(name)) as Pkcs11Package & { readonly default?: Pkcs11Package };
    return loaded.default ?? loaded;
  } catch (cause) {
    throw new GlacisError(
      'signing/unavailable',
      'PKCS#11: expected the package pkcs11js beside glacis, got none; install it with: npm install pkcs11js',
      { cause },
    );
  }
}

/** A token that somebody is logged in to, until it is closed. */
export interface Pkcs11Token {
  readonly module: Pkcs11Module;
  readonly session: Handle;
  close(): void;
}

/**
 * Opens the token that the URI chooses. The PIN comes from the URI or from `GLACIS_PKCS11_PIN` in `env`. Errors: `signing/unavailable`
 * for a module or token that does not work.
 */
export async function openToken(
  uri: Pkcs11Uri,
  { PKCS11 }: Pkcs11Package,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Pkcs11Token> {
  const pin = uri.pinValue ?? (uri.pinSource ? await pinFrom(uri.pinSource) : env.GLACIS_PKCS11_PIN);
  const module = new PKCS11();
  let session: Handle | undefined;
  const close = () => {
    if (session) module.C_CloseSession(session);
    session = undefined;
    module.C_Finalize();
    module.close();
  };
  try {
    module.load(modulePath(uri));
    module.C_Initialize();
  } catch (thrown) {
    throw unavailable('expected a module that loads', thrown);
  }
  try {
    session = module.C_OpenSession(slotFor(module, uri), CKF_SERIAL_SESSION);
    if (pin !== undefined) module.C_Login(session, CKU_USER, pin);
    return { module, session, close };
  } catch (thrown) {
    close();
    throw thrown instanceof GlacisError ? thrown : unavailable('expected a token that answers', thrown);
  }
}

/**
 * Opens the one private key that the URI chooses, with its public part from the same token. Errors: those of {@link openToken};
 * `key/unusable` for no key, several, or one that is not on P-256, P-384 or P-521.
 */
export async function openPkcs11Key(
  uri: Pkcs11Uri,
  pkcs11js: Pkcs11Package,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Pkcs11Key> {
  const { module, session, close } = await openToken(uri, pkcs11js, env);
  try {
    const key = findOne(module, session, CKO.privateKey, uri);
    const publicKey = publicKeyAt(module, session, findOne(module, session, CKO.publicKey, uri));
    return {
      publicKey,
      sign(payload) {
        const digest = createHash(hashOf(publicKey)).update(preAuthEncoding(IN_TOTO, payload)).digest();
        module.C_SignInit(session, { mechanism: CKM_ECDSA }, key);
        return derSignature(module.C_Sign(session, digest, Buffer.alloc(132)));
      },
      close,
    };
  } catch (thrown) {
    close();
    throw thrown instanceof GlacisError ? thrown : unavailable('expected a token that answers', thrown);
  }
}

/** Signs with a key on a token; with `leaf`, the bundle holds its certificate and `chain`. */
export function pkcs11Signer(
  key: Pkcs11Key,
  certificate?: { readonly leaf: Certificate; readonly chain: readonly Certificate[] },
): Signer {
  const hint = fingerprintOf(key.publicKey);
  if (certificate)
    return certificateSignerWith(hint, certificate.leaf, certificate.chain, async (payload) =>
      key.sign(payload),
    );
  return {
    method: 'key',
    who: `key ${hint}`,
    sign: async (payload) => bundleOf(payload, key.sign(payload), { publicKey: { hint } }),
  };
}

function modulePath({ modulePath, moduleName }: Pkcs11Uri): string {
  if (modulePath !== undefined) return modulePath;
  const names = [`${moduleName}.so`, `lib${moduleName}.so`, `${moduleName}`];
  const found = MODULE_FOLDERS.flatMap((folder) => names.map((name) => join(folder, name))).find(existsSync);
  if (found !== undefined) return found;
  throw new GlacisError(
    'signing/unavailable',
    `PKCS#11: expected the module '${moduleName}' in ${MODULE_FOLDERS.join(', ')}, got none; module-path=FILE names it`,
  );
}

async function pinFrom(source: string): Promise<string> {
  const text = await readFile(source.replace(/^file:(\/\/)?/, ''), 'utf8').catch((thrown: unknown) => {
    throw asGlacisError(thrown, 'signing/unavailable', 'pin-source');
  });
  return text.replace(/\r?\n$/, '');
}

function slotFor(module: Pkcs11Module, uri: Pkcs11Uri): Handle {
  const fitting = module.C_GetSlotList(true).filter((slot) => {
    const info = module.C_GetTokenInfo(slot);
    const same = (wanted: string | undefined, found: string) =>
      wanted === undefined || wanted === found.replace(/[\0 ]+$/, '');
    return (
      same(uri.token, info.label) &&
      same(uri.serial, info.serialNumber) &&
      same(uri.manufacturer, info.manufacturerID) &&
      same(uri.model, info.model) &&
      (uri.slotId === undefined || Number(slot.readBigUInt64LE()) === uri.slotId)
    );
  });
  if (fitting.length !== 1)
    throw new GlacisError(
      'signing/unavailable',
      `PKCS#11: expected one token that fits, got ${fitting.length}`,
    );
  return fitting[0]!;
}

/** The one object of a class (`CKO_…`) that the URI chooses. Errors: `key/unusable` for none or several. */
export function findOne(
  module: Pkcs11Module,
  session: Handle,
  kind: number,
  { object, id }: Pkcs11Uri,
): Handle {
  module.C_FindObjectsInit(session, [
    { type: CKA.class, value: kind },
    ...(object === undefined ? [] : [{ type: CKA.label, value: object }]),
    ...(id === undefined ? [] : [{ type: CKA.id, value: Buffer.from(id) }]),
  ]);
  const found = module.C_FindObjects(session, 2);
  module.C_FindObjectsFinal(session);
  if (found.length === 1) return found[0]!;
  throw new GlacisError(
    'key/unusable',
    `PKCS#11: expected one ${WORDS[kind] ?? 'secret'} key that fits, got ${found.length === 0 ? 'none (is the PIN given?)' : 'several'}`,
  );
}

/** The public key that the token describes: its curve, and its point in an octet string. */
function publicKeyAt(module: Pkcs11Module, session: Handle, key: Handle): KeyObject {
  const [params, point] = module.C_GetAttributeValue(session, key, [
    { type: CKA.ecParams },
    { type: CKA.ecPoint },
  ]);
  const inner = derElements(point!.value)?.[0];
  const ecPublicKey = Buffer.from([0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]);
  const bits = Buffer.concat([Buffer.from([0]), inner?.content ?? point!.value]);
  const spki = der(0x30, der(0x30, ecPublicKey, params!.value), der(0x03, bits));
  try {
    return requireCurve(createPublicKey({ key: spki, format: 'der', type: 'spki' }), 'PKCS#11');
  } catch (thrown) {
    throw asGlacisError(thrown, 'key/unusable', 'PKCS#11: expected an EC key');
  }
}

/** `r‖s`, as PKCS#11 gives it, as DER. */
export function derSignature(raw: Uint8Array): Uint8Array {
  const integer = (bytes: Uint8Array) => {
    let start = 0;
    while (start < bytes.length - 1 && bytes[start] === 0) start++;
    const body = Buffer.from(bytes.subarray(start));
    return der(0x02, body[0]! & 0x80 ? Buffer.concat([Buffer.from([0]), body]) : body);
  };
  const half = raw.length / 2;
  return der(0x30, integer(raw.subarray(0, half)), integer(raw.subarray(half)));
}

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length = body.length < 128 ? [body.length] : [0x81, body.length];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function unavailable(expected: string, cause: unknown): GlacisError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new GlacisError('signing/unavailable', `PKCS#11: ${expected}, got: ${reason}`, { cause });
}
