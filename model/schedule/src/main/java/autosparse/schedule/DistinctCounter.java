package autosparse.schedule;

import autosparse.schedule.PatternCounts.Distinct;
import autosparse.schedule.PatternCounts.View;
import autosparse.schedule.PatternCounts.View.Kind;
import java.util.ArrayList;
import java.util.List;

/**
 * Counts distinct pairs of what is seen of rows and columns. Rows that look alike follow one
 * another, so that the last one that had it is all there is to know of what is seen of a column;
 * not those that are seen by their place in a block of rows: there each place has its own bits.
 */
final class DistinctCounter implements RowCounter {
  private final int rows;

  /** Rows that look alike; or, where {@link #byPlace}, that lie between two which do. */
  private final int block;

  private final boolean byPlace;

  /** Places that this counts, from first to end. */
  private final int firstPlace;

  private final int endPlace;

  private final Kind kind;
  private final int columnBlock;

  /** What can be seen of a column: numbers from 0 to this. */
  private final int keys;

  /** The last group of rows that had a key, from 1 on; unless by place. */
  private int[] marks;

  /** Whether a place had a key; by place. */
  private long[] bits;

  private long found;

  private DistinctCounter(
      MatrixPattern pattern, Distinct asked, int block, boolean byPlace, int from, int to) {
    this.rows = pattern.rows();
    this.block = block;
    this.byPlace = byPlace;
    this.firstPlace = from;
    this.endPlace = to;
    this.kind = asked.cols().kind();
    this.columnBlock = clipped(asked.cols().block(), pattern.cols());
    this.keys = keys(asked.cols(), pattern.cols());
  }

  private static int clipped(long block, int extent) {
    return (int) Math.min(block, Math.max(1, extent));
  }

  private static int keys(View view, int extent) {
    int block = clipped(view.block(), extent);
    return switch (view.kind()) {
      case NONE -> 1;
      case OUTER -> (int) ((extent + block - 1L) / block);
      case INNER -> block;
      case WHOLE -> extent;
    };
  }

  /**
   * Counters whose counts add up to the answer.
   *
   * @param most bytes that one takes, where it can take so few
   */
  static List<DistinctCounter> of(Distinct asked, MatrixPattern pattern, long most) {
    List<DistinctCounter> counters = new ArrayList<>();
    int rows = pattern.rows();
    int block = clipped(asked.rows().block(), rows);
    switch (asked.rows().kind()) {
      case NONE ->
          counters.add(new DistinctCounter(pattern, asked, Math.max(1, rows), false, 0, 1));
      case OUTER, WHOLE -> counters.add(new DistinctCounter(pattern, asked, block, false, 0, 1));
      case INNER -> {
        if (block >= rows) {
          counters.add(new DistinctCounter(pattern, asked, 1, false, 0, 1));
          break;
        }
        long fit = Byte.SIZE * most / keys(asked.cols(), pattern.cols());
        int places = (int) Math.max(1, Math.min(block, fit));
        for (int from = 0; from < block; from += Math.min(places, block - from)) {
          int to = from + Math.min(places, block - from);
          counters.add(new DistinctCounter(pattern, asked, block, true, from, to));
        }
      }
    }
    return counters;
  }

  @Override
  public long bytes() {
    return byPlace ? Long.BYTES * words() : (long) Integer.BYTES * keys;
  }

  private long words() {
    return ((long) (endPlace - firstPlace) * keys + Long.SIZE - 1) / Long.SIZE;
  }

  @Override
  public void begin() {
    if (byPlace) {
      bits = new long[Math.toIntExact(words())];
    } else {
      marks = new int[keys];
    }
  }

  @Override
  public void add(int first, MatrixPattern.Rows some) {
    long[] pointers = some.rowPointers();
    for (int r = 0; r < some.count(); r++) {
      int row = first + r;
      int from = (int) pointers[r];
      int to = (int) pointers[r + 1];
      if (!byPlace) {
        mark(some.columns(), from, to, row / block + 1);
      } else if (row % block >= firstPlace && row % block < endPlace) {
        set(some.columns(), from, to, (long) (row % block - firstPlace) * keys);
      }
    }
  }

  private void mark(int[] columns, int from, int to, int group) {
    for (int p = from; p < to; p++) {
      int key = key(columns[p]);
      if (marks[key] != group) {
        marks[key] = group;
        found++;
      }
    }
  }

  private void set(int[] columns, int from, int to, long firstBit) {
    for (int p = from; p < to; p++) {
      long at = firstBit + key(columns[p]);
      int word = (int) (at >>> 6);
      long bit = 1L << at;
      if ((bits[word] & bit) == 0) {
        bits[word] |= bit;
        found++;
      }
    }
  }

  private int key(int column) {
    return switch (kind) {
      case NONE -> 0;
      case OUTER -> column / columnBlock;
      case INNER -> column % columnBlock;
      case WHOLE -> column;
    };
  }

  private boolean everyRow() {
    return !byPlace || endPlace - firstPlace == block;
  }

  @Override
  public int next(int row) {
    if (everyRow() || row >= rows) {
      return row;
    }
    int place = row % block;
    long from = row - place + (long) Math.max(place, firstPlace);
    return (int) Math.min(rows, place < endPlace ? from : row - place + (long) block + firstPlace);
  }

  @Override
  public int end(int row) {
    return everyRow() ? rows : (int) Math.min(rows, row - row % block + (long) endPlace);
  }

  @Override
  public void end() {
    marks = null;
    bits = null;
  }

  /** Pairs that were seen. */
  long found() {
    return found;
  }
}
