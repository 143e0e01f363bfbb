package autosparse.engine.opcase;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.opcase.Invocation.Gradient;
import autosparse.engine.opcase.OpCase.Tolerance;
import autosparse.engine.operators.NormalizationOperators;
import java.util.List;
import java.util.stream.Stream;

/** Layer normalisation, over many rows and over long rows. */
final class NormalizationCases {
  private static final double EPSILON = 1e-5;

  /** Columns of a case whose free size they are. */
  private static final long FREE = -1;

  private NormalizationCases() {}

  static List<OpCase> all() {
    List<Long> positive = List.of(1L, 31L, 32L, 33L, 1023L, 1025L);
    return Stream.of(
            layerNorm("layerNorm C=48", OpCase.ODD_SIZES, 9216, 48),
            layerNorm("layerNorm C=512", OpCase.ODD_SIZES, 9216, 512),
            layerNorm("layerNorm N=5", positive, 1024, FREE),
            layerNormBackward("layerNormBackward C=48", OpCase.ODD_SIZES, 9216, 48),
            layerNormBackward("layerNormBackward C=512", OpCase.ODD_SIZES, 9216, 512),
            layerNormBackward("layerNormBackward N=5", positive, 1024, FREE))
        .map(OpCase::ofActivations)
        .toList();
  }

  private static final class Bound {
    final NormalizationOperators operators;
    final Tensor x;
    final Tensor gamma;
    final Tensor beta;
    final Tensor y;
    final Tensor mean;
    final Tensor inverseDeviation;
    final Values values;

    Bound(TensorScope scope, long rows, long columns, Draw draw) {
      operators = scope.device().operators().normalization();
      values = new Values(scope, draw);
      x = values.activationBetween("x", -1, 3, rows, columns);
      gamma = values.between("gamma", 0.5, 2, columns);
      beta = values.real("beta", columns);
      y = values.activationOutput("y", rows, columns);
      mean = values.output("mean", rows);
      inverseDeviation = values.output("inverse deviation", rows);
    }

    /** The free size is the number of rows, or, without given columns, of columns of five rows. */
    static Bound of(TensorScope scope, long columns, long size, Draw draw) {
      return columns == FREE
          ? new Bound(scope, 5, size, draw)
          : new Bound(scope, size, columns, draw);
    }

    void forward() {
      operators.layerNorm(x, gamma, beta, EPSILON, y, mean, inverseDeviation);
    }
  }

  private static OpCase layerNorm(String name, List<Long> sizes, long benchmarkSize, long columns) {
    return new OpCase(
        name,
        "normalization",
        Tolerance.SINGLE,
        sizes,
        benchmarkSize,
        (scope, size, draw) -> {
          Bound bound = Bound.of(scope, columns, size, draw);
          return Invocation.of(
              List.of(bound.x, bound.gamma, bound.beta),
              List.of(bound.y, bound.mean, bound.inverseDeviation),
              bound::forward,
              Gradient.ofFirst(
                  1,
                  (results, dOutputs) -> {
                    Tensor dx = results.workspaceLike(bound.x);
                    Tensor dGamma = results.workspaceLike(bound.gamma);
                    Tensor dBeta = results.workspaceLike(bound.beta);
                    results.device().operators().elementwise().fill(dGamma, 0);
                    results.device().operators().elementwise().fill(dBeta, 0);
                    bound.operators.layerNormBackward(
                        bound.x,
                        bound.gamma,
                        bound.mean,
                        bound.inverseDeviation,
                        dOutputs.get(0),
                        dx,
                        dGamma,
                        dBeta);
                    return List.of(dx, dGamma, dBeta);
                  }),
              8.0 * bound.x.elements());
        });
  }

  private static OpCase layerNormBackward(
      String name, List<Long> sizes, long benchmarkSize, long columns) {
    return new OpCase(
        name,
        "normalization",
        Tolerance.SINGLE,
        sizes,
        benchmarkSize,
        (scope, size, draw) -> {
          Bound bound = Bound.of(scope, columns, size, draw);
          bound.forward();
          Tensor dy = bound.values.activation("dy", bound.x.shape().toArray());
          Tensor dx = bound.values.activationOutput("dx", bound.x.shape().toArray());
          Tensor dGamma = bound.values.real("dGamma", bound.gamma.elements());
          Tensor dBeta = bound.values.real("dBeta", bound.beta.elements());
          return Invocation.of(
              List.of(bound.x, bound.gamma, bound.mean, bound.inverseDeviation, dy),
              List.of(dx, dGamma, dBeta),
              () ->
                  bound.operators.layerNormBackward(
                      bound.x,
                      bound.gamma,
                      bound.mean,
                      bound.inverseDeviation,
                      dy,
                      dx,
                      dGamma,
                      dBeta),
              null,
              14.0 * bound.x.elements());
        });
  }
}
