import { createHash } from 'node:crypto';
import { type Fields, isObject } from '../sign/json-fields.ts';
import { type ResultFacts, readResults } from './result-facts.ts';

/** A file of the model. */
export interface BomFile {
  readonly name: string;
  /** Hexadecimal SHA-256. */
  readonly sha256: string;
}

/** An input or output of the network. */
export interface BomTensor {
  readonly name: string;
  /** Type and shape in words, e.g. `float32[?, 3, 32, 32]`. */
  readonly format: string;
}

/** What is known of the network itself. */
export interface BomNetwork {
  readonly inputs: readonly BomTensor[];
  readonly outputs: readonly BomTensor[];
  readonly parameters: number;
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer: string;
}

/** What a bill of materials is made of. */
export interface BomSource {
  readonly name: string;
  /** The model's root digest, `sha256:…`. */
  readonly digest: string;
  readonly files: readonly BomFile[];
  /** Absent where the model is no ONNX network, or holds several. */
  readonly network?: BomNetwork;
  /** JSON results of Glacis about the model: assessments, training records. */
  readonly results: readonly Fields[];
  /** The version of Glacis. */
  readonly version: string;
  readonly now: Date;
}

/**
 * A machine-learning bill of materials in CycloneDX 1.7: the model with its card, its files and the data it was made and judged with. The
 * same source and time give the same bytes, the serial number included. Errors: `statement/invalid` for results that are not about the model.
 */
export function billOfMaterials(source: BomSource): object {
  const { name, digest, files, network, version, now } = source;
  const facts = readResults(source.results, [digest, ...files.map(({ sha256 }) => `sha256:${sha256}`)]);
  const model = 'model';
  const fileRefs = files.length === 1 ? [] : files.map((file, i) => ({ ...file, ref: `file-${i + 1}` }));
  const data = facts.data.map((each, i) => ({ ...each, ref: `data-${i + 1}` }));
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.7.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.7',
    serialNumber: `urn:uuid:${uuidOf(`${digest} ${now.toISOString()}`)}`,
    version: 1,
    metadata: {
      timestamp: now.toISOString(),
      tools: { components: [{ type: 'application', name: 'glacis', version }] },
      component: {
        type: 'machine-learning-model',
        'bom-ref': model,
        name,
        // Of one file the bytes have a hash; a folder has none but the root digest, which is not a hash of bytes.
        ...(files.length === 1 ? { hashes: hashesOf(files[0]!.sha256) } : {}),
        modelCard: modelCard(network, facts, data),
        properties: [
          { name: 'glacis:oms-root-digest', value: digest },
          ...(network ? propertiesOf(network) : []),
        ],
      },
    },
    components: [
      ...fileRefs.map(({ name, sha256, ref }) => ({
        type: 'file',
        'bom-ref': ref,
        name,
        hashes: hashesOf(sha256),
      })),
      ...data.map(({ name, digest, use, ref }) => ({
        type: 'data',
        'bom-ref': ref,
        name,
        ...(digest === undefined ? {} : { hashes: hashesOf(digest) }),
        data: [{ type: 'dataset', name, description: use }],
      })),
    ],
    dependencies: [{ ref: model, dependsOn: [...fileRefs, ...data].map(({ ref }) => ref) }],
  };
}

function modelCard(
  network: BomNetwork | undefined,
  { metrics, supervised, recipe }: ResultFacts,
  data: readonly { readonly ref: string }[],
): object {
  const tensors = (list: readonly BomTensor[]) =>
    list.map(({ name, format }) => ({ format: `${name}: ${format}` }));
  return {
    modelParameters: {
      ...(supervised ? { approach: { type: 'supervised' } } : {}),
      ...(recipe === undefined ? {} : { modelArchitecture: recipe }),
      ...(data.length > 0 ? { datasets: data.map(({ ref }) => ({ ref })) } : {}),
      ...(network ? { inputs: tensors(network.inputs), outputs: tensors(network.outputs) } : {}),
    },
    ...(metrics.length > 0 ? { quantitativeAnalysis: { performanceMetrics: metrics } } : {}),
  };
}

function propertiesOf({ parameters, opsets, producer }: BomNetwork): readonly object[] {
  return [
    { name: 'glacis:parameters', value: String(parameters) },
    ...Object.entries(opsets).map(([domain, version]) => ({
      name: `glacis:opset:${domain}`,
      value: String(version),
    })),
    ...(producer === '' ? [] : [{ name: 'glacis:producer', value: producer }]),
  ];
}

function hashesOf(sha256: string): readonly object[] {
  return [{ alg: 'SHA-256', content: sha256 }];
}

/** A UUID of version 8 (RFC 9562): made of a digest, so that nothing is drawn at random. */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Whether a JSON value is a result that a bill can be made with. */
export function isResult(json: unknown): json is Fields {
  return isObject(json) && typeof json.schema === 'string' && /^glacis\.[a-z-]+\/\d+$/.test(json.schema);
}
