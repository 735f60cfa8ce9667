import type { ElementType, NumberArray } from './element-type.ts';

/** What the labels mean: class numbers from 0, or real targets. */
export type Labels = Int32Array | Float32Array;

/** A data set as it is stored; nothing is scaled or moved yet. */
export interface Dataset {
  /** Number of samples. */
  readonly n: number;
  /** Sizes of the axes of one sample, as stored; `[]` never occurs (a plain number per sample is `[1]`). */
  readonly sampleShape: readonly number[];
  /** Element type as stored. */
  readonly dtype: ElementType;
  /** `hwc` when the format itself says that the channels are last (decoded images). */
  readonly layout?: 'hwc';
  /** Names of a table's feature columns, in the order of a sample's values. */
  readonly columns?: readonly string[];
  /** Names of the classes, by class number, where the format has names. */
  readonly classes?: readonly string[];
  /** One label a sample: `Int32Array` holds class numbers, `Float32Array` regression targets. */
  readonly labels?: Labels;
  /**
   * `sha256:` of the source's bytes. One file: that file's SHA-256. Several files: the SHA-256 of `sha256sum`'s lines for
   * them, named as in the data set, in their order.
   */
  readonly digest: string;
  /** One line that says what it is, e.g. `10000 samples of uint8 [28, 28] from IDX, 10 classes`. */
  readonly describe: string;
  /** Plain sentences on what was decided while reading, e.g. which column became the target. */
  readonly notes: readonly string[];
  /** Samples `[start, start + count)`, row-major, `count × product(sampleShape)` elements. */
  read(start: number, count: number, signal?: AbortSignal): Promise<NumberArray>;
  /** Closes the files behind it. */
  close(): Promise<void>;
}

/** How to read a data set; every key has a default. */
export interface DataOptions {
  /** Key of the samples in an `.npz`. Default `x`. */
  readonly x?: string;
  /** Key of the labels in an `.npz`. Default `y`. */
  readonly y?: string;
  /** Target column of a table, by name or by number from 0; `null` when there is none. Default: the last column. */
  readonly target?: string | number | null;
  /** Whether a CSV file's first line names the columns. Default `auto`: it does when none of its cells is a number. */
  readonly header?: boolean | 'auto';
  /** The character between two cells of a CSV file. Default `,`. */
  readonly delimiter?: string;
  /** What the labels mean. Default `auto`: whole-number types and texts are classes, decimal numbers are regression targets. */
  readonly task?: 'classification' | 'regression' | 'auto';
  /** Resizes the images of a folder to `[height, width]` pixels (Lanczos 3). Default: they must all have one size. */
  readonly imageSize?: readonly [number, number];
  /** Colour channels of the images of a folder: 1 is grey, 3 is RGB. Default: as the first image has. */
  readonly channels?: 1 | 3;
  /** Names of the class folders, in the order of the class numbers. Default: sorted as text. */
  readonly classes?: readonly string[];
  /** Most bytes that may be held in memory for one array or table. Default 1 GiB. */
  readonly maxBytes?: number;
  /** Stops the opening. */
  readonly signal?: AbortSignal;
}

/** The default of {@link DataOptions.maxBytes}: 1 GiB. */
export const DEFAULT_MAX_BYTES = 2 ** 30;
