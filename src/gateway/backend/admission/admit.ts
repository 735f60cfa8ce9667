import { resolve } from 'node:path';
import { asGlacisError, type ErrorCode, GlacisError } from '../../../core/error.ts';
import type { Model } from '../../../onnx/model.ts';
import { evidenceBeside } from '../../../policy/evidence/evidence-beside.ts';
import { readPolicyFile } from '../../../policy/policy-file.ts';
import { type Policy, unknownStage } from '../../../policy/read-policy.ts';
import { pathInside } from '../../../supply/sign/ignored.ts';
import type { Event } from '../../decision.ts';
import type { CheckConfig, VersionConfig } from '../config-schema.ts';
import { checkGate } from './check-gate.ts';
import { checkSignature } from './check-signature.ts';
import { readTrust } from './evidence-trust.ts';
import {
  findInRegistry,
  holdFromRegistry,
  promotionOf,
  type RegistrySurroundings,
  standingInRegistry,
} from './from-registry.ts';
import { type HeldModel, holdModel } from './held-model.ts';
import { modelFromHeld } from './model-from-held.ts';
import type { CheckResult, PassedCheck } from './passed-check.ts';
import { readRevoked, revocationIn } from './revoked-list.ts';

/** A version that asks to be loaded. */
export interface Applicant {
  readonly model: string;
  readonly version: string;
  /** Its source, which is no upstream, and its check. */
  readonly config: VersionConfig;
}

/** How an admitted model stands after a while. */
export interface Standing {
  /** Why it must not be served any more: it was revoked, or nobody vouches for its registry's state. */
  readonly stop?: string;
  /** Whether its alias leads to another version now. */
  readonly moved?: boolean;
}

/** What became of an applicant. The event goes to the log. */
export type AdmissionResult =
  | {
      readonly admitted: true;
      /** Read from the very bytes that were hashed and checked; nothing is left to be read. */
      readonly network: Model;
      /** `sha256:…`, the root digest of those bytes. */
      readonly digest: string;
      readonly checks: readonly PassedCheck[];
      readonly event: Event;
      /** How it stands now. Never throws. */
      recheck(): Promise<Standing>;
    }
  | {
      readonly admitted: false;
      readonly because: string;
      readonly code: ErrorCode;
      readonly event: Event;
    };

/** Decides what is loaded. */
export interface Admission {
  /** Never throws: whatever goes wrong is a refusal with its reason. */
  admit(applicant: Applicant): Promise<AdmissionResult>;
}

/** What an admission depends on. */
export interface AdmissionSurroundings extends RegistrySurroundings {
  /** The policy of the file that holds the configuration, if it has one, as it is in force now. */
  readonly policy?: (() => Policy | undefined) | undefined;
  /** File of revoked digests, if there is one. */
  readonly revoked: () => string | undefined;
  /** Most bytes that a model may have now. */
  readonly room: () => number;
}

/**
 * Opens the way into the server for models. Bytes are read into memory once, hashed, checked, and parsed from memory, so that a file that is swapped meanwhile changes
 * nothing: either its old bytes were checked and are loaded, or its new ones. A model without a check that passed is refused.
 */
