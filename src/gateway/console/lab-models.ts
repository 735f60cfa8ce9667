import { floatsOf, type Tensor } from '../../oip/index.ts';
import { type BackendConfig, versionsOf } from '../backend/config-schema.ts';
import type { Backends } from '../backend/open-backends.ts';
import { Refused } from '../refusal.ts';
import type { LabModel } from './lab.ts';

/** Where the lab finds models. */
export interface LabShelf {
  readonly backends: Pick<Backends, 'status' | 'find'>;
  readonly config: () => Pick<BackendConfig, 'models'>;
  readonly placeOf: (path: string) => string;
}

/** The versions in service that classify one input, as the lab may have them: by their files where they are here, by their answers elsewhere. */
export function labModels({ backends, config, placeOf }: LabShelf): readonly LabModel[] {
  const { models } = config();
  return backends.status().flatMap(({ model, use }): LabModel[] => {
    const served = backends.find(model, use);
    const classifier = served?.classifier;
    if (served === undefined || classifier === undefined || served.metadata.inputs.length !== 1) return [];
    const given = Object.hasOwn(models, model) ? versionsOf(models[model]!).get(use) : undefined;
    return [
      {
        ...{ model, version: use, digest: served.digest, classifier },
        source: given?.file === undefined ? undefined : sourceOf(given, placeOf),
        async ask(points, n, signal) {
          const { input, sampleDims, output } = classifier;
          const tensor: Tensor = {
            ...{ name: input, datatype: 'FP32', shape: [n, ...sampleDims] },
            data: points,
          };
          const { outputs } = await served.run([tensor], { n, signal, features: false });
          const scores = outputs.find(({ name }) => name === output);
          const values = scores && floatsOf(scores);
          if (values === undefined) throw new Refused('failed', 'lab: expected scores, got none');
          return values;
        },
      },
    ];
  });
}

function sourceOf(
  given: {
    readonly file?: string | undefined;
    readonly entry?: string | undefined;
    readonly ignore?: unknown;
  },
  placeOf: (path: string) => string,
): NonNullable<LabModel['source']> {
  return {
    path: placeOf(given.file!),
    entry: given.entry,
    ignore: Array.isArray(given.ignore) ? (given.ignore as string[]) : [],
  };
}
