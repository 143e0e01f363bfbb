package autosparse.kernels;

/**
 * Launches the kernels of {@code ones_convolution_bf16.cu}: the first layer, whose input is 1 at
 * every site, with bf16 features. Weights and their gradient are F32. Arguments are device
 * addresses.
 *
 * <pre>{@code
 * ones.forward(masks, weight, sites, offsets, fanOut, relu, y);
 *
 * int slices = OnesConvolutionKernels.slices(sites);
 * // partials: F32 [slices, offsets, fanOut], not initialised
 * ones.backward(masks, dz, sites, offsets, fanOut, slices, partials);
 * convolutions.sumPartials(partials, slices, offsets * fanOut, dWeight); // F32, added to
 * }</pre>
 *
 * <p>Same bits for same inputs. Needs compute capability 8.0; the constructor throws on an older
 * device.
 */
public final class OnesConvolutionKernels {
  private static final String FAMILY = "ones_convolution_bf16";

  /** Offsets of the entries for small kernels; 25 of the others. */
  private static final int FEW_OFFSETS = 9;

  private static final int FORWARD_SITES = 512;
  private static final int FORWARD_THREADS = 256;
  private static final int BACKWARD_THREADS = 128;

  /** Channels of a block; of a backward block that loads narrow rows. */
  private static final int CHANNELS = 128;

  private static final int NARROW_CHANNELS = 32;
  private static final int MOST_SLICES = 396;
  private static final int SLICE_SITES = 512;

  private final Kernel forward9;
  private final Kernel forward25;
  private final Kernel backward9;
  private final Kernel backward25;
  private final Kernel backward9Narrow;
  private final Kernel backward25Narrow;

  public OnesConvolutionKernels(CudaContext context) {
    forward9 = context.kernel(FAMILY, "ones_forward_9_bf16");
    forward25 = context.kernel(FAMILY, "ones_forward_25_bf16");
    backward9 = context.kernel(FAMILY, "ones_backward_9_bf16");
    backward25 = context.kernel(FAMILY, "ones_backward_25_bf16");
    backward9Narrow = context.kernel(FAMILY, "ones_backward_9_narrow_bf16");
    backward25Narrow = context.kernel(FAMILY, "ones_backward_25_narrow_bf16");
  }

  /**
   * y[site] = Σ of the weights under the site's mask, rectified when {@code relu}, rounded once. A
   * weight is taken to 16 bits of mantissa.
   *
   * @param masks I32 [sites], of at most 25 bits
   * @param weight F32 [offsets, fanOut]
   * @param y BF16 [sites, fanOut]
   */
  public void forward(
      long masks, long weight, long sites, int offsets, int fanOut, boolean relu, long y) {
    Kernel kernel = offsets <= FEW_OFFSETS ? forward9 : forward25;
    kernel.begin().pointer(masks).pointer(weight).int64(sites).int32(offsets).int32(fanOut);
    kernel.int32(relu ? 1 : 0).pointer(y);
    long tiles = Grids.blocks(fanOut, CHANNELS);
    kernel.launch(Grids.blocks(sites, FORWARD_SITES), tiles, 1, FORWARD_THREADS, 1, 1, 0);
  }

  /** Slices that {@link #backward} sums over, 0 without sites. */
  public static int slices(long sites) {
    return (int) Math.min(MOST_SLICES, Grids.blocks(sites, SLICE_SITES));
  }

  /**
   * partials[slice, k] = Σ of dz over the slice's sites whose mask has bit k.
   *
   * @param dz BF16 [sites, fanOut]
   * @param slices {@link #slices} of the sites
   * @param partials F32 [slices, offsets, fanOut], all of it written
   */
  public void backward(
      long masks, long dz, long sites, int offsets, int fanOut, int slices, long partials) {
    boolean narrow = fanOut <= NARROW_CHANNELS;
    Kernel few = narrow ? backward9Narrow : backward9;
    Kernel many = narrow ? backward25Narrow : backward25;
    Kernel kernel = offsets <= FEW_OFFSETS ? few : many;
    kernel.begin().pointer(masks).pointer(dz).int64(sites).int32(offsets).int32(fanOut);
    kernel.pointer(partials);
    long tiles = Grids.blocks(fanOut, narrow ? NARROW_CHANNELS : CHANNELS);
    kernel.launch(slices, tiles, 1, BACKWARD_THREADS, 1, 1, 0);
  }
}
