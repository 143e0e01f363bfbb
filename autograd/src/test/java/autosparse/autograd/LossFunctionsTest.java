package autosparse.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import autosparse.engine.Tensor;
import autosparse.engine.memory.MemoryTag;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradients of the losses, by differences or, for LambdaRank, against its definition. */
final class LossFunctionsTest {
  /** Relative speeds with ties: 1 for the best of a group. */
  private static double[] labels(Fixture f, int count) {
    double[] labels = new double[count];
    for (int i = 0; i < count; i++) {
      labels[i] = 1.0 / f.size(1, 6);
    }
    return labels;
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4})
  void margin(long seed) {
    try (Fixture f = Fixture.reference(seed)) {
      int first = f.size(0, 6);
      int count = first + f.size(1, 9);
      Tensor offsets = f.offsets(0, first, count, count);
      Tensor labels = f.scope.reals("labels", MemoryTag.INPUT, labels(f, count));
      f.checkGradient(
          (tape, v) -> List.of(LossFunctions.margin(tape, v.get(0), labels, offsets, 1)),
          f.normal(count));
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void scales(long seed) {
    try (Fixture f = Fixture.reference(seed)) {
      f.checkGradient(
          (tape, v) -> List.of(LossFunctions.scaledSum(tape, v.get(0), -0.25)),
          f.normal(f.size(0, 7)));
      f.checkGradient(
          (tape, v) -> List.of(LossFunctions.scaledSum(tape, v.get(0), 3)), f.normal(2, 3));
      f.checkGradient((tape, v) -> List.of(LossFunctions.scale(tape, v.get(0), 3)), f.normal(2, 3));
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4})
  void lambdaRank(long seed) {
    try (Fixture f = Fixture.reference(seed)) {
      int first = f.size(1, 6);
      int count = first + f.size(1, 9);
      int[] bounds = {0, first, first, count};
      Tensor offsets = f.offsets(0, first, first, count);
      double[] y = labels(f, count);
      Tensor labels = f.scope.reals("labels", MemoryTag.INPUT, y);
      Variable scores = f.leaf(count);
      double[] s = scores.value().toDoubles();
      double[] groupWeights = {0.7, -1.3, 2.1};
      double[] values;
      try (Tape tape = Tape.recording(f.scope, seed)) {
        Variable losses = LossFunctions.lambdaRank(tape, scores, labels, offsets);
        values = losses.value().toDoubles();
        tape.gradient(losses, g -> g.setDoubles(groupWeights));
        tape.backward();
      }
      double[] expected = new double[3];
      double[] slopes = new double[count];
      for (int g = 0; g < 3; g++) {
        LambdaRankOracle oracle = new LambdaRankOracle(y, s, bounds[g], bounds[g + 1]);
        expected[g] = oracle.loss(s);
        for (int i = bounds[g]; i < bounds[g + 1]; i++) {
          slopes[i] = groupWeights[g] * oracle.slope(s, i);
        }
      }
      assertArrayEquals(expected, values, 1e-10, "seed " + seed);
      assertArrayEquals(slopes, scores.gradient().toDoubles(), 1e-7, "seed " + seed);
    }
  }

  @Test
  void losesNothingWhereNothingCanBeRanked() {
    try (Fixture f = Fixture.reference(1);
        Tape tape = Tape.recording(f.scope, 1)) {
      Tensor labels = f.scope.reals("labels", MemoryTag.INPUT, new double[] {0.5, 0.5, 1});
      Tensor offsets = f.offsets(0, 2, 2, 3);
      Variable scores = f.leaf(3);
      Variable margin = LossFunctions.margin(tape, scores, labels, offsets, 1);
      Variable lambdaRank = LossFunctions.lambdaRank(tape, scores, labels, offsets);
      assertArrayEquals(new double[3], margin.value().toDoubles());
      assertArrayEquals(new double[3], lambdaRank.value().toDoubles());
      Variable loss =
          LossFunctions.scaledSum(tape, DenseFunctions.add(tape, margin, lambdaRank), 1);
      assertEquals(0, loss.value().item());
      tape.backward(loss);
      assertArrayEquals(new double[3], scores.gradient().toDoubles());
    }
  }

  /** The definition, with the weights of the pairs kept as they are at the first scores. */
  private static final class LambdaRankOracle {
    private final double[] labels;
    private final double[][] weights;
    private final int from;
    private final int to;

    LambdaRankOracle(double[] labels, double[] scores, int from, int to) {
      this.labels = labels;
      this.from = from;
      this.to = to;
      double[] byLabel = Arrays.copyOfRange(labels, from, to);
      Arrays.sort(byLabel);
      double maxDcg = 0;
      for (int r = 1; r <= byLabel.length; r++) {
        maxDcg += gain(byLabel[byLabel.length - r]) / discount(r);
      }
      int[] order =
          IntStream.range(from, to)
              .boxed()
              .sorted(Comparator.comparingDouble((Integer i) -> scores[i]).reversed())
              .mapToInt(i -> i)
              .toArray();
      double[] discounts = new double[to];
      for (int r = 1; r <= order.length; r++) {
        discounts[order[r - 1]] = discount(r);
      }
      weights = new double[to][to];
      for (int i = from; i < to; i++) {
        for (int j = from; j < to; j++) {
          weights[i][j] =
              Math.abs(1 / discounts[i] - 1 / discounts[j])
                  * Math.abs(gain(labels[i]) - gain(labels[j]))
                  / maxDcg;
        }
      }
    }

    private static double gain(double label) {
      return Math.pow(2, label) - 1;
    }

    private static double discount(int rank) {
      return Math.log(1.0 + rank) / Math.log(2);
    }

    double loss(double[] scores) {
      double sum = 0;
      for (int i = from; i < to; i++) {
        for (int j = from; j < to; j++) {
          if (labels[i] > labels[j]) {
            double log = Math.log(1 + Math.exp(scores[j] - scores[i])) / Math.log(2);
            sum += weights[i][j] * log;
          }
        }
      }
      return sum;
    }

    double slope(double[] scores, int element) {
      double step = 1e-5;
      double[] moved = scores.clone();
      moved[element] = scores[element] + step;
      double above = loss(moved);
      moved[element] = scores[element] - step;
      return (above - loss(moved)) / (2 * step);
    }
  }
}
