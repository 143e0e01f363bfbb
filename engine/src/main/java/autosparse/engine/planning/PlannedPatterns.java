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
  /** Coordinates of a level; its counts are those of all levels of the same contents. */
  private static final class Level {
    private final LevelRows rows;

    /** Coarsest stride, in lattice steps of this level, for which the counts are these. */
    private final long unit;

    private final Map<Integer, Level> coarser = new HashMap<>();

    Level(LevelRows rows, long unit) {
      this.rows = rows;
      this.unit = unit;
    }

    Level coarser(int stride) {
      boolean limited = unit != RowRange.UNLIMITED;
      if (limited && unit % stride != 0) {
        throw new IllegalArgumentException(
            "a level of stride " + stride + " of rows that come in units of " + unit);
      }
      return coarser.computeIfAbsent(
          stride, s -> new Level(rows.coarser(s), limited ? unit / s : unit));
    }
  }

  private record Range(long first, long end, long unit) {}

  private final SparsePatternOperators operators;
  private final Map<Sites, Level> levels = new WeakHashMap<>();

  /** Counts of every batch so far, by what they depend on. */
  private final Map<List<RowContent>, LevelCounts> counts = new HashMap<>();

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
    Map<RowRange, Sites.Pattern> read = new HashMap<>();
    List<RowContent> content = batch.stream().map(range -> content(range, read)).toList();
    LevelCounts known = counts.computeIfAbsent(content, key -> new LevelCounts());
    LevelRows rows = read.size() == batch.size() ? LevelRows.of(batch, read) : LevelRows.of(batch);
    long unit = batch.stream().mapToLong(RowRange::unit).min().orElse(RowRange.UNLIMITED);
    Sites sites = make.apply(known);
    levels.put(sites, new Level(rows, unit));
    return sites;
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
    LevelRows coarse = level(fine).coarser(stride).rows;
    return fine.counts().coarser(stride).firstSites(coarse::firstSites);
  }

  @Override
  public long pairs(Sites fine, ConvolutionKernel kernel, Tensor counts, long at) {
    Level inputs = level(fine);
    Level outputs = kernel.isSubmanifold() ? inputs : inputs.coarser(kernel.stride());
    return fine.counts().pairs(kernel, () -> inputs.rows.pairs(outputs.rows, kernel));
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
    return level(sites).rows.firstSite(row);
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
