package autosparse.kernels;

/** The folder for unpacked native libraries cannot be used; the message is one line. */
final class NativeCacheException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  NativeCacheException(String message, Throwable cause) {
    super(message, cause);
  }
}
