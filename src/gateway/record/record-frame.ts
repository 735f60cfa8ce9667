/** A record on its way to the thread that writes: what it says is text already, what it commits to is bytes. */
export interface FramedRecord {
  readonly kind: 'decision' | 'event';
  /** 16 bytes; zeros for an event. */
  readonly id: Uint8Array;
  readonly subject: string;
  readonly who: Uint8Array;
  readonly body: Uint8Array;
  /** Undefined where nothing is committed to. */
  readonly input: readonly Uint8Array[] | undefined;
  readonly output: readonly Uint8Array[] | undefined;
}

/** What {@link recordFrame} is given. */
export interface UnframedRecord {
  readonly kind: 'decision' | 'event';
  /** 32 hexadecimal digits; empty for an event. */
  readonly id: string;
  readonly subject: string;
  readonly who: string;
  readonly body: string;
  readonly input?: readonly Uint8Array[] | undefined;
  readonly output?: readonly Uint8Array[] | undefined;
}

/** Kind, payload or none, counts of inputs and outputs, lengths of subject, who and body, and the id. */
const HEAD = 1 + 1 + 2 + 2 + 4 + 4 + 4 + 16;
const FIRST = 16 << 10;
/** Buffers that wait to be used again, and how long each may be. */
const MOST_SPARE = 4;
const MOST_SPARE_BYTES = 256 << 10;

/** Gathers records in one buffer, which goes to another thread without being copied. */
export interface RecordFrame {
  /** Adds a record and gives the bytes that wait now. */
  add(record: UnframedRecord): number;
  readonly count: number;
  /** Gives what was gathered, and begins anew. */
  take(): Uint8Array<ArrayBuffer>;
  /** Gives back the buffer of a frame that nobody reads any more: fresh ones for every frame would be most of what a collector has to do. */
  reuse(buffer: ArrayBuffer): void;
}

/** An empty one. Everything is copied into it: payloads may be views of buffers that their owners use again. */
export function recordFrame(): RecordFrame {
  let buffer = Buffer.from(new ArrayBuffer(FIRST));
  const spare: ArrayBuffer[] = [];
  let at = 0;
  let count = 0;
  const room = (bytes: number) => {
    if (at + bytes <= buffer.length) return;
    const larger = Buffer.from(new ArrayBuffer(Math.max(buffer.length * 2, at + bytes)));
    buffer.copy(larger, 0, 0, at);
    buffer = larger;
  };
  return {
    get count() {
      return count;
    },
    add({ kind, id, subject, who, body, input, output = [] }) {
      const parts = input === undefined ? [] : [...input, ...output];
      const text = 3 * (subject.length + who.length + body.length);
      room(HEAD + 4 * parts.length + text + parts.reduce((sum, part) => sum + part.byteLength, 0));
      const head = at;
      buffer[head] = kind === 'decision' ? 0 : 1;
      buffer[head + 1] = input === undefined ? 0 : 1;
      buffer.writeUInt16LE(input?.length ?? 0, head + 2);
      buffer.writeUInt16LE(parts.length - (input?.length ?? 0), head + 4);
      buffer.fill(0, head + 18, head + HEAD);
      buffer.write(id, head + 18, 16, 'hex');
      at += HEAD;
      for (const part of parts) at = buffer.writeUInt32LE(part.byteLength, at);
      for (const [i, each] of [subject, who, body].entries()) {
        const written = buffer.write(each, at);
        buffer.writeUInt32LE(written, head + 6 + 4 * i);
        at += written;
      }
      for (const part of parts) {
        buffer.set(part, at);
        at += part.byteLength;
      }
      count++;
      return at;
    },
    take() {
      const taken = new Uint8Array(buffer.buffer, 0, at);
      buffer = Buffer.from(spare.pop() ?? new ArrayBuffer(FIRST));
      at = 0;
      count = 0;
      return taken;
    },
    reuse(given) {
      if (spare.length < MOST_SPARE && given.byteLength >= FIRST && given.byteLength <= MOST_SPARE_BYTES)
        spare.push(given);
    },
  };
}

/** The records of a frame, as views of it. */
export function readFrame(frame: Uint8Array): readonly FramedRecord[] {
  const buffer = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  const records: FramedRecord[] = [];
  let at = 0;
  while (at < buffer.length) {
    const head = at;
    const [inputs, outputs] = [buffer.readUInt16LE(head + 2), buffer.readUInt16LE(head + 4)];
    at += HEAD;
    const lengths = Array.from({ length: inputs + outputs }, (_, i) => buffer.readUInt32LE(at + 4 * i));
    at += 4 * lengths.length;
    const next = (length: number) => {
      const view = buffer.subarray(at, at + length);
      at += length;
      return view;
    };
    const [subject, who, body] = [0, 1, 2].map((i) => next(buffer.readUInt32LE(head + 6 + 4 * i)));
    const parts = lengths.map(next);
    const some = buffer[head + 1] === 1;
    records.push({
      kind: buffer[head] === 0 ? 'decision' : 'event',
      id: buffer.subarray(head + 18, head + HEAD),
      subject: subject!.toString('utf8'),
      who: who!,
      body: body!,
      input: some ? parts.slice(0, inputs) : undefined,
      output: some ? parts.slice(inputs) : undefined,
    });
  }
  return records;
}
