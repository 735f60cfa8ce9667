import { GlacisError } from '../../core/error.ts';
import { parseReference } from '../../registry/names.ts';
import {
  type AliasRequest,
  type Approved,
  changeAlias,
  changeRoles,
  freeze,
  revoke,
} from '../../registry/promote.ts';
import { keyOf } from '../../registry/state.ts';
import type { CommandRun } from '../command.ts';
import type { Outcome, Verb } from '../verbs.ts';
import { gated } from './gated.ts';
import { keeperFrom, keysFrom, openFrom, rolesFrom } from './surroundings.ts';

/** `glacis registry promote`: an alias goes forward. */
export const promote: Verb = (run, args) => alias(run, args, 'promotion');

/** `glacis registry rollback`: an alias goes back, with a reason. */
export const rollback: Verb = (run, args) => alias(run, args, 'rollback');

async function alias(
  run: CommandRun,
  [text = '', name = '']: readonly string[],
  kind: AliasRequest['kind'],
): Promise<Outcome> {
  const { given } = run;
  const { model, version } = versionIn(text);
  const reason = kind === 'rollback' ? reasonFrom(run) : given.text('reason');
  const keys = await keysFrom(given);
  const { registry, blobs } = await openFrom(run);
  const keeper = await keeperFrom(given, registry);
  const target = { model, version, alias: name };
  const gate = given.text('policy') === undefined ? undefined : await gated(run, { registry, blobs }, target);
  try {
    const evidence = [...given.texts('evidence'), ...(gate?.files ?? [])];
    const done = await changeAlias(registry, blobs, { ...target, kind, reason, evidence }, { keeper, keys });
    return outcome(done, `${model}:${name} is ${version}`, { ...target, kind });
  } finally {
    await gate?.remove();
  }
}

/** `glacis registry revoke`: a model is out of use, under every name. */
export const revokeModel: Verb = async (run, [text = '']) => {
  const { given } = run;
  const { model, version } = versionIn(text);
  const reason = reasonFrom(run);
  const keys = await keysFrom(given);
  const { registry } = await openFrom(run);
  const found = registry.state.versions.get(keyOf(model, version));
  if (!found)
    throw new GlacisError('registry/refused', `${text}: expected a version that was pushed; there is none`);
  const keeper = await keeperFrom(given, registry);
  const { digest } = found;
  const done = await revoke(registry, { model, digest, reason }, { keeper, keys });
  return outcome(done, `${model}@${version} is revoked (${digest})`, { model, version, digest, reason });
};

/** `glacis registry freeze`: nothing is promoted. */
export const freezeAll: Verb = (run) => freezing(run, true);

/** `glacis registry thaw`: promotions again. */
export const thaw: Verb = (run) => freezing(run, false);

async function freezing(run: CommandRun, frozen: boolean): Promise<Outcome> {
  const { given } = run;
  const reason = reasonFrom(run);
  const keys = await keysFrom(given);
  const { registry } = await openFrom(run);
  const keeper = await keeperFrom(given, registry);
  const done = await freeze(registry, { frozen, reason }, { keeper, keys });
  const sentence = frozen ? 'nothing is promoted any more' : 'promotions are possible again';
  return outcome(done, sentence, { frozen, reason });
}

/** `glacis registry roles`: who may do what from now on. */
export const roles: Verb = async (run) => {
  const { given } = run;
  if (given.texts('approver').length === 0)
    throw new GlacisError(
      'option/invalid',
      '--approver: expected all who may approve from now on, got nobody',
    );
  const reason = reasonFrom(run);
  const keys = await keysFrom(given);
  const next = await rolesFrom(given, keys);
  const { registry } = await openFrom(run);
  const keeper = await keeperFrom(given, registry);
  const done = await changeRoles(registry, { roles: next, reason }, { keeper, keys });
  const names = next.approvers.map(({ name }) => name).join(', ');
  return outcome(done, `approvers are ${names} (${next.threshold} needed)`, { roles: next, reason });
};

function outcome({ registry, pending }: Approved, sentence: string, json: object): Outcome {
  const entry = registry.state.entries - 1;
  return {
    json: {
      schema: 'glacis.registry.change/1',
      ...json,
      entry,
      effective: pending === undefined,
      ...(pending && { approvals: pending.approvals, needed: pending.needed }),
    },
    text: pending
      ? `waits: ${pending.approvals.length} of ${pending.needed} have signed (${pending.approvals.join(', ')}); the others run the same command with their key\n`
      : `${sentence}, entry ${entry} of the log\n`,
  };
}

function versionIn(text: string): { readonly model: string; readonly version: string } {
  const { model, version } = parseReference(text);
  if (version === undefined) throw new GlacisError('option/invalid', `'${text}': expected NAME@VERSION`);
  return { model, version };
}

function reasonFrom({ given }: CommandRun): string {
  const reason = given.text('reason');
  if (reason === undefined)
    throw new GlacisError(
      'option/invalid',
      '--reason: expected why, for those who read the log, got nothing',
    );
  return reason;
}
