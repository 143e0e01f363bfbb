package autosparse.engine.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import autosparse.engine.BFloat16;
import autosparse.engine.CudaDevice;
import autosparse.engine.GpuTests;
import autosparse.engine.HostDevice;
import autosparse.engine.Precision;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.opcase.Draw;
import autosparse.engine.opcase.Values;
import autosparse.engine.operators.Activation;
import autosparse.engine.operators.GemmOperators;
import autosparse.kernels.Cublas;
import autosparse.kernels.CudaDriver;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Our own products, which the cases of the registry pass by where cuBLAS loads, and linear layers
 * larger than theirs.
 */
@Tag("gpu")
class CudaGemmTest {
  private static final double TOLERANCE = 2e-5;
  private static final long CAPACITY = 1L << 28;

  @BeforeEach
  void requireGpu() {
    GpuTests.require();
  }

  /** All tiles, transposes, unaligned sizes, cut inner dimensions. */
  @ParameterizedTest(name = "{0} x {1} x {2}")
  @CsvSource({"1, 1, 1", "33, 31, 5000", "300, 20, 36", "65, 257, 129", "1500, 1600, 40"})
  void agreesWithTheReferenceTwice(int m, int n, int k) {
    HostDevice.Options host = HostDevice.Options.defaults().withCapacity(CAPACITY);
    try (HostDevice reference = HostDevice.reference(host);
        CudaDevice cuda =
            CudaDevice.open(CudaDevice.Options.of(0).withCapacity(CAPACITY).withGuards());
        CudaGemm own =
            new CudaGemm(
                cuda.context(), Precision.FP32, new Cublas.Attempt(Optional.empty(), "left out"))) {
      assertEquals("our own kernels (left out)", own.provider());
      for (int transposes = 0; transposes < 4; transposes++) {
        boolean a = (transposes & 1) != 0;
        boolean b = (transposes & 2) != 0;
        double[] expected = product(reference.root(), reference.operators().gemm(), a, b, m, n, k);
        double[] actual = product(cuda.root(), own, a, b, m, n, k);
        double scale = 0;
        for (double value : expected) {
          scale = Math.max(scale, Math.abs(value));
        }
        assertArrayEquals(expected, actual, TOLERANCE * scale, "transposed " + a + " " + b);
        assertArrayEquals(actual, product(cuda.root(), own, a, b, m, n, k), "a second time");
      }
    }
  }

  /** Linear layers so large that they are for cuBLAS where it loads, and by our own kernels. */
  @ParameterizedTest(name = "{0}, {1} x {2} x {3}, bias {4}")
  @CsvSource({
    "FP32, 2048, 512, 256, true",
    "FP32, 2101, 515, 257, false",
    "TF32, 2048, 512, 256, true",
    "BF16, 2048, 512, 256, true",
    "BF16, 2101, 515, 257, true",
    "BF16, 2048, 512, 256, false"
  })
  void largeLinearLayersAgreeTwice(Precision precision, int rows, int out, int in, boolean biased) {
    assumeTrue(
        precision.runsOn(CudaDriver.probe().devices().get(0)),
        () -> precision + " needs compute capability 8.0");
    HostDevice.Options host = HostDevice.Options.defaults().withCapacity(CAPACITY);
    CudaDevice.Options options = CudaDevice.Options.of(0).withCapacity(CAPACITY).withGuards();
    try (HostDevice reference = HostDevice.reference(host);
        CudaDevice cuda = CudaDevice.open(options.withPrecision(precision));
        CudaGemm own =
            new CudaGemm(
                cuda.context(), precision, new Cublas.Attempt(Optional.empty(), "left out"))) {
      double[] expected =
          layer(reference.root(), reference.operators().gemm(), rows, out, in, biased);
      double scale = Arrays.stream(expected).max().orElseThrow();
      // The sum is rounded, and once more with its bias.
      double tolerance = scale * (precision == Precision.BF16 ? BFloat16.EPSILON : TOLERANCE);
      for (GemmOperators gemm : List.of(cuda.operators().gemm(), own)) {
        double[] actual = layer(cuda.root(), gemm, rows, out, in, biased);
        assertArrayEquals(expected, actual, tolerance, gemm.provider());
        assertArrayEquals(actual, layer(cuda.root(), gemm, rows, out, in, biased), "a second time");
      }
    }
  }

  /** max(x·weightᵀ + bias, 0), of numbers that every precision holds. */
  private static double[] layer(
      TensorScope root, GemmOperators gemm, long rows, long out, long in, boolean biased) {
    try (TensorScope scope = root.child("layer")) {
      Values values = new Values(scope, Draw.of(7));
      Tensor x = scope.activation("x", rows, in);
      x.setDoubles(rounded(values.uniform(x.elements(), -1, 1)));
      Tensor weight = scope.real("weight", MemoryTag.WEIGHTS, out, in);
      weight.setDoubles(rounded(values.uniform(weight.elements(), -1, 1)));
      Tensor bias = biased ? values.real("bias", out) : null;
      Tensor y = scope.activation("y", rows, out);
      gemm.linear(x, weight, bias, Activation.RELU, y);
      return y.toDoubles();
    }
  }

  private static double[] rounded(double[] values) {
    return Arrays.stream(values).map(value -> BFloat16.round((float) value)).toArray();
  }

  private static double[] product(
      TensorScope root,
      GemmOperators gemm,
      boolean transposeA,
      boolean transposeB,
      long m,
      long n,
      long k) {
    try (TensorScope scope = root.child("product")) {
      Values values = new Values(scope, Draw.of(7));
      Tensor a = transposeA ? values.real("a", k, m) : values.real("a", m, k);
      Tensor b = transposeB ? values.real("b", n, k) : values.real("b", k, n);
      Tensor c = values.real("c", m, n);
      gemm.gemm(transposeA, a, transposeB, b, 0.5, -2, c);
      return c.toDoubles();
    }
  }
}
