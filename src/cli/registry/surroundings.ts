import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import type { BlobStore } from '../../registry/blob-store.ts';
import type { Roles } from '../../registry/event.ts';
import type { LogKeeper } from '../../registry/event-log.ts';
import { logSigners } from '../../registry/log-key.ts';
import { type Memory, memoryHome, memoryOf } from '../../registry/memory.ts';
import { privateKeysIn, publicKeysIn, publicKeyText } from '../../registry/party-key.ts';
import { openBlobs, openPlace, type Place } from '../../registry/place.ts';
import { openRegistry, type Registry } from '../../registry/registry.ts';
import { parseTrust, type Trust } from '../../registry/trust.ts';
import { openWrappingKey, type WrappingKey } from '../../supply/vault/wrapping-key.ts';
import type { Given } from '../args.ts';
import type { CommandRun } from '../command.ts';

/** The name of the log's key in a machine's memory of a registry. */
export const LOG_KEY = 'log-key.pem';

/** A registry that was opened, with where its blobs are. */
export interface Opened {
  readonly registry: Registry;
  readonly blobs: BlobStore;
}

/** The place that the command line or the environment names, and this machine's memory of it. */
export function placeFrom(
  given: Given,
  location = given.text('registry') ?? process.env.GLACIS_REGISTRY,
): {
  readonly place: Place;
  readonly memory: Memory;
} {
  if (!location)
    throw new GlacisError(
      'option/invalid',
      '--registry: expected a LOCATION (or GLACIS_REGISTRY), got nothing',
    );
  const place = openPlace(location, process.env);
  return { place, memory: memoryOf(memoryHome(process.env, homedir()), place.where) };
}

/** Opens the registry that the command line names. */
export async function openFrom({ given, signal }: CommandRun): Promise<Opened> {
  const { place, memory } = placeFrom(given);
  const trust = await trustFrom(given);
  const registry = await openRegistry({
    place,
    memory,
    now: () => new Date(),
    signal,
    ...(trust && { trust }),
  });
  return { registry, blobs: openBlobs(place, registry.state.blobs, process.env) };
}

/** The private keys of `--key`. */
export async function keysFrom(given: Given): Promise<readonly KeyObject[]> {
  const files = given.texts('key');
  if (files.length === 0)
    throw new GlacisError('option/invalid', '--key: expected the FILE of your private key, got nothing');
  const keys: KeyObject[] = [];
  for (const file of files)
    keys.push(...privateKeysIn(await read(file, 'key/unusable'), file, process.env.GLACIS_KEY_PASSWORD));
  return keys;
}

/** Who signs the log's checkpoints: `--log-key`, `GLACIS_REGISTRY_LOG_KEY`, or the key that init left on this machine. */
export async function keeperFrom(
  given: Given,
  { memory, trust }: Pick<Registry, 'memory' | 'trust'>,
): Promise<LogKeeper> {
  const file = given.text('log-key') ?? process.env.GLACIS_REGISTRY_LOG_KEY ?? join(memory.folder, LOG_KEY);
  const pem = await read(file, 'key/unusable');
  return { origin: trust.origin, signers: logSigners(pem, trust.origin, file), now: () => new Date() };
}

/** The wrapping key of an option, if it was given; for `wrapping-key` the environment has a say, too. */
export async function wrappingKeyFrom(
  given: Given,
  option: 'wrapping-key' | 'new-wrapping-key' = 'wrapping-key',
): Promise<WrappingKey | undefined> {
  const text =
    given.text(option) ?? (option === 'wrapping-key' ? process.env.GLACIS_WRAPPING_KEY : undefined);
  return text ? openWrappingKey(text, process.env) : undefined;
}

/** The roles that `--approver`, `--publisher` and the thresholds say. Without approvers: who has `keys`, under its file's name. */
export async function rolesFrom(given: Given, keys: readonly KeyObject[]): Promise<Roles> {
  const own = {
    name:
      basename(given.texts('key')[0] ?? 'owner')
        .replace(/\.[^.]*$/, '')
        .replace(/[^\w.@+-]/g, '-') || 'owner',
    keys: keys.map(publicKeyText),
  };
  const approvers = await partiesFrom(given, 'approver');
  return {
    approvers: approvers.length > 0 ? approvers : [own],
    publishers: await partiesFrom(given, 'publisher'),
    threshold: given.whole('threshold', 1) ?? 1,
    revocationThreshold: given.whole('revocation-threshold', 1) ?? 1,
  };
}

async function partiesFrom(given: Given, option: 'approver' | 'publisher'): Promise<Roles['approvers']> {
  const parties: Roles['approvers'] = [];
  for (const text of given.texts(option)) {
    const [, name = '', files = ''] = /^([\w.@+-]+)=(.+)$/.exec(text) ?? [];
    if (name === '')
      throw new GlacisError('option/invalid', `--${option}: expected NAME=FILE[,FILE…], got '${text}'`);
    const keys: string[] = [];
    for (const file of files.split(','))
      keys.push(...publicKeysIn(await read(file, 'key/unusable'), file).map(publicKeyText));
    parties.push({ name, keys });
  }
  return parties;
}

async function trustFrom(given: Given): Promise<Trust | undefined> {
  const file = given.text('trust');
  return file === undefined ? undefined : parseTrust(await read(file, 'registry/untrusted'), file);
}

async function read(file: string, code: 'key/unusable' | 'registry/untrusted'): Promise<Uint8Array> {
  return readFile(file).catch((thrown) => {
    throw asGlacisError(thrown, code, file);
  });
}
