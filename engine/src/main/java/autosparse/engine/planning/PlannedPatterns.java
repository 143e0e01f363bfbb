package autosparse.engine.planning;

import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.SparsePatternOperators;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.LevelCounts;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.RowRange;
import autosparse.engine.sparse.RowSource;
import autosparse.engine.sparse.SiteCounts;
import autosparse.engine.sparse.Sites;
import java.lang.ref.SoftReference;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.function.Function;

/**
 * Sites and neighbour maps of a planning device: tensors without contents, sized by counts that are
 * made on the host from the patterns themselves.
 */
public final class PlannedPatterns extends SparsePatternOperators implements SiteCounts {
  /** Rows of a unit, at the most, that is counted by. */
  private static final long MOST_UNIT_ROWS = 1 << 20;

  /** Coordinates of a level; its counts are those of all levels of the same contents. */
  private static final class Level {
    private final LevelRows rows;

    /** Coarsest stride, in lattice steps of this level, for which the counts are these. */
    private final long unit;

    /** Counts by units, of which the level is a range; null where it is none. */
    private final UnitCounts units;

    private final UnitCounts.Range range;
    private final Map<Integer, Level> coarser = new HashMap<>();

    Level(LevelRows rows, long unit, UnitCounts units, UnitCounts.Range range) {
      this.rows = rows;
      this.unit = unit;
      this.units = units;
      this.range = range;
    }

    long[] firstSites() {
      return units == null
          ? rows.firstSites()
          : new long[] {0, units.sites(range, range.to() - range.from(), rows)};
    }

    long firstSite(long row, long end) {
      if (units == null || (row % units.unitRows() != 0 && row != end)) {
        return rows.firstSite(row);
      }
      long whole = (row + units.unitRows() - 1) / units.unitRows();
      return units.sites(range, whole, rows);
    }

    long pairs(ConvolutionKernel kernel) {
      Level outputs = kernel.isSubmanifold() ? this : coarser(kernel.stride());
      return units == null
          ? rows.pairs(outputs.rows, kernel)
          : units.pairs(range, kernel, rows, outputs.rows);
    }

    Level coarser(int stride) {
      boolean limited = unit != RowRange.UNLIMITED;
      if (limited && unit % stride != 0) {
        throw new IllegalArgumentException(
            "a level of stride " + stride + " of rows that come in units of " + unit);
      }
      return coarser.computeIfAbsent(
          stride,
          s ->
              new Level(
                  rows.coarser(s),
                  limited ? unit / s : unit,
                  units == null ? null : units.coarser(s),
                  range));
    }
  }

  private record Range(long first, long end, long unit) {}

  private final SparsePatternOperators operators;
  private final Map<Sites, Level> levels = new WeakHashMap<>();

  /** Counts of every batch so far, by what they depend on. */
  private final Map<List<RowContent>, LevelCounts> counts = new HashMap<>();

  /**
   * Counts of sources that ranges of whole units were asked for, by the unit: 31 numbers for 64
   * rows of the published tower's. No budget counts them, so the heap may have the room back: they
   * are counted again then.
   */
  private final Map<RowSource, SoftReference<Map<Long, UnitCounts>>> units = new WeakHashMap<>();

  /** What ranges contain, as long as their source is in use. */
  private final Map<RowSource, Map<Range, RowContent>> contents = new WeakHashMap<>();

  /**
   * @param operators makes the operators of the device that is planned for, which ask this for
   *     their counts
   */
  public PlannedPatterns(Function<SiteCounts, SparsePatternOperators> operators) {
    this.operators = operators.apply(this);
  }

  /** As the host devices make sites and maps: with no temporaries, in the order of the CPU's. */
  public static PlannedPatterns ofHost() {
    return new PlannedPatterns(HostPatterns::new);
  }

  /** Makes sites of level 0 of some rows, which are read if they were not before. */
  public Sites sites(List<RowRange> batch, Function<LevelCounts, Sites> make) {
    if (batch.size() == 1 && isOfUnits(batch.get(0))) {
      return sitesOfUnits(batch.get(0), make);
    }
    Map<RowRange, Sites.Pattern> read = new HashMap<>();
    List<RowContent> content = batch.stream().map(range -> content(range, read)).toList();
    LevelCounts known = counts.computeIfAbsent(content, key -> new LevelCounts());
    LevelRows rows = read.size() == batch.size() ? LevelRows.of(batch, read) : LevelRows.of(batch);
    long unit = batch.stream().mapToLong(RowRange::unit).min().orElse(RowRange.UNLIMITED);
    Sites sites = make.apply(known);
    levels.put(sites, new Level(rows, unit, null, null));
    return sites;
  }

  /**
   * Whether a range is whole units, the matrix's last perhaps cut short, and can be read at once.
   */
  private static boolean isOfUnits(RowRange range) {
    long unit = range.unit();
    return unit <= MOST_UNIT_ROWS
        && range.rows() > 0
        && range.first() % unit == 0
        && (range.end() % unit == 0 || range.end() == range.source().rows())
        && range.parts().size() == 1;
  }

