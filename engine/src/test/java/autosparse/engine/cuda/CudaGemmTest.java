package autosparse.engine.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import autosparse.engine.CudaDevice;
import autosparse.engine.HostDevice;
import autosparse.engine.Precision;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.opcase.Draw;
import autosparse.engine.opcase.Values;
import autosparse.engine.operators.GemmOperators;
import autosparse.kernels.Cublas;
import autosparse.kernels.CudaDriver;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Our own products, which the cases of the registry pass by where cuBLAS loads. */
@Tag("gpu")
class CudaGemmTest {
  private static final double TOLERANCE = 2e-5;
  private static final long CAPACITY = 1L << 28;

  @BeforeEach
  void requireGpu() {
    CudaDriver driver = CudaDriver.probe();
    if (!driver.isAvailable()) {
      if ("1".equals(System.getenv("REQUIRE_GPU"))) {
        fail("REQUIRE_GPU=1, but " + driver.unavailable());
      }
      abort(driver.unavailable());
    }
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
