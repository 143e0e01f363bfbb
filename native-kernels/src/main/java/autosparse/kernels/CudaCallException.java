package autosparse.kernels;

/** A CUDA call failed; the message says which, on what, and how much memory the device had left. */
public final class CudaCallException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  CudaCallException(String message, Throwable cause) {
    super(message, cause);
  }
}
