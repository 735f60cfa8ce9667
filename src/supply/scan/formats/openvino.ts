import type { Rule } from '../finding.ts';
import type { ScanContext, Scanner } from '../scanner.ts';
import { TAXONOMY } from '../taxonomy.ts';
import { readAll } from './json-nodes.ts';

const OPENVINO_RULES = {
  entity: {
    id: 'openvino/entity',
    title: 'XML that defines entities',
    verdict: 'malicious',
    severity: 'high',
    why: 'An IR has no document type. Entities read files, reach servers, or fill the memory of the parser.',
    taxonomy: [...TAXONOMY.graphAccess, 'CWE-611', 'CWE-776'],
  },
  extension: {
    id: 'openvino/extension',
    title: 'Layers of an unknown operator set',
    verdict: 'suspicious',
    severity: 'medium',
    why: 'They come out of a native library that the program must load to run the model.',
    taxonomy: TAXONOMY.remoteCode,
  },
  range: {
    id: 'openvino/weights-range',
    title: 'Weights past the end of their file',
    verdict: 'suspicious',
    severity: 'high',
    why: 'A native reader that trusts offset and size reads memory that is not its own.',
    taxonomy: TAXONOMY.memory,
  },
} as const satisfies Record<string, Rule>;

const OPSETS =
  /^(?:opset\d{1,2}|experimental|type_relaxed_opset|util|ie_internal_opset|gpu_opset|cpu_plugin_opset|)$/;

/** The root of an IR. */
const NET = /<net\s[^>]{0,400}\bversion\s{0,4}=/;

/** OpenVINO's IR: an XML that names layers, beside a `.bin` with their weights. */
export const openvinoScanner: Scanner = {
  id: 'openvino',
  title: 'OpenVINO IR',
  rules: Object.values(OPENVINO_RULES),
  recognises: async ({ name, head, source, size, budget }) => {
    if (NET.test(Buffer.from(head).toString('latin1'))) return true;
    // A comment may be longer than what is seen of a file at first.
    if (!/\.xml$/i.test(name) || size > budget.limits.readBytes) return false;
    return NET.test(Buffer.from(await readAll(source)).toString('latin1'));
  },
  async scan(source, context) {
    const text = Buffer.from(await readAll(source)).toString();
    const entity = /<!(?:DOCTYPE|ENTITY)[^>]{0,200}/i.exec(text);
    if (entity !== null) context.report(OPENVINO_RULES.entity, entity[0], entity.index);
    const weights = await weightsOf(context);
    const unknown = new Map<string, string>();
    let most = 0;
    for (const [, tag, attributes] of text.matchAll(/<(layer|data)\b((?:[^"'<>]|"[^"]*"|'[^']*')*)>/g)) {
      context.budget.step();
      const value = (name: string) =>
        new RegExp(`\\b${name}\\s*=\\s*["']([^"']*)["']`).exec(attributes!)?.[1];
      if (tag === 'layer') {
        const opset = value('version') ?? '';
        if (!OPSETS.test(opset)) unknown.set(opset, value('type') ?? '');
      } else most = Math.max(most, Number(value('offset') ?? 0) + Number(value('size') ?? 0) || 0);
    }
    for (const [opset, type] of unknown) context.report(OPENVINO_RULES.extension, `${opset}: ${type}`);
    if (weights !== undefined && most > weights)
      context.report(OPENVINO_RULES.range, `weights up to byte ${most}, and a .bin of ${weights} bytes`);
  },
};

/** Size of the `.bin` that belongs to the model, which is vouched for. */
async function weightsOf({ name, siblings }: ScanContext): Promise<number | undefined> {
  const bin = `${name.replace(/\.xml$/i, '')}.bin`;
  const member = siblings?.members.find((m) => m.name === bin);
  if (member === undefined) return undefined;
  siblings!.vouch(bin);
  return member.size;
}
