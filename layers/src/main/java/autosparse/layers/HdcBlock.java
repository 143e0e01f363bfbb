package autosparse.layers;

import autosparse.engine.sparse.ConvolutionKernel;
import java.util.List;

/**
 * Hybrid dilated convolution: three 3×3 submanifold layers of dilation 1, 2 and 3. Different
 * dilations in a row see every site of the 13×13 field, which equal ones would leave gaps in (Wang
 * et al., 2018).
 */
public final class HdcBlock {
  private final List<SparseConv2d> layers;

  /**
   * Makes the three layers, named d1, d2 and d3.
   *
   * @param in channels of the input
   * @param out channels of each of the three layers
   */
  public HdcBlock(Parameters.Namespace names, long in, long out) {
    this.layers =
        List.of(
            new SparseConv2d(names.in("d1"), new ConvolutionKernel(3, 1, 1), in, out),
            new SparseConv2d(names.in("d2"), new ConvolutionKernel(3, 1, 2), out, out),
            new SparseConv2d(names.in("d3"), new ConvolutionKernel(3, 1, 3), out, out));
  }

  /** The layers, to be run one after the other, all on the level of the input. */
  public List<SparseConv2d> layers() {
    return layers;
  }
}
