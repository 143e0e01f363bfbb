package autosparse.kernels;

import autosparse.kernels.AttentionKernels.Shape;
import java.util.EnumMap;
import java.util.Map;

/** Launches the kernels of {@code attention_bf16.cu}, for compute capability 8.0 and newer. */
final class TensorAttention {
  private static final String FAMILY = "attention_bf16";
  private static final int WARPS = 2;
  private static final int THREADS = 32 * WARPS;

  /** Rows of a tile of matrix fragments. */
  private static final int ROWS = 16;

  /** Kernels by the widest head, whose rows fill loads; then that for any other rows. */
  private enum Width {
    UP_TO_16("16", 16, 4),
    UP_TO_32("32", 32, 8),
    UP_TO_64("64", 64, 8),
    UP_TO_128("128", 128, 8),
    ANY("any", 32, 1);

    private final String entry;
    private final int widest;

    /** Channels of one load. */
    private final int load;

    Width(String entry, int widest, int load) {
      this.entry = entry;
      this.widest = widest;
      this.load = load;
    }

    /** Null for heads that none of them takes. */
    static Width of(Shape shape) {
      for (Width width : values()) {
        if (shape.headSize() <= width.widest && shape.headSize() % width.load == 0) {
          return width;
        }
      }
      return null;
    }
  }

  private final Map<Width, Kernel> forward = new EnumMap<>(Width.class);
  private final Map<Width, Kernel> backward = new EnumMap<>(Width.class);

  TensorAttention(CudaContext context) {
    for (Width width : Width.values()) {
      forward.put(width, context.kernel(FAMILY, "attention_forward_" + width.entry + "_bf16"));
      backward.put(width, context.kernel(FAMILY, "attention_backward_" + width.entry + "_bf16"));
    }
  }

  /** Whether heads of this shape have a kernel. */
  static boolean takes(Shape shape) {
    return Width.of(shape) != null;
  }

  void forward(Shape shape, long qkv, long offsets, long out, long logSumExp) {
    Kernel kernel = forward.get(Width.of(shape));
    kernel.begin().pointer(qkv).pointer(offsets).pointer(out).pointer(logSumExp);
    launch(kernel, shape);
  }

  void backward(
      Shape shape, long qkv, long offsets, long out, long logSumExp, long dOut, long dQkv) {
    Kernel kernel = backward.get(Width.of(shape));
    kernel.begin().pointer(qkv).pointer(offsets).pointer(out).pointer(logSumExp);
    kernel.pointer(dOut).pointer(dQkv);
    launch(kernel, shape);
  }

  /**
   * Blocks that share a sequence: as many as give each warp one tile of a sequence of the mean
   * length, and at least one warp to a head. A longer sequence has its warps take several tiles.
   */
  private static void launch(Kernel kernel, Shape shape) {
    long length = Math.max(1, Grids.blocks(shape.tokens(), Math.max(1, shape.sequences())));
    long tiles = length <= 2 * ROWS ? 1 : Grids.blocks(length, ROWS);
    long blocks = Grids.blocks(tiles * shape.heads(), WARPS);
    kernel.int32(shape.heads()).int32(shape.channels()).int32((int) blocks);
    kernel.launch(shape.sequences() * blocks, THREADS);
  }
}
