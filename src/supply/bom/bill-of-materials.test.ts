import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleAssessment } from '../../assess/result.fixture.ts';
import type { Fields } from '../sign/json-fields.ts';
import { type BomSource, billOfMaterials, isResult } from './bill-of-materials.ts';

const SCHEMAS = join(import.meta.dirname, '../../../test/vectors/cyclonedx');
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
for (const name of ['jsf-0.82', 'spdx', 'cryptography-defs']) {
  const file = `${name}.SNAPSHOT.schema.json`;
  const schema = JSON.parse(readFileSync(join(SCHEMAS, file), 'utf8'));
  ajv.addSchema({ ...schema, $id: `http://cyclonedx.org/schema/${file}` });
}
const validate = ajv.compile(JSON.parse(readFileSync(join(SCHEMAS, 'bom-1.7.SNAPSHOT.schema.json'), 'utf8')));
/** What the official schema has against a bill. */
const problems = (bill: object) =>
  validate(bill) ? [] : validate.errors!.map((e) => `${e.instancePath} ${e.message}`);

const FILE = '3f'.repeat(32);
const source: BomSource = {
  name: 'm.onnx',
  digest: `sha256:${'a'.repeat(64)}`,
  files: [{ name: '.', sha256: FILE }],
  network: {
    inputs: [{ name: 'input', format: 'float32[?, 1, 28, 28]' }],
    outputs: [{ name: 'logits', format: 'float32[?, 10]' }],
    parameters: 1234,
    opsets: { 'ai.onnx': 17 },
    producer: 'pytorch 2.9',
  },
  results: [],
  version: '1.2.3',
  now: new Date('2026-11-21T12:00:00Z'),
};
const assessment = sampleAssessment() as unknown as Fields;
const about = (assessment.model as Fields).digest as string;
const training: Fields = {
  schema: 'glacis.training/1',
  model: { digest: about },
  start: { recipe: 'cnn' },
  data: { source: 'mnist.npz', digest: `sha256:${'d'.repeat(64)}` },
  validation: { source: 'held-back', digest: null },
};

describe('a bill of materials', () => {
  it('is CycloneDX 1.7 as the official schema has it, with and without everything', () => {
    expect(problems({ bomFormat: 'CycloneDX', specVersion: '1.7', version: 'x' })).not.toEqual([]);
    const { network, ...plain } = source;
    const folder = { ...source, files: [source.files[0]!, { name: 'b', sha256: 'b'.repeat(64) }] };
    const digest = about;
    for (const each of [plain, source, folder, { ...source, digest, results: [assessment, training] }])
      expect(problems(billOfMaterials(each))).toEqual([]);
    expect(network).toBeDefined();
  });

  it('has the model, its digests, inputs and outputs, the data and what was measured', () => {
    const bill = billOfMaterials({ ...source, digest: about, results: [assessment, training] }) as Record<
      string,
      Fields
    >;
    const model = bill.metadata!.component as Fields;
    expect(model).toMatchObject({
      type: 'machine-learning-model',
      hashes: [{ alg: 'SHA-256', content: FILE }],
      properties: expect.arrayContaining([{ name: 'glacis:oms-root-digest', value: about }]),
      modelCard: {
        modelParameters: {
          approach: { type: 'supervised' },
          modelArchitecture: 'cnn',
          inputs: [{ format: 'input: float32[?, 1, 28, 28]' }],
          datasets: [{ ref: 'data-1' }, { ref: 'data-2' }, { ref: 'data-3' }],
        },
      },
    });
    const metrics = (model.modelCard as { quantitativeAnalysis: { performanceMetrics: Fields[] } })
      .quantitativeAnalysis.performanceMetrics;
    expect(metrics[0]).toMatchObject({ type: 'accuracy', value: '0.977' });
    expect(metrics).toContainEqual(
      expect.objectContaining({
        type: 'robust accuracy',
        value: '0.674',
        slice: expect.stringMatching(/^linf eps 0\.3/),
      }),
    );
    expect(bill.components).toMatchObject([
      { type: 'data' },
      { name: 'mnist.npz', hashes: [{}] },
      { name: 'held-back' },
    ]);
    expect((bill.components as unknown as Fields[])[2]).not.toHaveProperty('hashes');
  });

  it('is the same for the same model and time, and another at another time', () => {
    expect(billOfMaterials(source)).toEqual(billOfMaterials(source));
    const later = billOfMaterials({ ...source, now: new Date('2026-11-22') }) as { serialNumber: string };
    expect(later.serialNumber).not.toBe((billOfMaterials(source) as typeof later).serialNumber);
  });

  it('is refused for results about another model or of another kind', () => {
    const refuse = (result: Fields) =>
      expect(() => billOfMaterials({ ...source, results: [result] })).toThrow(
        expect.objectContaining({ code: 'statement/invalid' }),
      );
    refuse({ ...assessment, model: { digest: `sha256:${'9'.repeat(64)}` } });
    refuse({ ...assessment, model: {} });
    refuse({ schema: 'glacis.scan/1', model: { digest: source.digest } });
    expect([{}, [], null, { schema: 'x' }, { schema: 'glacis.scan/1' }].map(isResult)).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  it('stays valid whatever stands in a result', () => {
    const schema = fc.constantFrom('glacis.assessment/1', 'glacis.training/1');
    fc.assert(
      fc.property(
        schema,
        fc.dictionary(
          fc.constantFrom('data', 'worstCases', 'results', 'start', 'validation'),
          fc.jsonValue(),
        ),
        (kind, rest) => {
          const result = { ...(rest as Fields), schema: kind, model: { digest: source.digest } };
          expect(problems(billOfMaterials({ ...source, results: [result] }))).toEqual([]);
        },
      ),
      { numRuns: 30 },
    );
  });
});
