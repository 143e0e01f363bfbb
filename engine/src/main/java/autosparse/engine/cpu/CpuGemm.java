package autosparse.engine.cpu;

import autosparse.engine.Tensor;
import autosparse.engine.operators.Activation;
import autosparse.engine.operators.GemmOperators;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Products in tiles of the output, one single-threaded sgemm each.
 *
 * <p>When the output is too small for that and the inner dimension long (the weight gradient of a
 * narrow layer), the inner dimension is cut into slices whose products are summed in order.
 */
final class CpuGemm extends GemmOperators {
  private static final int ROWS = 256;
  private static final int COLUMNS = 512;
  private static final int LEAST = 64;
  private static final int WANTED_TILES = 8;
  private static final int FEW_TILES = 4;
  private static final long LEAST_SLICE = 512;
  private static final int MOST_SLICES = 16;

  /** Longest inner dimension of one call. */
  private static final long INNER = 1L << 24;

  private final WorkerPool pool;

  CpuGemm(WorkerPool pool) {
    this.pool = pool;
  }

  @Override
  public String provider() {
    return Blas.version();
  }

  /** The operands of one product; all that a tile needs. */
  private record Product(
      boolean transposeA, Tensor a, boolean transposeB, Tensor b, long m, long n, long k) {
    static Product of(boolean transposeA, Tensor a, boolean transposeB, Tensor b, Tensor c) {
      return new Product(
          transposeA, a, transposeB, b, c.dim(0), c.dim(1), a.dim(transposeA ? 0 : 1));
    }

    /** Target[tile] = alpha·product over the inner indices fromK to toK + beta·target. */
    void tile(
        Grid grid,
        long index,
        long fromK,
        long toK,
        double alpha,
        double beta,
        FloatPointer target,
        int targetDistance) {
      long row = grid.row(index);
      long column = grid.column(index);
      int distanceA = Math.toIntExact(transposeA ? m : k);
      int distanceB = Math.toIntExact(transposeB ? k : n);
      double factor = beta;
      long at = fromK;
      do {
        int depth = (int) Math.min(INNER, toK - at);
        Blas.sgemm(
            transposeA,
            transposeB,
            grid.height(index),
            grid.width(index),
            depth,
            (float) alpha,
            a.floatPointer(transposeA ? at * m + row : row * k + at),
            distanceA,
            b.floatPointer(transposeB ? column * k + at : at * n + column),
            distanceB,
            (float) factor,
            target,
            targetDistance);
        factor = 1;
        at += depth;
      } while (at < toK);
    }
  }

  /** Tiles of an [m, n] output; they depend on its shape alone. */
  private record Grid(long m, long n, int tileRows, int tileColumns) {
    static Grid of(long m, long n) {
      int rows = ROWS;
      int columns = COLUMNS;
      while (Tiles.count(m, rows) * Tiles.count(n, columns) < WANTED_TILES
          && (rows > LEAST || columns > LEAST)) {
        boolean cutColumns = rows <= LEAST || (columns > LEAST && Math.min(columns, n) >= rows);
        if (cutColumns) {
          columns /= 2;
        } else {
          rows /= 2;
        }
      }
      return new Grid(m, n, rows, columns);
    }

    long columnTiles() {
      return Tiles.count(n, tileColumns);
    }

    long tiles() {
      return Tiles.count(m, tileRows) * columnTiles();
    }

    long row(long tile) {
      return tile / columnTiles() * tileRows;
    }

    long column(long tile) {
      return tile % columnTiles() * tileColumns;
    }

    int height(long tile) {
      return (int) Math.min(tileRows, m - row(tile));
    }

    int width(long tile) {
      return (int) Math.min(tileColumns, n - column(tile));
    }
  }

  @Override
  protected void multiply(
      boolean transposeA,
      Tensor a,
      boolean transposeB,
      Tensor b,
      double alpha,
      double beta,
      Tensor c) {
    Product product = Product.of(transposeA, a, transposeB, b, c);
    Grid grid = Grid.of(product.m, product.n);
    if (grid.tiles() < FEW_TILES && product.k >= 2 * LEAST_SLICE) {
      multiplyInSlices(product, grid, alpha, beta, c);
      return;
    }
    int distance = Math.toIntExact(product.n);
    pool.run(
        grid.tiles(),
        (worker, tile) -> {
          FloatPointer target = c.floatPointer(grid.row(tile) * product.n + grid.column(tile));
          product.tile(grid, tile, 0, product.k, alpha, beta, target, distance);
        });
  }

  private void multiplyInSlices(Product product, Grid grid, double alpha, double beta, Tensor c) {
    int slices = (int) Math.min(MOST_SLICES, product.k / LEAST_SLICE);
    int tiles = (int) grid.tiles();
    float[][] partial = new float[slices * tiles][];
    pool.run(
        partial.length,
        (worker, task) -> {
          long slice = task / tiles;
          long tile = task % tiles;
          int size = grid.height(tile) * grid.width(tile);
          Scratch scratch = pool.scratch(worker);
          scratch.reserveNative(size);
          long from = product.k * slice / slices;
          long to = product.k * (slice + 1) / slices;
          product.tile(grid, tile, from, to, alpha, 0, scratch.nativePointer(), grid.width(tile));
          float[] values = new float[size];
          scratch.nativeFloats().get(0, values, 0, size);
          partial[(int) task] = values;
        });
    for (int tile = 0; tile < tiles; tile++) {
      float[] total = partial[tile];
      for (int slice = 1; slice < slices; slice++) {
        add(partial[slice * tiles + tile], total);
      }
      int width = grid.width(tile);
      float[] row = new float[width];
      for (int r = 0; r < grid.height(tile); r++) {
        long at = (grid.row(tile) + r) * product.n + grid.column(tile);
        if (beta == 0) {
          c.write(at, total, r * width, width);
        } else {
          c.read(at, row, 0, width);
          for (int j = 0; j < width; j++) {
            row[j] = (float) beta * row[j] + total[r * width + j];
          }
          c.write(at, row, 0, width);
        }
      }
    }
  }

  private static void add(float[] term, float[] total) {
    for (int i = 0; i < total.length; i++) {
      total[i] += term[i];
    }
  }

  @Override
  protected void applyLinear(
      Tensor x, Tensor weight, Tensor bias, Activation activation, Tensor y) {
    Product product = Product.of(false, x, true, weight, y);
    Grid grid = Grid.of(product.m, product.n);
    int distance = Math.toIntExact(product.n);
    boolean relu = activation == Activation.RELU;
    pool.run(
        grid.tiles(),
        (worker, tile) -> {
          long start = grid.row(tile) * product.n + grid.column(tile);
          product.tile(grid, tile, 0, product.k, 1, 0, y.floatPointer(start), distance);
          if (bias == null && !relu) {
            return;
          }
          int width = grid.width(tile);
          float[] biases = pool.scratch(worker).array(0, width);
          float[] row = pool.scratch(worker).array(1, width);
          if (bias == null) {
            java.util.Arrays.fill(biases, 0, width, 0f);
          } else {
            bias.read(grid.column(tile), biases, 0, width);
          }
          for (int r = 0; r < grid.height(tile); r++) {
            y.read(start + r * product.n, row, 0, width);
            finish(row, biases, relu, width);
            y.write(start + r * product.n, row, 0, width);
          }
        });
  }

  private static void finish(float[] row, float[] biases, boolean relu, int width) {
    if (relu) {
      for (int j = 0; j < width; j++) {
        row[j] = Math.max(row[j] + biases[j], 0f);
      }
    } else {
      for (int j = 0; j < width; j++) {
        row[j] += biases[j];
      }
    }
  }
}
