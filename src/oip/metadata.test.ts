import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../core/error.ts';
import { decodeModelMetadata, encodeError, encodeModelMetadata, errorText } from './index.ts';

const text = (value: string) => new TextEncoder().encode(value);

describe('model metadata', () => {
  const metadata = {
    name: 'mnist',
    versions: ['1', '2'],
    platform: 'onnxruntime_onnx',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1, 28, 28] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 10] }],
  };

  it('comes back as it was written', () => {
    expect(decodeModelMetadata(encodeModelMetadata(metadata), 'x')).toEqual(metadata);
  });

  it('may leave out versions, platform and tensors, and may hold more than the protocol says', () => {
    expect(decodeModelMetadata(text('{"name":"m","inputs":null,"extra":[{}]}'), 'x')).toEqual({
      name: 'm',
      platform: '',
      inputs: [],
      outputs: [],
    });
  });

  it.each([
    ['{}', /name: expected text, got nothing/],
    ['[]', /expected an object/],
    ['{"name":"m","inputs":{}}', /inputs: expected a list, got an object/],
    [
      '{"name":"m","inputs":[{"name":"x","datatype":"FP32"}]}',
      /inputs\[0\].shape: expected a list, got nothing/,
    ],
    ['{"name":"m","inputs":[{"name":"x","datatype":"FP32","shape":[-2]}]}', /whole numbers from -1, got -2/],
    ['{"name":"m","inputs":[{"name":"x","datatype":7,"shape":[]}]}', /datatype: expected text, got a number/],
    ['{"name":"m","versions":[1]}', /versions: expected text, got a number/],
    ['{"name":"\\u001b[31m"}', /without control characters/],
  ])('is refused: %s', (json, message) => {
    expect(() => decodeModelMetadata(text(json), 'here')).toThrow(
      expect.objectContaining({ code: 'endpoint/bad-answer', message: expect.stringMatching(message) }),
    );
  });

  it('is read or refused, whatever the bytes', () =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 100 }),
          fc.json().map(text),
          fc.record({ name: fc.string(), inputs: fc.array(fc.anything()) }).map((value) => {
            try {
              return text(JSON.stringify(value));
            } catch {
              return text('');
            }
          }),
        ),
        (bytes) => {
          try {
            decodeModelMetadata(bytes, 'x');
          } catch (thrown) {
            if (!(thrown instanceof GlacisError)) throw thrown;
          }
        },
      ),
      { numRuns: 500 },
    ));
});

describe('the text of a refusal', () => {
  it('is what the protocol puts under error', () => {
    expect(errorText(encodeError('no such model'))).toBe('no such model');
  });

  it.each([
    ['{"detail":"Not Found"}', 'Not Found'],
    [
      '{"detail":[{"msg":"not an object","input":"0.5"},{"msg":"too short"},null,{}]}',
      'not an object; too short',
    ],
    ['{"error":{"samples":[0.5]}}', ''],
    ['{"samples":[0.5]}', ''],
    ['<html><h1>502</h1>Bad\r\n\tGateway</html>', '502 Bad Gateway'],
    ['\u001b[31mred\u0007', '[31mred'],
    ['null', 'null'],
    ['', ''],
  ])('is one printable line: %j', (body, line) => {
    expect(errorText(text(body))).toBe(line);
  });

  it('is short, whatever comes, and quickly made', () => {
    expect(errorText(text('x'.repeat(1000)))).toHaveLength(200);
    expect(errorText(text('<'.repeat(70_000)))).toHaveLength(200);
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const line = errorText(bytes);
        expect(line.length).toBeLessThanOrEqual(200);
        expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});
