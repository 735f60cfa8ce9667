import type { Sighting } from '../sighting.ts';
import {
  ADDRESS,
  AT,
  BECAUSE,
  BUCKET,
  CREDENTIAL,
  DETAIL,
  DIGEST,
  DIMS,
  DIVERGENCE,
  ENTRY,
  FLOATS,
  GUARDS,
  HEADER,
  MODEL,
  OUTCOME,
  PRINCIPAL,
  ROWS,
  SAMPLES,
  TENANT,
  TOP,
  VERSION,
  WIDTH,
} from './record.ts';

/** Records, the floats of their sketches, and texts by number. The arrays must stay as they are. */
export interface RecordsRoom {
  readonly numbers: Float64Array;
  readonly floats: Float32Array;
  readonly texts: readonly string[];
}

/**
 * A sighting that stays in its record until it is asked: most monitors look at few of its fields, and ten million of them need not be taken apart. A class, because its getters are on the prototype: as
 * closures they would cost more than they save.
 */
export class RecordSighting implements Sighting {
  readonly id: string;
  readonly at: number;
  readonly principal: string | undefined;
  readonly address: string;
  readonly model: string;
  readonly digest: string | undefined;
  readonly outcome: string;
  readonly n: number;
  readonly #room: RecordsRoom;
  readonly #row: number;
  #top: Sighting['top'];
  #sketch: Sighting['sketch'];

  constructor(room: RecordsRoom, row: number, id: string) {
    const { numbers, texts } = room;
    this.id = id;
    this.at = numbers[row + AT]!;
    this.principal = textAt(texts, numbers[row + PRINCIPAL]!);
    this.address = texts[numbers[row + ADDRESS]!]!;
    this.model = texts[numbers[row + MODEL]!]!;
    this.digest = textAt(texts, numbers[row + DIGEST]!);
    this.outcome = texts[numbers[row + OUTCOME]!]!;
    this.n = numbers[row + SAMPLES]!;
    this.#room = room;
    this.#row = row;
  }

  get entry(): number | undefined {
    return known(this.#room.numbers[this.#row + ENTRY]!);
  }

  get tenant(): string | undefined {
    return this.#text(TENANT);
  }

  get credential(): string | undefined {
    return this.#text(CREDENTIAL);
  }

  get version(): string | undefined {
    return this.#text(VERSION);
  }

  get because(): string | undefined {
    return this.#text(BECAUSE);
  }

  get detail(): string | undefined {
    return this.#text(DETAIL);
  }

  get divergence(): number | undefined {
    return known(this.#room.numbers[this.#row + DIVERGENCE]!);
  }

  get bucket(): number {
    return this.#room.numbers[this.#row + BUCKET]!;
  }

  get guards(): Sighting['guards'] {
    const { numbers, texts } = this.#room;
    const said = numbers[this.#row + GUARDS]!;
    if (said === 0) return NO_GUARDS;
    const guards = new Array<Sighting['guards'][number]>(said);
    for (let i = 0, at = this.#row + HEADER; i < said; i++, at += 4)
      guards[i] = {
        guard: texts[numbers[at]!]!,
        action: texts[numbers[at + 1]!]!,
        score: numbers[at + 2]!,
        because: textAt(texts, numbers[at + 3]!),
      };
    return guards;
  }

  get input(): Sighting['input'] {
    const { numbers } = this.#room;
    const dims = numbers[this.#row + DIMS]!;
    if (dims < 0) return undefined;
    const from = this.#row + HEADER + 4 * numbers[this.#row + GUARDS]!;
    const at = from + dims;
    return {
      shape: Array.from(numbers.subarray(from, at)),
      mean: numbers[at]!,
      deviation: numbers[at + 1]!,
      least: numbers[at + 2]!,
      most: numbers[at + 3]!,
    };
  }

  get top(): Sighting['top'] {
    if (this.#top !== undefined) return this.#top;
    const { numbers } = this.#room;
    const classes = numbers[this.#row + TOP]!;
    if (classes < 0) return undefined;
    const top = new Array<readonly [number, number]>(classes);
    for (let i = 0, at = this.#afterInput(); i < classes; i++, at += 2)
      top[i] = [numbers[at]!, numbers[at + 1]!];
    this.#top = top;
    return top;
  }

  get sketch(): Sighting['sketch'] {
    if (this.#sketch !== undefined) return this.#sketch;
    const { numbers, floats } = this.#room;
    const rows = numbers[this.#row + ROWS]!;
    if (rows === 0) return undefined;
    const width = numbers[this.#row + WIDTH]!;
    const from = numbers[this.#row + FLOATS]!;
    const at = this.#afterInput() + 2 * Math.max(0, numbers[this.#row + TOP]!);
    this.#sketch = {
      values: floats.subarray(from, from + rows * width),
      rows,
      width,
      samples: rows === 1 ? [numbers[at]!] : Array.from(numbers.subarray(at, at + rows)),
    };
    return this.#sketch;
  }

  #text(place: number): string | undefined {
    return textAt(this.#room.texts, this.#room.numbers[this.#row + place]!);
  }

  #afterInput(): number {
    const { numbers } = this.#room;
    const dims = numbers[this.#row + DIMS]!;
    return this.#row + HEADER + 4 * numbers[this.#row + GUARDS]! + (dims < 0 ? 0 : dims + 4);
  }
}

const NO_GUARDS: Sighting['guards'] = [];
const textAt = (texts: readonly string[], number: number): string | undefined =>
  number < 0 ? undefined : texts[number];
const known = (number: number): number | undefined => (Number.isNaN(number) ? undefined : number);
