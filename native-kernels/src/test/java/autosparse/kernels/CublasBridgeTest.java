package autosparse.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import jcuda.jcublas.JCublas2;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The library that takes the name of libcublas.so.12. */
class CublasBridgeTest {
  private static final Path SOURCE = Path.of("src/main/c/cublas12.c");
  private static final String PLACE = "/autosparse/kernels/bridge/";

  @TempDir static Path folder;

  @Test
  void isBuiltFromTheSource() throws IOException {
    assumeTrue(Files.exists(SOURCE), "runs in native-kernels of a checkout only");
    String recorded = new String(read("libcublas12.source.sha256"), StandardCharsets.US_ASCII);
    assertEquals(
        NativeCache.sha256(Files.readAllBytes(SOURCE)),
        recorded.strip(),
        "run native-kernels/build-bridge");
  }

  @Test
  void hasTheNameVersionAndFunctionsThatJCublasLooksFor() throws IOException {
    String content = new String(read("libcublas12.so"), StandardCharsets.ISO_8859_1);
    for (String name :
        List.of(
            "libcublas.so.12",
            "cublasCreate_v2",
            "cublasDestroy_v2",
            "cublasGetVersion_v2",
            "cublasSetStream_v2",
            "cublasSetMathMode",
            "cublasSetWorkspace_v2",
            "cublasSgemm_v2",
            "cublasGemmEx")) {
      assertTrue(content.contains("\0" + name + "\0"), name);
    }
  }

  @Test
  void jcublasLoadsOnItAndIsToldThatNothingIsBehind() {
    assumeTrue(
        DriverLibrary.find("libcublas.so.12").isEmpty()
            && DriverLibrary.find("libcublas.so.13").isEmpty(),
        "the real library is here");
    NativeCache cache = new NativeCache(folder);
    System.load(cache.unpack(PLACE + "libcublas12.so").toString());
    cache.loadJCuda("JCublas2", JCublas2::initialize);
    int status = JCublas2.cublasCreate(new jcuda.jcublas.cublasHandle());
    assertEquals(jcuda.jcublas.cublasStatus.CUBLAS_STATUS_NOT_SUPPORTED, status);
  }

  private static byte[] read(String name) throws IOException {
    try (var stream = CublasBridgeTest.class.getResourceAsStream(PLACE + name)) {
      return stream.readAllBytes();
    }
  }
}
