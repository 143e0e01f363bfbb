package autosparse.schedule;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * What is left of a pattern when its axes are seen through splits: how many distinct coordinates,
 * and how unevenly the nonzeros lie in them. That decides how large a format is, how often its
 * loops run, and how well a parallel loop is shared out. Exact; each question costs one pass over
 * the nonzeros and is answered once. Thread-safe.
 *
 * <p>Passes read the rows in order, so the pattern need not be in memory; {@link #countAll} answers
 * many questions in one. A question takes 4 bytes a column at the most; only one that sees rows by
 * their place in a block takes a bit for each such place and what is seen of a column. Where these
 * are more than a pass may take, some places are counted at a time, each reading only its own rows:
 * the nonzeros are still read once, in smaller pieces.
 */
public final class PatternCounts implements PatternQueries {
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

  /** Most bytes that the questions of one pass take together, unless one alone takes more. */
  private static final long PASS_BYTES = 1L << 26;

  /** Most bytes of the rows that are read at a time. */
  static final long CHUNK_BYTES = 1L << 20;

  /** A question about what is seen of rows and columns. */
  record Distinct(View rows, View cols) {}

  /** A question about a parallel loop, see {@link #rowBalance}. */
  record Share(long group, long unit, boolean skipEmpty, long chunk, int threads) {}

  private final MatrixPattern pattern;
  private final Map<Distinct, Long> distinct = new ConcurrentHashMap<>();
  private final Map<Share, Balance> balances = new ConcurrentHashMap<>();

  /**
   * @param pattern that is read when something is asked; its own {@link MatrixPattern#counts}
   */
  public PatternCounts(MatrixPattern pattern) {
    this.pattern = pattern;
  }

  @Override
  public long nnz() {
    return pattern.nnz();
  }

  @Override
  public long distinct(View rows, View cols) {
    Distinct asked = new Distinct(rows, cols);
    Long known = distinct.get(asked);
    if (known == null) {
      count(Set.of(asked), Set.of());
      known = distinct.get(asked);
    }
    return known;
  }

  @Override
  public Balance rowBalance(long group, long unit, boolean skipEmpty, long chunk, int threads) {
    Share asked = new Share(group, unit, skipEmpty, chunk, threads);
    Balance known = balances.get(asked);
    if (known == null) {
      count(Set.of(), Set.of(asked));
      known = balances.get(asked);
    }
    return known;
  }

  /**
   * Counts all that some work is going to ask, in as few passes as memory allows. Done only for a
   * pattern that is not in memory, where passes are dear: one that is, is counted when it is asked.
   *
   * @param work asks what it will ask these counts, of somebody whose answers mean nothing; it must
   *     not ask more afterwards
   */
  public void countAll(Consumer<PatternQueries> work) {
    if (!(pattern instanceof SparsityPattern)) {
      Questions asked = new Questions(nnz(), new LinkedHashSet<>(), new LinkedHashSet<>());
      work.accept(asked);
      asked.views.removeAll(distinct.keySet());
      asked.shares.removeAll(balances.keySet());
      count(asked.views, asked.shares);
    }
  }

  /** Takes down what is asked. */
  private record Questions(long nnz, Set<Distinct> views, Set<Share> shares)
      implements PatternQueries {
    @Override
    public long distinct(View rows, View cols) {
      views.add(new Distinct(rows, cols));
      return 1;
    }

    @Override
    public Balance rowBalance(long group, long unit, boolean skipEmpty, long chunk, int threads) {
      shares.add(new Share(group, unit, skipEmpty, chunk, threads));
      return new Balance(1, 1);
    }
  }

  private void count(Collection<Distinct> views, Collection<Share> shares) {
    long passBytes = Math.min(PASS_BYTES, pattern.rangeBytes());
    Map<Distinct, List<DistinctCounter>> parts = new HashMap<>();
    Deque<RowCounter> waiting = new ArrayDeque<>();
    for (Distinct asked : views) {
      boolean all =
          asked.rows().kind() == View.Kind.WHOLE && asked.cols().kind() == View.Kind.WHOLE;
      if (all || pattern.nnz() == 0) {
        distinct.put(asked, pattern.nnz());
        continue;
      }
      List<DistinctCounter> counters = DistinctCounter.of(asked, pattern, passBytes);
      parts.put(asked, counters);
      waiting.addAll(counters);
    }
    Map<Share, BalanceCounter> sharing = new HashMap<>();
    for (Share asked : shares) {
      BalanceCounter counter = new BalanceCounter(asked, pattern);
      sharing.put(asked, counter);
      waiting.addFirst(counter); // they take next to nothing: in the first pass
    }
    while (!waiting.isEmpty()) {
      List<RowCounter> pass = new ArrayList<>();
      long bytes = 0;
      do {
        bytes += waiting.peek().bytes();
        pass.add(waiting.remove());
      } while (!waiting.isEmpty() && bytes + waiting.peek().bytes() <= passBytes);
      run(pass);
    }
    parts.forEach(
        (asked, counters) ->
            distinct.put(asked, counters.stream().mapToLong(DistinctCounter::found).sum()));
    sharing.forEach((asked, counter) -> balances.put(asked, counter.balance()));
  }

  /** Shows rows to counters, a chunk at a time; to a counter that is alone only what it needs. */
  private void run(List<RowCounter> counters) {
    counters.forEach(RowCounter::begin);
    long chunk = Math.min(CHUNK_BYTES, pattern.rangeBytes());
    RowCounter one = counters.get(0);
    int row = counters.size() == 1 ? one.next(0) : 0;
    while (row < pattern.rows()) {
      int wanted = counters.size() == 1 ? one.end(row) : pattern.rows();
      int end = pattern.rangeEnd(row, wanted, chunk);
      MatrixPattern.Rows rows = pattern.read(row, end);
      int first = row;
      counters.parallelStream().forEach(counter -> counter.add(first, rows));
      row = counters.size() == 1 ? one.next(end) : end;
    }
    counters.forEach(RowCounter::end);
  }
}
