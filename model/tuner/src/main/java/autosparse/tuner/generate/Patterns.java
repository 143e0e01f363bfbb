package autosparse.tuner.generate;

import autosparse.engine.RandomStream;
import autosparse.schedule.SparsityPattern;

/**
 * Patterns by kind. Each row is drawn from a stream of its own, so that rows come one after the
 * other, whatever the size, in memory of one row.
 */
public final class Patterns {
  /** Draws one row into a buffer. */
  @FunctionalInterface
  private interface RowMaker {
    void draw(int row, RandomStream random, RowBuffer buffer);
  }

  private Patterns() {}

  /** The pattern of a specification. */
  public static MatrixRows of(PatternSpec spec) {
    return switch (spec.kind()) {
      case BAND -> band(spec);
      case BLOCKS -> blocks(spec);
      case RMAT -> new RecursiveMatrix(spec);
      case UNIFORM -> uniform(spec);
      case STENCIL -> stencil(spec);
      case POWERLAW -> powerLaw(spec);
      case ARROW -> arrow(spec);
      case EXPAND, RESIZE ->
          throw new IllegalArgumentException(spec.kind() + " is made from a matrix");
    };
  }

  /**
   * Each nonzero as a block of {@code rows x cols}, a share of its places filled, at least one.
   *
   * @param filled share of a block's places, above 0 to 1
   */
  public static MatrixRows expand(
      SparsityPattern base, int rows, int cols, double filled, long seed) {
    return rows(
        Math.multiplyExact(base.rows(), rows),
        Math.multiplyExact(base.cols(), cols),
        seed,
        (row, random, buffer) -> {
          int baseRow = row / rows;
          for (long p = base.rowStart(baseRow); p < base.rowEnd(baseRow); p++) {
            int first = base.column(p) * cols;
            // One place of each block is always there: its row and column follow from the block.
            long block = new RandomStream(seed ^ (p * 0x9E3779B97F4A7C15L)).nextLong() >>> 1;
            boolean anchored = block % rows == row % rows;
            int anchor = first + (int) (block / rows % cols);
            for (int column = first; column < first + cols; column++) {
              boolean drawn = random.nextDouble() < filled;
              if (drawn || (anchored && column == anchor)) {
                buffer.add(column);
              }
            }
          }
        });
  }

  /** The pattern scaled to another shape: nonzeros that fall on one place become one. */
  public static MatrixRows resize(SparsityPattern base, int rows, int cols) {
    return rows(
        rows,
        cols,
        0,
        (row, random, buffer) -> {
          long from = ceilDiv((long) row * base.rows(), rows);
          long to = ceilDiv((row + 1L) * base.rows(), rows);
          if (rows > base.rows()) {
            // Stretched: each old row is the first of the new ones that fall on it.
            from = (long) row * base.rows() / rows;
            boolean first = row == 0 || ((row - 1L) * base.rows()) / rows != from;
            to = first ? from + 1 : from;
          }
          for (long old = from; old < to; old++) {
            for (long p = base.rowStart((int) old); p < base.rowEnd((int) old); p++) {
              buffer.add((int) ((long) base.column(p) * cols / base.cols()));
            }
          }
        });
  }

  private static MatrixRows rows(int rows, int cols, long seed, RowMaker maker) {
    return new MatrixRows() {
      @Override
      public int rows() {
        return rows;
      }

      @Override
      public int cols() {
        return cols;
      }

      @Override
      public void forEachRow(int from, int to, Visitor visitor) {
        RowBuffer buffer = new RowBuffer();
        for (int row = from; row < to; row++) {
          buffer.clear();
          maker.draw(row, stream(seed, row), buffer);
          buffer.sort();
          buffer.visit(row, visitor);
        }
      }
    };
  }

  /** A stream of its own for each number: the seed and the number, mixed. */
  static RandomStream stream(long seed, long number) {
    return new RandomStream(
        new RandomStream(seed).nextLong() ^ new RandomStream(~number).nextLong());
  }

  /** A whole number with a given mean: its floor, or one more as often as is missing. */
  private static long around(double mean, RandomStream random) {
    long floor = (long) Math.floor(mean);
    return floor + (random.nextDouble() < mean - floor ? 1 : 0);
  }

  private static MatrixRows band(PatternSpec spec) {
    double perRow = (double) spec.nnz() / spec.rows();
    int width = (int) Math.min(spec.cols(), Math.max(1, Math.round(perRow / spec.parameter())));
    return rows(
        spec.rows(),
        spec.cols(),
        spec.seed(),
        (row, random, buffer) -> {
          long center = (long) row * spec.cols() / spec.rows();
          int from = (int) Math.max(0, Math.min(center - width / 2, spec.cols() - width));
          buffer.addDistinct(around(perRow, random), from, from + width, random);
        });
  }

