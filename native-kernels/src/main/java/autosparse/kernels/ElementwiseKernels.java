package autosparse.kernels;

import java.util.Map;

/**
 * Launches the kernels of {@code elementwise.cu}. Arguments are device addresses of elements of the
 * given type; outputs may be inputs.
 */
public final class ElementwiseKernels {
  private static final String FAMILY = "elementwise";
  private static final int THREADS = 256;

  /** Elements of a block of scale_groups. */
  private static final int TILE = 1024;

  private static final int COLUMN_THREADS = 32;
  private static final int ROW_THREADS = 8;

  /** Rows that a thread of add_bias has under way. */
  private static final int BIAS_ROWS = 4;

  /** The entries of one storage type. */
  private record Entries(
      Kernel fill,
      Kernel copy,
      Kernel add,
      Kernel axpy,
      Kernel scale,
      Kernel scaleGroups,
      Kernel relu,
      Kernel gelu,
      Kernel reluBackward,
      Kernel geluBackward,
      Kernel dropout,
      Kernel copyColumns,
      Kernel addBias,
      Kernel addBiasPacks) {
    static Entries of(CudaContext context, Storage type) {
      return new Entries(
          context.kernel(FAMILY, type.entry("fill")),
          context.kernel(FAMILY, type.entry("copy")),
          context.kernel(FAMILY, type.entry("add")),
          context.kernel(FAMILY, type.entry("axpy")),
          context.kernel(FAMILY, type.entry("scale")),
          context.kernel(FAMILY, type.entry("scale_groups")),
          context.kernel(FAMILY, type.entry("relu")),
          context.kernel(FAMILY, type.entry("gelu")),
          context.kernel(FAMILY, type.entry("relu_backward")),
          context.kernel(FAMILY, type.entry("gelu_backward")),
          context.kernel(FAMILY, type.entry("dropout")),
          context.kernel(FAMILY, type.entry("copy_columns")),
          context.kernel(FAMILY, type.entry("add_bias")),
          context.kernel(FAMILY, type.entry("add_bias_packs")));
    }
  }

  private final Map<Storage, Entries> entries;
  private final Kernel narrow;
  private final Kernel widen;
  private final int mostBlocks;

  public ElementwiseKernels(CudaContext context) {
    entries = Storage.each(type -> Entries.of(context, type));
    narrow = context.kernel(FAMILY, "cast_f32_bf16");
    widen = context.kernel(FAMILY, "cast_bf16_f32");
    mostBlocks = Grids.resident(context.gpu(), THREADS);
  }

  private long blocks(Storage type, long elements) {
    return Math.min(mostBlocks, Grids.blocks(elements, (long) THREADS * type.pack()));
  }

  /** y[0 .. elements) = value. */
  public void fill(Storage type, long y, long elements, float value) {
    Kernel kernel = entries.get(type).fill();
    kernel
        .begin()
        .pointer(y)
        .int64(elements)
        .float32(value)
        .launch(blocks(type, elements), THREADS);
  }

  /** y = x. */
  public void copy(Storage type, long x, long y, long elements) {
    unary(type, entries.get(type).copy(), x, y, elements);
  }

  /** y = x, F32 rounded to the nearest BF16. */
  public void narrow(long x, long y, long elements) {
    unary(Storage.F32, narrow, x, y, elements);
  }

  /** y = x, BF16 as F32. */
  public void widen(long x, long y, long elements) {
    unary(Storage.F32, widen, x, y, elements);
  }

  /** y = a + b. */
  public void add(Storage type, long a, long b, long y, long elements) {
    binary(type, entries.get(type).add(), a, b, y, elements);
  }

  /** y += alpha·x. */
  public void axpy(Storage type, float alpha, long x, long y, long elements) {
    Kernel kernel = entries.get(type).axpy();
    kernel.begin().float32(alpha).pointer(x).pointer(y).int64(elements);
    kernel.launch(blocks(type, elements), THREADS);
  }

  /** y = alpha·x. */
  public void scale(Storage type, float alpha, long x, long y, long elements) {
    Kernel kernel = entries.get(type).scale();
    kernel.begin().float32(alpha).pointer(x).pointer(y).int64(elements);
    kernel.launch(blocks(type, elements), THREADS);
  }

