import type { ByteSource } from '../../../data/byte-source.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import type { Rule } from '../finding.ts';
import type { ScanContext, Scanner } from '../scanner.ts';
import { TAXONOMY } from '../taxonomy.ts';
import { duplicateNames, jsonObject, parseJson } from './json-nodes.ts';

const crafted = { verdict: 'suspicious', severity: 'high' } as const;

const SAFETENSORS_RULES = {
  header: {
    id: 'safetensors/header',
    title: 'A header that does not fit the file',
    verdict: 'unreadable',
    severity: 'medium',
    why: 'The length of the header is past the file or past what readers accept, or it is no JSON object: readers differ in what they make of it.',
    taxonomy: TAXONOMY.evasion,
  },
  duplicate: {
    id: 'safetensors/duplicate-name',
    title: 'A name twice in the header',
    ...crafted,
    why: 'One reader takes the first tensor of that name and another the last: what was checked need not be what is loaded.',
    taxonomy: TAXONOMY.evasion,
  },
  layout: {
    id: 'safetensors/layout',
    title: 'Tensors that overlap or lie outside of the file',
    ...crafted,
    why: 'Readers that trust the offsets read or write memory that is not theirs; tensors that share bytes change with each other.',
    taxonomy: TAXONOMY.memory,
  },
  gap: {
    id: 'safetensors/gap',
    title: 'Bytes that belong to no tensor',
    ...crafted,
    severity: 'medium',
    why: 'The format allows no gap. What lies there is loaded by nobody who follows it: a payload may hide in it.',
    taxonomy: TAXONOMY.evasion,
  },
  trailing: {
    id: 'safetensors/trailing-bytes',
    title: 'Bytes after the last tensor',
    ...crafted,
    why: 'The file may be of a second format at the same time, which a loader that looks at the end (zip) will read.',
    taxonomy: TAXONOMY.evasion,
  },
  size: {
    id: 'safetensors/size-mismatch',
    title: 'A tensor whose bytes do not fit its type and shape',
    ...crafted,
    why: 'Readers that trust the shape read past the tensor.',
    taxonomy: TAXONOMY.memory,
  },
  entry: {
    id: 'safetensors/entry',
    title: 'An entry of the header that the format does not have',
    verdict: 'suspicious',
    severity: 'low',
    why: 'A tensor without type, shape or offsets, an unknown type, or metadata that is no text: readers differ in what they make of it.',
    taxonomy: TAXONOMY.evasion,
  },
} as const satisfies Record<string, Rule>;

/** Headers past this are refused by the format's own reader. */
const MAX_HEADER = 100_000_000;

/** Bits of one element. Source: https://github.com/huggingface/safetensors, `Dtype::bitsize`. */
const BITS: Readonly<Record<string, number>> = {
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
};

/**
 * safetensors: a length, a JSON header, raw tensors. The format runs nothing, so what is looked for is a file that is not
 * what it seems. Source: https://huggingface.co/docs/safetensors/index#format
 */
export const safetensorsScanner: Scanner = {
  id: 'safetensors',
  title: 'safetensors',
  rules: Object.values(SAFETENSORS_RULES),
  recognises({ name, head, size }) {
    if (/\.safetensors$/i.test(name)) return true;
    return head.length > 8 && head[8] === 0x7b && lengthOf(head) <= Math.min(size - 8, MAX_HEADER);
  },
  async scan(source, context) {
    const head = await source.read(0, Math.min(9, source.size));
    const length = head.length < 8 ? Number.NaN : lengthOf(head);
    if (!(length <= Math.min(source.size - 8, MAX_HEADER)) || head[8] !== 0x7b) {
      context.report(
        SAFETENSORS_RULES.header,
        `a header of ${length} bytes in a file of ${source.size}, beginning with byte ${head[8]}`,
        0,
      );
      return;
    }
    await scanHeader(source, length, context);
  },
};

function lengthOf(head: Uint8Array): number {
  return Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
}

interface Span {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

async function scanHeader(source: ByteSource, length: number, context: ScanContext): Promise<void> {
  const bytes = await source.read(8, length);
  const header = jsonObject(parseJson(bytes, context.where));
  if (header === undefined) {
    context.report(SAFETENSORS_RULES.header, 'the header is no JSON object', 8);
    return;
  }
  for (const name of duplicateNames(Buffer.from(bytes).toString(), context.budget))
    context.report(SAFETENSORS_RULES.duplicate, name, 8);
  const dataSize = source.size - 8 - length;
  const spans: Span[] = [];
  for (const [name, entry] of Object.entries(header)) {
    context.budget.step();
    if (name === '__metadata__') {
      if (!Object.values(jsonObject(entry) ?? { entry: 0 }).every((value) => typeof value === 'string'))
        context.report(SAFETENSORS_RULES.entry, '__metadata__ is no object of texts', 8);
      continue;
    }
    const span = spanOf(name, entry, context);
    if (span !== undefined) spans.push(span);
  }
  layOut(spans, dataSize, 8 + length, context);
}

function spanOf(name: string, entry: unknown, context: ScanContext): Span | undefined {
  const { dtype, shape, data_offsets: offsets, ...rest } = jsonObject(entry) ?? {};
  const bits = typeof dtype === 'string' && Object.hasOwn(BITS, dtype) ? BITS[dtype] : undefined;
  const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    context.report(SAFETENSORS_RULES.entry, `${name}: no data_offsets of two whole numbers`, 8);
    return undefined;
  }
  const [begin, end] = offsets as [number, number];
  if (!Array.isArray(shape) || !shape.every(isCount) || bits === undefined || Object.keys(rest).length > 0)
    context.report(
      SAFETENSORS_RULES.entry,
      `${name}: dtype ${JSON.stringify(dtype)}, shape ${JSON.stringify(shape)}`,
      8,
    );
  else {
    const size = (elementCount(shape) * bits) / 8;
    if (size !== end - begin)
      context.report(
        SAFETENSORS_RULES.size,
        `${name}: ${dtype} [${shape}] takes ${size} bytes, and has ${end - begin}`,
        8,
      );
  }
  return { name, begin, end };
}

/** Holds the tensors against the bytes that are there: in order, without overlap, gap or rest. */
function layOut(spans: readonly Span[], size: number, start: number, { report, budget }: ScanContext): void {
  let reached = 0;
  for (const { name, begin, end } of spans.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    budget.step();
    if (end < begin || end > size)
      report(SAFETENSORS_RULES.layout, `${name}: bytes ${begin} to ${end} of ${size}`, 8);
    else if (begin < reached)
      report(
        SAFETENSORS_RULES.layout,
        `${name}: begins at ${begin}, in the middle of another tensor`,
        start + begin,
      );
    else if (begin > reached)
      report(SAFETENSORS_RULES.gap, `${begin - reached} bytes before ${name}`, start + reached);
    reached = Math.max(reached, Math.min(end, size));
  }
  if (reached < size) report(SAFETENSORS_RULES.trailing, `${size - reached} bytes`, start + reached);
}
