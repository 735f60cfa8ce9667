/** Entries of a model's metadata that name its classes, as exporters write them, the most definite first. */
const KEYS = ['class_names', 'classNames', 'id2label', 'names', 'classes', 'labels', 'class_labels'] as const;

const MOST_TEXT = 1 << 20;
const MOST_NAMES = 10_000;
const MOST_NAME = 500;

/**
 * Names of classes by number that a model's own metadata holds (`metadata_props`): a JSON array, an object of names by number (`id2label` of Transformers), the same as a Python dictionary (`names` of Ultralytics), or names
 * with commas or line breaks between. Undefined unless there are as many as `classes`. The text is the model's and may be anything: it is bounded, and never throws.
 */
export function namesInModel(
  metadata: ReadonlyMap<string, string>,
  classes: number,
): readonly string[] | undefined {
  if (!(classes >= 2 && classes <= MOST_NAMES)) return undefined;
  for (const key of KEYS) {
    const text = metadata.get(key);
    if (text === undefined || text.length > MOST_TEXT) continue;
    const names = namesIn(text.trim());
    if (names?.length === classes && names.every((name) => name.length <= MOST_NAME)) return names;
  }
  return undefined;
}

function namesIn(text: string): readonly string[] | undefined {
  if (text.startsWith('{') || text.startsWith('[')) {
    const read = json(text) ?? (text.startsWith('{') ? pythonDictionary(text) : undefined);
    return Array.isArray(read) ? ofArray(read) : read === undefined ? undefined : ofObject(read);
  }
  const parts = text.includes('\n') ? text.split('\n') : text.split(',');
  return parts.map((part) => part.trim());
}

function json(text: string): object | undefined {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null ? read : undefined;
  } catch {
    return undefined;
  }
}

function ofArray(read: readonly unknown[]): readonly string[] | undefined {
  return read.every((each) => typeof each === 'string') ? read : undefined;
}

/** Names by number, where every number from 0 on is there. */
function ofObject(read: object): readonly string[] | undefined {
  const entries = new Map(Object.entries(read) as [string, unknown][]);
  return ofArray(
    Array.from({ length: Math.min(entries.size, MOST_NAMES + 1) }, (_, i) => entries.get(String(i))),
  );
}

/** `{0: 'person', 1: "dog's"}`; undefined for anything else. */
function pythonDictionary(text: string): object | undefined {
  const entry = /\s*(\d{1,5})\s*:\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(,|\}$)/y;
  const found: Record<string, string> = Object.create(null);
  entry.lastIndex = 1;
  for (let i = 0; i <= MOST_NAMES; i++) {
    const [, number, single, double, end] = entry.exec(text) ?? [];
    if (number === undefined) return undefined;
    found[Number(number)] = (single ?? double ?? '').replace(/\\(.)/g, '$1');
    if (end !== ',') return found;
  }
  return undefined;
}
