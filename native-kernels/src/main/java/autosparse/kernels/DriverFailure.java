package autosparse.kernels;

/** A driver call that returned an error. {@link CudaContext} says what it was about. */
final class DriverFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final String result;

  /**
   * @param call the driver's function, such as {@code cuMemAlloc}
   * @param result the driver's name of the error, such as {@code CUDA_ERROR_OUT_OF_MEMORY}; for a
   *     PTX that does not compile, its compiler's message too
   */
  DriverFailure(String call, String result) {
    super(call + ": " + result);
    this.call = call;
    this.result = result;
  }

  String call() {
    return call;
  }

  String result() {
    return result;
  }
}
