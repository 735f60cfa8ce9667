import { readFileSync, statSync } from 'node:fs';
import { GlacisError } from '../../core/error.ts';
import { MOST_CALIBRATION_TEXT, readCalibration } from '../../detect/calibration/read-calibration.ts';
import type { GuardSetting, InputGuard } from '../guard.ts';
import type { GuardsConfig } from './config-schema.ts';
import { GUARDS } from './registry.ts';

/**
 * Makes the guards of one model, in the order in which they judge. Reads the calibration once, at the start: call it while a model is being opened, not for a
 * request. Errors: those of the calibration (`data/unreadable`, `data/too-large`, `data/mismatch`), `option/invalid` from a guard that does not suit the model.
 * A guard that the policy names and that cannot be made ends the start: nothing is left out silently.
 */
export function openGuards(
  config: GuardsConfig,
  setting: Omit<GuardSetting, 'calibration'>,
): readonly InputGuard[] {
  const { calibration: _, ...named } = config;
  const calibrated = calibrationsIn(config, setting.model.digest);
  const wanted = named as Readonly<Record<string, 'off' | object | undefined>>;
  return GUARDS.flatMap(({ kind, on }) => {
    const options = wanted[kind.name];
    const calibration = Object.hasOwn(calibrated, kind.name) ? calibrated[kind.name] : undefined;
    if (options === 'off') return [];
    if (options !== undefined) return [kind.make(options, { ...setting, calibration })];
    const isOn = on === 'always' || (on === 'calibrated' && calibration !== undefined);
    return isOn ? [kind.make(kind.options.parse({}), { ...setting, calibration })] : [];
  });
}

/**
 * One guard, on or off, with the options of the policy or without: to be shown calls of the past, all of them, whatever share it would look at in service. It remembers nothing. Errors: `option/invalid` for
 * one that does not exist, that the model cannot have, or that rests on what is not kept.
 */
export function openTrialGuard(
  config: GuardsConfig,
  name: string,
  setting: Omit<GuardSetting, 'calibration' | 'remembered'>,
): InputGuard {
  const kind = GUARDS.find((each) => each.kind.name === name)?.kind;
  if (kind === undefined)
    throw new GlacisError('option/invalid', `guard: expected one that exists, got '${name}'`);
  if (kind.name === 'feeds')
    throw new GlacisError(
      'option/invalid',
      'guard feeds: expected what callers said of their feeds, which is not kept',
    );
  if (kind.features === true && !wantsFeatures(config))
    throw new GlacisError(
      'option/invalid',
      `guard ${name}: expected features of ${setting.model.name}, which is served without because no guard of it wants them`,
    );
  const calibrated = calibrationsIn(config, setting.model.digest);
  const calibration = Object.hasOwn(calibrated, name) ? calibrated[name] : undefined;
  const wanted = (config as Readonly<Record<string, 'off' | object | undefined>>)[name];
  const options = kind.options.safeParse(typeof wanted === 'object' ? wanted : {});
  if (!options.success)
    throw new GlacisError(
      'option/invalid',
      `guard ${name}: expected its options in the configuration, got none`,
    );
  const all = 'share' in options.data ? { ...options.data, share: 1 } : options.data;
  return kind.make(all, { ...setting, calibration });
}

/** What was measured for each guard of the model. Errors: those of the calibration. */
function calibrationsIn({ calibration }: GuardsConfig, digest: string): Readonly<Record<string, unknown>> {
  return calibration === undefined ? {} : readCalibration(textOf(calibration), calibration, digest).guards;
}

/** The same with the files that the guards read: paths of a policy are relative to it. */
export function guardsAt(config: GuardsConfig, placeOf: (path: string) => string): GuardsConfig {
  const { calibration } = config;
  const { constraints } = config as { readonly constraints?: 'off' | { readonly file: string } };
  return {
    ...config,
    ...(calibration !== undefined && { calibration: placeOf(calibration) }),
    ...(typeof constraints === 'object' && {
      constraints: { ...constraints, file: placeOf(constraints.file) },
    }),
  };
}

/** Whether a guard that the policy names wants the features of the last layer: the model is opened with them then. */
export function wantsFeatures(config: GuardsConfig): boolean {
  const named = config as Readonly<Record<string, unknown>>;
  return GUARDS.some(
    ({ kind, on }) =>
      kind.features === true &&
      named[kind.name] !== 'off' &&
      (named[kind.name] !== undefined || (on === 'calibrated' && config.calibration !== undefined)),
  );
}

function textOf(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > MOST_CALIBRATION_TEXT)
      throw new GlacisError(
        'data/too-large',
        `${path}: expected at most ${MOST_CALIBRATION_TEXT} bytes, got ${size}`,
      );
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    if (thrown instanceof GlacisError) throw thrown;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new GlacisError('data/unreadable', `${path}: cannot be read: ${reason}`, { cause: thrown });
  }
}
