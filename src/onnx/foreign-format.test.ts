import { describe, expect, it } from 'vitest';
import { describeForeign } from './foreign-format.ts';
import { refusal, reluModel } from './model.fixture.ts';
import { parseModel } from './read.ts';
import { serializeModel } from './write.ts';

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const tar = () => {
  const bytes = new Uint8Array(1024);
  bytes.set(latin1('model.onnx'));
  bytes.set(latin1('ustar'), 257);
  return bytes;
};

/** The first bytes of each format, as its specification or a real file gives them. */
const FILES: readonly [string, Uint8Array, string][] = [
  ['empty', new Uint8Array(0), 'an empty file'],
  ['zeros', new Uint8Array(5000), 'zero bytes only'],
  ['git-lfs', latin1('version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n'), 'git lfs pull'],
  [
    'PyTorch zip',
    latin1('PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0e\0\x12\0archive/data.pklFB'),
    'torch.onnx.export',
  ],
  ['Keras 3 zip', latin1('PK\x03\x04\x14\0\0\0\0\0metadata.jsonPK\x03\x04config.json'), 'a Keras model'],
  ['npz', latin1('PK\x03\x04\x14\0\0\0\0\0x.npy'), 'NumPy archive'],
  ['zip', latin1('PK\x03\x04\x14\0\0\0\0\0readme.txt'), 'a ZIP archive'],
  ['HDF5', latin1('\x89HDF\r\n\x1a\n\0\0\0\0'), 'HDF5'],
  ['pickle protocol 2', latin1('\x80\x02}q\0X\x01\0\0\0aq\x01K\x01s.'), 'a Python pickle'],
  ['pickle protocol 4', latin1('\x80\x04\x95\x0b\0\0\0\0\0\0\0}\x94'), 'can run code'],
  [
    'old PyTorch checkpoint',
    latin1('\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.'),
    'a Python pickle',
  ],
  ['safetensors', latin1('\x10\0\0\0\0\0\0\0{"a":{"dtype":"F32"}}'), 'safetensors'],
  ['TFLite', latin1('\x1c\0\0\0TFL3\x14\0 \0'), 'TensorFlow Lite'],
  ['ORT', latin1('\x18\0\0\0ORTM\0\0\0\0'), 'ORT format'],
  ['GGUF', latin1('GGUF\x03\0\0\0'), 'GGUF'],
  ['npy', latin1('\x93NUMPY\x01\0v\0{'), 'NumPy array'],
  ['gzip', latin1('\x1f\x8b\x08\0\0\0\0\0'), 'gzip'],
  ['zstd', latin1('\x28\xb5\x2f\xfd\x04\0'), 'Zstandard'],
  ['7z', latin1('7z\xbc\xaf\x27\x1c'), '7-Zip'],
  ['tar', tar(), 'tar archive'],
  ['HTML', latin1('\n<!DOCTYPE html><html><head><title>404</title>'), 'a web page'],
  ['XML', latin1('<?xml version="1.0"?><Error><Code>AccessDenied'), 'a web page'],
  ['PDF', latin1('%PDF-1.7\n'), 'PDF'],
  ['PNG', latin1('\x89PNG\r\n\x1a\n\0\0\0\rIHDR'), 'an image'],
  ['JPEG', latin1('\xff\xd8\xff\xe0\0\x10JFIF'), 'an image'],
  ['JSON', latin1('{"error": "not found"}'), 'a JSON text'],
  ['SavedModel', latin1('\x08\x01\x12\xff\x7f\x0a\x10'), 'SavedModel'],
  ['ELF', latin1('\x7fELF\x02\x01\x01'), 'a program'],
  ['script', latin1('#!/usr/bin/env python\n'), 'a program'],
  ['text', latin1('import torch\nprint("hello")\n'), 'a text file'],
];

describe('a file that is no ONNX model', () => {
  it.each(FILES)('is called what it is: %s', async (_, bytes, expected) => {
    const { code, message } = await refusal(() => parseModel(bytes));
    expect([code, message]).toEqual(['model/unreadable', expect.stringContaining(expected)]);
  });

  it('is called damaged when nothing is known about it', async () => {
    const bytes = serializeModel(reluModel()).slice(0, -1);
    expect(describeForeign(bytes)).toBeUndefined();
    expect((await refusal(() => parseModel(bytes))).message).toContain('damaged');
  });
});
