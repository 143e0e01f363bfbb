package autosparse.schedule;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What is left of a pattern when its axes are seen through splits: how many distinct coordinates,
 * and how unevenly the nonzeros lie in them. That decides how large a format is, how often its
 * loops run, and how well a parallel loop is shared out. Exact; each question costs one pass over
 * the nonzeros and is answered once. Thread-safe.
 */
public final class PatternCounts {
  /**
   * How one axis is seen.
   *
   * @param block size of the blocks for {@link Kind#OUTER} and {@link Kind#INNER}, else 1
   */
  public record View(Kind kind, long block) {
    /** The axis is not looked at: all its coordinates are one. */
    public static final View NONE = new View(Kind.NONE, 1);

    /** Each coordinate is itself. */
    public static final View WHOLE = new View(Kind.WHOLE, 1);

    /** Which part of a coordinate is seen. */
    public enum Kind {
      NONE,
      /** coordinate / block. */
      OUTER,
      /** coordinate mod block. */
      INNER,
      WHOLE
    }

    /** Equal views compare equal: a block of 1 is the whole coordinate, or none of it. */
    public View {
      if (block < 1) {
        throw new IllegalArgumentException(
            "block of " + block + " coordinates, expected 1 or more");
      }
      if (block == 1 && kind == Kind.OUTER) {
        kind = Kind.WHOLE;
      }
      if (block == 1 && kind == Kind.INNER) {
        kind = Kind.NONE;
      }
    }

    /** The index of the block that a coordinate lies in. */
    public static View outer(long block) {
      return new View(Kind.OUTER, block);
    }

    /** The place of a coordinate inside its block. */
    public static View inner(long block) {
      return new View(Kind.INNER, block);
    }
  }

  /**
   * How evenly rows' nonzeros are shared out.
   *
   * @param busiest most nonzeros in one piece
   * @param span nonzeros on the critical path: over the groups that follow one another, the sum of
   *     max(busiest piece, group / threads)
   */
  public record Balance(long busiest, double span) {}

  private record Distinct(View rows, View cols) {}

  private record Share(long group, long unit, boolean skipEmpty, long chunk, int threads) {}

  private final SparsityPattern pattern;
  private final Map<Distinct, Long> distinct = new ConcurrentHashMap<>();
  private final Map<Share, Balance> balances = new ConcurrentHashMap<>();

  PatternCounts(SparsityPattern pattern) {
    this.pattern = pattern;
  }

  /** Number of nonzeros. */
  public long nnz() {
    return pattern.nnz();
  }

  /**
   * Number of distinct pairs of what is seen of row and column over all nonzeros: for example of
   * nonempty 16 × 4 blocks for {@code outer(16), outer(4)}.
   */
  public long distinct(View rows, View cols) {
    return distinct.computeIfAbsent(new Distinct(rows, cols), this::count);
  }

  private long count(Distinct views) {
    View rows = views.rows();
    View cols = views.cols();
    if (pattern.nnz() == 0) {
      return 0;
    }
    if (cols.kind() == View.Kind.WHOLE && rows.kind() == View.Kind.WHOLE) {
      return pattern.nnz();
    }
    // Rows that look alike are visited together, so that one mark a column is enough.
    int size = pattern.rows();
    int block = (int) Math.min(rows.block(), size);
    int groups =
        switch (rows.kind()) {
          case NONE -> 1;
          case OUTER -> ceilDiv(size, block);
          case INNER -> block;
          case WHOLE -> size;
        };
    int[] marks = new int[pattern.cols()];
    long found = 0;
    for (int group = 0; group < groups; group++) {
      int first =
          switch (rows.kind()) {
            case NONE -> 0;
            case OUTER -> group * block;
            case INNER, WHOLE -> group;
          };
      int end =
          switch (rows.kind()) {
            case NONE, INNER -> size;
            case OUTER -> (int) Math.min(size, first + (long) block);
            case WHOLE -> group + 1;
          };
      int stride = rows.kind() == View.Kind.INNER ? block : 1;
      for (long row = first; row < end; row += stride) {
        found += mark((int) row, cols, marks, group + 1);
      }
    }
    return found;
  }

  /** Marks what is seen of a row's columns; how much of it was not marked yet. */
  private long mark(int row, View cols, int[] marks, int group) {
    int block = (int) Math.min(cols.block(), Integer.MAX_VALUE);
    long found = 0;
    for (long p = pattern.rowStart(row); p < pattern.rowEnd(row); p++) {
      int column = pattern.column(p);
      int key =
          switch (cols.kind()) {
            case NONE -> 0;
            case OUTER -> column / block;
            case INNER -> column % block;
            case WHOLE -> column;
          };
      if (marks[key] != group) {
        marks[key] = group;
        found++;
      }
    }
    return found;
  }

  /**
   * How rows are shared out by a parallel loop over blocks of rows.
   *
   * @param group rows of one run of the parallel loop; the runs follow one another. The number of
   *     rows, or more, for a loop that runs once
   * @param unit rows of one iteration
   * @param skipEmpty whether iterations without nonzeros do not exist (a compressed level)
   * @param chunk iterations that a thread takes at a time
   * @param threads threads that share each group
   */
  public Balance rowBalance(long group, long unit, boolean skipEmpty, long chunk, int threads) {
    return balances.computeIfAbsent(
        new Share(group, unit, skipEmpty, chunk, threads), this::balance);
  }

  private Balance balance(Share share) {
    long busiest = 0;
    double span = 0;
    int rows = pattern.rows();
    for (long first = 0; first < rows; first += share.group()) {
      long end = Math.min(rows, first + share.group());
      long busiestHere = 0;
      long inChunk = 0;
      long iterations = 0;
      for (long at = first; at < end; at += share.unit()) {
        long next = Math.min(end, at + share.unit());
        long nonzeros = pattern.rowStart((int) next) - pattern.rowStart((int) at);
        if (nonzeros == 0 && share.skipEmpty()) {
          continue;
        }
        inChunk += nonzeros;
        busiestHere = Math.max(busiestHere, inChunk);
        iterations++;
        if (iterations % share.chunk() == 0) {
          inChunk = 0;
        }
      }
      long all = pattern.rowStart((int) end) - pattern.rowStart((int) first);
      span += Math.max((double) busiestHere, (double) all / share.threads());
      busiest = Math.max(busiest, busiestHere);
    }
    return new Balance(busiest, span);
  }

  private static int ceilDiv(int a, int b) {
    return a / b + (a % b == 0 ? 0 : 1);
  }
}
