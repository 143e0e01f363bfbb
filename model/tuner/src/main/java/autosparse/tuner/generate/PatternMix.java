package autosparse.tuner.generate;

import autosparse.engine.RandomStream;
import autosparse.schedule.InputException;
import autosparse.schedule.SparsityPattern;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A varied set of matrices for a data set: all kinds in turn, sizes log-uniform within bounds, and
 * for every fourth matrix a sibling, an expanded or resized variant of an earlier one under a name
 * that a split by base matrix keeps with it ({@code rmat03_2x2_0}).
 *
 * @param count number of matrices
 * @param minRows fewest rows
 * @param maxRows most rows
 * @param minNnz fewest nonzeros to aim for
 * @param maxNnz most nonzeros
 * @param seed of all draws
 */
public record PatternMix(int count, int minRows, int maxRows, long minNnz, long maxNnz, long seed) {
  private static final List<PatternKind> KINDS =
      List.of(
          PatternKind.BAND,
          PatternKind.BLOCKS,
          PatternKind.RMAT,
          PatternKind.UNIFORM,
          PatternKind.STENCIL,
          PatternKind.POWERLAW,
          PatternKind.ARROW);
  private static final int SIBLING_EVERY = 4;
  private static final int TRIES = 100;

  /**
   * One matrix of the set.
   *
   * @param name its name
   * @param pattern its rows
   * @param description how it was made, one line
   */
  public record Named(String name, MatrixRows pattern, String description) {}

  /** Throws {@link InputException} naming the option that is out of range. */
  public PatternMix {
    require(count >= 1 && count <= 10_000, "--count", count, "1 to 10000");
    require(minRows >= 4, "--min-rows", minRows, "4 or more");
    require(maxRows >= minRows && maxRows <= 1 << 24, "--max-rows", maxRows, "--min-rows to 2^24");
    require(minNnz >= 1, "--min-nnz", minNnz, "1 or more");
    require(maxNnz >= minNnz && maxNnz <= 1 << 28, "--max-nnz", maxNnz, "--min-nnz to 2^28");
  }

  private static void require(boolean holds, String option, Object value, String expected) {
    if (!holds) {
      throw new InputException(option + ": " + value + ", expected " + expected);
    }
  }

  /** The matrices, one after the other. */
  public List<Named> matrices() {
    List<Named> all = new ArrayList<>();
    List<Named> bases = new ArrayList<>();
    for (int number = 0; number < count; number++) {
      RandomStream random = RandomStream.named(seed, "mix/" + number);
      boolean sibling = number % SIBLING_EVERY == SIBLING_EVERY - 1;
      Named matrix =
          sibling
              ? variant(bases.get(random.nextInt(bases.size())), all, random)
              : base(bases.size(), random);
      all.add(matrix);
      if (!sibling) {
        bases.add(matrix);
      }
    }
    return all;
  }

  private Named base(int number, RandomStream random) {
    PatternKind kind = KINDS.get(number % KINDS.size());
    String name = String.format(Locale.ROOT, "%s%02d", kind.id(), number / KINDS.size() + 1);
    int rows = (int) logUniform(minRows, maxRows, random);
    double parameter = parameter(kind, random);
    // One in three is a rectangle.
    boolean rectangle = kind != PatternKind.STENCIL && random.nextInt(3) == 0;
    int cols = rectangle ? (int) logUniform(minRows, maxRows, random) : rows;
    // No fuller than a quarter: a matrix beyond that is not sparse.
    long most = Math.max(1, Math.min(maxNnz, (long) rows * cols / 4));
    long nnz = logUniform(Math.min(minNnz, most), most, random);
    if (kind == PatternKind.STENCIL) {
      rows = (int) Math.max(4, Math.min(rows, maxNnz / (long) parameter));
      cols = rows;
    }
    if (kind == PatternKind.ARROW) {
      // One full row and column and the diagonal are the least that an arrow has.
      rows = (int) Math.max(4, Math.min(rows, maxNnz / 4));
      cols = (int) Math.max(4, Math.min(cols, maxNnz / 4));
      nnz = Math.min(nnz, (long) rows * cols);
    }
    PatternSpec spec = new PatternSpec(kind, rows, cols, nnz, parameter, random.nextLong());
    return new Named(
        name,
        Patterns.of(spec),
        String.format(
            Locale.ROOT,
            "%s, %d x %d, about %d nonzeros, parameter %s, seed %d",
            kind.id(),
            rows,
            cols,
            nnz,
            parameter,
            spec.seed()));
  }

  private static double parameter(PatternKind kind, RandomStream random) {
    return switch (kind) {
      case BAND -> List.of(0.1, 0.25, 0.5, 1.0).get(random.nextInt(4));
      case BLOCKS -> 1 << (1 + random.nextInt(5));
      case RMAT -> List.of(0.45, 0.5, 0.57, 0.65).get(random.nextInt(4));
      case STENCIL -> 5 + 2 * random.nextInt(3);
      case POWERLAW -> List.of(0.5, 0.75, 1.0, 1.25).get(random.nextInt(4));
      default -> 0;
    };
  }

  /** A sibling within the bounds, as far as the base allows one. */
  private Named variant(Named base, List<Named> taken, RandomStream random) {
    SparsityPattern pattern = base.pattern().toPattern(base.name());
    for (int attempt = 0; attempt < TRIES; attempt++) {
      int rows = 1 << random.nextInt(4);
      int cols = 1 << random.nextInt(4);
      double filled = 0.25 + 0.75 * random.nextDouble();
      double nnz = pattern.nnz() * (rows * cols * filled + 1 - filled);
      boolean fits =
          rows * cols > 1
              && nnz <= maxNnz
              && (long) rows * pattern.rows() <= maxRows
              && (long) cols * pattern.cols() <= maxRows;
      if (fits) {
        long variantSeed = random.nextLong();
        return new Named(
            free(base.name() + "_" + rows + "x" + cols, taken),
            Patterns.expand(pattern, rows, cols, filled, variantSeed),
            String.format(
                Locale.ROOT,
                "%s with every nonzero a block of %d x %d, %.2f of it filled, seed %d",
                base.name(),
                rows,
                cols,
                filled,
                variantSeed));
      }
    }
    int rows = (int) Math.max(1, pattern.rows() * (0.3 + 0.6 * random.nextDouble()));
    int cols = (int) Math.max(1, pattern.cols() * (0.3 + 0.6 * random.nextDouble()));
    return new Named(
        free(base.name() + "_" + rows + "x" + cols, taken),
        Patterns.resize(pattern, rows, cols),
        base.name() + " scaled to " + rows + " x " + cols);
  }

  /** The first name {@code PREFIX_n} that no other matrix has. */
  private static String free(String prefix, List<Named> taken) {
    for (int n = 0; ; n++) {
      String name = prefix + "_" + n;
      if (taken.stream().noneMatch(matrix -> matrix.name().equals(name))) {
        return name;
      }
    }
  }

  /** StrictMath: the same in every JVM, bit for bit. */
  private static long logUniform(long from, long to, RandomStream random) {
    double low = StrictMath.log((double) from);
    double high = StrictMath.log((double) to);
    return Math.max(
        from, Math.min(to, Math.round(StrictMath.exp(low + (high - low) * random.nextDouble()))));
  }
}
