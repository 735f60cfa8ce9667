/**
 * Converts as many bytes from the front of `bytes` as it can without those that follow, in place, and says how many; `position` is the
 * first byte's place in the whole stream, modulo 2³². Bytes that it leaves come again with more behind them.
 */
export type Convert = (bytes: Uint8Array, position: number) => number;

/** What comes out of a filter that looks at a few bytes at a time. What it leaves at the end goes out as it is. */
export async function* converted(
  pieces: AsyncIterable<Uint8Array>,
  convert: Convert,
): AsyncGenerator<Uint8Array> {
  let left: Uint8Array = new Uint8Array(0);
  let position = 0;
  for await (const piece of pieces) {
    // A copy, because filters write where they read.
    const bytes = Buffer.concat([left, piece]);
    const done = convert(bytes, position);
    position = (position + done) >>> 0;
    left = bytes.subarray(done);
    if (done > 0) yield bytes.subarray(0, done);
  }
  if (left.length > 0) yield left;
}
