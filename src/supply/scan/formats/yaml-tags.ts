import type { Rule } from '../finding.ts';
import { CONFIG_RULES } from './config-rules.ts';
import { judgePythonName } from './python-names.ts';

const STANDARD = 'tag:yaml.org,2002:';

/**
 * Looks at every tag of a YAML text, as a loader would resolve it: `!!` and the handles of `%TAG` directives expanded, `%70` decoded.
 * Works on the text and not on a parsed document, so that a tag counts wherever a lenient loader may see one.
 */
export function judgeYamlTags(text: string, report: (rule: Rule, what: string) => void): void {
  const handles = new Map([['!!', STANDARD]]);
  for (const [, handle, prefix] of text.matchAll(/^%TAG[ \t]{1,20}(!\w{0,50}!?)[ \t]{1,20}(\S{1,300})/gm))
    handles.set(handle!, decoded(prefix!));
  for (const [, tag] of text.matchAll(
    /(?:^|[\s,[{:?-])(!<[^>\s]{1,300}>|!\w{0,50}!?[^\s,[\]{}!]{1,300})/gm,
  )) {
    const full = resolve(tag!, handles);
    if (/^tag:yaml\.org,2002:python\/|^!?python\//.test(full)) report(CONFIG_RULES.yamlTag, full);
    // HyperPyYAML: `!new:module.Class`, `!apply:function`, `!name:function`, `!module:name`.
    const named = /^!(new|apply|name|module|applyref):(\S{1,200})$/.exec(full);
    if (named === null) continue;
    const kind = judgePythonName(named[2]!);
    if (kind === 'dangerous' || named[1] === 'module') report(CONFIG_RULES.target, full);
    else if (kind === 'unknown') report(CONFIG_RULES.unknownTarget, full);
  }
}

function resolve(tag: string, handles: ReadonlyMap<string, string>): string {
  if (tag.startsWith('!<')) return decoded(tag.slice(2, -1));
  const handle = /^!\w*!/.exec(tag)?.[0] ?? '!';
  const prefix = handles.get(handle);
  return decoded(prefix === undefined ? tag : prefix + tag.slice(handle.length));
}

/** A tag with its `%` escapes read. */
function decoded(tag: string): string {
  return tag.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
