package autosparse.engine.operators;

import autosparse.engine.Tensor;

/** Reads segment offsets on a host device, where looking at them costs nothing. */
public final class Segments {
  private Segments() {}

  /**
   * The offsets as an array.
   *
   * @param offsets I64 [S+1]
   * @param end what the last offset has to be
   * @throws IllegalArgumentException when they do not run from 0 to {@code end} without falling
   */
  public static long[] read(String operator, Tensor offsets, long end) {
    long[] values = offsets.toLongs();
    int last = values.length - 1;
    Check.that(
        values[0] == 0 && values[last] == end,
        operator,
        offsets + " run from " + values[0] + " to " + values[last] + ": expected 0 to " + end);
    for (int s = 0; s < last; s++) {
      Check.that(
          values[s] <= values[s + 1],
          operator,
          offsets + " fall from " + values[s] + " to " + values[s + 1] + " at segment " + s);
    }
    return values;
  }
}
