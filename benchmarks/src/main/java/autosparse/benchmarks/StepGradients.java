package autosparse.benchmarks;

import autosparse.autograd.Variable;
import autosparse.engine.Tensor;
import autosparse.layers.Parameters;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Loss of a step and gradients of its parameters, on the host: what two ways to run the same step
 * are compared by.
 *
 * @param byName gradient of each parameter
 */
record StepGradients(double loss, Map<String, double[]> byName) {
  /**
   * How far one step is from another.
   *
   * @param loss |difference| / |loss of the other|
   * @param gradient the largest (what is no number is larger than all) over the parameters of
   *     |difference| / |gradient of the other|, Euclidean norms
   * @param parameter whose gradient that is
   */
  record Difference(double loss, double gradient, String parameter) {
    @Override
    public String toString() {
      return String.format(Locale.ROOT, "%.1e %.1e (%s)", loss, gradient, parameter);
    }
  }

  /** Reads them; waits for the device. */
  static StepGradients of(double loss, Parameters parameters) {
    Map<String, double[]> byName = new LinkedHashMap<>();
    for (Map.Entry<String, Variable> parameter : parameters.byName().entrySet()) {
      Tensor gradient = parameter.getValue().gradient();
      byName.put(parameter.getKey(), gradient.toDoubles());
    }
    return new StepGradients(loss, byName);
  }

  /** Of a step of the same network. */
  Difference from(StepGradients other) {
    Difference largest =
        new Difference(relative(Math.abs(loss - other.loss), Math.abs(other.loss)), 0, "");
    for (Map.Entry<String, double[]> parameter : byName.entrySet()) {
      double[] theirs = other.byName.get(parameter.getKey());
      double difference =
          relative(
              distance(parameter.getValue(), theirs), distance(theirs, new double[theirs.length]));
      if (largest.parameter.isEmpty() || Double.compare(difference, largest.gradient) > 0) {
        largest = new Difference(largest.loss, difference, parameter.getKey());
      }
    }
    return largest;
  }

  /** What differs from nothing at all differs infinitely. */
  private static double relative(double difference, double norm) {
    return difference == 0 ? 0 : difference / norm;
  }

  private static double distance(double[] one, double[] other) {
    double squares = 0;
    for (int i = 0; i < one.length; i++) {
      squares += (one[i] - other[i]) * (one[i] - other[i]);
    }
    return Math.sqrt(squares);
  }
}
