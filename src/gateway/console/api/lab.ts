/** `GET /api/lab?model=`: what the lab can do, and inputs of that model (the first one without) to begin with. */
export interface LabInfo {
  readonly models: readonly LabModelInfo[];
  readonly attacks: readonly LabAttackInfo[];
  readonly inputs: readonly {
    readonly id: string;
    readonly label: number;
    readonly values: readonly number[];
  }[];
}

/** A model that attacks can be tried on. */
export interface LabModelInfo {
  readonly model: string;
  readonly version: string;
  readonly classNames?: readonly string[] | undefined;
  readonly classes: number;
  readonly sampleDims: readonly number[];
  readonly pictures: boolean;
  /** Least and greatest value of an input. */
  readonly range: readonly [number, number];
  /** Whether the lab has its file: without, attacks that need gradients cannot be tried, and there are no attributions. */
  readonly whiteBox: boolean;
}

/** An attack of the lab. */
export interface LabAttackInfo {
  readonly id: string;
  readonly title: string;
  /** What it does, in a sentence. */
  readonly about: string;
  /** What the attacker must see: the model's gradients, its scores, or only which class it says. `nothing`: chance alone. */
  readonly needs: 'gradient' | 'scores' | 'labels' | 'nothing';
  /** An example within eps, the nearest there is, or one of another kind (`size` says which; norm and eps mean nothing to it). */
  readonly seeks: 'ball' | 'minimum' | 'other';
  readonly size?: string | undefined;
  readonly norms: readonly string[];
  readonly blackBox: boolean;
}

/**
 * `POST /api/lab {model, attack, norm, eps, input|values|decision, sample?, label, integrated?}` starts; `decision` is the id of a logged call, whose `sample` (0 unless given) is tried: that takes the
 * right `log.payload`, too. `GET /api/lab/:id` follows, `DELETE` ends it. Values are row-major in the model's own layout.
 */
export interface LabRun {
  readonly id: string;
  readonly model: string;
  readonly attack: string;
  readonly norm: string;
  readonly eps: number;
  readonly label: number;
  readonly state: 'running' | 'done' | 'failed';
  readonly because?: string | undefined;
  readonly progress: number;
  readonly classes: number;
  readonly original: readonly number[];
  /** Scores of the original, in [0, 1]. */
  readonly clean: readonly number[];
  /** The picture and its scores as the attack went on, the last is the result. */
  readonly steps: readonly {
    readonly values: readonly number[];
    readonly scores: readonly number[];
    readonly queries: number;
  }[];
  /** Whether the model says something else than `label` about the result; checked on the file as it is served. */
  readonly fell: boolean;
  /** Whether the result lies within eps: what looks for the nearest example may find none that near. */
  readonly within: boolean;
  readonly distance: { readonly linf: number; readonly l2: number; readonly l0: number };
  readonly queries: number;
  readonly gradients: number;
  readonly seconds: number;
  /** Gradient × input (or integrated gradients) of the clean and of the final class, of original and result: row-major as the sample. */
  readonly attribution?:
    | { readonly before: readonly number[]; readonly after: readonly number[]; readonly integrated: boolean }
    | undefined;
}
