package autosparse.autograd;

import autosparse.engine.DType;
import autosparse.engine.Device;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Compares a function's backward pass with central differences, in double: the outputs, each
 * element weighted at random, are one sum, whose slope along a leaf's element is measured with a
 * step of 10⁻⁵.
 */
public final class GradientCheck {
  private static final double STEP = 1e-5;
  private static final int SAMPLES = 40;

  private GradientCheck() {}

  /** A function of leaves with any number of outputs. */
  @FunctionalInterface
  public interface Function {
    /** Computes the outputs; must do the same each time it is called. */
    List<Variable> run(Tape tape, List<Variable> leaves);
  }

  /**
   * As {@link #worstErrorOfLeaves}, with leaves made for the check.
   *
   * @param device a device of double precision
   * @param values starting values of the leaves, changed and restored during the check
   * @throws IllegalArgumentException on a device of another precision
   */
  public static double worstError(
      Device device, List<Tensor> values, long seed, Function function) {
    try (TensorScope scope = device.root().child("leaves")) {
      List<Variable> leaves = new ArrayList<>();
      for (Tensor value : values) {
        leaves.add(
            Variable.leaf(
                value, scope.zeros("gradient", MemoryTag.GRADIENTS, value.shape().toArray())));
      }
      return worstErrorOfLeaves(device, leaves, seed, function);
    }
  }

  /**
   * Largest difference over sampled elements of all leaves, relative to the largest gradient
   * element of that leaf (at least 1e-3).
   *
   * @param device a device of double precision
   * @param leaves such as the parameters of a layer; their values are changed and restored, their
   *     gradients become those of the check
   * @param seed of the output weights and of the sampled elements
   * @throws IllegalArgumentException on a device of another precision
   */
  public static double worstErrorOfLeaves(
      Device device, List<Variable> leaves, long seed, Function function) {
    if (device.real() != DType.F64) {
      throw new IllegalArgumentException(
          "gradient check on " + device.name() + ": expected a device of double precision");
    }
    for (Variable leaf : leaves) {
      device.operators().elementwise().fill(leaf.gradient(), 0);
    }
    try (TensorScope scope = device.root().child("gradcheck")) {
      try (Tape tape = Tape.recording(scope, seed)) {
        List<Variable> outputs = function.run(tape, leaves);
        for (int o = 0; o < outputs.size(); o++) {
          Variable output = outputs.get(o);
          double[] weights = weights(seed, o, output.value().elements());
          tape.gradient(output, g -> g.setDoubles(weights));
        }
        tape.backward();
      }
      double worst = 0;
      SplittableRandom random = new SplittableRandom(seed);
      for (int l = 0; l < leaves.size(); l++) {
        double[] analytic = leaves.get(l).gradient().toDoubles();
        double scale = 1e-3;
        for (double g : analytic) {
          scale = Math.max(scale, Math.abs(g));
        }
        int samples = Math.min(SAMPLES, analytic.length);
        for (int s = 0; s < samples; s++) {
          int element = analytic.length <= SAMPLES ? s : random.nextInt(analytic.length);
          double numeric = difference(scope, leaves, l, element, seed, function);
          worst = Math.max(worst, Math.abs(numeric - analytic[element]) / scale);
        }
      }
      return worst;
    }
  }

  private static double difference(
      TensorScope scope,
      List<Variable> leaves,
      int leaf,
      int element,
      long seed,
      Function function) {
    Tensor value = leaves.get(leaf).value();
    double[] one = new double[1];
    value.read(element, one, 0, 1);
    double old = one[0];
    value.write(element, new double[] {old + STEP}, 0, 1);
    double above = weightedOutputs(scope, leaves, seed, function);
    value.write(element, new double[] {old - STEP}, 0, 1);
    double below = weightedOutputs(scope, leaves, seed, function);
    value.write(element, one, 0, 1);
    return (above - below) / (2 * STEP);
  }

  private static double weightedOutputs(
      TensorScope scope, List<Variable> leaves, long seed, Function function) {
    // A recording tape, so that dropout and the like do what they did in the checked pass.
    try (Tape tape = Tape.recording(scope, seed)) {
      List<Variable> outputs = function.run(tape, leaves);
      double sum = 0;
      for (int o = 0; o < outputs.size(); o++) {
        double[] values = outputs.get(o).value().toDoubles();
        double[] weights = weights(seed, o, values.length);
        for (int i = 0; i < values.length; i++) {
          sum += weights[i] * values[i];
        }
      }
      return sum;
    }
  }

  private static double[] weights(long seed, int output, long elements) {
    SplittableRandom random = new SplittableRandom(seed * 31 + output);
    return random.doubles(elements, -1, 1).toArray();
  }
}
