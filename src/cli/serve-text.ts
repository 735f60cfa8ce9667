import type { RunningGateway } from '../gateway/open-gateway.ts';
import { elementCount } from '../onnx/tensor.ts';
import { visible } from '../report/markup.ts';

/** Elements beyond which no example is written: a file of many MB helps nobody. */
const MOST_ELEMENTS = 1 << 20;

/** What is shown of a gateway that has just opened. */
export interface ServedShown {
  /** The key, where it is to be shown. */
  readonly key: string | undefined;
  readonly keyFile: string | undefined;
  readonly dataDir: string;
  /** A file with a request that the first model understands. */
  readonly request: string | undefined;
  readonly bold: (text: string) => string;
}

/** Where what is served, what vouches for it, and a line to try. */
export function servedText(
  gateway: RunningGateway,
  { key, keyFile, dataDir, request, bold }: ServedShown,
): string {
  const { rest, grpc, management } = gateway.addresses;
  const models = gateway.models();
  const lines = models.flatMap(({ model, use, versions }) => {
    const version = versions.find((each) => each.version === use);
    const checks =
      version?.checks.map(({ check, by }) => (check === 'as-given' ? UNCHECKED : `${check}: ${by}`)) ?? [];
    return [
      `${bold('Serving')}     ${visible(model)}, version ${visible(use)}, ${version?.digest ?? ''}`,
      ...checks.map((text) => `            ${visible(text)}`),
    ];
  });
  const refused = gateway.notLoaded.map(
    ({ model, version, because }) =>
      `${bold('Not served')}  ${visible(model)} ${visible(version)}: ${visible(because)}`,
  );
  const credential = keyFile === undefined ? (key ?? '$KEY') : `$(cat ${keyFile})`;
  const first = models[0]?.model;
  return [
    ...lines,
    ...refused,
    `REST        ${rest}/v2`,
    ...(grpc === undefined ? [] : [`gRPC        ${grpc.replace(/^grpcs?:\/\//, '')}`]),
    `Management  ${management}`,
    ...(management.startsWith('http')
      ? [
          `Console     ${management}/console/ (glacis console --data-dir ${dataDir} prints a link that signs you in)`,
        ]
      : []),
    `Log         ${dataDir}/record (glacis log verify ${dataDir}/record)`,
    ...(key === undefined
      ? []
      : [`${bold('Key')}         ${key}`, '            shown this once; it is the administrator’s, too']),
    ...(keyFile === undefined ? [] : [`Key         in ${keyFile}`]),
    '',
    ...(first === undefined || request === undefined
      ? []
      : [
          'Try it:',
          `  curl -s ${rest}/v2/models/${first}/infer -H "Authorization: Bearer ${credential}" -d @${request}`,
          '',
        ]),
  ].join('\n');
}

const UNCHECKED =
  'taken as it is: nobody vouches for it (--trust asks for a signature, --stage for evidence)';

/** Writes a request that the first model understands, a ramp from 0 to 1; undefined where its shape says too little. */
export async function exampleRequest(
  gateway: RunningGateway,
  path: string,
  write: (path: string, text: string) => Promise<void>,
): Promise<string | undefined> {
  const found = gateway.models()[0];
  const metadata = found?.versions.find(({ version }) => version === found.use)?.metadata;
  if (metadata === undefined) return undefined;
  const inputs = metadata.inputs.map(({ name, datatype, shape }) => {
    const dims = shape.map((size) => (size === -1 ? 1 : size));
    const count = elementCount(dims);
    return { name, datatype, shape: dims, count };
  });
  if (
    inputs.some(({ datatype, count }) => count > MOST_ELEMENTS || datatype === 'FP16' || datatype === 'BF16')
  )
    return undefined;
  const filled = inputs.map(({ count, datatype, ...rest }) => ({
    ...rest,
    datatype,
    data: Array.from({ length: count }, (_, i) => exampleOf(datatype, i / count)),
  }));
  await write(path, `${JSON.stringify({ inputs: filled })}\n`);
  return path;
}

function exampleOf(datatype: string, share: number): string | number | boolean {
  if (datatype === 'BYTES') return '';
  if (datatype === 'BOOL') return share >= 0.5;
  return datatype.startsWith('FP') ? Number(share.toFixed(3)) : Math.round(share);
}
