/** Calls that have come and have no answer yet: who gathers their records can tell whether more will come soon. */
export interface UnderWay {
  count: number;
}
