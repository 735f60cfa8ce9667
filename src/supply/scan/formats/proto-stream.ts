import { GlacisError } from '../../../core/error.ts';
import type { ByteSource } from '../../../data/byte-source.ts';
import { WireError, WireReader } from '../../../onnx/wire.ts';
import type { Budget } from '../limits.ts';

const WINDOW = 1 << 18;
/** Messages up to here are read at once. */
const WHOLE = 1 << 24;

/** A field of a protobuf message that lies in a source: where its value begins and ends. */
export interface ProtoField {
  readonly field: number;
  /** 0 is a number, 2 is bytes, text or a message. */
  readonly wire: number;
  /** The number, where {@link wire} is 0; rounded past 2^53. */
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

/** Walks messages in a source without holding what it passes over, so that gigabytes of weights cost nothing. */
export interface ProtoStream {
  /** The fields of the message in `[start, end)`, in order. Errors: `data/unreadable` where the bytes are no message. */
  fields(start: number, end: number): AsyncGenerator<ProtoField>;
  /** The bytes of a field. Errors: `scan/limit` past 16 MiB. */
  bytes(field: ProtoField): Promise<Uint8Array>;
  /** A reader of a field as a message. Errors: `scan/limit` past 16 MiB. */
  message(field: ProtoField): Promise<WireReader>;
}

/** A stream over `source`. */
export function protoStream(source: ByteSource, where: string, budget: Budget): ProtoStream {
  let held: Uint8Array = new Uint8Array(0);
  let heldAt = 0;
  const fail = (at: number, reason: string) =>
    new GlacisError('data/unreadable', `${where}: byte ${at}: expected a protobuf message, got ${reason}`);
  const hold = async (at: number, length: number): Promise<void> => {
    if (at >= heldAt && at + length <= heldAt + held.length) return;
    heldAt = at;
    held = await source.read(at, Math.min(source.size - at, Math.max(WINDOW, length)));
  };
  /** Gives the number at `at` and the byte after it. */
  const varint = async (at: number, end: number): Promise<readonly [value: number, next: number]> => {
    await hold(at, Math.min(10, end - at));
    let value = 0;
    for (let i = 0; i < 10 && at + i < end; i++) {
      const byte = held[at - heldAt + i]!;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return [value, at + i + 1];
    }
    throw fail(at, 'a number without an end');
  };
  const bytes = async ({ start, end }: ProtoField): Promise<Uint8Array> => {
    if (end - start > WHOLE)
      throw new GlacisError(
        'scan/limit',
        `${where}: byte ${start}: expected a message of at most ${WHOLE} bytes, got ${end - start}`,
      );
    await hold(start, end - start);
    return held.slice(start - heldAt, end - heldAt);
  };
  return {
    async *fields(start, end) {
      for (let at = start; at < end; ) {
        budget.step();
        const [tag, afterTag] = await varint(at, end);
        const [field, wire] = [Math.floor(tag / 8), tag % 8];
        if (field === 0 || field > 0x1fffffff) throw fail(at, `field ${field}`);
        let value = 0;
        let from = afterTag;
        let next: number;
        if (wire === 0) [value, next] = await varint(afterTag, end);
        else if (wire === 1) next = afterTag + 8;
        else if (wire === 5) next = afterTag + 4;
        else if (wire === 2) {
          const [length, begin] = await varint(afterTag, end);
          from = begin;
          next = begin + length;
        } else throw fail(at, `wire type ${wire}`);
        if (next > end) throw fail(at, `a field that ends ${next - end} bytes after its message`);
        yield { field, wire, value, start: from, end: next };
        at = next;
      }
    },
    bytes,
    message: async (field) => new WireReader(await bytes(field)),
  };
}

/** Runs `work`, and says `data/unreadable` where it met bytes that are no protobuf message. */
export async function readingMessages<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof WireError)) throw thrown;
    throw new GlacisError('data/unreadable', `${where}: expected a protobuf message, got ${thrown.message}`, {
      cause: thrown,
    });
  }
}
