import { GlacisError } from '../../../core/error.ts';
import type { ByteSource } from '../../../data/byte-source.ts';
import type { Rule } from '../finding.ts';
import type { ScanContext, Scanner } from '../scanner.ts';
import { TAXONOMY } from '../taxonomy.ts';
import { reachOf } from './tensorflow-ops.ts';

const TFLITE_RULES = {
  custom: {
    id: 'tflite/custom-operator',
    title: 'A custom operator',
    verdict: 'suspicious',
    severity: 'medium',
    why: 'It comes out of a native library that the program must bring; what it does is not in this file.',
    taxonomy: TAXONOMY.remoteCode,
  },
  flex: {
    id: 'tflite/reaches-out',
    title: 'A TensorFlow operator that reaches files, Python or the network',
    verdict: 'malicious',
    severity: 'high',
    why: 'The Flex delegate runs operators of full TensorFlow; these do more than compute.',
    taxonomy: TAXONOMY.graphAccess,
  },
  layout: {
    id: 'tflite/layout',
    title: 'Offsets that lead out of the file',
    verdict: 'suspicious',
    severity: 'high',
    why: 'TensorFlow Lite maps the file and follows the offsets: a reader that does not verify reads memory that is not its own.',
    taxonomy: TAXONOMY.memory,
  },
} as const satisfies Record<string, Rule>;

/** Custom operators that TensorFlow's own tools write. */
const KNOWN =
  /^(?:TFLite_Detection_PostProcess|NumericVerify|AudioSpectrogram|Mfcc|RandomUniform|RandomStandardNormal|Multinomial|Irfft2d|AtanTwo|Atan2|Sign|TFSentencepieceTokenizeOp|TFSentencepieceDetokenizeOp|RaggedTensorToTensor|edgetpu-custom-op|MaxPoolingWithArgmax2D|MaxUnpooling2D|Convolution2DTransposeBias|Landmarks2TransformMatrix|TransformLandmarks|TransformTensorBilinear)$/;

/** TensorFlow Lite: a FlatBuffer with the file identifier TFL3. Source: tensorflow/lite/schema/schema.fbs. */
export const tfliteScanner: Scanner = {
  id: 'tflite',
  title: 'TensorFlow Lite',
  rules: Object.values(TFLITE_RULES),
  recognises: ({ head }) => Buffer.from(head.subarray(4, 8)).toString('latin1') === 'TFL3',
  async scan(source, context) {
    const flat = flatBuffer(source, context);
    const model = await flat.u32(0);
    for (const code of await flat.tables(model, 1)) await judgeOperator(flat, code, context);
    for (const [i, buffer] of (await flat.tables(model, 4)).entries()) {
      context.budget.step();
      // Buffers past 2 GiB lie behind the FlatBuffer, by offset and size.
      const [offset, size] = [await flat.longField(buffer, 1), await flat.longField(buffer, 2)];
      if (offset > 1 && offset + size > source.size)
        context.report(TFLITE_RULES.layout, `buffer ${i}: ${size} bytes at ${offset} of ${source.size}`);
      await flat.vector(buffer, 0, 1);
    }
  },
};

async function judgeOperator(flat: FlatBuffer, table: number, context: ScanContext): Promise<void> {
  context.budget.step();
  const name = await flat.textField(table, 1);
  if (name === undefined) return;
  const flex = name.startsWith('Flex') ? name.slice(4) : undefined;
  if (flex !== undefined) {
    const reach = reachOf(flex);
    if (reach !== undefined) context.report(TFLITE_RULES.flex, `${name} (${reach})`);
  } else if (!KNOWN.test(name)) context.report(TFLITE_RULES.custom, name.slice(0, 200));
}

/** A FlatBuffer, by position; every offset in it is attacker-controlled. Source: https://flatbuffers.dev/internals/ */
interface FlatBuffer {
  u32(at: number): Promise<number>;
  /** The tables of a vector that is field `field` of a table. */
  tables(table: number, field: number): Promise<readonly number[]>;
  textField(table: number, field: number): Promise<string | undefined>;
  longField(table: number, field: number): Promise<number>;
  /** Where a vector's elements begin and how many there are; they are checked to lie in the file. */
  vector(
    table: number,
    field: number,
    elementBytes: number,
  ): Promise<readonly [start: number, count: number]>;
}

const WINDOW = 1 << 16;
const MAX_TEXT = 1 << 16;

function flatBuffer(source: ByteSource, { where, budget }: ScanContext): FlatBuffer {
  let held: DataView = new DataView(new ArrayBuffer(0));
  let heldAt = 0;
  const view = async (at: number, length: number): Promise<readonly [DataView, number]> => {
    budget.step();
    if (!(at >= 0 && at + length <= source.size))
      throw new GlacisError(
        'data/unreadable',
        `${where}: expected a FlatBuffer, got an offset to byte ${at} of ${source.size}`,
      );
    if (at < heldAt || at + length > heldAt + held.byteLength) {
      heldAt = at;
      const bytes = await source.read(at, Math.min(source.size - at, Math.max(WINDOW, length)));
      held = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    return [held, at - heldAt];
  };
  const u32 = async (at: number) => {
    const [data, i] = await view(at, 4);
    return data.getUint32(i, true);
  };
  const u16 = async (at: number) => {
    const [data, i] = await view(at, 2);
    return data.getUint16(i, true);
  };
  /** Where a field's value stands; `undefined` where the table leaves it out. */
  const field = async (table: number, index: number): Promise<number | undefined> => {
    const [data, i] = await view(table, 4);
    const vtable = table - data.getInt32(i, true);
    const bytes = await u16(vtable);
    const entry = 4 + 2 * index;
    if (entry + 2 > bytes) return undefined;
    const offset = await u16(vtable + entry);
    return offset === 0 ? undefined : table + offset;
  };
  const vector = async (table: number, index: number, elementBytes: number) => {
    const at = await field(table, index);
    if (at === undefined) return [0, 0] as const;
    const start = at + (await u32(at));
    const count = await u32(start);
    if (start + 4 + count * elementBytes > source.size)
      throw new GlacisError(
        'data/unreadable',
        `${where}: expected a FlatBuffer, got a vector of ${count} elements at byte ${start}`,
      );
    return [start + 4, count] as const;
  };
  return {
    u32,
    vector,
    async tables(table, index) {
      const [start, count] = await vector(table, index, 4);
      const tables: number[] = [];
      for (let i = 0; i < count; i++) tables.push(start + 4 * i + (await u32(start + 4 * i)));
      return tables;
    },
    async textField(table, index) {
      const [start, count] = await vector(table, index, 1);
      if (count === 0) return undefined;
      const [data, i] = await view(start, Math.min(count, MAX_TEXT));
      return Buffer.from(data.buffer, data.byteOffset + i, Math.min(count, MAX_TEXT)).toString();
    },
    async longField(table, index) {
      const at = await field(table, index);
      if (at === undefined) return 0;
      const [data, i] = await view(at, 8);
      return Number(data.getBigUint64(i, true));
    },
  };
}
