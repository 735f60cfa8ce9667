import type { DType } from './dtype.ts';
import type { Attribute, Dim, FunctionDefinition, Graph, Model, Node, ValueInfo } from './model.ts';
import type { Tensor } from './tensor.ts';

/** A node; small models in tests are written with these. */
export function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
  rest: Partial<Node> = {},
): Node {
  return {
    op,
    domain: '',
    name: '',
    inputs,
    outputs,
    attributes: new Map(Object.entries(attributes)),
    ...rest,
  };
}

/** A named tensor value of an interface; `null` when its rank is unknown. */
export function value(name: string, dims: readonly Dim[] | null = [2], dtype: DType = 'float32'): ValueInfo {
  return { name, type: { kind: 'tensor', dtype, dims: dims ?? undefined } };
}

/** A graph; everything absent is empty. */
export function graph(
  parts: Partial<Omit<Graph, 'initializers'>> & { readonly initializers?: Readonly<Record<string, Tensor>> },
): Graph {
  return {
    name: 'g',
    inputs: [],
    outputs: [],
    nodes: [],
    valueTypes: new Map(),
    ...parts,
    initializers: new Map(Object.entries(parts.initializers ?? {})),
  };
}

/** A model of IR 8 and opset 17 around a graph. */
export function model(g: Graph, rest: Partial<Model> = {}): Model {
  return {
    irVersion: 8,
    opsets: new Map([['', 17]]),
    graph: g,
    functions: [],
    producer: 'test',
    metadata: new Map(),
    ...rest,
  };
}

/** `y = Relu(x)`, with `x` and `y` of two elements. */
export function reluModel(): Model {
  return model(graph({ inputs: [value('x')], outputs: [value('y')], nodes: [node('Relu', ['x'], ['y'])] }));
}

/** A function definition; everything absent is empty. */
export function definition(
  parts: Partial<FunctionDefinition> & { readonly name: string },
): FunctionDefinition {
  return {
    domain: 'local',
    overload: '',
    inputs: [],
    outputs: [],
    attributes: [],
    attributeDefaults: new Map(),
    nodes: [],
    opsets: new Map([['', 17]]),
    ...parts,
  };
}

/** What `run` throws: its code and message. Fails when it throws nothing or anything but a GlacisError. */
export async function refusal(
  run: () => unknown,
): Promise<{ readonly code: string; readonly message: string }> {
  try {
    await run();
  } catch (thrown) {
    const { name, code, message } = thrown as { name: string; code: string; message: string };
    if (name !== 'GlacisError') throw thrown;
    return { code, message };
  }
  throw new Error('expected a refusal, got none');
}