  private Sites sitesOfUnits(RowRange range, Function<LevelCounts, Sites> make) {
    long unit = range.unit();
    UnitCounts counted =
        unitsOf(range.source()).computeIfAbsent(unit, u -> new UnitCounts(Math.toIntExact(u)));
    Sites sites = make.apply(new LevelCounts());
    UnitCounts.Range of =
        new UnitCounts.Range(range.first() / unit, (range.end() + unit - 1) / unit);
    levels.put(sites, new Level(LevelRows.of(List.of(range)), unit, counted, of));
    return sites;
  }

  private Map<Long, UnitCounts> unitsOf(RowSource source) {
    SoftReference<Map<Long, UnitCounts>> kept = units.get(source);
    Map<Long, UnitCounts> counted = kept == null ? null : kept.get();
    if (counted == null) {
      counted = new HashMap<>();
      units.put(source, new SoftReference<>(counted));
    }
    return counted;
  }

  private RowContent content(RowRange range, Map<RowRange, Sites.Pattern> read) {
    return contents
        .computeIfAbsent(range.source(), source -> new HashMap<>())
        .computeIfAbsent(
            new Range(range.first(), range.end(), range.unit()),
            key ->
                RowContent.of(range, part -> part.equals(range) ? kept(part, read) : part.read()));
  }

  private static Sites.Pattern kept(RowRange range, Map<RowRange, Sites.Pattern> read) {
    return read.computeIfAbsent(range, RowRange::read);
  }

  private Level level(Sites sites) {
    Level level = levels.get(sites);
    if (level == null) {
      throw new IllegalStateException(sites + " are not of this planning device");
    }
    return level;
  }

  @Override
  public long[] firstSites(Sites fine, int stride, Tensor firstSites) {
    Level coarse = level(fine).coarser(stride);
    return fine.counts().coarser(stride).firstSites(coarse::firstSites);
  }

  @Override
  public long pairs(Sites fine, ConvolutionKernel kernel, Tensor counts, long at) {
    Level inputs = level(fine);
    return fine.counts().pairs(kernel, () -> inputs.pairs(kernel));
  }

  @Override
  protected Sites applyDownsample(Sites sites, int stride, TensorScope scope) {
    Sites coarse = operators.downsample(sites, stride, scope);
    levels.put(coarse, level(sites).coarser(stride));
    return coarse;
  }

  @Override
  protected NeighborMap applyNeighbors(
      Sites inputs,
      Sites outputs,
      ConvolutionKernel kernel,
      boolean transposed,
      TensorScope scope) {
    return operators.neighbors(inputs, outputs, kernel, transposed, scope);
  }

  @Override
  protected Tensor applyNeighborhoodMasks(
      Sites sites, ConvolutionKernel kernel, TensorScope scope) {
    return operators.neighborhoodMasks(sites, kernel, scope);
  }

  @Override
  protected long readFirstSite(Sites sites, long row) {
    return level(sites).firstSite(row, sites.rows());
  }

  private static final class HostPatterns extends SparsePatternOperators {
    private final SiteCounts counts;

    HostPatterns(SiteCounts counts) {
      this.counts = counts;
    }

    @Override
    protected Sites applyDownsample(Sites sites, int stride, TensorScope scope) {
      int batch = sites.batch();
      long[] firstRows = sites.coarserRows(stride);
      long[] firstSites = counts.firstSites(sites, stride, null);
      return new Sites(
          scope.create("row pointers", DType.I64, MemoryTag.SITES, firstRows[batch] + 1),
          scope.create("columns", DType.I32, MemoryTag.SITES, firstSites[batch]),
          scope.longs("site offsets", MemoryTag.SITES, firstSites),
          scope.longs("row offsets", MemoryTag.SITES, firstRows),
          firstRows,
          firstSites,
          sites.stride() * stride,
          sites.counts().coarser(stride));
    }

    @Override
    protected NeighborMap applyNeighbors(
        Sites inputs,
        Sites outputs,
        ConvolutionKernel kernel,
        boolean transposed,
        TensorScope scope) {
      long pairs = counts.pairs(inputs, kernel, null, 0);
      NeighborMap opposite = transposed ? map(outputs, inputs, kernel, pairs, null, scope) : null;
      return map(inputs, outputs, kernel, pairs, opposite, scope);
    }

    private static NeighborMap map(
        Sites inputs,
        Sites outputs,
        ConvolutionKernel kernel,
        long pairs,
        NeighborMap transposed,
        TensorScope scope) {
      long sites = outputs.count();
      return new NeighborMap(
          kernel,
          inputs,
          outputs,
          scope.create("neighbor pointers", DType.I64, MemoryTag.KERNEL_MAP, sites + 1),
          scope.create("neighbor masks", DType.I32, MemoryTag.KERNEL_MAP, sites),
          scope.create("neighbors", DType.I32, MemoryTag.KERNEL_MAP, pairs),
          transposed);
    }

    @Override
    protected Tensor applyNeighborhoodMasks(
        Sites sites, ConvolutionKernel kernel, TensorScope scope) {
      return scope.create("neighborhood masks", DType.I32, MemoryTag.KERNEL_MAP, sites.count());
    }
  }
}
