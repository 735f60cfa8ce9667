import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noteSigner } from '../ledger/note-key.ts';
import { fixedKey } from '../ledger/note-keys.fixture.ts';
import type { BlobStore } from './blob-store.ts';
import type { LogKeeper } from './event-log.ts';
import { type Memory, memoryOf } from './memory.ts';
import { publicKeyText } from './party-key.ts';
import { openPlace, type Place } from './place.ts';
import { type AliasRequest, changeAlias } from './promote.ts';
import { push } from './push.ts';
import { initRegistry, openRegistry, type Registry } from './registry.ts';

const ORIGIN = 'example.com/models';

/** A registry in a temporary folder with people who have keys. */
export interface TestRegistry {
  readonly folder: string;
  readonly place: Place;
  readonly blobs: BlobStore;
  readonly memory: Memory;
  readonly keeper: LogKeeper;
  readonly people: Readonly<Record<string, readonly KeyObject[]>>;
  /** Moves the clock by seconds. */
  wait(seconds: number): void;
  now(): Date;
  open(memory?: Memory): Promise<Registry>;
  /** Writes a model of these files and pushes it as `net@version`. */
  push(version: string, files: Readonly<Record<string, string>>, by?: string): ReturnType<typeof push>;
  change(
    request: Partial<AliasRequest> & { readonly version: string },
    by: string,
  ): ReturnType<typeof changeAlias>;
}

/** New keys of a person: EC P-256, and with `quantumSafe` ML-DSA-65 as well. */
export function newKeys({ quantumSafe = false } = {}): readonly KeyObject[] {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return quantumSafe ? [privateKey, generateKeyPairSync('ml-dsa-65').privateKey] : [privateKey];
}

/** Makes a registry with the approvers alice, bob and carol (`threshold` of them) and the publisher paul. */
export async function testRegistry({
  threshold = 1,
  freshness = 0,
  encrypted = false,
  quantumSafe = false,
  place,
  blobs,
}: {
  readonly threshold?: number;
  readonly freshness?: number;
  readonly encrypted?: boolean;
  readonly quantumSafe?: boolean;
  readonly place?: Place;
  readonly blobs?: BlobStore;
} = {}): Promise<TestRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'glacis-registry-'));
  let time = Date.UTC(2026, 0, 1);
  const now = () => new Date(time);
  const here = place ?? openPlace(join(folder, 'registry'));
  const store = blobs ?? here.blobs;
  const memory = memoryOf(join(folder, 'home'), here.where);
  const keeper: LogKeeper = {
    origin: ORIGIN,
    signers: [
      noteSigner(ORIGIN, 'ed25519', fixedKey(1)),
      noteSigner(ORIGIN, 'ed25519-cosignature', fixedKey(1)),
    ],
    now,
  };
  const people = {
    alice: newKeys({ quantumSafe }),
    bob: [generateKeyPairSync('ed25519').privateKey],
    carol: newKeys(),
    paul: newKeys(),
    mallory: newKeys(),
  };
  const party = (name: keyof typeof people) => ({ name, keys: people[name].map(publicKeyText) });
  const roles = {
    approvers: [party('alice'), party('bob'), party('carol')],
    publishers: [party('paul')],
    threshold,
    revocationThreshold: 1,
  };
  await initRegistry(
    { place: here, memory, now },
    { keeper, roles, freshness, encrypted, keys: people.alice },
  );
  const open = (other = memory) => openRegistry({ place: here, memory: other, now });
  return {
    folder,
    place: here,
    blobs: store,
    memory,
    keeper,
    people,
    now,
    wait: (seconds) => {
      time += seconds * 1000;
    },
    open,
    async push(version, files, by = 'paul') {
      const path = join(folder, `model-${version}`);
      await mkdir(path, { recursive: true });
      for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
      const keys = people[by as keyof typeof people];
      return push(await open(), store, { model: 'net', version, path, evidence: [], keeper, keys });
    },
    async change(request, by) {
      const keys = by.split('+').flatMap((name) => people[name as keyof typeof people]);
      const full = {
        model: 'net',
        alias: 'production',
        evidence: [],
        kind: 'promotion' as const,
        ...request,
      };
      return changeAlias(await open(), store, full, { keeper, keys });
    },
  };
}
