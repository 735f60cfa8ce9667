import { GlacisError } from '../core/error.ts';
import { floatsOf, floatTensor } from '../oip/index.ts';
import type { ServeConfig } from './config/serve-schema.ts';
import type { InputGuard } from './guard.ts';
import type { GuardsConfig } from './guards/config-schema.ts';
import { openGuardMemory } from './guards/guard-memory.ts';
import { guardsAt, openGuards, openTrialGuard, wantsFeatures } from './guards/open-guards.ts';
import type { ExplanationsConfig } from './respond/explanations-schema.ts';
import type { MarkRegister } from './respond/index.ts';
import { openAnswers } from './respond/index.ts';
import type { ServedModel } from './served-model.ts';
import type { Answers, Verifier } from './stages.ts';
import { openVerifier, type VerifierSurroundings, type VerifyConfig } from './verify/index.ts';

/** Longest that a guard's own question to the model may wait, in milliseconds. */
const ASK_TIMEOUT = 10_000;

/** What surrounds each version in service. */
export interface ModelParts {
  /** Whether a guard of this model wants the features of its last layer. */
  wantsFeatures(model: string): boolean;
  /** How answers of this model are explained; undefined where they are not. */
  explains(model: string): ExplanationsConfig | undefined;
  /** Makes the parts of a version before it serves. Errors: those of the guards and of the answers (`option/invalid`, `data/…`). */
  prepare(model: ServedModel): void;
  guards(model: ServedModel): readonly InputGuard[];
  /** A guard as the configuration has it, or as it comes, that remembers nothing: to be shown past calls. Errors: `option/invalid` where the model cannot have it. */
  trialGuard(model: ServedModel, guard: string): InputGuard;
  answers(model: ServedModel): Answers;
  verifier(model: ServedModel): Verifier | undefined;
  /** The model that checks this one; undefined where nobody does. Errors: `option/invalid` where it is not served. */
  second(model: ServedModel): ServedModel | undefined;
  /** Makes all parts anew from another configuration, or leaves all as they are. Errors: as {@link ModelParts.prepare}. */
  reload(config: ServeConfig): void;
  /** Writes down what guards remember of callers. Errors: `output/unwritable`. */
  save(): Promise<void>;
  close(): Promise<void>;
}

/** What they are made from. */
export interface PartsSurroundings {
  readonly secret: Uint8Array;
  readonly now: () => number;
  readonly failed: (where: string, thrown: unknown) => void;
  readonly find: (model: string, version: string | undefined) => ServedModel | undefined;
  readonly reviews: VerifierSurroundings['reviews'];
  readonly marks: MarkRegister | undefined;
  /** Where what guards remember is kept over a restart. */
  readonly memoryFolder: string;
  /** Makes a path of the configuration absolute. */
  readonly placeOf: (path: string) => string;
}

interface Parts {
  readonly guards: readonly InputGuard[];
  readonly answers: Answers;
  /** Opened at the first decision, because the second model may be loaded later than the first, and anew when another version of it takes over. */
  verifier: { readonly second: ServedModel; readonly asks: Verifier } | undefined;
}

