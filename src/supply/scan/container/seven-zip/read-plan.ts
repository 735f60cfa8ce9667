import type { HeaderBytes } from './header-bytes.ts';

/** One step of unpacking a folder. */
export interface Step {
  /** In hexadecimal digits, e.g. `030101` for LZMA. */
  readonly method: string;
  readonly properties: Uint8Array;
  /** What goes in: packed streams of the folder by number, and what comes out of other steps. */
  readonly inputs: readonly (number | Step)[];
  /** Bytes that come out, as the archive declares. */
  readonly size: number;
}

/** How a folder is unpacked. */
export interface Plan {
  /** The step that gives the folder's bytes. */
  readonly main: Step;
  /** Names of all methods in the order of the header. */
  readonly methods: readonly string[];
  readonly packedStreams: number;
  readonly size: number;
}

const MAX_CODERS = 32;

/**
 * Reads a folder's steps and how they are bound, up to where its sizes stand, which come behind those of all folders: the result takes them one by
 * one. Every step is used once, so they are a tree. Errors: `data/unreadable`.
 */
export function readPlan(from: HeaderBytes): (nextSize: () => number) => Plan {
  const count = from.number();
  if (count < 1 || count > MAX_CODERS) throw from.fail(`${count} coders in a folder`);
  let inputs = 0;
  const coders = Array.from({ length: count }, () => {
    const flags = from.byte();
    if ((flags & 0xc0) !== 0) throw from.fail('a coder of another kind');
    const method = Buffer.from(from.take(flags & 15)).toString('hex');
    const [takes, gives] = (flags & 0x10) === 0 ? [1, 1] : [from.number(), from.number()];
    if (takes < 1 || takes > MAX_CODERS || gives !== 1) throw from.fail('a coder of impossible shape');
    const first = inputs;
    inputs += takes;
    const properties = (flags & 0x20) === 0 ? new Uint8Array(0) : from.take(from.number());
    return { method, properties, first, takes };
  });
  const packedStreams = inputs - (count - 1);
  if (packedStreams < 1) throw from.fail('a folder of no streams');
  const bound = new Map<number, { readonly coder: number } | { readonly packed: number }>();
  const used = new Set<number>();
  for (let i = 0; i < count - 1; i++) {
    const [input, coder] = [from.number(), from.number()];
    if (input >= inputs || coder >= count || bound.has(input) || used.has(coder))
      throw from.fail('coders bound to nothing');
    bound.set(input, { coder });
    used.add(coder);
  }
  for (let packed = 0; packed < packedStreams; packed++) {
    const alone = () => Array.from({ length: inputs }, (_, i) => i).find((i) => !bound.has(i))!;
    const input = packedStreams > 1 ? from.number() : alone();
    if (input >= inputs || bound.has(input)) throw from.fail('streams bound to nothing');
    bound.set(input, { packed });
  }
  const main = coders.findIndex((_, i) => !used.has(i));
  requireTree();
  return (nextSize) => {
    const sizes = coders.map(nextSize);
    const step = (i: number): Step => {
      const { method, properties } = coders[i]!;
      const inputs = inputsOf(i).map((input) => ('coder' in input ? step(input.coder) : input.packed));
      return { method, properties, inputs, size: sizes[i]! };
    };
    return {
      main: step(main),
      methods: coders.map(({ method }) => method),
      packedStreams,
      size: sizes[main]!,
    };
  };

  function inputsOf(i: number) {
    const { first, takes } = coders[i]!;
    return Array.from({ length: takes }, (_, k) => bound.get(first + k)!);
  }

  /** Steps that are bound in a circle are not reached from the last one. */
  function requireTree(): void {
    let reached = 0;
    const pending = [main];
    for (let i = pending.pop(); i !== undefined; i = pending.pop()) {
      reached++;
      for (const input of inputsOf(i)) if ('coder' in input) pending.push(input.coder);
    }
    if (reached !== count) throw from.fail('coders bound in a circle');
  }
}
