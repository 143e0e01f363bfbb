package autosparse.engine;

/** Element type of a tensor. */
public enum DType {
  /** IEEE single precision; what the CPU engine computes in. */
  F32(4, true),
  /** IEEE double precision; what the reference engine and the gradient checks compute in. */
  F64(8, true),
  /** bfloat16: activations on a GPU; see {@link BFloat16}. Kernels compute in float. */
  BF16(2, true),
  /** 32-bit signed integer: indices, columns, masks. */
  I32(4, false),
  /** 64-bit signed integer: row pointers and other offsets. */
  I64(8, false);

  private final int bytes;
  private final boolean real;

  DType(int bytes, boolean real) {
    this.bytes = bytes;
    this.real = real;
  }

  /** Size of one element, in bytes. */
  public int bytes() {
    return bytes;
  }

  /** Whether the type holds real numbers (gradients exist only for these). */
  public boolean isReal() {
    return real;
  }
}
