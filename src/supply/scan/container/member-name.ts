/** Why unpacking a member of this name would write outside the folder; `undefined` where it would not. */
export function escapeOf(name: string): string | undefined {
  if (name.includes('\0')) return 'holds a zero byte';
  if (/^[\\/]/.test(name)) return 'is absolute';
  if (/^[a-zA-Z]:/.test(name)) return 'names a drive';
  if (name.split(/[\\/]/).includes('..')) return 'goes up with ".."';
  return undefined;
}

/** Whether a link at `name` that points at `target` leads out of the archive. */
export function linkLeadsOut(name: string, target: string): boolean {
  if (/^([\\/]|[a-zA-Z]:)/.test(target) || target.includes('\0')) return true;
  const steps = name.split('/').slice(0, -1);
  for (const step of target.split(/[\\/]/)) {
    if (step === '..') {
      if (steps.pop() === undefined) return true;
    } else if (step !== '' && step !== '.') steps.push(step);
  }
  return false;
}
