import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { imageDimsOf } from '../../transform/image-dims.ts';
import type { ClassNames } from '../backend/class-names.ts';
import type { LabInfo, LabRun } from '../console/api.ts';
import type { Lab, LabModel } from '../console/lab.ts';
import type { KeptInput } from '../record/live/kept-input.ts';
import { Refused } from '../refusal.ts';
import { type InputParts, mainInput } from './input-routes.ts';
import { type ManagementRoute, route } from './route.ts';

/** What the lab's routes stand on. */
export interface LabParts {
  /** Undefined where it is switched off. */
  readonly lab: Lab | undefined;
  /** Models that are served now and classify. */
  readonly models: () => readonly LabModel[];
  /** The inputs of a logged decision, where they are kept. */
  readonly kept: (decision: string) => Promise<KeptInput | undefined>;
  readonly find: InputParts['find'];
  readonly classNames: ClassNames;
  readonly now: () => number;
}

/** Trials that are remembered, and for how long after they began, in milliseconds. */
const MOST_KEPT = 32;
const KEPT = 15 * 60_000;

const order = z
  .strictObject({
    model: z.string().min(1).max(128),
    version: z.string().min(1).max(128).optional(),
    attack: z.string().min(1).max(64),
    norm: z.enum(['linf', 'l2', 'l1', 'l0']).default('linf'),
    eps: z.number().min(0).max(1e6),
    /** An input of the lab by its id, or one of the caller's own. */
    input: z.string().min(1).max(64).optional(),
    values: z.array(z.number()).max(65_536).optional(),
    /** Or a sample of a logged decision. */
    decision: z
      .string()
      .regex(/^[0-9a-f]{32}$/, { error: 'the id of a decision' })
      .optional(),
    sample: z.int().min(0).max(1_000_000).default(0),
    label: z.int().min(0).max(1e6),
    integrated: z.boolean().default(false),
  })
  .refine(
    (given) => [given.input, given.values, given.decision].filter((each) => each !== undefined).length === 1,
    {
      error: 'one of input, values and decision',
    },
  );

interface Kept {
  readonly by: string;
  readonly at: number;
  readonly stop: AbortController;
  /** Whether it shows what a caller sent: then whoever may not read that any more does not see it. */
  readonly discloses: boolean;
  run: LabRun;
}

