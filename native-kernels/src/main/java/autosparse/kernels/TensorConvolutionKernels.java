package autosparse.kernels;

import autosparse.kernels.SparseConvolutionKernels.Map;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;

/**
 * Sparse convolution, forward and the gradient by the input, on tensor cores: the families {@code
 * sparse_convolution_bf16} (features in bf16) and {@code sparse_convolution_tf32} (features in
 * fp32, factors rounded to ten bits). Sums are fp32; weights are fp32 and rounded here, by a launch
 * of their own that writes them as the products read them. Needs compute capability 8.0.
 *
 * <p>Which geometry runs and in which order outputs are processed depends on shapes, alignment, the
 * mean number of neighbours and the GPU's model alone: same bits for same inputs. A family is
 * loaded when its type is first asked for.
 */
public final class TensorConvolutionKernels {
  /** Where every array has to start, and what rows have to fill, for tensor cores: in bytes. */
  private static final int ALIGNMENT = 16;

  /** Offsets that a tile is staged for; larger kernels take the entry for any shape. */
  private static final int MOST_OFFSETS = 9;

  /**
   * Mean neighbours from which outputs are processed in their own order, so that a tile's inputs
   * are mostly shared, instead of by mask, so that tiles run few offsets. Measured: the same time
   * at 3.8 (random, density .35); by mask 1.2 to 1.8 times as fast at 2.2 (the gradient of stride
   * 2), less than half as fast at 8.1 (band).
   */
  private static final int DENSE_NEIGHBORS = 4;

  private static final int LOADERS = 128;
  private static final int ANY_ROWS = 128;
  private static final int ANY_COLUMNS = 32;
  private static final int ANY_THREADS = 256;
  private static final int ANY_STAGE_BYTES = 2 * Float.BYTES * 8 * (ANY_ROWS + ANY_COLUMNS);

  /**
   * An entry and its geometry; see TensorTiling in {@code tensor_convolution.cuh}.
   *
   * @param packs 16-byte packs of a row in a stage
   * @param columns output channels of a block
   * @param warpgroups that compute
   * @param rows outputs of a tile
   * @param slots rows of a stage
   * @param stages of rows
   * @param weightStages blocks of weights in shared memory
   * @param resident blocks that a multiprocessor is to hold
   */
  record Tiling(
      Kernel kernel,
      int packs,
      int columns,
      int warpgroups,
      int rows,
      int slots,
      int stages,
      int weightStages,
      int resident) {
    int threads() {
      return LOADERS + 128 * warpgroups;
    }

    int blockBytes() {
      return ALIGNMENT * packs * columns;
    }

    /** As TensorStages lays it out. */
    int sharedBytes() {
      int table = Short.BYTES * MOST_OFFSETS * rows;
      int surveys = 2 * (LOADERS / 32) * 8 * Integer.BYTES;
      return weightStages * blockBytes()
          + stages * (ALIGNMENT * packs * slots + table + Integer.BYTES)
          + 2 * Long.BYTES * (stages + weightStages)
          + surveys;
    }

    long weightBlocks(Storage type, int offsets, int fanIn, int fanOut) {
      long chunks = Grids.blocks(fanIn, (long) packs * type.pack());
      return Grids.blocks(fanOut, columns) * chunks * offsets;
    }
  }

  /** The entries of one type. */
  private static final class Family {
    private final List<Tiling> tilings = new ArrayList<>();
    private final Kernel any;
    private final Kernel stageWeights;
    private final Kernel roundWeights;

