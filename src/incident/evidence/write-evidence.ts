import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';
import type { LogReader } from '../../ledger/index.ts';
import { signStatement, statementAbout } from '../../supply/provenance/statement.ts';
import { fingerprintOf } from '../../supply/sign/ec-key.ts';
import { keySigner } from '../../supply/sign/key-method.ts';
import { sha256 } from '../canonical.ts';
import type { CaseEvent } from '../case.ts';
import { type LedgerEvent, ledgerEvent } from '../ledger-event.ts';
import { EVIDENCE_PREDICATE, MANIFEST, SEAL, SIGNATURE, SIGNER } from './bundle-files.ts';
import {
  type EvidenceParts,
  entriesOf,
  type PackEvidence,
  packEvidence,
  type SealManifest,
} from './pack-evidence.ts';

/** What sealing a bundle depends on. */
export interface EvidenceSetting {
  readonly log: {
    /** The log as its newest checkpoint has it. */
    reader(): Promise<LogReader>;
    /** The proof of an entry, once a signed checkpoint holds it. */
    receipt(index: number): Promise<string>;
  };
  readonly record: (event: LedgerEvent) => Promise<number>;
  /** EC key that signs the manifest. */
  readonly key: KeyObject;
  readonly now: () => number;
  readonly freshId: () => string;
  /** Where packing is done: in this thread without. */
  readonly pack?: PackEvidence | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A bundle, and the event that the log has about it. */
export interface Evidence {
  readonly zip: Uint8Array;
  /** `sha256:` of the manifest: what the log names. */
  readonly digest: string;
  readonly event: CaseEvent;
}

/** Entries of other logs that are passed over to find the last one of this log. */
const MOST_FOREIGN = 1000;

/**
 * Packs a case with its proofs ({@link packEvidence}), has the log name the manifest, and signs it (ECDSA draws a number, so that signatures differ). Errors: those of the log, `option/invalid` where it grows too
 * large.
 */
export async function writeEvidence(
  parts: EvidenceParts,
  by: string,
  setting: EvidenceSetting,
): Promise<Evidence> {
  const { log, record, key, now, freshId, signal } = setting;
  const of = parts.view.case.id;
  const at = now();
  await published(entriesOf(parts), log);
  const pack: PackEvidence =
    setting.pack ?? (async (wish, seal) => packEvidence(wish, { reader: await log.reader(), seal, signal }));
  let told: Pick<Evidence, 'digest' | 'event'> | undefined;
  const seal: SealManifest = async (manifest) => {
    const digest = `sha256:${sha256(manifest)}`;
    const statement = statementAbout({ name: MANIFEST, digest }, EVIDENCE_PREDICATE, { case: of });
    const signed = await signStatement(statement, keySigner(key));
    const event = { id: freshId(), case: of, at, by, what: { kind: 'bundle', digest } as const };
    const said = ledgerEvent(event);
    const entry = await record({
      ...said,
      about: { ...said.about, key: fingerprintOf(key), signature: sha256(signed) },
    });
    const receipt = await log.receipt(entry);
    const sealed = await (await log.reader()).entry(entry);
    const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string;
    const proof = { entry: Buffer.from(sealed).toString('base64'), proof: receipt };
    told = { digest, event: { ...event, entry } };
    return [
      { path: SEAL, bytes: Buffer.from(`${JSON.stringify(proof, null, 2)}\n`) },
      { path: SIGNATURE, bytes: Buffer.from(signed) },
      { path: SIGNER, bytes: Buffer.from(publicKey) },
    ];
  };
  const zip = await pack({ parts, by, at }, seal, signal);
  if (told === undefined) throw new GlacisError('run/failed', 'evidence: expected a sealed bundle');
  return { zip, ...told };
}

/** Waits until what was written last is under a signed checkpoint. An index past the end is that of another log. */
async function published(named: readonly number[], log: EvidenceSetting['log']): Promise<void> {
  for (const index of named.toSorted((a, b) => b - a).slice(0, MOST_FOREIGN)) {
    const isOurs = await log.receipt(index).then(
      () => true,
      (thrown) => {
        if (thrown instanceof GlacisError && thrown.code === 'option/invalid') return false;
        throw thrown;
      },
    );
    if (isOurs) return;
  }
}