/** Attacks that somebody tries on an input, to see what happens. What a trial found is shown to who began it alone, and forgotten soon. */
export function labRoutes({
  lab,
  models,
  kept: keptOf,
  find,
  classNames,
  now,
}: LabParts): readonly ManagementRoute[] {
  const kept = new Map<string, Kept>();
  const open = (): Lab => {
    if (lab === undefined) throw new Refused('unknown', 'there is no lab');
    return lab;
  };
  const usable = (): readonly LabModel[] =>
    models().filter(({ classifier }) => elementCount(classifier.sampleDims) <= (lab?.mostElements ?? 0));
  const sweep = (): void => {
    for (const [id, { at }] of kept) if (at + KEPT < now()) kept.delete(id);
    while (kept.size >= MOST_KEPT) {
      const [oldest] = kept.keys();
      kept.get(oldest!)!.stop.abort();
      kept.delete(oldest!);
    }
  };
  const own = (id: string, by: string, may: (action: string) => boolean): Kept => {
    const found = kept.get(id);
    if (found?.by !== by || (found.discloses && !may('log.payload')))
      throw new Refused('unknown', 'no such trial');
    return found;
  };
  /** A sample of a logged decision, as numbers. Errors: `Refused` without the right, `option/invalid` where there is none. */
  const sampleOf = async (
    { decision, sample }: z.output<typeof order>,
    may: (action: string) => boolean,
  ): Promise<readonly number[]> => {
    if (!may('log.payload')) throw new Refused('unknown', 'log.payload is not allowed');
    const found = await keptOf(decision!);
    if (found?.state !== 'kept')
      throw new GlacisError(
        'option/invalid',
        `decision: expected one whose input is kept, got ${found?.state ?? 'none'}`,
      );
    const { n, model, version } = found.decision;
    const { samples } = mainInput(found.inputs, n, find(model, version));
    const size = samples.length / n;
    if (sample >= n) throw new GlacisError('option/invalid', `sample: expected one of ${n}`);
    return [...samples.subarray(sample * size, (sample + 1) * size)];
  };
  return [
    route({
      method: 'GET',
      path: '/api/lab',
      about: 'What the lab can try on which models, with inputs of ?model= to begin with.',
      action: 'lab.run',
      async run({ query }) {
        const here = usable();
        const chosen = here.find(({ model }) => model === query.model) ?? here[0];
        const info: LabInfo = {
          models: await Promise.all(
            here.map(async (each) => modelInfo(each, open(), await classNames(each.model))),
          ),
          attacks: lab?.attacks ?? [],
          inputs: chosen === undefined ? [] : await open().inputs(chosen),
        };
        return { json: info };
      },
    }),
    route<z.output<typeof order>>({
      method: 'POST',
      path: '/api/lab',
      about: 'Tries an attack on an input, beside the service; GET /api/lab/ID follows.',
      action: 'lab.run',
      event: 'lab-trial',
      body: order,
      async run({ body, by, may }) {
        const { model: name, version, input, attack, norm, eps, label, integrated } = body;
        const model = usable().find(
          (each) => each.model === name && (version === undefined || each.version === version),
        );
        if (model === undefined)
          throw new GlacisError('option/invalid', 'model: expected one that the lab can try');
        const values =
          body.decision !== undefined
            ? await sampleOf(body, may)
            : (body.values ?? (await open().inputs(model)).find(({ id }) => id === input)?.values);
        const expected = elementCount(model.classifier.sampleDims);
        if (values?.length !== expected)
          throw new GlacisError(
            'option/invalid',
            `values: expected ${expected} numbers, got ${values?.length ?? 'none'}`,
          );
        const [low, high] = open().about(name).range;
        if (values.some((value) => !(value >= low && value <= high)))
          throw new GlacisError('option/invalid', `values: expected numbers from ${low} to ${high}`);
        // Last, with nothing awaited between it and the place that is taken.
        const running = [...kept.values()].filter(
          (each) => each.by === by.id && each.run.state === 'running',
        );
        if (running.length > 0)
          throw new GlacisError('option/invalid', 'lab: expected one trial at a time, and one is running');
        sweep();
        const id = randomBytes(9).toString('base64url');
        const stop = new AbortController();
        const begun: LabRun = {
          ...{ id, model: name, attack, norm, eps, label, original: values },
          ...{ state: 'running', progress: 0, classes: Math.max(2, model.classifier.classes) },
          ...{ clean: [], steps: [], fell: false, within: true, queries: 0, gradients: 0, seconds: 0 },
          distance: { linf: 0, l2: 0, l0: 0 },
        };
        const discloses = body.decision !== undefined;
        const mine: Kept = { by: by.id, at: now(), stop, discloses, run: begun };
        kept.set(id, mine);
        open()
          .run(
            model,
            { attack, norm, eps, label, integrated, values: Float32Array.from(values) },
            {
              signal: stop.signal,
              progress: (share) => {
                mine.run = { ...mine.run, progress: Math.max(0, Math.min(1, share)) };
              },
            },
          )
          .then(
            (outcome) => {
              mine.run = { ...begun, ...outcome, state: 'done', progress: 1 };
            },
            (thrown: unknown) => {
              const because = thrown instanceof GlacisError ? thrown.message : 'the trial failed';
              mine.run = { ...begun, state: 'failed', because };
            },
          );
        return { json: mine.run, status: 202 };
      },
    }),
    route({
      method: 'GET',
      path: '/api/lab/:id',
      about: 'How a trial stands, and what it found.',
      action: 'lab.run',
      run: ({ params, by, may }) => ({ json: own(params.id!, by.id, may).run }),
    }),
    route({
      method: 'DELETE',
      path: '/api/lab/:id',
      about: 'Ends a trial.',
      action: 'lab.run',
      run({ params, by, may }) {
        own(params.id!, by.id, may).stop.abort();
        kept.delete(params.id!);
        return { json: { ended: params.id } };
      },
    }),
  ];
}

function modelInfo(
  { model, version, classifier, source }: LabModel,
  lab: Lab,
  classNames: readonly string[] | undefined,
): LabInfo['models'][number] {
  const { sampleDims, classes } = classifier;
  const { range } = lab.about(model);
  return {
    ...{ model, version, classNames, range, sampleDims, classes: Math.max(2, classes) },
    pictures: imageDimsOf(sampleDims) !== undefined,
    whiteBox: source !== undefined,
  };
}
