package autosparse.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;

/** The PTX in the jar: one file for each family of kernels and architecture. */
final class PtxModules {
  /** What build-ptx may compile for, the best first. */
  static final List<String> ARCHITECTURES = List.of("sm_90a", "compute_80", "compute_75");

  private PtxModules() {}

  static String resource(String family, String architecture) {
    return "ptx/" + family + "." + architecture + ".ptx";
  }

  /**
   * The family's PTX for the best architecture that the device runs.
   *
   * @throws IllegalStateException when the device is too old for every one, or the family unknown
   */
  static Ptx of(String family, Gpu gpu) {
    for (String architecture : ARCHITECTURES) {
      if (runs(architecture, gpu)) {
        byte[] text = read(resource(family, architecture));
        if (text != null) {
          return new Ptx(family, architecture, text);
        }
      }
    }
    throw new IllegalStateException(
        "no kernels of family "
            + family
            + " for "
            + gpu.name()
            + " (compute capability "
            + gpu.computeCapability()
            + "; 7.5 or newer is needed)");
  }

  /** Whether PTX for an architecture runs: on newer ones too, except that of an "a" target. */
  static boolean runs(String architecture, Gpu gpu) {
    String digits = architecture.substring(architecture.indexOf('_') + 1);
    int capability = gpu.major() * 10 + gpu.minor();
    return digits.endsWith("a")
        ? Integer.parseInt(digits.substring(0, digits.length() - 1)) == capability
        : Integer.parseInt(digits) <= capability;
  }

  /** A resource of this package, or null when there is none. */
  static byte[] read(String name) {
    try (InputStream stream = PtxModules.class.getResourceAsStream(name)) {
      return stream == null ? null : stream.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(name, e);
    }
  }
}
