/** Buffers that this thread and the workers share, used again and again. */
export interface RunBuffers {
  take(bytes: number): SharedArrayBuffer;
  /** When no worker reads it any more. */
  giveBack(buffer: SharedArrayBuffer): void;
}

/** The smallest buffer, a power of two like all others, so that one serves runs of many sizes. */
const LEAST = 1 << 14;

/** Buffers of which at most `most` bytes are kept while nobody uses them. */
export function runBuffers(most: number): RunBuffers {
  const free = new Map<number, SharedArrayBuffer[]>();
  let kept = 0;
  return {
    take(bytes) {
      const size = Math.max(LEAST, 2 ** Math.ceil(Math.log2(Math.max(1, bytes))));
      const buffer = free.get(size)?.pop();
      if (buffer === undefined) return new SharedArrayBuffer(size);
      kept -= size;
      return buffer;
    },
    giveBack(buffer) {
      const size = buffer.byteLength;
      if (kept + size > most) return;
      kept += size;
      const same = free.get(size);
      if (same) same.push(buffer);
      else free.set(size, [buffer]);
    },
  };
}
