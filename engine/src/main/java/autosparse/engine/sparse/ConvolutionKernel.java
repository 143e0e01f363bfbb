package autosparse.engine.sparse;

/**
 * Geometry of an odd square kernel.
 *
 * <p>Offsets are numbered ROW FASTEST, as the published weights are: offset k of a 3×3 kernel is
 * (row k%3 − 1, column k/3 − 1). An output at lattice coordinate o reads the input at o·stride +
 * offset·dilation. Weights are [K, C_in, C_out] with K = size².
 *
 * @param size edge length: 1, 3 or 5 (a neighbourhood must fit 32 mask bits)
 * @param stride 1 keeps the sites (submanifold); s &gt; 1 makes the sites floor(coordinate/s)
 * @param dilation distance between taps, in lattice steps of the input
 */
public record ConvolutionKernel(int size, int stride, int dilation) {
  public ConvolutionKernel {
    if (size != 1 && size != 3 && size != 5) {
      throw new IllegalArgumentException("kernel size " + size + ": expected 1, 3 or 5");
    }
    if (stride < 1 || dilation < 1) {
      throw new IllegalArgumentException(
          "kernel stride " + stride + ", dilation " + dilation + ": expected at least 1");
    }
  }

  /** Number of offsets K. */
  public int offsets() {
    return size * size;
  }

  /** Row part of offset k in input lattice steps, dilation included. */
  public int rowOffset(int k) {
    return (k % size - size / 2) * dilation;
  }

  /** Column part of offset k in input lattice steps, dilation included. */
  public int columnOffset(int k) {
    return (k / size - size / 2) * dilation;
  }

  /** The offset that undoes offset k. */
  public int mirrored(int k) {
    return offsets() - 1 - k;
  }

  public boolean isSubmanifold() {
    return stride == 1;
  }

  @Override
  public String toString() {
    return size + "x" + size + " stride " + stride + " dilation " + dilation;
  }
}
