package autosparse.engine.cpu;

import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.SparseConvolutionOperators;
import autosparse.engine.sparse.ConvolutionKernel;
import autosparse.engine.sparse.NeighborMap;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Sparse convolution as GEMM over gathered tiles.
 *
 * <p>Forward is output-stationary: the neighbours' rows of a tile of outputs are laid side by side
 * and multiplied by the weights seen as [K·C_in, C_out]. Backward is input-stationary: the rows of
 * dz that an input's gradient comes from are gathered once, for dgrad (times the mirrored,
 * transposed weights) and for wgrad (times the tile of x, transposed). Tiles and the slices that
 * wgrad sums over depend on the shapes alone.
 */
final class CpuSparseConvolution extends SparseConvolutionOperators {
  /** Floats of one gathered tile: half of a 1 MiB second-level cache. */
  private static final int TILE_FLOATS = 1 << 17;

  /** Most outputs of one tile. */
  private static final int TILE_SITES = 512;

  /** Most slices that a weight gradient is summed over, and the fewest sites of one. */
  private static final int SLICES = 64;

  private static final int SLICE_SITES = 2048;

  private final WorkerPool pool;

  CpuSparseConvolution(WorkerPool pool) {
    this.pool = pool;
  }

  @Override
  protected void applyForward(Tensor x, Tensor weight, NeighborMap map, boolean relu, Tensor y) {
    long sites = y.dim(0);
    int depth = Math.toIntExact(weight.dim(0) * weight.dim(1));
    int fanOut = Math.toIntExact(weight.dim(2));
    if (y.elements() == 0 || fillZero(depth == 0, y)) {
      return;
    }
    RowGather gather = new RowGather(x, map);
    int tileSites = tileSites(depth);
    pool.run(
        (sites + tileSites - 1) / tileSites,
        (worker, tile) -> {
          long from = tile * tileSites;
          int count = (int) Math.min(tileSites, sites - from);
          Scratch scratch = pool.scratch(worker);
          scratch.reserveNative(count * depth);
          gather.gather(from, count, scratch, 0);
          TileGemm.multiply(
              count,
              fanOut,
              depth,
              scratch.nativePointer(),
              weight.floatPointer(0),
              0,
              y.floatPointer(from * fanOut));
          if (relu) {
            rectify(y, from * fanOut, count * fanOut, scratch);
          }
        });
  }

  @Override
  protected void applyBackward(
      Tensor x, Tensor weight, NeighborMap map, Tensor dz, Tensor dx, Tensor dWeight) {
    ConvolutionKernel kernel = map.kernel();
    int fanIn = Math.toIntExact(weight.dim(1));
    int fanOut = Math.toIntExact(weight.dim(2));
    if (dx != null) {
      fillZero(fanOut == 0 || dz.dim(0) == 0, dx);
    }
    if (weight.elements() == 0
        || x.dim(0) == 0
        || dz.dim(0) == 0
        || (dx == null && dWeight == null)) {
      return;
    }
    NeighborMap readers = kernel.isSubmanifold() ? map : map.transposed();
    RowGather gather = new RowGather(dz, readers);
    int depth = kernel.offsets() * fanOut;
    int tileSites = tileSites(depth);
    long sites = x.dim(0);
    long slices = Math.min(SLICES, (sites + SLICE_SITES - 1) / SLICE_SITES);
    try (TensorScope scope = dz.device().root().child("convolution backward")) {
      Tensor turned = dx == null ? null : turnedWeights(weight, kernel, scope);
      Tensor partials =
          dWeight == null
              ? null
              : scope.create(
                  "weight gradient of each slice",
                  DType.F32,
                  MemoryTag.WORKSPACE,
                  slices,
                  fanIn,
                  depth);
      pool.run(
          slices,
          (worker, slice) -> {
            long sliceEnd = sites * (slice + 1) / slices;
            Scratch scratch = pool.scratch(worker);
            scratch.reserveNative(tileSites * depth);
            float beta = 0;
            for (long from = sites * slice / slices; from < sliceEnd; from += tileSites) {
              int count = (int) Math.min(tileSites, sliceEnd - from);
              gather.gather(from, count, scratch, 0);
              if (dx != null) {
                TileGemm.multiply(
                    count,
                    fanIn,
                    depth,
                    scratch.nativePointer(),
                    turned.floatPointer(0),
                    0,
                    dx.floatPointer(from * fanIn));
              }
              if (dWeight != null) {
                TileGemm.multiplyTransposed(
                    fanIn,
                    depth,
                    count,
                    x.floatPointer(from * fanIn),
                    scratch.nativePointer(),
                    beta,
                    partials.floatPointer(slice * fanIn * depth));
                beta = 1;
              }
            }
          });
      if (dWeight != null) {
        addPartials(partials, kernel, fanIn, fanOut, dWeight);
      }
    }
  }

  /** Offset of the convolution that offset {@code k} of the opposite direction stands for. */
  private static int tap(ConvolutionKernel kernel, int k) {
    return kernel.isSubmanifold() ? kernel.mirrored(k) : k;
  }

  /** Weights as dgrad multiplies by them: [(k, C_out), C_in], k in the opposite direction. */
  private static Tensor turnedWeights(Tensor weight, ConvolutionKernel kernel, TensorScope scope) {
    int fanIn = (int) weight.dim(1);
    int fanOut = (int) weight.dim(2);
    float[] plain = weight.toFloats();
    float[] turned = new float[plain.length];
    for (int k = 0; k < kernel.offsets(); k++) {
      for (int i = 0; i < fanIn; i++) {
        for (int o = 0; o < fanOut; o++) {
          turned[(k * fanOut + o) * fanIn + i] = plain[(tap(kernel, k) * fanIn + i) * fanOut + o];
        }
      }
    }
    Tensor result = scope.workspaceLike(weight);
    result.write(0, turned, 0, turned.length);
    return result;
  }

