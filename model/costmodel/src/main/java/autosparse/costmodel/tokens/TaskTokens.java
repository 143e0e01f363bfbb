package autosparse.costmodel.tokens;

import autosparse.schedule.HeapSize;

/**
 * A task's schedules as rows of one table: schedules share most of their tokens, so each distinct
 * token is kept (and later encoded) once.
 *
 * @param table distinct tokens, [tokens][width]
 * @param sequences row indices of each schedule's tokens, in order
 */
public record TaskTokens(float[][] table, int[][] sequences) {
  /** Bytes of heap that the rows and the sequences take. */
  public long hostBytes() {
    long bytes = HeapSize.references(table.length) + HeapSize.references(sequences.length);
    for (float[] row : table) {
      bytes += HeapSize.array(row.length, Float.BYTES);
    }
    for (int[] sequence : sequences) {
      bytes += HeapSize.array(sequence.length, Integer.BYTES);
    }
    return bytes;
  }
}
