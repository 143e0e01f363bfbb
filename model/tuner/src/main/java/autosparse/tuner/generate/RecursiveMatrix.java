package autosparse.tuner.generate;

import autosparse.engine.RandomStream;

/**
 * RMAT by rows: nonzeros are shared out between upper and lower halves, halves of halves, and so on
 * down to rows, then each finds its column bit by bit. The same distribution as drawing places one
 * by one, except that what falls on one place twice is drawn no second time, and large shares are
 * drawn from the normal distribution that theirs approaches.
 */
final class RecursiveMatrix implements MatrixRows {
  /** Above so many nonzeros a share is drawn as a normal number and not coin by coin. */
  private static final int MANY = 256;

  private final PatternSpec spec;
  private final double upper;
  private final double leftOfUpper;
  private final double leftOfLower;
  private final int levels;
  private final int columnLevels;

  RecursiveMatrix(PatternSpec spec) {
    this.spec = spec;
    double a = spec.parameter();
    // The published ratio of the other quarters, .19 : .19 : .05.
    double b = (1 - a) * 0.19 / 0.43;
    this.upper = a + b;
    this.leftOfUpper = a / (a + b);
    this.leftOfLower = b / (1 - a - b);
    this.levels = bits(spec.rows());
    this.columnLevels = bits(spec.cols());
  }

  private static int bits(int extent) {
    return 32 - Integer.numberOfLeadingZeros(extent - 1);
  }

  @Override
  public int rows() {
    return spec.rows();
  }

  @Override
  public int cols() {
    return spec.cols();
  }

  @Override
  public void forEachRow(int from, int to, Visitor visitor) {
    share(0, levels, spec.nnz(), new Rows(from, to, new RowBuffer(), visitor));
  }

  /** The rows that are asked for; shares of others are not looked into. */
  private record Rows(int from, int to, RowBuffer buffer, Visitor visitor) {}

  private void share(long firstRow, int level, long nnz, Rows rows) {
    if (firstRow >= rows.to || firstRow + (1L << level) <= rows.from) {
      return;
    }
    if (level == 0) {
      row((int) firstRow, nnz, rows.buffer, rows.visitor);
      return;
    }
    long half = 1L << (level - 1);
    long above = nnz;
    if (firstRow + half < spec.rows()) {
      above = binomial(nnz, upper, Patterns.stream(spec.seed() + level, firstRow));
    }
    share(firstRow, level - 1, above, rows);
    share(firstRow + half, level - 1, nnz - above, rows);
  }

  private static long binomial(long n, double p, RandomStream random) {
    if (n > MANY) {
      double drawn = n * p + Math.sqrt(n * p * (1 - p)) * random.nextGaussian();
      return Math.max(0, Math.min(n, Math.round(drawn)));
    }
    long count = 0;
    for (long coin = 0; coin < n; coin++) {
      count += random.nextDouble() < p ? 1 : 0;
    }
    return count;
  }

  private void row(int row, long nnz, RowBuffer buffer, Visitor visitor) {
    RandomStream random = Patterns.stream(spec.seed(), row);
    buffer.clear();
    for (long p = 0; p < Math.min(nnz, 4L * spec.cols()); p++) {
      int column = column(row, random);
      if (column < spec.cols()) {
        buffer.add(column);
      } else {
        p--;
      }
    }
    buffer.sort();
    buffer.visit(row, visitor);
  }

  private int column(int row, RandomStream random) {
    int column = 0;
    for (int level = 0; level < columnLevels; level++) {
      int rowLevel = levels - 1 - level;
      boolean low = rowLevel >= 0 && (row >> rowLevel & 1) == 1;
      boolean right = random.nextDouble() >= (low ? leftOfLower : leftOfUpper);
      column = column << 1 | (right ? 1 : 0);
    }
    return column;
  }
}