  /**
   * y[row, :] = x[row, :]·factor[group of row].
   *
   * @param factor F32 [groups]
   * @param offsets I64 [groups + 1], from 0 to rows
   */
  public void scaleGroups(
      Storage type,
      long x,
      long factor,
      long offsets,
      long groups,
      long rows,
      long columns,
      long y) {
    Kernel kernel = entries.get(type).scaleGroups();
    kernel.begin().pointer(x).pointer(factor).pointer(offsets);
    kernel.int64(groups).int64(rows).int64(columns).pointer(y);
    kernel.launch(Grids.blocks(rows * columns, TILE), THREADS);
  }

  /** y = max(x, 0). */
  public void relu(Storage type, long x, long y, long elements) {
    unary(type, entries.get(type).relu(), x, y, elements);
  }

  /** y = x·Φ(x). */
  public void gelu(Storage type, long x, long y, long elements) {
    unary(type, entries.get(type).gelu(), x, y, elements);
  }

  /** dx = dy where x > 0, else 0. */
  public void reluBackward(Storage type, long x, long dy, long dx, long elements) {
    binary(type, entries.get(type).reluBackward(), x, dy, dx, elements);
  }

  /** dx = dy·(Φ(x) + x·φ(x)). */
  public void geluBackward(Storage type, long x, long dy, long dx, long elements) {
    binary(type, entries.get(type).geluBackward(), x, dy, dx, elements);
  }

  /** y = x·factor where the top 24 bits of an element's hash are below threshold, else 0. */
  public void dropout(
      Storage type, long x, long y, long elements, long seed, int threshold, float factor) {
    Kernel kernel = entries.get(type).dropout();
    kernel.begin().pointer(x).pointer(y).int64(elements);
    kernel.int64(seed).int32(threshold).float32(factor);
    kernel.launch(blocks(type, elements), THREADS);
  }

  /**
   * y[:, 0 .. columns) = x[:, 0 .. columns), or += when accumulating.
   *
   * @param xWidth elements from one row of x to the next
   */
  public void copyColumns(
      Storage type,
      long x,
      long xWidth,
      long y,
      long yWidth,
      long rows,
      long columns,
      boolean accumulate) {
    Kernel kernel = entries.get(type).copyColumns();
    kernel.begin().pointer(x).int64(xWidth).pointer(y).int64(yWidth);
    kernel.int64(rows).int64(columns).int32(accumulate ? 1 : 0);
    long blocks = Math.min(mostBlocks, Grids.blocks(columns == 0 ? 0 : rows, ROW_THREADS));
    kernel.launch(blocks, 1, 1, COLUMN_THREADS, ROW_THREADS, 1, 0);
  }

  /**
   * y[n, c] += bias[c], rectified when {@code relu}.
   *
   * @param type of y
   * @param bias F32 [columns]
   */
  public void addBias(Storage type, long y, long bias, long rows, long columns, boolean relu) {
    boolean packs = type.fillsPacks(columns, y);
    Entries of = entries.get(type);
    Kernel kernel = packs ? of.addBiasPacks() : of.addBias();
    kernel.begin().pointer(y).pointer(bias).int64(rows).int64(columns).int32(relu ? 1 : 0);
    long across = Grids.blocks(packs ? columns / type.pack() : columns, COLUMN_THREADS);
    long down = Math.min(mostBlocks, Grids.blocks(rows, ROW_THREADS * BIAS_ROWS));
    kernel.launch(down, across, 1, COLUMN_THREADS, ROW_THREADS, 1, 0);
  }

  private void unary(Storage type, Kernel kernel, long x, long y, long elements) {
    kernel.begin().pointer(x).pointer(y).int64(elements).launch(blocks(type, elements), THREADS);
  }

  private void binary(Storage type, Kernel kernel, long a, long b, long y, long elements) {
    kernel.begin().pointer(a).pointer(b).pointer(y).int64(elements);
    kernel.launch(blocks(type, elements), THREADS);
  }
}
