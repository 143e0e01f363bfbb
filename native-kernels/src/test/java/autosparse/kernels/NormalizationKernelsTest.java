package autosparse.kernels;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which kernel is launched for rows that start where; its results are the operators' GPU tests. */
class NormalizationKernelsTest {
  private static final long START = 1 << 20;

  private static List<String> launched(Storage type, long x, long y, long gamma, int columns) {
    List<String> names = new ArrayList<>();
    FakeDriver driver =
        new FakeDriver() {
          @Override
          public void launch(
              Function function,
              int gridX,
              int gridY,
              int gridZ,
              int blockX,
              int blockY,
              int blockZ,
              int sharedBytes,
              Stream stream,
              PinnedBlock arguments) {
            names.add(function.toString());
          }
        };
    try (CudaContext context = CudaContext.open(() -> driver, 0)) {
      NormalizationKernels kernels = new NormalizationKernels(context);
      kernels.forward(type, x, gamma, START, 1e-5f, y, START, START, 8, columns);
      kernels.backward(type, START, gamma, START, START, x, y, START, START, START, 8, columns);
    }
    return names;
  }

  /** Bytes from the start of a tensor to the start of a view. */
  @ParameterizedTest
  @CsvSource({
    "F32, 0, 0, 0, 64, v4_256",
    "F32, 256, 16, 0, 64, v4_256",
    "F32, 4, 0, 0, 64, v1_256",
    "F32, 0, 8, 0, 64, v1_256",
    "F32, 0, 0, 0, 63, v1_256",
    "F32, 0, 0, 0, 512, v4_1024",
    "F32, 12, 0, 0, 512, wide",
    "F32, 0, 0, 0, 511, wide",
    "BF16, 8, 24, 0, 64, v4_256",
    "BF16, 4, 0, 0, 64, v1_256",
    "BF16, 0, 2, 0, 512, wide",
    "F32, 0, 0, 4, 64, v1_256",
    "BF16, 0, 0, 8, 64, v1_256",
    "BF16, 8, 8, 16, 64, v4_256",
  })
  void rowsAreReadInFoursWhereTheyStartAtOne(
      Storage type, long x, long y, long gamma, int columns, String kernel) {
    List<String> names = launched(type, START + x, START + y, START + gamma, columns);
    assertTrue(names.get(0).contains("forward_" + kernel), names.toString());
    assertTrue(names.get(1).contains("backward_" + kernel), names.toString());
  }
}