    Family(CudaContext context, Storage type) {
      String name = type == Storage.BF16 ? "sparse_convolution_bf16" : "sparse_convolution_tf32";
      any = context.kernel(name, "convolution_any");
      stageWeights = context.kernel(name, "stage_weights");
      roundWeights = context.kernel(name, "round_weights");
      // Widest last in each; as many weights as a convolution of 128 channels has, where they fit.
      if ("sm_90a".equals(context.architectures().get(name))) {
        add(context, name, 8, 8, 2, 256, 320, 3, 18, 1);
        add(context, name, 8, 32, 2, 256, 320, 3, 18, 1);
        add(context, name, 8, 64, 2, 256, 320, 3, 9, 1);
        add(context, name, 8, 128, 2, 256, 384, 2, 6, 1);
        add(context, name, 4, 64, 2, 256, 320, 4, 9, 1);
        add(context, name, 4, 128, 2, 256, 320, 4, 9, 1);
      } else { // within the 99 KB of the smallest
        add(context, name, 8, 8, 1, 128, 192, 2, 18, 1);
        add(context, name, 8, 32, 1, 128, 192, 2, 9, 1);
        add(context, name, 8, 64, 1, 128, 192, 2, 4, 1);
        add(context, name, 8, 128, 2, 128, 192, 2, 2, 1);
        add(context, name, 4, 64, 1, 128, 192, 2, 9, 1);
        add(context, name, 4, 128, 2, 128, 192, 2, 6, 1);
      }
      add(context, name, 4, 8, 1, 128, 192, 3, 9, 3);
      add(context, name, 4, 32, 1, 128, 192, 3, 9, 3);
      add(context, name, 2, 8, 1, 128, 192, 3, 9, 3);
      add(context, name, 2, 32, 1, 128, 192, 3, 9, 3);
    }

    private void add(
        CudaContext context,
        String family,
        int packs,
        int columns,
        int warpgroups,
        int rows,
        int slots,
        int stages,
        int weightStages,
        int resident) {
      Kernel kernel = context.kernel(family, "convolution_" + columns + "_packs_" + packs);
      tilings.add(
          new Tiling(
              kernel, packs, columns, warpgroups, rows, slots, stages, weightStages, resident));
    }

    /** The smallest geometry that holds a row, or else a chunk of it, and the output channels. */
    Tiling tiling(Storage type, int fanIn, int fanOut) {
      long packs = Math.min(8, Grids.blocks(fanIn, type.pack()));
      int columns = Math.min(128, fanOut);
      Tiling best = null;
      for (Tiling t : tilings) {
        if (t.packs >= packs
            && t.columns >= columns
            && (best == null || t.blockBytes() < best.blockBytes())) {
          best = t;
        }
      }
      return best;
    }
  }

  private final CudaContext context;
  private final EnumMap<Storage, Family> families = new EnumMap<>(Storage.class);

  public TensorConvolutionKernels(CudaContext context) {
    this.context = context;
  }

  private Family family(Storage type) {
    return families.computeIfAbsent(type, t -> new Family(context, t));
  }

  /** The tilings of a type, for tests. */
  List<Tiling> tilings(Storage type) {
    return List.copyOf(family(type).tilings);
  }

  /** Whether a shape has an entry for tensor cores; the others take the entry for any shape. */
  private static boolean tensorCores(Storage type, int offsets, int fanIn, int fanOut) {
    int pack = type.pack();
    return offsets <= MOST_OFFSETS && fanIn % pack == 0 && fanOut % pack == 0;
  }

  /**
   * Bytes of the weights of a product as {@link #stageWeights} and {@link #stageTurnedWeights}
   * write them.
   *
   * @param offsets K
   * @param fanIn channels of the product's input: for turned weights, of the convolution's output
   * @param fanOut channels of the product's output
   */
  public long stagedBytes(Storage type, int offsets, int fanIn, int fanOut) {
    Tiling tiling = family(type).tiling(type, fanIn, fanOut);
    return tensorCores(type, offsets, fanIn, fanOut)
        ? tiling.blockBytes() * tiling.weightBlocks(type, offsets, fanIn, fanOut)
        : (long) Float.BYTES * offsets * fanIn * fanOut;
  }

  /**
   * Rounds weights and lays them out as {@link #convolve} reads them for y.
   *
   * @param type of x and y; F32 has factors rounded to tf32
   * @param weight F32 [K, fanIn, fanOut]
   * @param staged {@link #stagedBytes}, aligned to 16
   */
  public void stageWeights(
      Storage type, long weight, int offsets, int fanIn, int fanOut, long staged) {
    stage(type, weight, offsets, fanIn, fanOut, false, false, staged);
  }

