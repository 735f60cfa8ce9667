/** What a TensorFlow operator reaches besides its inputs. */
export type Reach = 'python' | 'write' | 'read' | 'network';

const list = (names: string): ReadonlySet<string> => new Set(names.trim().split(/\s+/));

/**
 * Operators of TensorFlow that reach files, Python or the network. The argument that names the file, where it is the first, decides
 * how grave it is: a path in the graph was chosen by whoever made the model, one from outside by whoever runs it.
 * Source: the op registry of TensorFlow 2.20.
 */
const OPERATORS: Readonly<Record<Reach, ReadonlySet<string>>> = {
  python: list('PyFunc PyFuncStateless EagerPyFunc NumpyFunc XlaPythonCustomCall PyCall'),
  write: list(`WriteFile Save SaveSlices SaveV2 MergeV2Checkpoints SaveDataset SaveDatasetV2 DatasetToTFRecord
    ExperimentalDatasetToTFRecord WriteSummary WriteScalarSummary WriteRawProtoSummary WriteGraphSummary WriteImageSummary
    WriteAudioSummary WriteHistogramSummary CreateSummaryFileWriter CreateSummaryDbWriter ImportEvent PrintV2
    SnapshotDataset SnapshotDatasetV2 DistributedSave`),
  read: list(`ReadFile MatchingFiles WholeFileReader WholeFileReaderV2 TextLineReader TextLineReaderV2
    FixedLengthRecordReader FixedLengthRecordReaderV2 TFRecordReader TFRecordReaderV2 LMDBReader
    TextLineDataset TFRecordDataset TFRecordDatasetV2 FixedLengthRecordDataset FixedLengthRecordDatasetV2 SqlDataset
    ExperimentalSqlDataset CSVDataset CSVDatasetV2 ExperimentalCSVDataset LMDBDataset ExperimentalLMDBDataset LoadDataset
    MatchingFilesDataset ExperimentalMatchingFilesDataset ImmutableConst Restore RestoreSlice RestoreV2
    InitializeTableFromTextFile InitializeTableFromTextFileV2 DecodeProto DecodeProtoV2 EncodeProto
    GenerateVocabRemapping LoadAndRemapMatrix ReadVariableFromFile`),
  network:
    list(`DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4 RegisterDataset
    RegisterDatasetV2 DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugNanCount DebugNumericSummary RpcCall RpcClient RpcServer
    RpcServerStart RpcServerRegister RemoteFusedGraphExecute DistributedTPUEmbedding BigtableClient BigQueryReader
    CollectiveBcastSendV2 ConfigureDistributedTPU`),
};

const byName = new Map<string, Reach>(
  (Object.keys(OPERATORS) as Reach[]).flatMap((reach) =>
    [...OPERATORS[reach]].map((name) => [name, reach] as const),
  ),
);

/** What an operator reaches; `undefined` for one that only computes. */
export function reachOf(op: string): Reach | undefined {
  return byName.get(op);
}

/** Operators that every SavedModel has for its own checkpoints; they are findings only with a path that the graph holds. */
export const CHECKPOINT_OPERATORS = list(
  'SaveV2 RestoreV2 MergeV2Checkpoints Save Restore SaveSlices RestoreSlice InitializeTableFromTextFile InitializeTableFromTextFileV2',
);