  /** dWeight += Σ over slices, in their order, of partials [slices, C_in, (k, C_out)]. */
  private static void addPartials(
      Tensor partials, ConvolutionKernel kernel, int fanIn, int fanOut, Tensor dWeight) {
    float[] sum = dWeight.toFloats();
    float[] partial = new float[sum.length];
    float[] total = new float[sum.length];
    for (long slice = 0; slice < partials.dim(0); slice++) {
      partials.read(slice * partial.length, partial, 0, partial.length);
      for (int i = 0; i < total.length; i++) {
        total[i] += partial[i];
      }
    }
    int depth = kernel.offsets() * fanOut;
    for (int k = 0; k < kernel.offsets(); k++) {
      for (int i = 0; i < fanIn; i++) {
        for (int o = 0; o < fanOut; o++) {
          sum[(tap(kernel, k) * fanIn + i) * fanOut + o] += total[i * depth + k * fanOut + o];
        }
      }
    }
    dWeight.write(0, sum, 0, sum.length);
  }

  @Override
  protected void applyForwardOnes(
      ConvolutionKernel kernel, Tensor masks, Tensor weight, boolean relu, Tensor y) {
    if (y.elements() == 0) {
      return;
    }
    long sites = y.dim(0);
    int offsets = kernel.offsets();
    int fanOut = (int) y.dim(1);
    pool.run(
        (sites + TILE_SITES - 1) / TILE_SITES,
        (worker, tile) -> {
          long from = tile * TILE_SITES;
          int count = (int) Math.min(TILE_SITES, sites - from);
          Scratch scratch = pool.scratch(worker);
          spreadMasks(masks, from, count, offsets, scratch);
          TileGemm.multiply(
              count,
              fanOut,
              offsets,
              scratch.nativePointer(),
              weight.floatPointer(0),
              0,
              y.floatPointer(from * fanOut));
          if (relu) {
            rectify(y, from * fanOut, count * fanOut, scratch);
          }
        });
  }

  @Override
  protected void applyBackwardOnes(
      ConvolutionKernel kernel, Tensor masks, Tensor dz, Tensor dWeight) {
    if (dz.elements() == 0) {
      return;
    }
    long sites = dz.dim(0);
    int offsets = kernel.offsets();
    int fanOut = (int) dz.dim(1);
    long slices = Math.min(SLICES, (sites + SLICE_SITES - 1) / SLICE_SITES);
    try (TensorScope scope = dz.device().root().child("convolution of ones, backward")) {
      Tensor partials =
          scope.create(
              "weight gradient of each slice",
              DType.F32,
              MemoryTag.WORKSPACE,
              slices,
              offsets,
              fanOut);
      pool.run(
          slices,
          (worker, slice) -> {
            long sliceEnd = sites * (slice + 1) / slices;
            Scratch scratch = pool.scratch(worker);
            float beta = 0;
            for (long from = sites * slice / slices; from < sliceEnd; from += TILE_SITES) {
              int count = (int) Math.min(TILE_SITES, sliceEnd - from);
              spreadMasks(masks, from, count, offsets, scratch);
              TileGemm.multiplyTransposed(
                  offsets,
                  fanOut,
                  count,
                  scratch.nativePointer(),
                  dz.floatPointer(from * fanOut),
                  beta,
                  partials.floatPointer(slice * offsets * fanOut));
              beta = 1;
            }
          });
      float[] sum = new float[offsets * fanOut];
      float[] partial = new float[offsets * fanOut];
      for (long slice = 0; slice < slices; slice++) {
        partials.read(slice * partial.length, partial, 0, partial.length);
        for (int i = 0; i < sum.length; i++) {
          sum[i] += partial[i];
        }
      }
      dWeight.read(0, partial, 0, partial.length);
      for (int i = 0; i < sum.length; i++) {
        partial[i] += sum[i];
      }
      dWeight.write(0, partial, 0, partial.length);
    }
  }

  /** Lays the masks' bits out as rows of zeros and ones in the native block. */
  private static void spreadMasks(
      Tensor masks, long from, int count, int offsets, Scratch scratch) {
    scratch.reserveNative(count * offsets);
    FloatBuffer rows = scratch.nativeFloats();
    int[] bits = scratch.ints(0, count);
    masks.read(from, bits, 0, count);
    int at = 0;
    for (int i = 0; i < count; i++) {
      for (int k = 0; k < offsets; k++) {
        rows.put(at++, bits[i] >>> k & 1);
      }
    }
  }

  private static void rectify(Tensor y, long from, int count, Scratch scratch) {
    float[] values = scratch.array(0, count);
    y.read(from, values, 0, count);
    for (int i = 0; i < count; i++) {
      values[i] = Math.max(values[i], 0f);
    }
    y.write(from, values, 0, count);
  }

  /** Fills a tensor with zeros when told to; returns what it was told. */
  private static boolean fillZero(boolean wanted, Tensor tensor) {
    if (wanted) {
      float[] zeros = new float[(int) Math.min(tensor.elements(), 1 << 16)];
      Arrays.fill(zeros, 0f);
      for (long at = 0; at < tensor.elements(); at += zeros.length) {
        tensor.write(at, zeros, 0, (int) Math.min(zeros.length, tensor.elements() - at));
      }
    }
    return wanted;
  }

  private static int tileSites(int depth) {
    return Math.max(16, Math.min(TILE_SITES, TILE_FLOATS / depth / 16 * 16));
  }
}
