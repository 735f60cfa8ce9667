import { quoted } from '../../onnx/problems.ts';
import type { WireReader } from '../../onnx/wire.ts';
import { dataFromBytes, dataToBytes } from '../binary-data.ts';
import { isDatatype } from '../datatype.ts';
import { fault, type Source } from '../fault.ts';
import { checkTensor, type Tensor } from '../tensor.ts';
import { TextCount } from '../text-count.ts';
import { dataFromContents } from './contents.ts';
import { nameField, pushShape, type Walk } from './fields.ts';
import { type Collected, collected, pushParameter, writeParameters } from './parameters.ts';
import type { ProtoWriter } from './proto-writer.ts';

/** Tensors in one message. */
export const MAX_TENSORS = 1024;

/** An `InferInputTensor` or `InferOutputTensor` before its data are known. */
export interface Head {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters: Collected;
  /** Opens its `InferTensorContents` anew, where it has one. */
  readonly contents: (() => WireReader) | undefined;
}

/** Reads the current field as an `InferInputTensor` or `InferOutputTensor`, which have the same fields. */
export function headFrom(reader: WireReader, source: Source, place: string, walk: Walk): Head {
  const entry = reader.message();
  const shape: number[] = [];
  let [name, datatype] = ['', ''];
  let parameters: Collected;
  let contents: Head['contents'];
  while (walk.next(entry)) {
    switch (entry.field) {
      case 1:
        name = nameField(entry, source, `${place}.name`);
        break;
      case 2:
        datatype = nameField(entry, source, `${place}.datatype`);
        break;
      case 3:
        pushShape(entry, shape, 0, source, `${place}.`);
        break;
      case 4:
        parameters = pushParameter(entry, parameters, source, `${place}.`, walk);
        break;
      case 5: {
        if (contents !== undefined) throw fault(source, `${place}.contents`, 'them once', 'them twice');
        const here = entry.current();
        contents = () => here.message();
        break;
      }
    }
  }
  return { name, datatype, shape, parameters, contents };
}

/**
 * The tensors of a message: all with raw contents, one for each, or all with typed contents; never a mixture. Refused are a name
 * twice, data in both places or in none (shared memory is not supported), and raw contents that no tensor claims.
 */
export function tensorsFromHeads(
  heads: readonly Head[],
  raw: readonly Uint8Array[],
  key: 'inputs' | 'outputs',
  source: Source,
  walk: Walk,
): readonly Tensor[] {
  if (raw.length > 0 && raw.length !== heads.length)
    throw fault(source, `raw contents of ${key}`, `${heads.length}, one for each`, `${raw.length}`);
  const names = new Set<string>();
  const texts = new TextCount(source);
  return heads.map(({ name, datatype, shape, parameters, contents: given }, i) => {
    const place = `${key} ${quoted(name)} `;
    if (names.has(name)) throw fault(source, key, 'each name once', `${quoted(name)} twice`);
    names.add(name);
    if (!isDatatype(datatype))
      throw fault(source, `${place}datatype`, 'a type of the protocol', quoted(datatype));
    // MLServer sends contents without anything in them beside the raw ones.
    const contents = raw.length > 0 && given !== undefined && !walk.next(given()) ? undefined : given;
    if ((contents === undefined) === (raw.length === 0))
      throw fault(source, place, 'either contents or raw contents', raw.length === 0 ? 'neither' : 'both');
    if (datatype === 'BYTES') texts.add(shape, place);
    const data =
      contents === undefined
        ? dataFromBytes(datatype, shape, raw[i]!, source, place)
        : dataFromContents(datatype, shape, contents, source, place, walk);
    return { name, datatype, shape, data, parameters: collected(parameters) } as Tensor;
  });
}

/** Writes tensors as the field `field`, and their data as raw contents in the field `raw`, by reference. Errors: `data/mismatch`. */
export function writeTensors(
  writer: ProtoWriter,
  tensors: readonly Tensor[],
  { field, raw, between }: { readonly field: number; readonly raw: number; readonly between?: () => void },
): void {
  for (const tensor of tensors) {
    checkTensor(tensor);
    writer.message(field, () => {
      writer.text(1, tensor.name);
      writer.text(2, tensor.datatype);
      writer.ints(3, tensor.shape);
      writeParameters(writer, 4, tensor.parameters);
    });
  }
  between?.();
  for (const tensor of tensors) writer.view(raw, dataToBytes(tensor));
}
