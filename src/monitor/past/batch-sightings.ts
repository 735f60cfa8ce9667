import { endOf, ID } from '../packed/record.ts';
import { RecordSighting, type RecordsRoom } from '../packed/record-sighting.ts';
import type { Sighting } from '../sighting.ts';
import type { PastBatch } from './batch.ts';

/** Reads batches in the order in which they were filled. */
export interface BatchReader {
  sightings(batch: PastBatch): readonly Sighting[];
}

/** Ids whose text is made at once; they live as long as the longest lived of them. */
const TOGETHER = 64;

/** Opens one. What it gives stays good after the next batch. Cost: a few hundred nanoseconds a sighting. */
export function openBatchReader(): BatchReader {
  let texts: string[] = [];
  return {
    sightings(batch) {
      // Sightings of before hold on to the texts of before.
      if (batch.textsFrom === 0) texts = [...batch.texts];
      else for (const text of batch.texts) texts.push(text);
      const { count } = batch;
      // The batch's own arrays are used again.
      const numbers = new Float64Array(batch.numbers);
      const ids = Buffer.from(batch.ids.buffer, batch.ids.byteOffset, batch.ids.length);
      const room: RecordsRoom = { numbers, floats: new Float32Array(batch.floats), texts };
      const rows = new Int32Array(count + 1);
      const ends = new Int32Array(count + 1);
      for (let i = 0; i < count; i++) {
        rows[i + 1] = endOf(numbers, rows[i]!);
        ends[i + 1] = ends[i]! + Math.max(0, numbers[rows[i]! + ID]!);
      }
      const all = new Array<Sighting>(count);
      let together = '';
      for (let i = 0; i < count; i++) {
        const first = i - (i % TOGETHER);
        if (i === first) together = ids.toString('latin1', ends[i], ends[Math.min(count, i + TOGETHER)]);
        const length = numbers[rows[i]! + ID]!;
        const id =
          length < 0
            ? texts[-1 - length]!
            : together.slice(ends[i]! - ends[first]!, ends[i + 1]! - ends[first]!);
        all[i] = new RecordSighting(room, rows[i]!, id);
      }
      return all;
    },
  };
}
