/** Losses whose gradient an attack may ask for; all are raised by the attacker. */
export const LOSSES = ['goal', 'margin', 'dlr', 'targeted-dlr', 'linear'] as const;

/**
 * One of {@link LOSSES}: the goal's own loss (cross-entropy for classes), minus its margin, the difference of logits ratio, its targeted
 * form (needs `target`), or `⟨cotangent, logits⟩` (needs `cotangent`).
 */
export type Loss = (typeof LOSSES)[number];

/** Asks for loss and gradient at one point. */
export interface GradientQuestion {
  readonly kind: 'gradient';
  /** One sample's elements. Where there is a constraint, the model sees a copy that is moved onto it. */
  readonly point: Float32Array;
  readonly loss: Loss;
  /** Class to reach, for `targeted-dlr`. */
  readonly target?: number | undefined;
  /** `[classes]`, for `linear`; or several one after another, whose gradients then come one after another, with the first one's loss. */
  readonly cotangent?: Float32Array | undefined;
  /** Passes whose answers are averaged, for models that answer at random; 1 without. */
  readonly average?: number | undefined;
  /** The point may break the threat model: it is not moved, and it is no candidate for an example. */
  readonly probe?: boolean | undefined;
  /** What the point is made with, where the threat has parameters. */
  readonly parameters?: Float32Array | undefined;
}

/** How many gradients at its point a question asks for, of a model with so many classes. */
export function gradientsIn(question: Question, classes: number): number {
  return question.kind === 'gradient' && question.cotangent ? question.cotangent.length / classes : 1;
}

/** Asks for the model's answers at `count` points, row-major in `points`. */
export interface AnswersQuestion {
  readonly kind: 'answers';
  readonly points: Float32Array;
  readonly count: number;
  readonly probe?: boolean | undefined;
  /** What the points are made with, where the threat has parameters, those of one point after another. */
  readonly parameters?: Float32Array | undefined;
}

/** What a sample's attack may ask the model. */
export type Question = GradientQuestion | AnswersQuestion;

/** What comes back. Arrays are views of a batch: copy what is to be kept for long. */
export interface Answer {
  /** `[count, classes]`, logits (or log-probabilities of an endpoint that answers probabilities). */
  readonly logits: Float32Array;
  /** The goal's margin at each point: above 0 while the goal is not reached. */
  readonly margins: readonly number[];
  /** Whether the goal is reached at each point. */
  readonly reached: readonly boolean[];
  /** Of a gradient: the loss. */
  readonly loss: number;
  /** Of a gradient: its elements. */
  readonly gradient: Float32Array;
}

/** One sample's part of an attack, written as a coroutine: it yields questions and gets answers. */
export type Talk<Result = void> = Generator<Question, Result, Answer>;
