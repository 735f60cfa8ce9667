import type { WireReader } from '../../../onnx/wire.ts';
import type { Rule } from '../finding.ts';
import type { Probe, ScanContext, Scanner } from '../scanner.ts';
import { TAXONOMY } from '../taxonomy.ts';
import { parseJson } from './json-nodes.ts';
import { judgeKerasConfig, KERAS_RULES } from './keras-config.ts';
import { type ProtoField, type ProtoStream, protoStream, readingMessages } from './proto-stream.ts';
import { CHECKPOINT_OPERATORS, type Reach, reachOf } from './tensorflow-ops.ts';

const fixed = { verdict: 'malicious', severity: 'high' } as const;
const open = { verdict: 'suspicious', severity: 'high' } as const;

const TENSORFLOW_RULES = {
  python: {
    id: 'tensorflow/python-operator',
    title: 'An operator that calls Python',
    verdict: 'malicious',
    severity: 'critical',
    why: 'PyFunc and its kin call Python functions of the program that runs the model; they have no place in a model that is handed on.',
    taxonomy: TAXONOMY.codeOnLoad,
  },
  writes: {
    id: 'tensorflow/writes-file',
    title: 'A graph that writes a file of its own choice',
    ...fixed,
    severity: 'critical',
    why: 'The path stands in the graph: running the model writes, or removes, that file.',
    taxonomy: TAXONOMY.graphAccess,
  },
  reads: {
    id: 'tensorflow/reads-file',
    title: 'A graph that reads a file of its own choice',
    ...fixed,
    why: 'The path stands in the graph: running the model reads that file, and its outputs may show it.',
    taxonomy: TAXONOMY.graphAccess,
  },
  mayWrite: {
    id: 'tensorflow/may-write-files',
    title: 'A graph that writes files',
    ...open,
    why: 'The path comes from an input: whoever sends requests chooses the file.',
    taxonomy: TAXONOMY.graphAccess,
  },
  mayRead: {
    id: 'tensorflow/may-read-files',
    title: 'A graph that reads files',
    ...open,
    why: 'The path comes from an input: whoever sends requests chooses the file.',
    taxonomy: TAXONOMY.graphAccess,
  },
  network: {
    id: 'tensorflow/network',
    title: 'A graph that opens connections',
    ...open,
    why: 'Running the model talks to a server that the graph names.',
    taxonomy: TAXONOMY.graphAccess,
  },
} as const satisfies Record<string, Rule>;

/**
 * TensorFlow: SavedModel (`saved_model.pb`), GraphDef and MetaGraphDef, function libraries at any depth, and the Keras
 * configuration that Keras 2 put beside them. Field numbers as in tensorflow/core/protobuf and tensorflow/core/framework.
 */
export const tensorflowScanner: Scanner = {
  id: 'tensorflow',
  title: 'TensorFlow SavedModel, MetaGraph and GraphDef',
  rules: [...Object.values(TENSORFLOW_RULES), ...Object.values(KERAS_RULES)],
  recognises: async (probe) => (await kindOf(probe)) !== undefined,
  async scan(source, context) {
    const stream = protoStream(source, context.where, context.budget);
    const size = Math.min(4096, source.size);
    const head = await source.read(0, size);
    const kind = await kindOf({ name: context.name, head, size: source.size });
    const whole: ProtoField = { field: 0, wire: 2, value: 0, start: 0, end: source.size };
    const scan: Scan = { stream, context, seen: new Set() };
    await readingMessages(context.where, async () => {
      if (kind === 'keras') await scanKerasMetadata(scan, whole);
      else if (kind === 'saved-model') {
        for await (const field of stream.fields(0, source.size))
          if (field.field === 2 && field.wire === 2) await scanMetaGraph(scan, field);
      } else if (kind === 'meta-graph') await scanMetaGraph(scan, whole);
      else await scanGraph(scan, whole);
    });
  },
};

interface Scan {
  readonly stream: ProtoStream;
  readonly context: ScanContext;
  /** Findings that were made, so that a thousand equal nodes are one. */
  readonly seen: Set<string>;
}

type Kind = 'saved-model' | 'meta-graph' | 'graph' | 'keras';

