package autosparse.engine.planning;

import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.SparsePatternOperators;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.SiteCounts;
import autosparse.engine.sparse.Sites;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.function.Function;

/**
 * Sites and neighbour maps of a planning device: tensors without contents, sized by counts that are
 * made on the host from the patterns themselves.
 */
public final class PlannedPatterns extends SparsePatternOperators implements SiteCounts {
  /** Batches whose counts are remembered. */
  private static final int REMEMBERED = 16;

  private final SparsePatternOperators operators;
  private final Map<Sites, PatternLevel> levels = new WeakHashMap<>();
  private final Map<List<Sites.Pattern>, PatternLevel> remembered =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<List<Sites.Pattern>, PatternLevel> eldest) {
          return size() > REMEMBERED;
        }
      };

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

  /** Tells which patterns the sites of level 0 were made from. */
  public void copied(Sites sites, Sites.Pattern... batch) {
    levels.put(sites, remembered.computeIfAbsent(List.of(batch), PatternLevel::new));
  }

  private PatternLevel level(Sites sites) {
    PatternLevel level = levels.get(sites);
    if (level == null) {
      throw new IllegalStateException(sites + " are not of this planning device");
    }
    return level;
  }

  @Override
  public long[] firstSites(Sites fine, int stride, Tensor firstSites) {
    return level(fine).coarser(stride).firstSites();
  }

  @Override
  public long pairs(Sites fine, ConvolutionKernel kernel, Tensor counts, long at) {
    return level(fine).pairs(kernel);
  }

  @Override
  protected Sites applyDownsample(Sites sites, int stride, TensorScope scope) {
    Sites coarse = operators.downsample(sites, stride, scope);
    levels.put(coarse, level(sites).coarser(stride));
    return coarse;
  }

  @Override
  protected NeighborMap applyNeighbors(
      Sites inputs, Sites outputs, ConvolutionKernel kernel, TensorScope scope) {
    return operators.neighbors(inputs, outputs, kernel, scope);
  }

  @Override
  protected Tensor applyNeighborhoodMasks(
      Sites sites, ConvolutionKernel kernel, TensorScope scope) {
    return operators.neighborhoodMasks(sites, kernel, scope);
  }

  @Override
  protected long readFirstSite(Sites sites, long row) {
    return level(sites).firstSite(row);
  }

  private static final class HostPatterns extends SparsePatternOperators {
    private final SiteCounts counts;

    HostPatterns(SiteCounts counts) {
      this.counts = counts;
    }

    @Override
    protected Sites applyDownsample(Sites sites, int stride, TensorScope scope) {
      int batch = sites.batch();
      long[] firstRows = new long[batch + 1];
      for (int b = 0; b < batch; b++) {
        long fineRows = sites.firstRow(b + 1) - sites.firstRow(b);
        firstRows[b + 1] = firstRows[b] + (fineRows + stride - 1) / stride;
      }
      long[] firstSites = counts.firstSites(sites, stride, null);
      return new Sites(
          scope.create("row pointers", DType.I64, MemoryTag.SITES, firstRows[batch] + 1),
          scope.create("columns", DType.I32, MemoryTag.SITES, firstSites[batch]),
          scope.longs("site offsets", MemoryTag.SITES, firstSites),
          firstRows,
          firstSites,
          sites.stride() * stride);
    }

    @Override
    protected NeighborMap applyNeighbors(
        Sites inputs, Sites outputs, ConvolutionKernel kernel, TensorScope scope) {
      long pairs = counts.pairs(inputs, kernel, null, 0);
      NeighborMap transposed =
          kernel.isSubmanifold() ? null : map(outputs, inputs, kernel, pairs, null, scope);
      return map(inputs, outputs, kernel, pairs, transposed, scope);
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