export function openAdmission(around: AdmissionSurroundings): Admission {
  const { folder, now } = around;
  /** What was taken as given keeps its digest for the life of the process. */
  const given = new Map<string, string>();
  const at = (path: string) => resolve(folder, path);

  const admit = async (applicant: Applicant) => {
    const { config } = applicant;
    const found = config.registry && (await findInRegistry(config.registry, around, applicant.model));
    const held = found
      ? await holdFromRegistry(found, config.registry!, around.room(), around)
      : await holdModel(at(config.file!), { most: around.room(), ignore: await leftOut(config) });
    const revoked = await revocation(held);
    if (revoked !== undefined) throw new GlacisError('registry/refused', revoked);
    const checks: PassedCheck[] = [];
    let covered: ReadonlySet<string> = new Set(held.files.map(({ name }) => name));
    const promotion = found && promotionOf(found, config.registry!);
    if (promotion) checks.push(promotion);
    for (const result of await checksOf(applicant, held)) {
      if ('failed' in result) throw new GlacisError('registry/refused', result.failed);
      checks.push(result.passed);
      const { covered: only } = result;
      if (only) covered = new Set([...covered].filter((name) => only.has(name)));
    }
    if (checks.length === 0)
      throw new GlacisError(
        'registry/refused',
        'nothing vouches for it: give it a check (digest, signature, gate) or a promoted alias',
      );
    const network = modelFromHeld(held, covered, config.entry);
    const digests = { root: held.root, files: held.files.map(({ digest }) => ({ digest })) };
    return { network, digest: held.root, checks, recheck: recheckOf(applicant, digests) };
  };

  /** A function of its own, so that what lives as long as the model does not hold its bytes. */
  const recheckOf =
    ({ model, config }: Applicant, digests: Parameters<typeof revocationIn>[1]) =>
    async (): Promise<Standing> => {
      try {
        const stop = await revocation(digests);
        if (stop !== undefined) return { stop };
        return config.registry
          ? await standingInRegistry(config.registry, { digest: digests.root, served: model }, around)
          : {};
      } catch (thrown) {
        return { stop: asGlacisError(thrown, 'registry/refused', model).message };
      }
    };

  const revocation = async (held: Parameters<typeof revocationIn>[1]): Promise<string | undefined> => {
    const file = around.revoked();
    return file === undefined ? undefined : revocationIn(await readRevoked(at(file)), held);
  };

  /** Where a model's signature lies. */
  const bundleOf = ({ file, check }: VersionConfig): string | undefined => {
    if (!check?.signature) return undefined;
    const { bundle = file && `${file.replace(/\/+$/, '')}.sig` } = check.signature;
    return bundle === undefined ? undefined : at(bundle);
  };
  /** A signature that lies in the model's folder is no part of it. */
  const leftOut = async (config: VersionConfig): Promise<readonly string[]> => {
    const { file, ignore = [] } = config;
    const bundle = bundleOf(config);
    const inside = bundle === undefined ? undefined : await pathInside(at(file!), bundle);
    return inside === undefined ? ignore : [...ignore, inside];
  };

  const checksOf = async (applicant: Applicant, held: HeldModel): Promise<readonly CheckResult[]> => {
    const { check = {} } = applicant.config;
    const results: CheckResult[] = [];
    if (check.digest !== undefined) results.push(digestCheck(held, check.digest));
    if (check.signature) {
      const { trust, identities = [] } = check.signature;
      const bundle = bundleOf(applicant.config);
      if (bundle === undefined)
        throw new GlacisError('option/invalid', 'signature: expected a bundle, got none');
      results.push(await checkSignature(held, bundle, await readTrust(trust.map(at), identities, now())));
    }
    if (check.gate) results.push(await gateCheck(applicant, held, check.gate));
    if (check.asGiven) results.push(asGiven(applicant, held));
    return results;
  };

  const gateCheck = async (
    { model, config }: Applicant,
    held: HeldModel,
    { policy: own, stage, evidence, trust = [], name = model }: NonNullable<CheckConfig['gate']>,
  ): Promise<CheckResult> => {
    const policy = own === undefined ? around.policy?.() : (await readPolicyFile(at(own))).policy;
    if (policy === undefined) throw new GlacisError('policy/invalid', 'gate: expected a policy, got none');
    if (!policy.entries.some(({ stages }) => Object.hasOwn(stages, stage))) throw unknownStage(policy, stage);
    const identities = Object.values(policy.signers).flatMap(({ sigstore }) => (sigstore ? [sigstore] : []));
    return checkGate(held, {
      policy,
      stage,
      name,
      evidence: evidence?.map(at) ?? (config.file === undefined ? [] : await evidenceBeside(at(config.file))),
      trust: await readTrust(trust.map(at), identities, now()),
      now: now(),
    });
  };

  const asGiven = ({ model, version, config }: Applicant, { root }: HeldModel): CheckResult => {
    const key = JSON.stringify([model, version, config.file]);
    const before = given.get(key) ?? root;
    given.set(key, before);
    return before === root
      ? { passed: { check: 'as-given', by: 'whoever started the server' } }
      : {
          failed: `as given: it was ${before} when the server started and is ${root} now; restart to take it`,
        };
  };

  return {
    async admit(applicant) {
      const { model, version } = applicant;
      const about = { model, version };
      try {
        const done = await admit(applicant);
        const checks = done.checks.map(({ check, by }) => `${check}: ${by}`);
        const event = eventOf('model-admitted', now(), { ...about, digest: done.digest, checks });
        return { admitted: true, ...done, event };
      } catch (thrown) {
        const { code, message: because } = asGlacisError(thrown, 'run/failed', model);
        const event = eventOf('model-refused', now(), { ...about, because });
        return { admitted: false, because, code, event };
      }
    },
  };
}

function eventOf(event: string, at: number, about: Event['about']): Event {
  return { kind: 'event', at, event, by: 'glacis', about };
}

function digestCheck({ single, files, root }: HeldModel, expected: string): CheckResult {
  const own = single ? [root, `sha256:${files[0]!.digest}`] : [root];
  return own.includes(expected)
    ? { passed: { check: 'digest', by: expected } }
    : { failed: `digest: expected ${expected}, got ${root}` };
}
