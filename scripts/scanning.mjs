/**
 * `node scripts/run.mjs scripts/scanning.mjs` writes docs/scanning.md with the rules of the registry; `--print` writes it to standard
 * output instead, which is how a test holds the file up to date.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_SCAN_LIMITS } from '../src/supply/scan/limits.ts';
import { ALLOW_LISTS } from '../src/supply/scan/pickle/allow/allowed.ts';
import { COLLECTION_SCANNERS, RULES, SCANNERS } from '../src/supply/scan/registry.ts';

const page = scanningPage();
if (process.argv.includes('--print')) process.stdout.write(page);
else writeFileSync(join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs/scanning.md'), page);

function scanningPage() {
  const { depth, entries, unpackedBytes, steps, seconds } = DEFAULT_SCAN_LIMITS;
  return `# Scanning models

<!-- Made by scripts/scanning.mjs from the registry in src/supply/scan; do not edit. -->

\`\`\`sh
glacis scan downloads/model
\`\`\`

looks for models that run code, reach for files or deceive their readers when somebody loads them. Nothing is loaded, imported or
run. Files are found by their content, not by their name, and archives and compressions are entered.

## What it says
| verdict | means | exit code |
|---|---|---:|
| \`clean\` | read to its end by every scanner that knows it, and nothing to report | 0 |
| \`unreadable\` | could not be read, or nobody knows the format: **never clean** | 2 |
| \`suspicious\` | does something that the format's own writers do not do, or names something that is on no allow list | 1 |
| \`malicious\` | does something that only serves an attack | 1 |

The worst of all files counts, and what was seen outweighs what could not be seen. Text, pictures and tables that no scanner knows
are passed over: nothing loads them as a model. \`--json\` gives everything, \`--sarif\` what code scanning of GitHub and GitLab
shows. \`.git\` folders are not entered, and links that lead out of a folder are not followed; the output says so.

## What it reads
${[...SCANNERS, ...COLLECTION_SCANNERS].map(({ id, title }) => `- \`${id}\`: ${title}`).join('\n')}

Every scanner that recognises a content reads it, not the first alone: a file may be two formats at once.

## How pickles are judged
Deny lists are passed by every function that nobody thought of. Here it is the other way round: a machine runs the opcodes as
CPython's unpickler does, on names instead of objects, and every import has to be on an exact list of module and name
(${[...new Set(ALLOW_LISTS.map(({ framework }) => framework))].join('; ')}). No module is allowed as a whole. Besides names, it looks at what is done
with them: calls of something computed, BUILD on functions, SETITEM on tensors, arguments that picklers never write, frames
that loaders read differently, arrays of joblib that are opcodes to pickle, tensors that go past their storage, and pickles in
bytes inside pickles. A class of your own is \`suspicious\`, because loading it runs its code: export the model's \`state_dict\`
instead, or

\`\`\`sh
glacis scan model.pt --safe-rewrite model.safetensors
\`\`\`

which writes the tensors of a PyTorch checkpoint (zip or the format before 1.6) as safetensors. The pickle is not loaded for that,
either, so it is safe on a malicious file. Quantised, sparse and complex tensors have no place in safetensors; they are named and
left out.

## How other formats are judged
- **Keras** (\`.keras\`, \`.h5\`, \`keras_metadata.pb\`, the JSON alone): every \`{class_name, module, config}\` at any depth. Modules and classes
  of Keras are expected; functions only as activations, losses and their like; bytecode, other modules, and functions that
  fetch, load or switch \`safe_mode\` off are not. HDF5 is read by structure, so that a configuration is found wherever it is stored, and a
  link into another file as well.
- **TensorFlow**: every node of every graph and function. An operator that reads or writes files is held against where its path comes
  from: a constant was chosen by the maker of the model, an input by whoever sends requests. Saving and restoring of its
  own checkpoints, which every SavedModel has, is no finding.
- **ONNX**: read as a stream, so that 2 GiB take no memory. Operators of foreign domains, and external data that leads out of the
  folder, is a link, lies behind one, is missing, or does not fit.
- **Chat templates** (GGUF, \`tokenizer_config.json\`, \`.jinja\`): the expressions are taken apart. Attributes with underscores in front, by
  name, text, escape, filter or put together, have no place in a template, nor have the usual helpers on the way to them.
- **Configurations**: \`_target_\` is held against the rules for pickles; \`auto_map\` and \`trust_remote_code\` are \`suspicious\`, because they
  run Python that lies beside the model. JSON is read as Python reads it: UTF-16, \`NaN\` and escaped names hide nothing.
- **safetensors, GGUF, TensorFlow Lite, OpenVINO, UBJSON**: nothing in them runs, so the file is held against its own header: overlaps,
  gaps, sizes, counts, names that come twice, bytes that belong to nothing.

## Limits
One file, with everything in it, may cost ${depth} levels of nesting, ${entries.toLocaleString('en-US')} members, ${unpackedBytes / 2 ** 30} GiB out of compression,
${steps.toLocaleString('en-US')} steps and ${seconds} seconds (\`--seconds\`); one pickle, a million values on its stack and as many in its memo. Past that it is unreadable. What is unpacked stays in memory up to 16 MiB and goes to a
temporary file without a name beyond that. Where there is much to read, files are scanned by a thread a core, at most four (\`--threads\`), of some 50 MB each; results come
in the order of the files and do not depend on the threads.

## How good it is
- **False alarms:** 0 of 344 files that current frameworks wrote (again on 2026-11-22; before that day, 14 of them were unreadable, because
  arrays of small integers were taken for .lzma): state dictionaries of 25 layers, optimisers' checkpoints, whole
  models and TorchScript (PyTorch 2.15), 102 estimators of scikit-learn 1.9 as pickle and joblib, XGBoost 3.2, LightGBM 4.7, NumPy 2.4,
  SciPy, pandas 3.1. [bench/interop/scan/clean.py](../bench/interop/scan/clean.py) makes them. picklescan 1.0.5 finds 901 suspicious
  imports in the same files; modelscan 0.8.8 passes over most of them.
- **False alarms in other formats:** 0 of 271 files: 19 models of Keras 3.15 in four formats each, 164 estimators as skops 0.16,
  safetensors 0.8, GGUF 0.19 in four types, HDF5 by h5py 3.16 in all its versions
  ([formats.py](../bench/interop/scan/formats.py) makes them), and none of the 25 chat templates that llama.cpp ships.
- **Known bypasses:** each is a test with a file that the test builds. Of 54 malicious ones, picklescan 1.0.5 sees 32 (36 with
  \`--strict\`) and modelscan 0.8.8 sees 38, where giving up counts as seeing
  ([bypasses.ts](../bench/interop/scan/bypasses.ts), [peers.py](../bench/interop/scan/peers.py)). They were collected to show
  what scanners miss, so the share says nothing about files in the wild.
- **The machine against CPython:** on 120,000 random streams, every name that either of CPython 3.11's two unpicklers imported was among
  the machine's, in that order, and it came to the end wherever one of them did
  ([streams.ts](../bench/interop/scan/streams.ts), [cpython.py](../bench/interop/scan/cpython.py)).
- **Rewriting:** 41 checkpoints with all types that safetensors has, views and transposed tensors among them, came out bit for bit
  as PyTorch loads them.

## What it does not see
- Backdoors in weights: a clean file may hold a model that misbehaves. That is what [assessing](evasion.md) is for.
- Code beside the model: Python files of a repository are text to the scanner, unless a configuration asks a loader to run them.
- What an allowed class does with its state later on. The lists hold classes that only keep what they are given.
- RAR, LZ4, CAB, archives with a password, and 7z with PPMd, Deflate64 or filters for rare processors (PPC, IA64, SPARC, RISC-V): named and
  unreadable. LZMA, LZMA2, Deflate, bzip2 and copies are read, also behind Delta, BCJ, BCJ2, ARM, ARMT and ARM64: 80 archives that 7-Zip 26.02 made of
  programs and of random opcodes (up to 8 MiB) came out bit for bit.

## The rules
${[...new Set(RULES.map(({ id }) => id.split('/')[0]))].map(group).join('\n')}`;
}

function group(prefix) {
  const rows = RULES.filter(({ id }) => id.startsWith(`${prefix}/`)).map(
    ({ id, title, verdict, severity, why, taxonomy }) =>
      [`\`${id}\``, title, `${verdict}, ${severity}`, why, taxonomy.join(', ')]
        .map((cell) => cell.replaceAll('|', '\\|'))
        .join(' | '),
  );
  return [
    `### ${prefix}`,
    '| rule | what | verdict, severity | why | taxonomies |',
    '|---|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
    '',
  ].join('\n');
}
