import type { Draft } from '../draft.ts';

/** The pictures that a defence works on: values `[n, channels, height, width]` from 0 to 1, whatever the model takes. */
export interface PictureForm {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** A change of the input that is to take an attacker's perturbation away, as part of the model. */
export interface Defence<Options extends object = object> {
  readonly id: string;
  /** In words, for help and reports. */
  readonly title: string;
  /** Where it is published. */
  readonly source: string;
  /** One or two sentences for docs/defences.md. */
  readonly use: string;
  /** Whether it draws at random, so that the model answers differently each time. */
  readonly random: boolean;
  readonly defaults: Options;
  /** Checks merged options. Errors: `option/invalid`. */
  check(options: Options): void;
  /** Writes the changed pictures behind `x` and gives their name. */
  apply(draft: Draft, x: string, form: PictureForm, options: Options): string;
}

/** Declares a defence. */
export function defineDefence<Options extends object>(defence: Defence<Options>): Defence<Options> {
  return Object.freeze(defence);
}
