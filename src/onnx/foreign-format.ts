/** A kind of file that people hand over in place of an ONNX model. */
interface Kind {
  readonly matches: (bytes: Uint8Array, head: string) => boolean;
  readonly says: string;
}

const FROM_PYTORCH = 'load it in Python and export it with torch.onnx.export(model, example, "model.onnx")';
const FROM_KERAS =
  'export it in Python with model.export("model.onnx", format="onnx") (Keras 3) or with tf2onnx';

const startsWith =
  (...prefix: readonly (number | string)[]) =>
  (_: Uint8Array, head: string): boolean =>
    head.startsWith(prefix.map((p) => (typeof p === 'number' ? String.fromCharCode(p) : p)).join(''));

const KINDS: readonly Kind[] = [
  { matches: (bytes) => bytes.length === 0, says: 'an empty file; the download or export did not finish' },
  {
    matches: (bytes) => bytes.every((b) => b === 0),
    says: 'a file of zero bytes only; the download or copy did not finish',
  },
  {
    matches: startsWith('version https://git-lfs'),
    says: 'a Git LFS pointer, not the file itself; fetch it with `git lfs pull`',
  },
  {
    matches: (_, head) =>
      head.startsWith('PK\x03\x04') && /\/data\.pkl|\/constants\.pkl|\/version/.test(head),
    says: `a PyTorch checkpoint; ${FROM_PYTORCH}`,
  },
  {
    matches: (_, head) => head.startsWith('PK\x03\x04') && /config\.json|model\.weights\.h5/.test(head),
    says: `a Keras model; ${FROM_KERAS}`,
  },
  {
    matches: (_, head) => head.startsWith('PK\x03\x04') && /\.npy/.test(head),
    says: 'a NumPy archive (.npz), which is data and not a model',
  },
  {
    matches: startsWith('PK'),
    says: 'a ZIP archive; unpack it, or if it is a PyTorch checkpoint, export it with torch.onnx.export',
  },
  { matches: startsWith(0x89, 'HDF\r\n'), says: `an HDF5 file (Keras weights or data); ${FROM_KERAS}` },
  {
    matches: (_, head) =>
      head[0] === '\x80' &&
      head[1]! >= '\x02' &&
      head[1]! <= '\x05' &&
      '\x95}])c(X\x8aU'.includes(head[2] ?? '?'),
    says: `a Python pickle, which can run code when loaded; if it is a PyTorch checkpoint that you trust, ${FROM_PYTORCH}`,
  },
  {
    matches: (bytes, head) => isSafetensors(bytes, head),
    says: `a safetensors file, which holds weights but no graph; load it into its PyTorch model and export that with torch.onnx.export`,
  },
  {
    matches: (_, head) => head.slice(4, 8) === 'TFL3',
    says: 'a TensorFlow Lite model; convert it with `python -m tf2onnx.convert --tflite model.tflite --output model.onnx`',
  },
  {
    matches: (_, head) => head.slice(4, 8) === 'ORTM',
    says: "a model in ONNX Runtime's own ORT format; use the ONNX file that it was made from",
  },
  {
    matches: startsWith('GGUF'),
    says: 'a GGUF file (llama.cpp), which has no ONNX graph; export the original model to ONNX',
  },
  { matches: startsWith(0x93, 'NUMPY'), says: 'a NumPy array (.npy), which is data and not a model' },
  { matches: startsWith(0x1f, 0x8b), says: 'a gzip archive; unpack it first' },
  { matches: startsWith(0x28, 0xb5, 0x2f, 0xfd), says: 'a Zstandard archive; unpack it first' },
  { matches: startsWith('7z', 0xbc, 0xaf), says: 'a 7-Zip archive; unpack it first' },
  { matches: (_, head) => head.slice(257, 262) === 'ustar', says: 'a tar archive; unpack it first' },
  {
    matches: (_, head) => /^(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml|head|body)/i.test(head),
    says: 'a web page; the download link led to a page (a login or an error) and not to the file',
  },
  { matches: startsWith('%PDF'), says: 'a PDF document' },
  { matches: (_, head) => /^\x89PNG|^\xff\xd8\xff|^GIF8|^RIFF....WEBP/s.test(head), says: 'an image' },
  { matches: (_, head) => /^\s*[[{]\s*("|\]|\}|[[{\d-])/.test(head), says: 'a JSON text' },
  {
    matches: startsWith(8, 1, 0x12),
    says: 'a TensorFlow SavedModel, perhaps; convert its folder with `python -m tf2onnx.convert --saved-model FOLDER --output model.onnx`',
  },
  { matches: (_, head) => head.startsWith('\x7fELF') || /^MZ|^#!/.test(head), says: 'a program' },
  { matches: (_, head) => /^[\t\n\r\x20-\x7e]{16,}$/.test(head), says: 'a text file' },
];

function isSafetensors(bytes: Uint8Array, head: string): boolean {
  if (bytes.length < 10 || head[8] !== '{') return false;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  return length > 0n && length <= BigInt(bytes.length - 8);
}

/** Says what a file that is no ONNX model seems to be, and what to do; `undefined` when nothing is recognised. */
export function describeForeign(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024)).toString('latin1');
  return KINDS.find((kind) => kind.matches(bytes, head))?.says;
}
