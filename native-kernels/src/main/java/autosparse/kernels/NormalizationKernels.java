package autosparse.kernels;

import java.util.Map;

/**
 * Launches the kernels of {@code normalization.cu}. Arguments are device addresses: x, y and their
 * gradients of the type given, the rest of F32.
 */
public final class NormalizationKernels {
  private static final String FAMILY = "normalization";
  private static final int THREADS = 256;
  private static final int ROWS_PER_BLOCK = 8;

  /** Rows of a slice: four for each warp of its block. */
  private static final long LEAST_ROWS = 32;

  private static final long MOST_SLICES = 512;

  /** Sums that a block of add_slices owns. */
  private static final int SUMS = 32;

  private final Map<Storage, Entries> entries;
  private final Kernel addSlices;

  /** Kernels that keep a row in the registers of one warp. */
  private record Rows(Kernel forward, Kernel backward) {
    static Rows of(CudaContext context, Storage type, String size) {
      return new Rows(
          context.kernel(FAMILY, type.entry("layer_norm_forward_" + size)),
          context.kernel(FAMILY, type.entry("layer_norm_backward_" + size)));
    }
  }

  /** The entries of one storage type. */
  private record Entries(
      Rows four256,
      Rows four1024,
      Rows one256,
      Kernel forwardWide,
      Kernel backwardWide,
      Kernel wideParameters) {
    static Entries of(CudaContext context, Storage type) {
      return new Entries(
          Rows.of(context, type, "v4_256"),
          Rows.of(context, type, "v4_1024"),
          Rows.of(context, type, "v1_256"),
          context.kernel(FAMILY, type.entry("layer_norm_forward_wide")),
          context.kernel(FAMILY, type.entry("layer_norm_backward_wide")),
          context.kernel(FAMILY, type.entry("layer_norm_wide_parameters")));
    }

    /**
     * The kernels for rows of so many columns, or null where only the wide ones will do.
     *
     * @param fours whether every array starts at a multiple of four elements
     */
    Rows rows(int columns, boolean fours) {
      if (fours && columns % 4 == 0 && columns <= 1024) {
        return columns <= 256 ? four256 : four1024;
      }
      return columns <= 256 ? one256 : null;
    }
  }

  public NormalizationKernels(CudaContext context) {
    entries = Storage.each(type -> Entries.of(context, type));
    addSlices = context.kernel(FAMILY, "layer_norm_add_slices_f32");
  }

  /**
   * Whether every array starts at a multiple of four elements: a view's may not.
   *
   * @param rows addresses of arrays of the type, or'ed together
   * @param parameters addresses of arrays of floats, or'ed together
   */
  private static boolean areAligned(Storage type, long rows, long parameters) {
    return rows % (4L * type.bytes()) == 0 && parameters % (4L * Storage.F32.bytes()) == 0;
  }

  private static long rowsPerSlice(long rows) {
    long wanted = Math.max(1, Math.min(MOST_SLICES, Grids.blocks(rows, LEAST_ROWS)));
    return Math.max(1, Grids.blocks(rows, wanted));
  }

  /**
   * Slices that the parameters' gradients are summed in: by the number of rows alone, since the
   * result's bits depend on it.
   */
  public static long slices(long rows) {
    return Grids.blocks(rows, rowsPerSlice(rows));
  }

  /**
   * y = gamma·(x − mean)·inverseDeviation + beta.
   *
   * @param x [rows, columns]
   * @param mean [rows], written
   * @param inverseDeviation [rows], written
   */
  public void forward(
      Storage type,
      long x,
      long gamma,
      long beta,
      float epsilon,
      long y,
      long mean,
      long inverseDeviation,
      long rows,
      int columns) {
    Rows narrow = entries.get(type).rows(columns, areAligned(type, x | y, gamma | beta));
    Kernel kernel = narrow == null ? entries.get(type).forwardWide : narrow.forward;
    kernel.begin().pointer(x).pointer(gamma).pointer(beta).float32(epsilon);
    kernel.pointer(y).pointer(mean).pointer(inverseDeviation);
    if (narrow == null) {
      kernel.int32(columns).launch(rows, THREADS);
    } else {
      kernel.int64(rows).int32(columns).launch(Grids.blocks(rows, ROWS_PER_BLOCK), THREADS);
    }
  }

  /**
   * dx is written; dGamma and dBeta are added to.
   *
   * @param partials [slices(rows), 2, columns], overwritten
   */
  public void backward(
      Storage type,
      long x,
      long gamma,
      long mean,
      long inverseDeviation,
      long dy,
      long dx,
      long dGamma,
      long dBeta,
      long partials,
      long rows,
      int columns) {
    if (rows == 0) {
      return;
    }
    Rows narrow = entries.get(type).rows(columns, areAligned(type, x | dy | dx, gamma));
    long slices = slices(rows);
    if (narrow == null) {
      Kernel backwardWide = entries.get(type).backwardWide;
      backwardWide.begin().pointer(x).pointer(gamma).pointer(mean).pointer(inverseDeviation);
      backwardWide.pointer(dy).pointer(dx).int32(columns).launch(rows, THREADS);
      Kernel wideParameters = entries.get(type).wideParameters;
      wideParameters.begin().pointer(x).pointer(mean).pointer(inverseDeviation).pointer(dy);
      wideParameters.pointer(partials).int64(rows).int64(rowsPerSlice(rows)).int32(columns);
      wideParameters.launch(Grids.blocks(columns, THREADS), slices, 1, THREADS, 1, 1, 0);
    } else {
      Kernel kernel = narrow.backward;
      kernel.begin().pointer(x).pointer(gamma).pointer(mean).pointer(inverseDeviation);
      kernel.pointer(dy).pointer(dx).pointer(partials);
      kernel.int64(rows).int64(rowsPerSlice(rows)).int32(columns).launch(slices, THREADS);
    }
    addSlices.begin().pointer(partials).int32((int) slices).int32(columns);
    addSlices.pointer(dGamma).pointer(dBeta).launch(Grids.blocks(2L * columns, SUMS), THREADS);
  }
}
