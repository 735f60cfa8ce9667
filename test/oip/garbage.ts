import { encodeInferResponse, type Outgoing, type Tensor } from '../../src/oip/index.ts';

/** Answers that are none, by what is wrong; each made from the right answer and the id of the question. */
export const GARBAGE = {
  /** A web page. */
  html: () => sent('<html>Welcome</html>', 'text/html'),
  empty: () => sent(''),
  'cut json': () => sent('{"outputs":[{"name":"y"'),
  'no outputs': () => sent('{"model_name":"m"}'),
  'another id': (answer) => listed({ ...half(answer) }, 'another'),
  'another name': (answer, id) => listed({ ...half(answer), name: 'other' }, id),
  /** Rows and columns swapped. */
  'another shape': (answer, id) => listed({ ...half(answer), shape: [...answer.shape].reverse() }, id),
  /** As a detector answers. */
  'three axes': (answer, id) => {
    const [n = 0, ...rest] = answer.shape;
    return listed({ ...half(answer), shape: [n, 1, ...rest] }, id);
  },
  'one row less': (answer, id) => {
    const [n = 0, width = 1] = answer.shape;
    return listed({ ...half(answer), shape: [n - 1, width], data: half(answer).data.slice(width) }, id);
  },
  'text for numbers': (answer, id) =>
    listed({ ...half(answer), datatype: 'BYTES', data: half(answer).data.map(() => 'cat') }, id),
  'null for numbers': (answer, id) =>
    listed({ ...half(answer), data: half(answer).data.map(() => null) }, id),
  'NaN in binary': ({ name, shape, data }) =>
    encodeInferResponse(
      {
        modelName: 'm',
        outputs: [{ name, datatype: 'FP32', shape, data: new Float32Array(data.length).fill(Number.NaN) }],
      },
      () => true,
    ),
  /** More bytes than anybody asked for, with their length said beforehand. */
  'too long': () => ({ body: new Uint8Array(2 ** 25).fill(0x20), headers: {} }),
} as const satisfies Readonly<Record<string, (answer: Tensor, id: string | undefined) => Outgoing>>;

/** A kind of {@link GARBAGE}. */
export type Garbage = keyof typeof GARBAGE;

function half({ name, shape, data }: Tensor) {
  return { name, datatype: 'FP32', shape, data: Array.from({ length: data.length }, () => 0.5) };
}

function listed(tensor: object, id: string | undefined): Outgoing {
  return sent(JSON.stringify({ model_name: 'm', id, outputs: [tensor] }));
}

function sent(text: string, type = 'application/json'): Outgoing {
  return { body: new TextEncoder().encode(text), headers: { 'content-type': type } };
}
