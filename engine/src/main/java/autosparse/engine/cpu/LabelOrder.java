package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import java.util.Arrays;

/**
 * Groups of scores sorted by label, descending, ties by ascending index: the elements that are
 * better than one, and those that are worse, are then two runs, and pair loops need no comparison.
 */
final class LabelOrder {
  final long[] starts;
  final int count;

  /** Scores and labels in label order. */
  final float[] scores;

  final float[] labels;

  /** Original index by position. */
  final int[] index;

  /** Elements of the same group before this position are better by label, those after worse. */
  final int[] tiesFrom;

  final int[] tiesTo;
  final int[] group;

  LabelOrder(WorkerPool pool, Tensor scores, Tensor labels, long[] starts) {
    this.starts = starts;
    count = Math.toIntExact(scores.elements());
    float[] s = scores.toFloats();
    float[] y = labels.toFloats();
    this.scores = new float[count];
    this.labels = new float[count];
    index = new int[count];
    tiesFrom = new int[count];
    tiesTo = new int[count];
    group = new int[count];
    pool.run(
        starts.length - 1L,
        (worker, g) -> {
          int from = (int) starts[(int) g];
          int to = (int) starts[(int) g + 1];
          int[] order = descending(y, from, to);
          for (int p = from; p < to; p++) {
            index[p] = order[p - from];
            this.scores[p] = s[index[p]];
            this.labels[p] = y[index[p]];
            group[p] = (int) g;
            tiesFrom[p] = p > from && this.labels[p] == this.labels[p - 1] ? tiesFrom[p - 1] : p;
          }
          for (int p = to - 1; p >= from; p--) {
            boolean tied = p + 1 < to && this.labels[p] == this.labels[p + 1];
            tiesTo[p] = tied ? tiesTo[p + 1] : p + 1;
          }
        });
  }

  /** First position of the group that a position belongs to. */
  int from(int position) {
    return (int) starts[group[position]];
  }

  /** Position after the group's last. */
  int to(int position) {
    return (int) starts[group[position] + 1];
  }

  /** Indices from (inclusive) to (exclusive) by descending value, ties by ascending index. */
  static int[] descending(float[] values, int from, int to) {
    long[] keys = new long[to - from];
    for (int i = from; i < to; i++) {
      int bits = Float.floatToIntBits(values[i] + 0f); // -0 becomes 0: they are equal
      int ascending = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
      keys[i - from] = ((long) ~ascending << 32) | (i - from);
    }
    Arrays.sort(keys);
    int[] order = new int[keys.length];
    for (int r = 0; r < order.length; r++) {
      order[r] = from + (int) keys[r];
    }
    return order;
  }
}