/** Tells the messages apart by name and by how they begin; protobuf has no mark of its own. */
async function kindOf({ name, head }: Pick<Probe, 'name' | 'head' | 'size'>): Promise<Kind | undefined> {
  const base = name.split(/[/\\]/).at(-1)!.toLowerCase();
  if (base === 'keras_metadata.pb') return 'keras';
  if (
    base === 'saved_model.pb' ||
    (head[0] === 0x08 && head[1] === 0x01 && head[2] === 0x12 && !isText(head, 3))
  )
    return 'saved-model';
  // A GraphDef begins with a node: name (1), then operator (2), both texts.
  if (head[0] === 0x0a) {
    const node = skipLength(head, 1);
    if (head[node] === 0x0a && isText(head, node + 1)) {
      const op = node + 2 + head[node + 1]!;
      if (head[op] === 0x12 && isText(head, op + 1)) return 'graph';
    }
  }
  if (/\.meta$/.test(base) && head[0] === 0x0a) return 'meta-graph';
  return /^(?:frozen_inference_graph|graph|tensorflow_inception_graph)\.pb$/.test(base) ? 'graph' : undefined;
}

/** The byte after the length that begins at `at`. */
function skipLength(head: Uint8Array, at: number): number {
  let next = at;
  while (next < at + 5 && (head[next] ?? 0) >= 0x80) next++;
  return next + 1;
}

/** Whether a short printable text with its length in front stands at `at`. */
function isText(head: Uint8Array, at: number): boolean {
  const length = head[at] ?? 0;
  if (length === 0 || length > 127) return false;
  const text = head.subarray(at + 1, at + 1 + length);
  return text.length === length && text.every((byte) => byte >= 0x20 && byte < 0x7f);
}

async function scanMetaGraph(scan: Scan, meta: ProtoField): Promise<void> {
  for await (const field of scan.stream.fields(meta.start, meta.end))
    if (field.field === 2 && field.wire === 2) await scanGraph(scan, field);
}

async function scanGraph(scan: Scan, graph: ProtoField): Promise<void> {
  const nodes = new Map<string, NodeFacts>();
  for await (const field of scan.stream.fields(graph.start, graph.end)) {
    if (field.wire !== 2) continue;
    if (field.field === 1) await addNode(scan, field, nodes);
    else if (field.field === 2)
      for await (const part of scan.stream.fields(field.start, field.end))
        if (part.field === 1 && part.wire === 2) await scanFunction(scan, part);
  }
  judgeNodes(scan, nodes, 'graph');
}

async function scanFunction(scan: Scan, definition: ProtoField): Promise<void> {
  const nodes = new Map<string, NodeFacts>();
  let name = '';
  for await (const field of scan.stream.fields(definition.start, definition.end)) {
    if (field.wire !== 2) continue;
    if (field.field === 1) {
      const signature = await scan.stream.message(field);
      while (signature.next()) if (signature.field === 1) name = signature.text();
    } else if (field.field === 3) await addNode(scan, field, nodes);
  }
  judgeNodes(scan, nodes, `function ${name}`);
}

interface NodeFacts {
  readonly op: string;
  /** Texts in its attributes: what a constant holds, and where a stream goes. A last one of {@link MORE} says that there are others. */
  readonly texts: readonly string[];
  /** Names of the nodes that it takes, without the number of the output. */
  readonly inputs: readonly string[];
}

const SMALL_NODE = 1 << 16;

/** Weights lie in attributes of constants, which may be larger than what is read at once: they are passed over. */
async function addNode(
  { stream, context }: Scan,
  field: ProtoField,
  nodes: Map<string, NodeFacts>,
): Promise<void> {
  let [name, op] = ['', ''];
  const inputs: string[] = [];
  const texts: string[] = [];
  const take = (part: number, text: () => string) => {
    if (part === 1) name = text();
    else if (part === 2) op = text();
    else if (part === 3 && inputs.length < 1000) inputs.push(text().replace(/^\^/, '').split(':')[0]!);
  };
  if (field.end - field.start < SMALL_NODE) {
    const reader: WireReader = await stream.message(field);
    while (reader.next()) {
      context.budget.step();
      if (reader.field === 5) readTexts(reader.message(), texts);
      else take(reader.field, () => reader.text());
    }
  } else
    for await (const part of stream.fields(field.start, field.end))
      if (part.wire === 2 && part.field <= 3) {
        const text = Buffer.from(await stream.bytes(part)).toString();
        take(part.field, () => text);
      }
  if (field.end - field.start >= SMALL_NODE && op === 'Const') texts.push(MORE);
  nodes.set(name, { op, inputs, texts });
}

