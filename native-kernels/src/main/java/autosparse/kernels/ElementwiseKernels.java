package autosparse.kernels;

/**
 * Launches the kernels of {@code elementwise.cu}. Arguments are device addresses; outputs may be
 * inputs.
 */
public final class ElementwiseKernels {
  private static final String FAMILY = "elementwise";
  private static final int THREADS = 256;

  /** Elements of one thread: one 16-byte access of floats. */
  private static final int ELEMENTS_PER_THREAD = 4;

  /** Elements of a block of scale_groups. */
  private static final int TILE = 1024;

  private static final int COLUMN_THREADS = 32;
  private static final int ROW_THREADS = 8;

  private final Kernel fill;
  private final Kernel copy;
  private final Kernel add;
  private final Kernel axpy;
  private final Kernel scale;
  private final Kernel scaleGroups;
  private final Kernel relu;
  private final Kernel gelu;
  private final Kernel reluBackward;
  private final Kernel geluBackward;
  private final Kernel dropout;
  private final Kernel copyColumns;
  private final int mostBlocks;

  public ElementwiseKernels(CudaContext context) {
    fill = context.kernel(FAMILY, "fill_f32");
    copy = context.kernel(FAMILY, "copy_f32");
    add = context.kernel(FAMILY, "add_f32");
    axpy = context.kernel(FAMILY, "axpy_f32");
    scale = context.kernel(FAMILY, "scale_f32");
    scaleGroups = context.kernel(FAMILY, "scale_groups_f32");
    relu = context.kernel(FAMILY, "relu_f32");
    gelu = context.kernel(FAMILY, "gelu_f32");
    reluBackward = context.kernel(FAMILY, "relu_backward_f32");
    geluBackward = context.kernel(FAMILY, "gelu_backward_f32");
    dropout = context.kernel(FAMILY, "dropout_f32");
    copyColumns = context.kernel(FAMILY, "copy_columns_f32");
    mostBlocks = Grids.resident(context.gpu(), THREADS);
  }

  private long blocks(long elements) {
    return Math.min(mostBlocks, Grids.blocks(elements, (long) THREADS * ELEMENTS_PER_THREAD));
  }

  /** y[0 .. elements) = value. */
  public void fill(long y, long elements, float value) {
    fill.begin().pointer(y).int64(elements).float32(value).launch(blocks(elements), THREADS);
  }

  /** y = x. */
  public void copy(long x, long y, long elements) {
    unary(copy, x, y, elements);
  }

  /** y = a + b. */
  public void add(long a, long b, long y, long elements) {
    binary(add, a, b, y, elements);
  }

  /** y += alpha·x. */
  public void axpy(float alpha, long x, long y, long elements) {
    axpy.begin().float32(alpha).pointer(x).pointer(y).int64(elements);
    axpy.launch(blocks(elements), THREADS);
  }

  /** y = alpha·x. */
  public void scale(float alpha, long x, long y, long elements) {
    scale.begin().float32(alpha).pointer(x).pointer(y).int64(elements);
    scale.launch(blocks(elements), THREADS);
  }

  /**
   * y[row, :] = x[row, :]·factor[group of row].
   *
   * @param factor [groups]
   * @param offsets I64 [groups + 1], from 0 to rows
   */
  public void scaleGroups(
      long x, long factor, long offsets, long groups, long rows, long columns, long y) {
    scaleGroups.begin().pointer(x).pointer(factor).pointer(offsets);
    scaleGroups.int64(groups).int64(rows).int64(columns).pointer(y);
    scaleGroups.launch(Grids.blocks(rows * columns, TILE), THREADS);
  }

  /** y = max(x, 0). */
  public void relu(long x, long y, long elements) {
    unary(relu, x, y, elements);
  }

  /** y = x·Φ(x). */
  public void gelu(long x, long y, long elements) {
    unary(gelu, x, y, elements);
  }

  /** dx = dy where x > 0, else 0. */
  public void reluBackward(long x, long dy, long dx, long elements) {
    binary(reluBackward, x, dy, dx, elements);
  }

  /** dx = dy·(Φ(x) + x·φ(x)). */
  public void geluBackward(long x, long dy, long dx, long elements) {
    binary(geluBackward, x, dy, dx, elements);
  }

  /** y = x·factor where the top 24 bits of an element's hash are below threshold, else 0. */
  public void dropout(long x, long y, long elements, long seed, int threshold, float factor) {
    dropout.begin().pointer(x).pointer(y).int64(elements);
    dropout.int64(seed).int32(threshold).float32(factor);
    dropout.launch(blocks(elements), THREADS);
  }

  /**
   * y[:, 0 .. columns) = x[:, 0 .. columns), or += when accumulating.
   *
   * @param xWidth elements from one row of x to the next
   */
  public void copyColumns(
      long x, long xWidth, long y, long yWidth, long rows, long columns, boolean accumulate) {
    copyColumns.begin().pointer(x).int64(xWidth).pointer(y).int64(yWidth);
    copyColumns.int64(rows).int64(columns).int32(accumulate ? 1 : 0);
    long blocks = Math.min(mostBlocks, Grids.blocks(columns == 0 ? 0 : rows, ROW_THREADS));
    copyColumns.launch(blocks, 1, 1, COLUMN_THREADS, ROW_THREADS, 1, 0);
  }

  private void unary(Kernel kernel, long x, long y, long elements) {
    kernel.begin().pointer(x).pointer(y).int64(elements).launch(blocks(elements), THREADS);
  }

  private void binary(Kernel kernel, long a, long b, long y, long elements) {
    kernel.begin().pointer(a).pointer(b).pointer(y).int64(elements);
    kernel.launch(blocks(elements), THREADS);
  }
}