  /**
   * As {@link #stageWeights}, for the gradient by the input: dx[i] = Σ_k Σ_{o reads i at k}
   * dz[o]·weight[k]ᵀ is a {@link #convolve} of dz, from fanOut to fanIn channels, with these.
   *
   * @param fanIn channels of the convolution's input
   * @param fanOut channels of the convolution's output
   * @param submanifold whether the map is the convolution's own, whose offsets are then mirrored,
   *     and not the transposed one
   */
  public void stageTurnedWeights(
      Storage type,
      long weight,
      int offsets,
      int fanIn,
      int fanOut,
      boolean submanifold,
      long staged) {
    stage(
        type, weight, offsets, /* fanIn= */ fanOut, /* fanOut= */ fanIn, true, submanifold, staged);
  }

  private void stage(
      Storage type,
      long weight,
      int offsets,
      int fanIn,
      int fanOut,
      boolean turned,
      boolean mirrored,
      long staged) {
    Family family = family(type);
    boolean tiled = tensorCores(type, offsets, fanIn, fanOut);
    Kernel kernel = tiled ? family.stageWeights : family.roundWeights;
    kernel.begin().pointer(weight).int32(offsets).int32(fanIn).int32(fanOut);
    kernel.int32(turned ? 1 : 0).int32(mirrored ? 1 : 0);
    if (tiled) {
      Tiling tiling = family.tiling(type, fanIn, fanOut);
      kernel.int32(tiling.packs).int32(tiling.columns);
    }
    long size = tiled ? type.bytes() : Float.BYTES;
    long elements = stagedBytes(type, offsets, fanIn, fanOut) / size;
    kernel.pointer(staged).launch(Grids.blocks(elements, 256), 256);
  }

  /**
   * y[o] = Σ_k x[neighbour(o, k)]·weight[k], rectified when {@code relu}.
   *
   * @param type of x and y
   * @param x [inputs, fanIn]; where rows of both x and y fill 16 bytes, both start at a multiple of
   *     them
   * @param staged the weights, as {@link #stageWeights} or {@link #stageTurnedWeights} wrote them
   * @param map of a convolution, or from its inputs to the outputs that read them
   * @param pairs of the map: its inputs' length
   * @param y [outputs, fanOut]
   */
  public void convolve(
      Storage type,
      long x,
      long staged,
      Map map,
      long pairs,
      int fanIn,
      int fanOut,
      boolean relu,
      long y) {
    if (map.outputs() == 0) {
      return;
    }
    Family family = family(type);
    if (!tensorCores(type, map.offsets(), fanIn, fanOut)) {
      Kernel kernel = arguments(family.any, x, staged, map, map.order(), fanIn, fanOut, relu);
      long rows = Grids.blocks(map.outputs(), ANY_ROWS);
      long columns = Grids.blocks(fanOut, ANY_COLUMNS);
      int shared = ANY_STAGE_BYTES + Integer.BYTES * (map.offsets() + 1) * ANY_ROWS;
      kernel.pointer(y).launch(rows, columns, 1, ANY_THREADS, 1, 1, shared);
      return;
    }
    Tiling tiling = family.tiling(type, fanIn, fanOut);
    long order = pairs >= DENSE_NEIGHBORS * map.outputs() ? 0 : map.order();
    Kernel kernel = arguments(tiling.kernel, x, staged, map, order, fanIn, fanOut, relu);
    kernel.int32(tiling.stages).int32(tiling.weightStages).pointer(y);
    long columns = Grids.blocks(fanOut, tiling.columns);
    long blocks = (long) context.gpu().multiprocessors() * tiling.resident;
    long tiles = Grids.blocks(map.outputs(), tiling.rows);
    kernel.launch(
        Math.min(tiles, Math.max(1, blocks / columns)),
        columns,
        1,
        tiling.threads(),
        1,
        1,
        tiling.sharedBytes());
  }

  private static Kernel arguments(
      Kernel kernel,
      long x,
      long weights,
      Map map,
      long order,
      int fanIn,
      int fanOut,
      boolean relu) {
    kernel.begin().pointer(x).pointer(weights);
    kernel.pointer(map.pointers()).pointer(map.masks()).pointer(map.inputs()).pointer(order);
    kernel.int64(map.outputs()).int32(map.offsets()).int32(fanIn).int32(fanOut);
    return kernel.int32(relu ? 1 : 0);
  }
}
