package autosparse.kernels;

import java.util.Optional;

/**
 * Whether {@link Cudnn} can be used. Apart from it, so that asking needs nothing of JCudnn, which
 * most builds leave out.
 */
public final class CudnnLibrary {
  static final String NAME = "libcudnn.so.9";
  static final String JCUDNN = "JCudnn";

  private CudnnLibrary() {}

  /** What is missing, in one line; empty when all is there. */
  public static Optional<String> missing() {
    return missing(
        CudnnLibrary.class.getResource("/jcuda/jcudnn/JCudnn.class") != null,
        CudnnLibrary.class.getResource(NativeCache.jcudaResource(JCUDNN)) != null,
        DriverLibrary.find(NAME));
  }

  static Optional<String> missing(boolean java, boolean natives, Optional<String> library) {
    if (!java || !natives) {
      return Optional.of("JCudnn is not in this jar (build with -Pcudnn)");
    }
    return library.isPresent() ? Optional.empty() : Optional.of(NAME + " not found");
  }

  /**
   * Loads the library, then JCudnn on top of it.
   *
   * @throws CudaCallException when one of them does not load, in one line
   */
  static void load(Runnable first) {
    Optional<String> missing = missing();
    if (missing.isPresent()) {
      throw new CudaCallException(missing.get(), null);
    }
    try {
      System.load(DriverLibrary.find(NAME).orElseThrow());
      NativeCache.ofUser().loadJCuda(JCUDNN, first);
    } catch (LinkageError | NativeCacheException e) {
      throw new CudaCallException("cuDNN does not load: " + CudaDriver.firstLine(e), e);
    }
  }
}
