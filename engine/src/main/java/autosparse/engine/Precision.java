package autosparse.engine;

import autosparse.kernels.Gpu;
import java.util.Locale;

/** Number formats that a device stores activations and forms products in. */
public enum Precision {
  /** Single precision throughout. */
  FP32,
  /** Single precision in memory; factors of products are rounded to ten bits (tensor cores). */
  TF32,
  /**
   * Activations and their gradients in bfloat16, products of bfloat16 on tensor cores, sums in
   * single precision; weights, their gradients and the optimiser stay in single precision.
   */
  BF16;

  /** First GPU generation whose tensor cores know tf32 and bf16 (Ampere), times ten. */
  private static final int TENSOR_CORES = 80;

  /** Whether a GPU has it. */
  public boolean runsOn(Gpu gpu) {
    return this == FP32 || gpu.major() * 10 + gpu.minor() >= TENSOR_CORES;
  }

  /** What a GPU computes in unless asked otherwise: BF16 where it has it, else FP32. */
  public static Precision fastestOn(Gpu gpu) {
    return BF16.runsOn(gpu) ? BF16 : FP32;
  }

  /**
   * Requires that a GPU has it.
   *
   * @throws IllegalArgumentException otherwise, in one line
   */
  public void requireOn(Gpu gpu) {
    if (!runsOn(gpu)) {
      throw new IllegalArgumentException(
          this
              + " needs compute capability 8.0: "
              + gpu.name()
              + " has "
              + gpu.computeCapability());
    }
  }

  /** The name on the command line and in files. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