/** Opens them. A version without parts is never asked: `guards` and `answers` throw, and the call is refused. */
export function openModelParts(first: ServeConfig, given: PartsSurroundings): ModelParts {
  let config = first;
  /** By name and version: what serves now, and its parts. */
  let made = new Map<string, { readonly model: ServedModel; readonly parts: Parts }>();
  const byModel = new WeakMap<ServedModel, Parts>();

  /** Guards with what those before them remember, or what was kept over a restart; without it where other settings make it useless. */
  const guardsFor = (
    model: ServedModel,
    from: GuardsConfig,
    earlier: readonly InputGuard[],
  ): readonly InputGuard[] => {
    const memory = openGuardMemory(given.memoryFolder, model.digest);
    const setting = { model, now: given.now, ask: (x: Float32Array, n: number) => asked(model, x, n) };
    const remembered = (name: string) =>
      earlier.find((guard) => guard.name === name)?.snapshot?.() ?? memory.remembered(name);
    try {
      return openGuards(from, { ...setting, remembered });
    } catch (thrown) {
      if (!(thrown instanceof GlacisError && thrown.code === 'result/invalid')) throw thrown;
      given.failed('what guards remembered', thrown);
      return openGuards(from, setting);
    }
  };
  const make = (model: ServedModel, from: ServeConfig, earlier: readonly InputGuard[] = []): Parts => {
    const { classifier } = model;
    const own = from.only[model.name];
    const answersConfig = own?.answers ?? from.answers;
    const marked =
      given.marks && answersConfig.watermark && classifier
        ? {
            digest: model.digest,
            sampleDims: classifier.sampleDims,
            classes: classifier.classes,
            rate: answersConfig.watermark.rate,
          }
        : undefined;
    return {
      guards: guardsFor(model, guardsAt(guardsOf(from, model.name), given.placeOf), earlier),
      answers: openAnswers(answersConfig, {
        model,
        secret: given.secret,
        marked: marked && ((mark) => given.marks!.note(mark, marked)),
      }),
      verifier: undefined,
    };
  };
  const partsOf = (model: ServedModel): Parts => {
    const parts = byModel.get(model);
    if (parts === undefined)
      throw new GlacisError('run/failed', `model ${model.name}: expected its guards to be ready`);
    return parts;
  };
  const closeAll = (all: Iterable<Parts>) =>
    Promise.all([...all].flatMap(({ guards }) => guards.map((guard) => guard.close?.())));
  const closeLater = (all: Iterable<Parts>) =>
    void closeAll(all).catch((thrown) => given.failed('guards', thrown));

  const save = async (): Promise<void> => {
    for (const { model, parts } of made.values())
      await openGuardMemory(given.memoryFolder, model.digest).save(parts.guards);
  };

  const secondOf = (
    model: ServedModel,
  ): { readonly verify: VerifyConfig; readonly second: ServedModel } | undefined => {
    const verify = config.only[model.name]?.verify ?? config.verify;
    if (verify === undefined) return undefined;
    const [name = '', version] = verify.model.split('@');
    const second = given.find(name, version);
    if (second === undefined)
      throw new GlacisError('option/invalid', `verify: expected a served model, got ${verify.model}`);
    // Only the very version that checks the others has nobody to check it: another version of the same name is checked.
    return second === model ? undefined : { verify, second };
  };

  return {
    wantsFeatures: (model) => wantsFeatures(guardsOf(config, model)),
    explains: (model) => (config.only[model]?.answers ?? config.answers).explanations,
    prepare(model) {
      const key = keyOf(model);
      const before = made.get(key);
      const same = before?.model.digest === model.digest ? before.parts.guards : [];
      const parts = make(model, config, same);
      byModel.set(model, parts);
      made.set(key, { model, parts });
      if (before) closeLater([before.parts]);
    },
    guards: (model) => partsOf(model).guards,
    trialGuard(model, guard) {
      const setting = { model, now: given.now, ask: (x: Float32Array, n: number) => asked(model, x, n) };
      const own = guardsOf(config, model.name);
      return openTrialGuard(guardsAt(own, given.placeOf), guard, setting);
    },
    answers: (model) => partsOf(model).answers,
    verifier(model) {
      const found = secondOf(model);
      if (found === undefined) return undefined;
      const { verify, second } = found;
      const parts = partsOf(model);
      if (parts.verifier?.second !== second)
        parts.verifier = { second, asks: openVerifier(verify, { ...given, first: model, second }) };
      return parts.verifier.asks;
    },
    second: (model) => secondOf(model)?.second,
    reload(next) {
      const fresh = new Map(
        [...made].map(([key, { model, parts }]) => [key, { model, parts: make(model, next, parts.guards) }]),
      );
      const before = [...made.values()].map(({ parts }) => parts);
      config = next;
      made = fresh;
      for (const { model, parts } of fresh.values()) byModel.set(model, parts);
      closeLater(before);
    },
    save,
    async close() {
      await save();
      await closeAll([...made.values()].map(({ parts }) => parts));
    },
  };
}

function keyOf({ name, version }: ServedModel): string {
  return `${name}\n${version}`;
}

function guardsOf(config: ServeConfig, model: string): GuardsConfig {
  return config.only[model]?.guards ?? config.guards;
}

/** A guard's own question: the scores of more samples. */
async function asked(model: ServedModel, x: Float32Array, n: number): Promise<Float32Array> {
  const { classifier, metadata } = model;
  if (classifier === undefined)
    throw new GlacisError('option/invalid', `model ${model.name}: expected a classifier`);
  const { input, sampleDims, output } = classifier;
  const datatype = metadata.inputs.find(({ name }) => name === input)?.datatype;
  const type = datatype === 'FP16' || datatype === 'BF16' || datatype === 'FP64' ? datatype : 'FP32';
  const { outputs } = await model.run([floatTensor(input, type, [n, ...sampleDims], x)], {
    n,
    signal: AbortSignal.timeout(ASK_TIMEOUT),
    features: false,
  });
  return floatsOf(outputs.find(({ name }) => name === output)!);
}
