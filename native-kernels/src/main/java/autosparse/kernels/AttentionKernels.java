package autosparse.kernels;

/**
 * Launches the kernels of {@code attention.cu} and, for bfloat16 on GPUs with tensor cores for it,
 * of {@code attention_bf16.cu}. Arguments are device addresses.
 */
public final class AttentionKernels {
  private static final String FAMILY = "attention";
  private static final int WARPS = 2;
  private static final int THREADS = 32 * WARPS;

  /** Rows that the lanes of a warp hold, two lanes sharing two rows. */
  private static final int ROWS = 32;

  /** Channels that a lane holds when more than two lanes share a row. */
  private static final int CHANNELS_PER_LANE = 16;

  /** Channels of the widest head: 32 lanes share a row. */
  public static final int WIDEST_HEAD = 32 * CHANNELS_PER_LANE;

  /** First compute capability whose tensor cores know bfloat16. */
  private static final int TENSOR_CORES = 8;

  private static final int MOST_GRID_Y = 65535;

  /**
   * Widest head of each pair of kernels whose two lanes share a row, then the pair for the rest.
   */
  private static final int[] WIDTHS = {8, 16, 32};

  private final Kernel[] forward = new Kernel[WIDTHS.length + 1];
  private final Kernel[] backward = new Kernel[WIDTHS.length + 1];

  /** For heads that {@link #tensorCores} does not take. */
  private final Kernel forwardSplit;

  private final Kernel backwardSplit;

  /** Null on GPUs that are too old. */
  private final TensorAttention tensorCores;

  public AttentionKernels(CudaContext context) {
    for (int w = 0; w < forward.length; w++) {
      String width = w < WIDTHS.length ? String.valueOf(WIDTHS[w]) : "split";
      forward[w] = context.kernel(FAMILY, "attention_forward_" + width + "_f32");
      backward[w] = context.kernel(FAMILY, "attention_backward_" + width + "_f32");
    }
    forwardSplit = context.kernel(FAMILY, "attention_forward_split_bf16");
    backwardSplit = context.kernel(FAMILY, "attention_backward_split_bf16");
    tensorCores = context.gpu().major() >= TENSOR_CORES ? new TensorAttention(context) : null;
  }

  /**
   * Shapes of one call.
   *
   * @param sequences B, at most 2^31 − 1
   * @param tokens T
   * @param heads H, a divisor of channels
   * @param channels C; channels/heads is at most {@link #WIDEST_HEAD}
   */
  public record Shape(long sequences, long tokens, int heads, int channels) {
    public Shape {
      if (channels > (long) heads * WIDEST_HEAD) {
        throw new IllegalArgumentException(
            String.format(
                "attention: heads of %d channels: expected at most %d on a CUDA device",
                channels / heads, WIDEST_HEAD));
      }
    }

    int headSize() {
      return channels / heads;
    }

    /** Which kernels are for this size of heads. */
    private int width() {
      int width = 0;
      while (width < WIDTHS.length && WIDTHS[width] < headSize()) {
        width++;
      }
      return width;
    }

    /** Lanes that share two rows: two in the kernels of one width, more when split. */
    private int lanes(boolean split) {
      int lanes = split ? 4 : 2;
      while (lanes > 2 && lanes * CHANNELS_PER_LANE < headSize()) {
        lanes *= 2;
      }
      return lanes;
    }

    /**
     * Blocks that share a sequence: as many as give each warp one tile of a sequence of the mean
     * length. A longer one has its warps take several.
     */
    private long blocksOfSequence(int lanes) {
      long rows = 2L * ROWS / lanes;
      long length = Math.max(1, Grids.blocks(tokens, sequences));
      long pitch = Math.min(rows, Grids.blocks(length, 2) * 2);
      long items = Grids.blocks(heads, Math.min(heads, rows / pitch)) * Grids.blocks(length, rows);
      return Math.min(MOST_GRID_Y, Grids.blocks(items, WARPS));
    }
  }

  /**
   * out = softmax(q·kᵀ/√d)·v within each sequence and head.
   *
   * @param type of qkv and out
   * @param qkv [T, 3·C]
   * @param offsets I64 [B + 1], from 0 to T
   * @param out [T, C]
   * @param logSumExp F32 [T, H]
   */
  public void forward(Storage type, Shape shape, long qkv, long offsets, long out, long logSumExp) {
    if (onTensorCores(type, shape)) {
      tensorCores.forward(shape, qkv, offsets, out, logSumExp);
      return;
    }
    Kernel kernel = type == Storage.BF16 ? forwardSplit : forward[shape.width()];
    kernel.begin().pointer(qkv).pointer(offsets).pointer(out).pointer(logSumExp);
    launch(kernel, type, shape);
  }

  /**
   * The gradient of {@link #forward}.
   *
   * @param type of qkv, out, dOut and dQkv
   * @param dQkv [T, 3·C], written
   */
  public void backward(
      Storage type,
      Shape shape,
      long qkv,
      long offsets,
      long out,
      long logSumExp,
      long dOut,
      long dQkv) {
    if (onTensorCores(type, shape)) {
      tensorCores.backward(shape, qkv, offsets, out, logSumExp, dOut, dQkv);
      return;
    }
    Kernel kernel = type == Storage.BF16 ? backwardSplit : backward[shape.width()];
    kernel.begin().pointer(qkv).pointer(offsets).pointer(out).pointer(logSumExp);
    kernel.pointer(dOut).pointer(dQkv);
    launch(kernel, type, shape);
  }

  private boolean onTensorCores(Storage type, Shape shape) {
    return type == Storage.BF16 && tensorCores != null && TensorAttention.takes(shape);
  }

  private static void launch(Kernel kernel, Storage type, Shape shape) {
    int lanes = shape.lanes(type == Storage.BF16 || shape.width() == WIDTHS.length);
    kernel.int32(shape.heads()).int32(shape.channels()).int32(lanes);
    if (shape.sequences() > 0) {
      kernel.launch(shape.sequences(), shape.blocksOfSequence(lanes), 1, THREADS, 1, 1, 0);
    }
  }
}
