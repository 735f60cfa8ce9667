import type { Rule } from '../finding.ts';
import { Judge } from '../pickle/judge.ts';
import { PICKLE_RULES } from '../pickle/rules.ts';
import { runPickle } from '../pickle/run.ts';
import type { Collection, CollectionScanner, ScanContext } from '../scanner.ts';
import { TAXONOMY } from '../taxonomy.ts';

const RULE = {
  fileAccess: {
    id: 'torchscript/file-access',
    title: 'TorchScript code that reads or writes files',
    verdict: 'malicious',
    severity: 'high',
    why: 'The code runs with the model, in any program that loads it, without Python and without a question.',
    taxonomy: TAXONOMY.graphAccess,
  },
  operators: {
    id: 'torchscript/custom-operators',
    title: 'TorchScript code that calls operators of an unknown library',
    verdict: 'suspicious',
    severity: 'medium',
    why: 'What these operators do is decided by a native library that has to be loaded first; nothing is known about it.',
    taxonomy: TAXONOMY.remoteCode,
  },
} as const satisfies Record<string, Rule>;

/**
 * PyTorch's archives (since 1.6) and TorchScript's: vouches for the raw storages, holds their sizes against what the pickle
 * says, and looks at TorchScript's code.
 */
export const torchArchiveScanner: CollectionScanner = {
  id: 'torch',
  title: 'PyTorch checkpoint or TorchScript archive',
  rules: [...Object.values(RULE), PICKLE_RULES.storage],
  recognises: (collection) => rootOf(collection) !== undefined,
  async scan(collection, context) {
    const root = rootOf(collection)!;
    for (const { name } of collection.members) if (RAW.test(inside(name, root))) collection.vouch(name);
    await checkStorages(collection, root, context);
    for (const { name, size } of collection.members)
      if (/^code\/.*\.py$/.test(inside(name, root))) await checkCode(collection, name, size, context);
  },
};

/** Members that hold raw numbers or a word about the archive; see torch/serialization.py and caffe2/serialize. */
const RAW =
  /^(data|constants|tensors|traced_inputs)\/\d+$|^(version|byteorder|\.data\/serialization_id|\.format_version|\.storage_alignment)$/;

/** The folder of `data.pkl` with a slash at its end, where storages or a version lie beside it. */
function rootOf({ kind, members }: Collection): string | undefined {
  if (kind !== 'archive') return undefined;
  const names = new Set(members.map(({ name }) => name));
  for (const name of names) {
    const root =
      /^(.*\/)?data\.pkl$/.exec(name)?.[0] === name ? name.slice(0, -'data.pkl'.length) : undefined;
    if (
      root !== undefined &&
      (names.has(`${root}version`) || names.has(`${root}byteorder`) || names.has(`${root}data/0`))
    )
      return root;
  }
  return undefined;
}

function inside(name: string, root: string): string {
  return name.startsWith(root) ? name.slice(root.length) : '';
}

async function checkStorages(collection: Collection, root: string, context: ScanContext): Promise<void> {
  const sizes = new Map(collection.members.map(({ name, size }) => [name, size]));
  for (const [file, folder] of [
    ['data.pkl', 'data'],
    ['constants.pkl', 'constants'],
  ] as const) {
    if (!sizes.has(root + file)) continue;
    const source = await collection.open(root + file);
    try {
      // Everything else about the pickle is its own scanner's matter.
      const judge = new Judge({ torch: true, script: true });
      await runPickle(source, 0, judge, context.budget);
      for (const { key, bytes } of judge.storages.values()) {
        const size = sizes.get(`${root}${folder}/${key}`);
        if (size === undefined)
          context.report(PICKLE_RULES.storage, `${file} names ${folder}/${key}, which is not there`);
        else if (size !== bytes)
          context.report(
            PICKLE_RULES.storage,
            `${folder}/${key} has ${size} bytes where ${file} says ${bytes}`,
          );
      }
    } finally {
      await source.close();
    }
  }
}

const FILE_ACCESS = /\b(?:torch|ops\.aten)\.(?:from_file|save|load)\b/;
const OWN_LIBRARIES: ReadonlySet<string> = new Set(
  'aten prim prims prepacked quantized _quantized quantized_decomposed torchvision torchaudio torchtext mkldnn mkldnn_prepacked xnnpack metal vulkan_prepack inductor profiler'.split(
    ' ',
  ),
);
const CHUNK = 1 << 20;
const OVERLAP = 256;

async function checkCode(
  collection: Collection,
  name: string,
  size: number,
  context: ScanContext,
): Promise<void> {
  const source = await collection.open(name);
  try {
    for (let at = 0; at < source.size; at += CHUNK - OVERLAP) {
      context.budget.step(1024);
      const text = Buffer.from(await source.read(at, Math.min(CHUNK, size - at, source.size - at))).toString(
        'latin1',
      );
      const access = FILE_ACCESS.exec(text);
      if (access) context.report(RULE.fileAccess, `${name}: ${access[0]}`);
      for (const [, library] of text.matchAll(/\bops\.(\w+)\.\w+/g))
        if (!OWN_LIBRARIES.has(library!)) context.report(RULE.operators, `${name}: ops.${library}`);
    }
  } finally {
    await source.close();
  }
}