  private static MatrixRows uniform(PatternSpec spec) {
    double perRow = (double) spec.nnz() / spec.rows();
    return rows(
        spec.rows(),
        spec.cols(),
        spec.seed(),
        (row, random, buffer) ->
            buffer.addDistinct(spread(perRow, random), 0, spec.cols(), random));
  }

  /** About a Poisson number: rows of a matrix filled at random differ by the root of their mean. */
  private static long spread(double mean, RandomStream random) {
    return Math.max(0, around(mean + Math.sqrt(mean) * random.nextGaussian(), random));
  }

  private static MatrixRows blocks(PatternSpec spec) {
    int edge = (int) spec.parameter();
    int across = (int) ceilDiv(spec.cols(), edge);
    double blocksPerRow = (double) spec.nnz() / spec.rows() / edge;
    return rows(
        spec.rows(),
        spec.cols(),
        spec.seed(),
        (row, random, buffer) -> {
          // All rows of a row of blocks draw the same.
          RandomStream shared = stream(spec.seed(), -1L - row / edge);
          RowBuffer chosen = new RowBuffer();
          chosen.addDistinct(spread(blocksPerRow, shared), 0, across, shared);
          chosen.visit(
              row,
              (r, columns, count) -> {
                for (int b = 0; b < count; b++) {
                  int from = columns[b] * edge;
                  buffer.addRange(from, (int) Math.min(spec.cols(), (long) from + edge));
                }
              });
        });
  }

  private static MatrixRows powerLaw(PatternSpec spec) {
    int rows = spec.rows();
    double[] sum = {0};
    for (int rank = 0; rank < rows; rank++) {
      sum[0] += weight(rank, spec.parameter());
    }
    // A step that shares no factor with the number of rows visits each of them once.
    long step = 1 + (long) (rows * 0.6180339887498949);
    while (gcd(step, rows) != 1) {
      step++;
    }
    long stride = step;
    return rows(
        rows,
        spec.cols(),
        spec.seed(),
        (row, random, buffer) -> {
          int rank = (int) ((row + (spec.seed() & 0xffff)) * stride % rows);
          double mean = spec.nnz() * weight(rank, spec.parameter()) / sum[0];
          buffer.addDistinct(around(mean, random), 0, spec.cols(), random);
        });
  }

  private static double weight(int rank, double exponent) {
    return 1 / StrictMath.pow(rank + 1.0, exponent);
  }

  private static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  private static MatrixRows arrow(PatternSpec spec) {
    int diagonal = Math.min(spec.rows(), spec.cols());
    long head =
        Math.max(1, Math.round((double) (spec.nnz() - diagonal) / (spec.rows() + spec.cols())));
    int full = (int) Math.min(head, diagonal);
    return rows(
        spec.rows(),
        spec.cols(),
        spec.seed(),
        (row, random, buffer) -> {
          if (row < full) {
            buffer.addRange(0, spec.cols());
          } else {
            buffer.addRange(0, full);
            if (row < diagonal) {
              buffer.add(row);
            }
          }
        });
  }

  private static MatrixRows stencil(PatternSpec spec) {
    int points = (int) spec.parameter();
    int edge = (int) Math.floor(points == 7 ? Math.cbrt(spec.rows()) : Math.sqrt(spec.rows()));
    // A cube root may come out just below the whole number that it is.
    edge += points == 7 && (edge + 1L) * (edge + 1L) * (edge + 1L) <= spec.rows() ? 1 : 0;
    int x = edge;
    int y = points == 7 ? edge : spec.rows() / edge;
    int z = points == 7 ? spec.rows() / (edge * edge) : 1;
    int size = x * y * z;
    return rows(
        size,
        size,
        spec.seed(),
        (row, random, buffer) -> {
          int[] at = {row % x, row / x % y, row / x / y};
          for (int dz = -1; dz <= 1; dz++) {
            for (int dy = -1; dy <= 1; dy++) {
              for (int dx = -1; dx <= 1; dx++) {
                int steps = Math.abs(dx) + Math.abs(dy) + Math.abs(dz);
                boolean reached = points == 9 ? dz == 0 : steps <= 1;
                boolean inside =
                    inside(at[0] + dx, x) && inside(at[1] + dy, y) && inside(at[2] + dz, z);
                if (reached && inside) {
                  buffer.add(row + dx + x * dy + x * y * dz);
                }
              }
            }
          }
        });
  }

  private static boolean inside(int place, int extent) {
    return place >= 0 && place < extent;
  }

  private static long ceilDiv(long a, long b) {
    return (a + b - 1) / b;
  }
}
