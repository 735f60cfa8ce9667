export { askWitness, type Post } from './ask-witness.ts';
export { auditLog } from './audit.ts';
export type { ThroughOptions } from './bundle-roots.ts';
export { type Checkpoint, type LogTrust, openCheckpoint } from './checkpoint.ts';
export { type CheckpointBody, formatCheckpoint, readCheckpoint } from './checkpoint-body.ts';
export { MOST_ENTRY_BYTES } from './entry-bundle.ts';
export { type Examination, examineLog, type LogFinding } from './examine.ts';
export type { LockOptions } from './folder-lock.ts';
export { httpSource } from './http-source.ts';
export { type Journal, readJournal } from './journal-recovery.ts';
export { type LogReader, openLog, readLog } from './log-reader.ts';
export { folderSource, type LogSource } from './log-source.ts';
export type { LogIdentity, Recovered } from './log-state.ts';
export { folderStore, type LogFile, type LogStore } from './log-store.ts';
export { createLog, type LogWriter, openWriter, type WriterOptions } from './log-writer.ts';
export {
  consistencyProof,
  inclusionProof,
  isConsistent,
  leafHash,
  nodeHash,
  rootFromInclusion,
  rootOf,
  type SubtreeReader,
} from './merkle.ts';
export {
  cosignNote,
  type Note,
  type NoteSignature,
  parseNote,
  signNote,
  type Verified,
  verifyNote,
} from './note.ts';
export {
  formatVerifierKey,
  type NoteAlgorithm,
  type NoteKey,
  type NoteSigner,
  noteKey,
  noteSigner,
  parseVerifierKey,
} from './note-key.ts';
export { formatProof, type LogProof, parseProof, verifyLeafProof, verifyProof } from './proof-file.ts';
export { type PublicFile, publicFile } from './public-path.ts';
export { tilePath } from './tile.ts';
export {
  MOST_REQUEST_BYTES,
  openWitness,
  type WitnessAnswer,
  type Witnessed,
  type WitnessMemory,
  type WitnessOptions,
} from './witness.ts';
export { folderMemory } from './witness-memory.ts';