/** Stands for texts that were not kept. It reads as a path that leads out, because one of them may be that. */
const MORE = '/…';
const MOST_TEXTS = 64;

/** The texts of an attribute: its own, in a list, or in a tensor. `AttrValue` in attr_value.proto, `TensorProto` in tensor.proto. */
function readTexts(entry: WireReader, texts: string[]): void {
  const keep = (text: string) => {
    if (texts.length < MOST_TEXTS) texts.push(text.slice(0, 300));
    else if (texts.length === MOST_TEXTS) texts.push(MORE);
  };
  while (entry.next()) {
    if (entry.field !== 2) continue;
    const value = entry.message();
    while (value.next()) {
      if (value.field === 2) keep(value.text());
      else if (value.field === 1 || value.field === 8) {
        // A list has its texts in field 2, a tensor in field 8.
        const at = value.field === 1 ? 2 : 8;
        const inner = value.message();
        while (inner.next()) if (inner.field === at) keep(inner.text());
      }
    }
  }
}

function judgeNodes({ context, seen }: Scan, nodes: ReadonlyMap<string, NodeFacts>, place: string): void {
  for (const [name, { op, inputs, texts }] of nodes) {
    const reach = reachOf(op);
    if (reach === undefined) continue;
    // Printing goes to the screen unless its stream is a file.
    if (op === 'PrintV2' && !texts.some((text) => text.startsWith('file://') || text === MORE)) continue;
    const path = reach === 'read' || reach === 'write' ? constantsOf(inputs[0], nodes, context) : undefined;
    if (CHECKPOINT_OPERATORS.has(op) && !path?.some((text) => LEADS_OUT.test(text))) continue;
    const rule = op === 'PrintV2' ? TENSORFLOW_RULES.writes : ruleFor(reach, path !== undefined);
    const key = `${rule.id}\0${op}\0${place}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const shown = [...texts, ...(path ?? [])].filter((text) => /[/\\.]/.test(text)).slice(0, 3);
    context.report(
      rule,
      [`${op} in ${place}, node ${name}`, ...shown.map((text) => JSON.stringify(text))].join(', '),
    );
  }
}

/** A path that does not stay where the program runs. Old graphs save to the relative path `model`, which is no finding. */
const LEADS_OUT = /^[/\\~]|^[A-Za-z]:|:\/\/|(?:^|[/\\])\.\.(?:[/\\]|$)/;

function ruleFor(reach: Reach, fixedPath: boolean): Rule {
  switch (reach) {
    case 'python':
      return TENSORFLOW_RULES.python;
    case 'network':
      return TENSORFLOW_RULES.network;
    case 'write':
      return fixedPath ? TENSORFLOW_RULES.writes : TENSORFLOW_RULES.mayWrite;
    case 'read':
      return fixedPath ? TENSORFLOW_RULES.reads : TENSORFLOW_RULES.mayRead;
  }
}

/**
 * The texts that a value is made of, where all of it stands in the graph: constants all the way back. `undefined` where an input of the
 * graph, or another function, has a part in it.
 */
function constantsOf(
  start: string | undefined,
  nodes: ReadonlyMap<string, NodeFacts>,
  context: ScanContext,
): readonly string[] | undefined {
  const texts: string[] = [];
  const visited = new Set<string>();
  const open = start === undefined ? [] : [start];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    context.budget.step();
    if (visited.has(name)) continue;
    visited.add(name);
    const node = nodes.get(name);
    if (node === undefined || FROM_OUTSIDE.test(node.op)) return undefined;
    if (node.op === 'Const') texts.push(...node.texts);
    open.push(...node.inputs);
  }
  return texts;
}

const FROM_OUTSIDE = /^(?:Placeholder|_Arg|Arg|StatefulPartitionedCall|PartitionedCall)/;

/** The JSON of each Keras object in `keras_metadata.pb`. */
async function scanKerasMetadata({ stream, context }: Scan, whole: ProtoField): Promise<void> {
  for await (const object of stream.fields(whole.start, whole.end)) {
    if (object.field !== 1 || object.wire !== 2) continue;
    for await (const field of stream.fields(object.start, object.end))
      if (field.field === 5 && field.wire === 2)
        await judgeKerasConfig(parseJson(await stream.bytes(field), context.where), 'metadata', context);
  }
}
