import { GlacisError } from '../../../core/error.ts';
import type { ByteSource } from '../../../data/byte-source.ts';
import type { Rule } from '../finding.ts';
import type { ScanContext, Scanner } from '../scanner.ts';
import { TAXONOMY } from '../taxonomy.ts';
import { type ByteCursor, byteCursor } from './byte-cursor.ts';
import { judgeTemplate, TEMPLATE_RULES } from './chat-template.ts';

const crafted = { verdict: 'suspicious', severity: 'high' } as const;

const GGUF_RULES = {
  layout: {
    id: 'gguf/layout',
    title: 'Tensors that overlap or lie outside of the file',
    ...crafted,
    why: 'Readers in C trust offsets and sizes; several were exploited that way (CVE-2024-23496, CVE-2024-21836).',
    taxonomy: [...TAXONOMY.memory, 'CVE-2024-23496', 'CVE-2024-21836'],
  },
  counts: {
    id: 'gguf/counts',
    title: 'Counts or sizes that overflow',
    ...crafted,
    why: 'A count that cannot fit the file, or dimensions whose product overflows, make a reader in C allocate too little.',
    taxonomy: [...TAXONOMY.memory, 'CWE-190'],
  },
  duplicate: {
    id: 'gguf/duplicate-name',
    title: 'A key or tensor twice',
    ...crafted,
    severity: 'medium',
    why: 'One reader takes the first and another the last: the template that was checked need not be the one that is used.',
    taxonomy: TAXONOMY.evasion,
  },
  trailing: {
    id: 'gguf/trailing-bytes',
    title: 'Bytes after the last tensor',
    ...crafted,
    severity: 'medium',
    why: 'The file may be of a second format at the same time.',
    taxonomy: TAXONOMY.evasion,
  },
  type: {
    id: 'gguf/unknown-type',
    title: 'A tensor of a type that is not known',
    verdict: 'unreadable',
    severity: 'medium',
    why: 'Where the tensor ends cannot be said, so nothing can be said about the bytes behind it.',
    taxonomy: TAXONOMY.unseen,
  },
} as const satisfies Record<string, Rule>;

/** Bytes of a metadata value by its type; 8 is a text, 9 a list. Source: docs/gguf.md of ggml. */
const VALUE_BYTES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};
const TEXT = 8;
const LIST = 9;

/** Elements in a block and bytes of one, by tensor type. Source: `type_traits` in ggml.c. */
const BLOCKS: Readonly<Record<number, readonly [elements: number, bytes: number]>> = {
  0: [1, 4],
  1: [1, 2],
  2: [32, 18],
  3: [32, 20],
  6: [32, 22],
  7: [32, 24],
  8: [32, 34],
  9: [32, 36],
  10: [256, 84],
  11: [256, 110],
  12: [256, 144],
  13: [256, 176],
  14: [256, 210],
  15: [256, 292],
  16: [256, 66],
  17: [256, 74],
  18: [256, 98],
  19: [256, 50],
  20: [32, 18],
  21: [256, 110],
  22: [256, 82],
  23: [256, 136],
  24: [1, 1],
  25: [1, 2],
  26: [1, 4],
  27: [1, 8],
  28: [1, 8],
  29: [256, 56],
  30: [1, 2],
  34: [256, 54],
  35: [256, 66],
  39: [32, 17],
};

const LONGEST_TEXT = 8 << 20;
const LONGEST_NAME = 1 << 16;
const DEEPEST_LIST = 4;

/** GGUF, the format of llama.cpp: metadata, among them chat templates that programs render, and tensors by offset. */
export const ggufScanner: Scanner = {
  id: 'gguf',
  title: 'GGUF (llama.cpp)',
  rules: [...Object.values(GGUF_RULES), ...Object.values(TEMPLATE_RULES)],
  recognises: ({ head }) => head[0] === 0x47 && head[1] === 0x47 && head[2] === 0x55 && head[3] === 0x46,
  async scan(source, context) {
    const cursor = byteCursor(source, context.where, LONGEST_TEXT);
    cursor.skip(4);
    const version = await cursor.u32();
    if (version !== 2 && version !== 3)
      throw new GlacisError(
        'data/unreadable',
        `${context.where}: expected GGUF version 2 or 3, got ${version}`,
      );
    const tensors = await cursor.u64();
    const values = await cursor.u64();
    // A tensor takes at least 24 bytes and a value 13.
    if (24 * tensors + 13 * values > source.size) {
      context.report(GGUF_RULES.counts, `${tensors} tensors and ${values} values in ${source.size} bytes`, 8);
      return;
    }
    const alignment = await readValues(cursor, values, context);
    await readTensors(source, cursor, tensors, alignment, context);
  },
};

