package autosparse.engine.opcase;

import static autosparse.engine.Precision.BF16;
import static autosparse.engine.Precision.FP32;

import autosparse.engine.Precision;
import autosparse.engine.TensorScope;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

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
 * @param precisions those in which it computes something else than in another: FP32 always, BF16
 *     where it has activations, TF32 where it multiplies matrices
 * @param roundings how often a naive implementation in BF16 would round on the way from an input to
 *     an output, for {@link #allowed}
 * @param preparation makes inputs and outputs and binds the call
 */
public record OpCase(
    String name,
    String family,
    Tolerance tolerance,
    List<Long> testSizes,
    long benchmarkSize,
    Set<Precision> precisions,
    int roundings,
    Preparation preparation) {

  /** A case of real tensors alone. */
  OpCase(
      String name,
      String family,
      Tolerance tolerance,
      List<Long> testSizes,
      long benchmarkSize,
      Preparation preparation) {
    this(name, family, tolerance, testSizes, benchmarkSize, EnumSet.of(FP32), 1, preparation);
  }

  public OpCase {
    precisions = Collections.unmodifiableSet(EnumSet.copyOf(precisions));
  }

  /** This case of activations, which are stored in BF16 on a device of that precision. */
  OpCase ofActivations() {
    return in(EnumSet.of(FP32, BF16));
  }

  /** This case of activations that are multiplied by each other or by weights. */
  OpCase ofProducts() {
    return in(EnumSet.allOf(Precision.class));
  }

  private OpCase in(Set<Precision> all) {
    return new OpCase(
        name, family, tolerance, testSizes, benchmarkSize, all, roundings, preparation);
  }

  /** This case, a naive implementation of which rounds so often. */
  OpCase rounded(int times) {
    return new OpCase(
        name, family, tolerance, testSizes, benchmarkSize, precisions, times, preparation);
  }

  /**
   * Allowed error of each element of an output.
   *
   * @param largest largest magnitude of the reference's output
   * @param naiveError largest error of a naive implementation in the same precision: the reference
   *     computing from rounded factors, its output rounded once; 0 in single precision
   * @return the tolerance of single precision, and twice the naive error for each of the roundings
   */
  public double allowed(double largest, double naiveError) {
    return tolerance.absolute() + tolerance.relative() * largest + 2 * roundings * naiveError;
  }

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

  /** Makes one invocation in a scope; the same size and draw give the same values everywhere. */
  @FunctionalInterface
  public interface Preparation {
    Invocation prepare(TensorScope scope, long size, Draw draw);
  }

  public Invocation prepare(TensorScope scope, long size, Draw draw) {
    return preparation.prepare(scope, size, draw);
  }

  /** With values that are rounded to float alone. */
  public Invocation prepare(TensorScope scope, long size, long seed) {
    return prepare(scope, size, Draw.of(seed));
  }

  @Override
  public String toString() {
    return name;
  }
}
