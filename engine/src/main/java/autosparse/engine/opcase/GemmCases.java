package autosparse.engine.opcase;

import autosparse.engine.Operators;
import autosparse.engine.Tensor;
import autosparse.engine.opcase.Invocation.Gradient;
import autosparse.engine.opcase.OpCase.Tolerance;
import autosparse.engine.operators.Activation;
import autosparse.engine.operators.GemmOperators;
import java.util.ArrayList;
import java.util.List;

/** Products and fused linear layers. */
final class GemmCases {
  private GemmCases() {}

  /** M, N and K by the case's free size. */
  @FunctionalInterface
  private interface Sizes {
    long[] of(long size);
  }

  /** In training, weights are factors of untransposed products and TN gives their gradients. */
  private record Product(boolean transposeA, boolean transposeB, double alpha, double beta) {
    boolean ofWeight() {
      return !transposeA;
    }

    boolean toWeight() {
      return transposeA && !transposeB;
    }
  }

  static List<OpCase> all() {
    List<OpCase> cases = new ArrayList<>();
    for (boolean transposeA : new boolean[] {false, true}) {
      for (boolean transposeB : new boolean[] {false, true}) {
        cases.add(
            gemm(
                "gemm " + (transposeA ? "T" : "N") + (transposeB ? "T" : "N") + " rows",
                new Product(transposeA, transposeB, 1, 0),
                OpCase.ODD_SIZES,
                4096,
                size -> new long[] {size, 20, 33}));
      }
    }
    Sizes inner = size -> new long[] {17, 9, size};
    List<Long> innerSizes = List.of(0L, 1L, 33L, 1023L, 1025L, 5000L);
    cases.add(gemm("gemm TN inner", new Product(true, false, 1, 0), innerSizes, 65536, inner));
    cases.add(
        gemm("gemm TN inner beta=1", new Product(true, false, 1, 1), innerSizes, 65536, inner));
    cases.add(
        gemm(
            "gemm NN columns alpha=.5 beta=-2",
            new Product(false, false, 0.5, -2),
            OpCase.ODD_SIZES,
            4096,
            size -> new long[] {7, size, 12}));
    cases.add(
        gemm(
            "gemm NT square",
            new Product(false, true, 1, 0),
            List.of(1L, 65L, 257L),
            1024,
            size -> new long[] {size, size, size}));
    cases.add(linear("linear bias", true, Activation.IDENTITY, 20, 12));
    cases.add(linear("linear bias relu", true, Activation.RELU, 20, 70));
    cases.add(linear("linear relu", false, Activation.RELU, 1, 33));
    cases.add(linear("linear", false, Activation.IDENTITY, 7, 1));
    return cases.stream().map(OpCase::ofProducts).toList();
  }

  private static OpCase gemm(
      String name, Product product, List<Long> testSizes, long benchmarkSize, Sizes sizes) {
    boolean transposeA = product.transposeA();
    boolean transposeB = product.transposeB();
    return new OpCase(
        name,
        "gemm",
        Tolerance.SINGLE,
        testSizes,
        benchmarkSize,
        (scope, size, draw) -> {
          Values values = new Values(scope, draw);
          long[] mnk = sizes.of(size);
          long m = mnk[0];
          long n = mnk[1];
          long k = mnk[2];
          Tensor a = transposeA ? values.activation("a", k, m) : values.activation("a", m, k);
          long[] sizesOfB = transposeB ? new long[] {n, k} : new long[] {k, n};
          Tensor b =
              product.ofWeight() ? values.weight("b", sizesOfB) : values.activation("b", sizesOfB);
          boolean reads = product.beta() != 0;
          Tensor c =
              product.toWeight()
                  ? values.real("c", m, n)
                  : reads ? values.activation("c", m, n) : values.activationOutput("c", m, n);
          GemmOperators gemm = scope.device().operators().gemm();
          Gradient gradient =
              (results, dOutputs) -> {
                Tensor dC = dOutputs.get(0);
                Tensor dA = results.workspaceLike(a);
                Tensor dB = results.workspaceLike(b);
                if (transposeA) {
                  gemm.gemm(transposeB, b, true, dC, product.alpha(), 0, dA);
                } else {
                  gemm.gemm(false, dC, !transposeB, b, product.alpha(), 0, dA);
                }
                if (transposeB) {
                  gemm.gemm(true, dC, transposeA, a, product.alpha(), 0, dB);
                } else {
                  gemm.gemm(!transposeA, a, false, dC, product.alpha(), 0, dB);
                }
                if (!reads) {
                  return List.of(dA, dB);
                }
                Tensor dOld = results.workspaceLike(c);
                results.device().operators().elementwise().scale(product.beta(), dC, dOld);
                return List.of(dA, dB, dOld);
              };
          return Invocation.of(
              reads ? List.of(a, b, c) : List.of(a, b),
              List.of(c),
              () -> gemm.gemm(transposeA, a, transposeB, b, product.alpha(), product.beta(), c),
              gradient,
              2.0 * m * n * k);
        });
  }

  /** The bias keeps every sum away from the ReLU's kink: its magnitude exceeds the product's. */
  private static OpCase linear(
      String name, boolean biased, Activation activation, int in, int out) {
    return new OpCase(
        name + " " + in + " to " + out,
        "gemm",
        Tolerance.SINGLE,
        OpCase.ODD_SIZES,
        9216,
        (scope, size, draw) -> {
          Values values = new Values(scope, draw);
          double bound = biased ? 1 : 2;
          Tensor x = values.activation("x", size, in);
          Tensor weight = values.output("weight", out, in);
          values.setWeight(weight, values.awayFromZero(weight.elements(), 0.5 * bound, bound));
          Tensor bias =
              biased ? values.reals("bias", values.awayFromZero(out, in + 0.5, in + 1)) : null;
          if (!biased) {
            values.setActivation(x, values.awayFromZero(x.elements(), 0.5, 1));
          }
          Tensor y = values.activationOutput("y", size, out);
          Operators all = scope.device().operators();
          Gradient gradient =
              (results, dOutputs) -> {
                Tensor dz = results.workspaceLike(y);
                all.elementwise().activationBackward(activation, y, dOutputs.get(0), dz);
                Tensor dx = results.workspaceLike(x);
                Tensor dWeight = results.workspaceLike(weight);
                all.gemm().gemm(false, dz, false, weight, 1, 0, dx);
                all.gemm().gemm(true, dz, false, x, 1, 0, dWeight);
                if (bias == null) {
                  return List.of(dx, dWeight);
                }
                Tensor dBias = results.workspaceLike(bias);
                all.reduction().columnSum(dz, false, dBias);
                return List.of(dx, dWeight, dBias);
              };
          return Invocation.of(
              bias == null ? List.of(x, weight) : List.of(x, weight, bias),
              List.of(y),
              () -> all.gemm().linear(x, weight, bias, activation, y),
              gradient,
              2.0 * size * in * out);
        });
  }
}
