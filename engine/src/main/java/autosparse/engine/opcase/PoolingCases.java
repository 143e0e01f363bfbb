package autosparse.engine.opcase;

import autosparse.engine.DType;
import autosparse.engine.Operators;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.opcase.OpCase.Tolerance;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Cases of the pooling operators. */
final class PoolingCases {
  private PoolingCases() {}

  static List<OpCase> all() {
    List<OpCase> cases = new ArrayList<>();
    for (int channels : new int[] {1, 8, 32, 33}) {
      for (boolean strip : new boolean[] {false, true}) {
        for (boolean averaged : new boolean[] {true, false}) {
          cases.add(pool(channels, averaged, strip));
          for (boolean next : new boolean[] {true, false}) {
            cases.add(reluPoolBackward(channels, averaged, next, strip));
          }
        }
      }
      cases.add(averageOfSum(channels));
    }
    return cases.stream().map(OpCase::ofActivations).toList();
  }

  private static OpCase pool(int channels, boolean averaged, boolean strip) {
    return SparseSamples.sparse(
        (averaged ? "global average C=" : "add sum C=") + channels + (strip ? " of a strip" : ""),
        "pooling",
        Tolerance.SINGLE,
        (scope, size, draw) -> {
          Random random = new Random(draw.seed());
          Tensor offsets = offsets(scope, size, strip);
          Tensor x = SparseSamples.features(scope, draw, "x", random, size, channels);
          Tensor y =
              averaged
                  ? scope.real("y", MemoryTag.ACTIVATION, offsets.elements() - 1, channels)
                  : sums(scope, random, offsets.elements() - 1, channels);
          double[] before = averaged ? null : y.toDoubles();
          Operators operators = scope.device().operators();
          Invocation.Gradient gradient =
              (inner, dOutputs) -> {
                Tensor dPooled = inner.real("given", MemoryTag.ACTIVATION, y.shape().toArray());
                dPooled.setDoubles(dOutputs.get(0).toDoubles());
                Tensor positive = SparseSamples.zeros(inner, "positive", x);
                double[] ones = new double[Math.toIntExact(x.elements())];
                Arrays.fill(ones, 1);
                positive.setDoubles(ones);
                Tensor dx = SparseSamples.zeros(inner, "dx", x);
                reluBackward(operators, averaged, positive, null, dPooled, offsets, dx);
                return Arrays.asList(dx, null);
              };
          return new Invocation(
              List.of(x, offsets),
              List.of(y),
              () -> {
                if (averaged) {
                  operators.pooling().globalAverage(x, offsets, y);
                } else {
                  y.setDoubles(before); // again from the start each time
                  operators.pooling().addSum(x, offsets, y);
                }
              },
              gradient,
              x.bytes() + y.bytes(),
              x.elements());
        });
  }

  private static Tensor sums(TensorScope scope, Random random, long matrices, int channels) {
    Tensor sum = scope.create("sum", DType.F64, MemoryTag.ACTIVATION, matrices, channels);
    sum.setDoubles(random.doubles(sum.elements(), -100, 100).toArray());
    return sum;
  }

  /** As many matrices as the case has sites, the first of them without sites. */
  private static OpCase averageOfSum(int channels) {
    return SparseSamples.sparse(
        "average of sum C=" + channels,
        "pooling",
        Tolerance.SINGLE,
        (scope, size, draw) -> {
          Random random = new Random(draw.seed());
          Tensor sum = sums(scope, random, size, channels);
          long[] counts = random.longs(size, 1, 1000).toArray();
          double[] values = sum.toDoubles();
          if (size > 0) {
            counts[0] = 0;
            Arrays.fill(values, 0, channels, 0);
            sum.setDoubles(values);
          }
          Tensor sites = scope.longs("sites", MemoryTag.SITES, counts);
          Tensor y = scope.real("y", MemoryTag.ACTIVATION, size, channels);
          Operators operators = scope.device().operators();
          return new Invocation(
              List.of(sum, sites),
              List.of(y),
              () -> operators.pooling().averageOfSum(sum, sites, y),
              null,
              sum.bytes() + y.bytes(),
              sum.elements());
        });
  }

  private static void reluBackward(
      Operators operators,
      boolean averaged,
      Tensor y,
      Tensor dNext,
      Tensor dPooled,
      Tensor offsets,
      Tensor dz) {
    if (averaged) {
      operators.pooling().reluAverageBackward(y, dNext, dPooled, offsets, dz);
    } else {
      operators.pooling().reluSumBackward(y, dNext, dPooled, offsets, dz);
    }
  }

  private static OpCase reluPoolBackward(
      int channels, boolean averaged, boolean next, boolean strip) {
    return SparseSamples.sparse(
        (averaged ? "relu average backward C=" : "relu sum backward C=")
            + channels
            + (next ? "" : " last layer")
            + (strip ? " of a strip" : ""),
        "pooling",
        Tolerance.SINGLE,
        (scope, size, draw) -> {
          Random random = new Random(draw.seed());
          Tensor offsets = offsets(scope, size, strip);
          Tensor y = SparseSamples.features(scope, draw, "y", random, size, channels);
          double[] rectified = y.toDoubles();
          for (int i = 0; i < rectified.length; i++) {
            rectified[i] = Math.max(0, rectified[i]);
          }
          y.setDoubles(rectified);
          Tensor dNext =
              next ? SparseSamples.features(scope, draw, "dNext", random, size, channels) : null;
          Tensor dPooled =
              SparseSamples.values(scope, "dPooled", random, offsets.elements() - 1, channels);
          Tensor dz = scope.activation("dz", size, channels);
          Operators operators = scope.device().operators();
          return new Invocation(
              next ? List.of(y, dNext, dPooled, offsets) : List.of(y, dPooled, offsets),
              List.of(dz),
              () -> reluBackward(operators, averaged, y, dNext, dPooled, offsets, dz),
              null,
              y.bytes() * (next ? 3.0 : 2.0),
              y.elements());
        });
  }

  /**
   * Bounds of four matrices, the second and third of them without sites; or of a strip's own sites,
   * with others before and behind.
   */
  private static Tensor offsets(TensorScope scope, long size, boolean strip) {
    long first = size - size / 3;
    long[] bounds =
        strip ? new long[] {size / 4, first} : new long[] {0, first, first, first, size};
    return scope.longs("offsets", MemoryTag.SITES, bounds);
  }
}
