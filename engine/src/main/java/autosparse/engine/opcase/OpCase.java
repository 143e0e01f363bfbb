package autosparse.engine.opcase;

import autosparse.engine.TensorScope;
import java.util.List;

/**
 * The one definition of an operator that everything else is made from: the value test against the
 * reference, the gradient check, odd shapes, sentinels, determinism, the benchmark and the table of
 * operators in the documentation. A new operator is done when it has one of these; a new device
 * when it passes all of them.
 *
 * @param name unique, such as {@code attention L=12 H=4 d=8}
 * @param family the operator family, such as {@code attention}
 * @param tolerance how far a lower precision may be from the reference
 * @param testSizes values of the free size that tests run: 0, 1, around powers of two
 * @param benchmarkSize value of the free size that benchmarks run
 * @param preparation makes inputs and outputs and binds the call
 */
public record OpCase(
    String name,
    String family,
    Tolerance tolerance,
    List<Long> testSizes,
    long benchmarkSize,
    Preparation preparation) {

  /** The sizes at which loops break: empty, one, around a warp and around a tile. */
  public static final List<Long> ODD_SIZES = List.of(0L, 1L, 31L, 32L, 33L, 1023L, 1025L);

  /**
   * Allowed error of each output element: {@code absolute + relative·max|reference output|}.
   *
   * <p>The scale is that of the whole output, since a sum that cancels to near zero keeps the
   * rounding error of its terms.
   */
  public record Tolerance(double relative, double absolute) {
    /** Single precision, sums of up to some thousand terms. */
    public static final Tolerance SINGLE = new Tolerance(2e-5, 1e-6);

    /** Operators that only move data. */
    public static final Tolerance EXACT = new Tolerance(0, 0);
  }

  /** Makes one invocation in a scope; the same size and seed give the same values everywhere. */
  @FunctionalInterface
  public interface Preparation {
    Invocation prepare(TensorScope scope, long size, long seed);
  }

  public Invocation prepare(TensorScope scope, long size, long seed) {
    return preparation.prepare(scope, size, seed);
  }

  @Override
  public String toString() {
    return name;
  }
}
