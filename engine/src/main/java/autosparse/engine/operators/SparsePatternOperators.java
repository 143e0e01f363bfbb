package autosparse.engine.operators;

import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import autosparse.engine.sparse.Sites;

/** Sites and neighbour maps made from sites. Results live in the given scope. */
public abstract class SparsePatternOperators {
  /** Sites of a strided convolution's output: the distinct floor(coordinate/stride), sorted. */
  public final Sites downsample(Sites sites, int stride, TensorScope scope) {
    Check.that(stride >= 2, "downsample", "stride " + stride + ": expected at least 2");
    return applyDownsample(sites, stride, scope);
  }

  /**
   * Neighbours of each output; for a strided kernel the transposed map too.
   *
   * @param outputs the inputs themselves for a submanifold kernel, else their {@link #downsample}
   */
  public final NeighborMap neighbors(
      Sites inputs, Sites outputs, ConvolutionKernel kernel, TensorScope scope) {
    return neighbors(inputs, outputs, kernel, true, scope);
  }

  /**
   * As the short form.
   *
   * @param bothWays whether a strided kernel's transposed map is made, which the gradient by the
   *     input needs and nothing else
   */
  public final NeighborMap neighbors(
      Sites inputs, Sites outputs, ConvolutionKernel kernel, boolean bothWays, TensorScope scope) {
    Check.that(
        kernel.isSubmanifold() == (inputs == outputs),
        "neighbors",
        kernel + " from " + inputs + " to " + outputs + ": a submanifold kernel keeps its sites");
    Check.that(
        outputs.stride() == inputs.stride() * kernel.stride() && outputs.batch() == inputs.batch(),
        "neighbors",
        kernel + " from " + inputs + " to " + outputs + ": strides or batches do not match");
    return applyNeighbors(inputs, outputs, kernel, bothWays && !kernel.isSubmanifold(), scope);
  }

  /** Neighbourhood masks alone: I32 [N], bit k set when the site at offset k is active. */
  public final Tensor neighborhoodMasks(Sites sites, ConvolutionKernel kernel, TensorScope scope) {
    Check.that(
        kernel.isSubmanifold(), "neighborhoodMasks", kernel + ": expected a submanifold kernel");
    Tensor masks = applyNeighborhoodMasks(sites, kernel, scope);
    Check.typed("neighborhoodMasks", "masks", masks, DType.I32, sites.count());
    return masks;
  }

  /**
   * Number of the first site of a lattice row or of a later one; waits for the device unless it is
   * known.
   */
  public final long firstSite(Sites sites, long row) {
    Check.that(
        row >= 0 && row <= sites.rows(),
        "firstSite",
        "row " + row + " of " + sites.rows() + ": expected 0 to their number");
    return sites.counts().firstSite(row, () -> readFirstSite(sites, row));
  }

  protected long readFirstSite(Sites sites, long row) {
    return sites.rowPointers().longAt(row);
  }

  protected abstract Sites applyDownsample(Sites sites, int stride, TensorScope scope);

  /**
   * @param transposed whether the transposed map is made too
   */
  protected abstract NeighborMap applyNeighbors(
      Sites inputs, Sites outputs, ConvolutionKernel kernel, boolean transposed, TensorScope scope);

  protected abstract Tensor applyNeighborhoodMasks(
      Sites sites, ConvolutionKernel kernel, TensorScope scope);
}