/** Reads the metadata and gives the alignment that it sets. */
async function readValues(cursor: ByteCursor, count: number, context: ScanContext): Promise<number> {
  const seen = new Set<string>();
  let alignment = 32;
  for (let i = 0; i < count; i++) {
    context.budget.step();
    const at = cursor.at;
    const key = Buffer.from(
      await cursor.bytes(await boundedLength(cursor, LONGEST_NAME, context)),
    ).toString();
    if (seen.has(key)) context.report(GGUF_RULES.duplicate, key, at);
    seen.add(key);
    const type = await cursor.u32();
    if (type === TEXT) {
      const text = Buffer.from(await cursor.bytes(await cursor.u64())).toString();
      // `tokenizer.chat_template` and its named kin, `tokenizer.chat_template.tool_use`; templates under any other name, too.
      if (key.includes('template') || /\{[{%]/.test(text))
        judgeTemplate(text, context.budget, (rule, what) => context.report(rule, `${key}: ${what}`, at));
    } else if (type === 4 && key === 'general.alignment') alignment = await cursor.u32();
    else await skipValue(cursor, type, context, 0);
  }
  if (alignment === 0 || alignment % 8 !== 0 || alignment > 1 << 20) {
    context.report(GGUF_RULES.counts, `an alignment of ${alignment}`);
    return 32;
  }
  return alignment;
}

async function boundedLength(cursor: ByteCursor, most: number, { where }: ScanContext): Promise<number> {
  const length = await cursor.u64();
  if (length > most)
    throw new GlacisError(
      'data/unreadable',
      `${where}: byte ${cursor.at}: expected a name of at most ${most} bytes, got ${length}`,
    );
  return length;
}

async function skipValue(
  cursor: ByteCursor,
  type: number,
  context: ScanContext,
  depth: number,
): Promise<void> {
  const size = VALUE_BYTES[type];
  if (size !== undefined) cursor.skip(size);
  else if (type === TEXT) cursor.skip(await cursor.u64());
  else if (type === LIST && depth < DEEPEST_LIST) {
    const inner = await cursor.u32();
    const length = await cursor.u64();
    const each = VALUE_BYTES[inner];
    if (each !== undefined) cursor.skip(each * length);
    else
      for (let i = 0; i < length; i++) {
        context.budget.step();
        await skipValue(cursor, inner, context, depth + 1);
      }
  } else
    throw new GlacisError(
      'data/unreadable',
      `${context.where}: byte ${cursor.at}: a value of unknown type ${type}`,
    );
}

interface Span {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

async function readTensors(
  source: ByteSource,
  cursor: ByteCursor,
  count: number,
  alignment: number,
  context: ScanContext,
): Promise<void> {
  const { budget, report } = context;
  const spans: Span[] = [];
  const names = new Set<string>();
  let unknown = false;
  for (let i = 0; i < count; i++) {
    budget.step();
    const at = cursor.at;
    const name = Buffer.from(
      await cursor.bytes(await boundedLength(cursor, LONGEST_NAME, context)),
    ).toString();
    if (names.has(name)) report(GGUF_RULES.duplicate, name, at);
    names.add(name);
    const rank = await cursor.u32();
    if (rank > 8)
      throw new GlacisError(
        'data/unreadable',
        `${context.where}: byte ${at}: a tensor of ${rank} dimensions`,
      );
    let elements = 1;
    for (let d = 0; d < rank; d++) elements *= await cursor.u64();
    const type = await cursor.u32();
    const begin = await cursor.u64();
    const block = BLOCKS[type];
    if (!Number.isSafeInteger(elements)) report(GGUF_RULES.counts, `${name}: ${elements} elements`, at);
    else if (block === undefined) {
      unknown = true;
      report(GGUF_RULES.type, `${name}: type ${type}`, at);
    } else if (elements % block[0] !== 0)
      report(GGUF_RULES.counts, `${name}: ${elements} elements in blocks of ${block[0]}`, at);
    else spans.push({ name, begin, end: begin + (elements / block[0]) * block[1] });
  }
  const start = Math.ceil(cursor.at / alignment) * alignment;
  const size = Math.max(0, source.size - start);
  let reached = 0;
  for (const { name, begin, end } of spans.toSorted((a, b) => a.begin - b.begin)) {
    budget.step();
    if (end > size) report(GGUF_RULES.layout, `${name}: bytes ${begin} to ${end} of ${size}`);
    else if (begin < reached)
      report(GGUF_RULES.layout, `${name}: begins at ${begin}, in the middle of another tensor`);
    reached = Math.max(reached, end);
  }
  const rest = size - Math.ceil(reached / alignment) * alignment;
  if (rest > 0 && !unknown) report(GGUF_RULES.trailing, `${rest} bytes`, source.size - rest);
}
