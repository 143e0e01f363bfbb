package autosparse.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class CudnnLibraryTest {
  private static final Optional<String> FOUND = Optional.of("/usr/lib/libcudnn.so.9");
  private static final Optional<String> NOT_IN_JAR =
      Optional.of("JCudnn is not in this jar (build with -Pcudnn)");

  @Test
  void saysWhatIsMissing() {
    assertEquals(Optional.empty(), CudnnLibrary.missing(true, true, FOUND));
    assertEquals(NOT_IN_JAR, CudnnLibrary.missing(false, true, FOUND));
    assertEquals(NOT_IN_JAR, CudnnLibrary.missing(true, false, FOUND));
    assertEquals(
        Optional.of("libcudnn.so.9 not found"), CudnnLibrary.missing(true, true, Optional.empty()));
  }

  @Test
  void loadingWithoutItFailsWithTheReason() {
    assumeTrue(CudnnLibrary.missing().isPresent(), "cuDNN is here");
    FakeDriver driver = new FakeDriver();
    try (CudaContext context = CudaContext.open(() -> driver, 0)) {
      CudaCallException failure =
          assertThrows(CudaCallException.class, () -> Cudnn.open(context).close());
      assertEquals(CudnnLibrary.missing(), Optional.of(failure.getMessage()));
    }
  }
}
