package autosparse.schedule;

import autosparse.schedule.PatternCounts.Balance;
import autosparse.schedule.PatternCounts.View;
import autosparse.schedule.ScheduleGeometry.Loop;
import autosparse.schedule.ScheduleGeometry.Part;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What a schedule does with one matrix: how large its format gets, how often each loop runs, what
 * the loops touch, how the parallel loop is shared out. Where {@link ScheduleGeometry} knows the
 * shape only, this counts the pattern ({@link PatternCounts}). Plain quantities.
 *
 * @param positions entries of each of A's levels, in storage order, padding included
 * @param formatBytes bytes of A's arrays: 4 a value, coordinate and position
 * @param iterations how often each loop's body runs in all, outermost first
 * @param rowBytes bytes of the dense operand or result along the rows that one iteration of each
 *     loop touches, on average (SpMM's C, SpMV's C, SDDMM's B)
 * @param columnBytes the same along the columns (SpMM's B, SpMV's B, SDDMM's C)
 * @param cacheTraffic bytes that pass between a cache of each of {@link #CACHES} and what is behind
 *     it: the loops that fit the cache touch everything once
 * @param parallelEntries how often the parallel loop is started; 0 where no loop is parallel
 * @param parallelChunks pieces of work that are handed out each time, on average; 1 where no loop
 *     is parallel
 * @param busiestShare share of a run's work in its largest piece; 1 where no loop is parallel
 * @param spanShare share of all work on the critical path, from 1 / threads up to 1
 */
public record ScheduleWork(
    List<Double> positions,
    double formatBytes,
    List<Double> iterations,
    List<Double> rowBytes,
    List<Double> columnBytes,
    List<Double> cacheTraffic,
    double parallelEntries,
    double parallelChunks,
    double busiestShare,
    double spanShare) {
  /** Sizes of caches, in bytes: about a core's first and second level. */
  public static final List<Integer> CACHES = List.of(1 << 15, 1 << 20);

  private static final int WORD = 4;
  private static final int LINE = 64;

  /** Copies the lists. */
  public ScheduleWork {
    positions = List.copyOf(positions);
    iterations = List.copyOf(iterations);
    rowBytes = List.copyOf(rowBytes);
    columnBytes = List.copyOf(columnBytes);
    cacheTraffic = List.copyOf(cacheTraffic);
  }

  /** Works out what a schedule does with a pattern. */
  public static ScheduleWork of(ScheduleGeometry geometry, PatternQueries counts) {
    return new Counting(geometry, counts).work();
  }

  /**
   * The {@link #positions} alone, which take less counting than everything.
   *
   * @return entries of each of A's levels, in storage order
   */
  public static List<Double> positions(ScheduleGeometry geometry, PatternCounts counts) {
    Counting counting = new Counting(geometry, counts);
    counts.countAll(asked -> new Counting(geometry, asked).countPositions());
    counting.countPositions();
    return List.copyOf(counting.positions);
  }

  /**
   * Has all counted that {@link #of} will ask for some schedules: together, where that is cheaper.
   */
  public static void countAll(
      PatternCounts counts, Problem problem, Collection<Schedule> schedules) {
    counts.countAll(asked -> schedules.forEach(s -> of(ScheduleGeometry.of(s, problem), asked)));
  }

  /** What is seen of A's axes when some of its loops stand still. */
  private record Prefix(View rows, View cols) {
    static final Prefix EMPTY = new Prefix(View.NONE, View.NONE);

    Prefix with(Loop loop, ScheduleGeometry geometry) {
      if (loop.axis().equals(geometry.problem().op().rowAxis())) {
        return new Prefix(seen(rows, loop, geometry), cols);
      }
      return new Prefix(rows, seen(cols, loop, geometry));
    }

    private static View seen(View before, Loop loop, ScheduleGeometry geometry) {
      if (loop.part() == Part.WHOLE || before.kind() != View.Kind.NONE) {
        return View.WHOLE;
      }
      long block = geometry.schedule().split(loop.axis()).orElseThrow().innerSize();
      return loop.part() == Part.OUTER ? View.outer(block) : View.inner(block);
    }
  }

  /** One schedule being worked out. */
  private static final class Counting {
    private final ScheduleGeometry geometry;
    private final PatternQueries counts;
    private final List<Loop> loops;
    private final List<Loop> levels;
    private final List<Double> positions = new ArrayList<>();
    private final List<Double> iterations = new ArrayList<>();
    private final List<Double> rowBytes = new ArrayList<>();
    private final List<Double> columnBytes = new ArrayList<>();
    private double formatBytes;

    Counting(ScheduleGeometry geometry, PatternQueries counts) {
      this.geometry = geometry;
      this.counts = counts;
      this.loops = geometry.loops();
      this.levels =
          loops.stream()
              .filter(loop -> loop.level() >= 0)
              .sorted(Comparator.comparingInt(Loop::level))
              .toList();
    }

    ScheduleWork work() {
      countPositions();
      countIterations();
      countTouched();
      List<Double> traffic = CACHES.stream().map(this::traffic).toList();
      Optional<Loop> parallel = geometry.parallelLoop();
      if (parallel.isEmpty()) {
        return new ScheduleWork(
            positions, formatBytes, iterations, rowBytes, columnBytes, traffic, 0, 1, 1, 1);
      }
      return shared(parallel.get(), traffic);
    }

    /** As {@code Packer} of the tuner stores them. */
    private void countPositions() {
      double parents = 1;
      boolean apart = false;
      Prefix prefix = Prefix.EMPTY;
      for (Loop level : levels) {
        prefix = prefix.with(level, geometry);
        Mode mode = level.mode().orElse(Mode.DENSE);
        apart |= mode == Mode.COMPRESSED_NON_UNIQUE;
        double size =
            switch (mode) {
              case DENSE -> parents * level.size();
              case SINGLETON, SINGLETON_NON_UNIQUE -> parents;
              case COMPRESSED, COMPRESSED_NON_UNIQUE ->
                  apart ? counts.nnz() : counts.distinct(prefix.rows(), prefix.cols());
            };
        if (mode != Mode.DENSE) {
          formatBytes += WORD * size;
        }
        if (mode == Mode.COMPRESSED || mode == Mode.COMPRESSED_NON_UNIQUE) {
          formatBytes += WORD * (parents + 1);
        }
        positions.add(size);
        parents = size;
      }
      formatBytes += WORD * parents;
    }

    private void countIterations() {
      double dense = 1;
      double sparse = 1;
      for (Loop loop : loops) {
        if (loop.level() < 0) {
          dense *= loop.size();
        } else {
          sparse = positions.get(loop.level());
        }
        iterations.add(dense * sparse);
      }
    }

    private void countTouched() {
      Prefix prefix = Prefix.EMPTY;
      for (int p = 0; p < loops.size(); p++) {
        Loop loop = loops.get(p);
        if (loop.level() >= 0) {
          prefix = prefix.with(loop, geometry);
        }
        double bytes = denseBytesInside(p);
        rowBytes.add(bytes * rowsTouched(prefix));
        columnBytes.add(bytes * columnsTouched(prefix));
      }
    }

    private double rowsTouched(Prefix prefix) {
      return counts.distinct(View.WHOLE, prefix.cols()) / found(prefix);
    }

    private double columnsTouched(Prefix prefix) {
      return counts.distinct(prefix.rows(), View.WHOLE) / found(prefix);
    }

    private double found(Prefix prefix) {
      return Math.max(1, counts.distinct(prefix.rows(), prefix.cols()));
    }

    /**
     * Bytes of one row of a dense operand that the loops inside loop {@code p} touch (-1: all
     * loops); whole cache lines, since rows of an operand do not share them.
     */
    private double denseBytesInside(int p) {
      if (geometry.problem().op().denseAxis().isEmpty()) {
        return WORD;
      }
      double contiguous = 1;
      double apart = 1;
      boolean outerAlone = true;
      for (int q = p + 1; q < loops.size(); q++) {
        outerAlone &= loops.get(q).part() != Part.INNER || loops.get(q).level() >= 0;
      }
      for (int q = p + 1; q < loops.size(); q++) {
        Loop loop = loops.get(q);
        if (loop.level() < 0 && loop.part() == Part.OUTER && outerAlone) {
          apart *= loop.size();
        } else if (loop.level() < 0) {
          contiguous *= loop.size();
        }
      }
      return apart * Math.max(LINE, WORD * contiguous);
    }

    /** The outermost loops whose inside fits the cache are run once each; what is inside, once. */
    private double traffic(int cache) {
      double inside = denseBytesInside(-1);
      double bytes =
          formatBytes
              + inside * counts.distinct(View.WHOLE, View.NONE)
              + inside * counts.distinct(View.NONE, View.WHOLE);
      if (bytes <= cache) {
        return bytes;
      }
      for (int p = 0; p < loops.size(); p++) {
        double times = Math.max(1, iterations.get(p));
        double format = formatBytes / Math.max(1, sparseIterations(p));
        bytes = format + rowBytes.get(p) + columnBytes.get(p);
        if (bytes <= cache || p == loops.size() - 1) {
          return times * bytes;
        }
      }
      return bytes;
    }

    /** Positions of A's innermost level at or outside loop {@code p}. */
    private double sparseIterations(int p) {
      double size = 1;
      for (int q = 0; q <= p; q++) {
        if (loops.get(q).level() >= 0) {
          size = positions.get(loops.get(q).level());
        }
      }
      return size;
    }

    private ScheduleWork shared(Loop parallel, List<Double> traffic) {
      int at = parallel.position();
      int threads = geometry.schedule().threads();
      int chunk = geometry.schedule().chunk();
      double entries = at == 0 ? 1 : Math.max(1, iterations.get(at - 1));
      double trips = Math.max(1, iterations.get(at) / entries);
      double chunks = Math.ceil(trips / chunk);
      // Equal pieces, in as many rounds as the threads need.
      double largest = Math.min(1, chunk / trips);
      double span = Math.min(1, Math.ceil(chunks / threads) * largest);
      if (parallel.axis().equals(geometry.problem().op().rowAxis()) && counts.nnz() > 0) {
        Balance balance = rowBalance(parallel, chunk, threads);
        // The runs over the inner rows of one block after another share the nonzeros.
        double runs = parallel.part() == Part.INNER ? Math.min(entries, blocks(parallel)) : 1;
        largest = Math.max(largest, balance.busiest() * runs / counts.nnz());
        span = Math.max(span, balance.span() / counts.nnz());
      }
      return new ScheduleWork(
          positions,
          formatBytes,
          iterations,
          rowBytes,
          columnBytes,
          traffic,
          entries,
          chunks,
          Math.min(1, largest),
          Math.min(1, Math.max(span, 1.0 / threads)));
    }

    private Balance rowBalance(Loop parallel, int chunk, int threads) {
      Mode mode = parallel.mode().orElse(Mode.DENSE);
      boolean skipEmpty = mode != Mode.DENSE;
      long rows = geometry.problem().rows();
      if (mode == Mode.COMPRESSED_NON_UNIQUE) {
        // An iteration is one nonzero.
        double piece = Math.min(counts.nnz(), chunk);
        return new Balance((long) piece, Math.max(piece, (double) counts.nnz() / threads));
      }
      return switch (parallel.part()) {
        case WHOLE -> counts.rowBalance(rows, 1, skipEmpty, chunk, threads);
        case OUTER -> counts.rowBalance(rows, inner(parallel), skipEmpty, chunk, threads);
        case INNER -> counts.rowBalance(inner(parallel), 1, skipEmpty, chunk, threads);
      };
    }

    private double blocks(Loop inner) {
      return Math.ceil((double) geometry.problem().rows() / inner(inner));
    }

    private long inner(Loop loop) {
      return geometry.schedule().split(loop.axis()).orElseThrow().innerSize();
    }
  }
}
