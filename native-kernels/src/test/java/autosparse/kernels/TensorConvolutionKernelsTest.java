package autosparse.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.kernels.SparseConvolutionKernels.Map;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is launched for which shapes; the kernels' results are the operators' GPU tests. */
class TensorConvolutionKernelsTest {
  private static final Map MAP = new Map(256, 512, 768, 1024, 1000, 9);
  private static final int[] CHANNELS = {8, 16, 24, 32, 40, 64, 96, 128, 136, 256};

  private final FakeDriver driver = new FakeDriver();

  private CudaContext open(int major, int minor) {
    driver.gpus = List.of(new Gpu(0, "GPU", major, minor, 100, 1L << 30));
    return CudaContext.open(() -> driver, 0);
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void everyShapeLaunchesWithTheSharedMemoryThatTheGpuHas(Storage type) {
    int[][] gpus = {{8, 0}, {8, 6}, {9, 0}, {12, 0}};
    for (int[] gpu : gpus) {
      try (CudaContext context = open(gpu[0], gpu[1])) {
        TensorConvolutionKernels kernels = new TensorConvolutionKernels(context);
        int most = gpu[0] == 9 ? 227 * 1024 : 99 * 1024;
        for (TensorConvolutionKernels.Tiling tiling : kernels.tilings(type)) {
          int bytes = tiling.sharedBytes();
          assertTrue(bytes <= most, () -> tiling + ": " + bytes);
          // One KiB of each block's is the driver's.
          int all = tiling.resident() * (bytes + 1024);
          assertTrue(gpu[0] != 9 || all <= 228 * 1024, () -> tiling + ": " + all);
        }
        for (int fanIn : CHANNELS) {
          for (int fanOut : CHANNELS) {
            int before = driver.launches;
            kernels.stageWeights(type, 256, 9, fanIn, fanOut, 1024);
            kernels.convolve(type, 0, 1024, MAP, 5000, fanIn, fanOut, true, 512);
            kernels.stageTurnedWeights(type, 256, 9, fanIn, fanOut, true, 1024);
            kernels.convolve(type, 0, 1024, MAP, 900, fanOut, fanIn, false, 512);
            assertEquals(before + 4, driver.launches, fanIn + " to " + fanOut);
            long weights = (long) type.bytes() * 9 * fanIn * fanOut;
            assertTrue(kernels.stagedBytes(type, 9, fanIn, fanOut) >= weights);
          }
        }
      }
    }
  }

  @Test
  void stagedWeightsAreWholeBlocks() {
    try (CudaContext context = open(9, 0)) {
      TensorConvolutionKernels kernels = new TensorConvolutionKernels(context);
      // 128 to 128: two chunks of nine blocks of 128 columns by 128 bytes.
      assertEquals(2 * 9 * 128 * 128, kernels.stagedBytes(Storage.BF16, 9, 128, 128));
      // 8 to 8: nine blocks of 8 columns by 32 bytes.
      assertEquals(9 * 8 * 32, kernels.stagedBytes(Storage.BF16, 9, 8, 8));
      // 136 to 8 and back: three chunks of nine blocks of 8 by 128 bytes; two tiles of columns of
      // nine blocks of 128 by 64.
      assertEquals(3 * 9 * 8 * 128, kernels.stagedBytes(Storage.BF16, 9, 136, 8));
      assertEquals(2 * 9 * 128 * 64, kernels.stagedBytes(Storage.BF16, 9, 8, 136));
      // Odd shapes and large kernels: in fp32.
      assertEquals(4 * 9 * 7 * 33, kernels.stagedBytes(Storage.BF16, 9, 7, 33));
      assertEquals(4 * 25 * 8 * 8, kernels.stagedBytes(Storage.F32, 25, 8, 8));
    }
  }

  @Test
  void oddShapesAndLargeKernelsAndNoOutputAreTaken() {
    try (CudaContext context = open(9, 0)) {
      TensorConvolutionKernels kernels = new TensorConvolutionKernels(context);
      kernels.stageWeights(Storage.BF16, 256, 9, 7, 33, 1024);
      kernels.convolve(Storage.BF16, 0, 1024, MAP, 5000, 7, 33, false, 512);
      Map large = new Map(256, 512, 768, 0, 1000, 25);
      kernels.stageTurnedWeights(Storage.F32, 256, 25, 8, 8, true, 1024);
      kernels.convolve(Storage.F32, 0, 1024, large, 9000, 8, 8, false, 512);
      assertEquals(4, driver.launches);
      Map none = new Map(256, 512, 768, 0, 0, 9);
      kernels.convolve(Storage.BF16, 0, 1024, none, 0, 32, 32, false, 512);
      assertEquals(4, driver.launches);
    }
  }

  @Test
  void tooOldGpuIsRefused() {
    try (CudaContext context = open(7, 5)) {
      TensorConvolutionKernels kernels = new TensorConvolutionKernels(context);
      String message =
          assertThrows(
                  IllegalStateException.class, () -> kernels.stagedBytes(Storage.BF16, 9, 32, 32))
              .getMessage();
      assertTrue(message.startsWith("no kernels of family sparse_convolution_bf16"), message);
    }
  }
}
