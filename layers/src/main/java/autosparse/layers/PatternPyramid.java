package autosparse.layers;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.RowSource;
import autosparse.engine.sparse.Sites;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A batch of patterns with its coarser levels and neighbour maps, each made when first asked for
 * and kept until it is released or all are closed. Level 0 is the patterns themselves; each stride
 * leads one level up.
 */
public final class PatternPyramid implements AutoCloseable {
  private record MapKey(int level, ConvolutionKernel kernel) {}

  private record Made(NeighborMap map, TensorScope scope) {}

  private final TensorScope scope;
  private final boolean bothWays;
  private final List<Sites> levels = new ArrayList<>();
  private final Map<MapKey, Made> maps = new LinkedHashMap<>();
  private final Map<ConvolutionKernel, Tensor> masks = new HashMap<>();

  /**
   * Of a batch of matrices, which are read and copied to the device.
   *
   * @param parent of the scope that holds everything the pyramid makes
   */
  public PatternPyramid(TensorScope parent, RowSource... batch) {
    this.scope = parent.child("pyramid");
    this.bothWays = true;
    try {
      levels.add(within(() -> Sites.of(scope, batch)));
    } catch (RuntimeException e) {
      scope.close();
      throw e;
    }
  }

  /**
   * Of sites that somebody else owns and frees after this.
   *
   * @param backward whether a backward pass will read it: strided maps then have both directions
   */
  public PatternPyramid(TensorScope parent, Sites sites, boolean backward) {
    this.scope = parent.child("pyramid");
    this.bothWays = backward;
    levels.add(sites);
  }

  /** Sites of a level that exists: 0, or one that a strided {@link #map} has led to. */
  public Sites sites(int level) {
    return levels.get(level);
  }

  /** Number of matrices. */
  public int batch() {
    return levels.get(0).batch();
  }

  /** The map of a kernel applied at a level; a strided one leads to the next level. */
  public NeighborMap map(int level, ConvolutionKernel kernel) {
    return maps.computeIfAbsent(new MapKey(level, kernel), key -> within(() -> make(level, kernel)))
        .map();
  }

  private Made make(int level, ConvolutionKernel kernel) {
    Sites inputs = levels.get(level);
    Sites outputs = kernel.isSubmanifold() ? inputs : coarser(level, kernel.stride());
    var pattern = scope.device().operators().pattern();
    TensorScope own = scope.child("map of level " + level);
    try {
      return new Made(pattern.neighbors(inputs, outputs, kernel, bothWays, own), own);
    } catch (RuntimeException e) {
      own.close();
      throw e;
    }
  }

  /**
   * The level above a level that exists, made if it does not: that of floor(coordinate / stride).
   */
  public Sites coarser(int level, int stride) {
    if (levels.size() == level + 1) {
      levels.add(
          within(
              () ->
                  scope
                      .device()
                      .operators()
                      .pattern()
                      .downsample(levels.get(level), stride, scope)));
    }
    return levels.get(level + 1);
  }

  /** Frees a map, if it is there; it is made again if it is asked for again. */
  public void release(int level, ConvolutionKernel kernel) {
    Made made = maps.remove(new MapKey(level, kernel));
    if (made != null) {
      made.scope().close();
    }
  }

  private <T> T within(Supplier<T> work) {
    return scope.device().ledger().within("pattern and maps", work);
  }

  /**
   * Neighbourhood masks of level 0: I32 [N], bit k set when the site at offset k is active.
   *
   * @throws IllegalArgumentException for a strided kernel
   */
  public Tensor masks(ConvolutionKernel kernel) {
    return masks.computeIfAbsent(
        kernel,
        key ->
            within(
                () ->
                    scope
                        .device()
                        .operators()
                        .pattern()
                        .neighborhoodMasks(levels.get(0), key, scope)));
  }

  /**
   * Number of the first site, on a level that exists, of a lattice row or of a later one; waits for
   * the device unless it is known.
   */
  public long firstSite(int level, long row) {
    return scope.device().operators().pattern().firstSite(levels.get(level), row);
  }

  /** Bytes held on the device. */
  public long bytes() {
    return scope.liveBytes();
  }

  @Override
  public void close() {
    List<Made> made = new ArrayList<>(maps.values());
    for (int m = made.size() - 1; m >= 0; m--) {
      made.get(m).scope().close();
    }
    maps.clear();
    scope.close();
  }
}
