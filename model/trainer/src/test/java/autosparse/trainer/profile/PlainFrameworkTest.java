package autosparse.trainer.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import autosparse.costmodel.ModelKind;
import autosparse.costmodel.memory.PatternRows;
import autosparse.engine.PlanningDevice;
import autosparse.layers.PatternPyramid;
import autosparse.schedule.SparsityPattern;
import autosparse.tuner.generate.PatternKind;
import autosparse.tuner.generate.PatternSpec;
import autosparse.tuner.generate.Patterns;
import org.junit.jupiter.api.Test;

class PlainFrameworkTest {
  private static SparsityPattern generated(PatternKind kind, int rows, double parameter) {
    return Patterns.of(new PatternSpec(kind, rows, rows, 9L * rows, parameter, 1))
        .toPattern("generated");
  }

  /** By brute force over all pairs. */
  private static long pairs(SparsityPattern pattern) {
    long pairs = 0;
    for (int row = 0; row < pattern.rows(); row++) {
      for (long p = pattern.rowStart(row); p < pattern.rowEnd(row); p++) {
        for (int other = 0; other < pattern.rows(); other++) {
          for (long q = pattern.rowStart(other); q < pattern.rowEnd(other); q++) {
            boolean near =
                Math.abs(row - other) <= 1 && Math.abs(pattern.column(p) - pattern.column(q)) <= 1;
            pairs += near ? 1 : 0;
          }
        }
      }
    }
    return pairs;
  }

  /** As {@code memory-profile} counts them. */
  private static long counted(SparsityPattern pattern) {
    try (PlanningDevice device = PlanningDevice.cpu(1L << 30);
        PatternPyramid pyramid = new PatternPyramid(device.root(), new PatternRows(pattern))) {
      return pyramid.map(0, PlainFramework.WINDOW).pairs();
    }
  }

  private static double bytes(SparsityPattern pattern, ModelKind kind, int channels, int element) {
    return PlainFramework.bytes(pattern.nnz(), counted(pattern), kind, channels, element);
  }

  @Test
  void neighborsAreThoseOfAWindow() {
    SparsityPattern uniform = generated(PatternKind.UNIFORM, 60, 0);
    assertEquals(pairs(uniform), counted(uniform));
    SparsityPattern band = generated(PatternKind.BAND, 50, 1);
    assertEquals(pairs(band), counted(band));
    SparsityPattern empty = SparsityPattern.of("empty", 3, 3, new long[4], new int[0]);
    assertEquals(0, counted(empty));
    assertEquals(0, bytes(empty, ModelKind.AUTOSPARSE, 128, 2));
  }

  /** A band of nine diagonals, ten thousand rows: the measured 116.8 GB for 10 million nonzeros. */
  @Test
  void aBandTakesWhatWasMeasured() {
    SparsityPattern band = generated(PatternKind.BAND, 10_000, 1);
    double each = 116.8e9 / 9_999_979;
    double bytes = bytes(band, ModelKind.AUTOSPARSE, 128, 2) / band.nnz();
    assertEquals(each, bytes, 0.01 * each);
    double narrow = bytes(band, ModelKind.AUTOSPARSE, 32, 4) / band.nnz();
    assertEquals(bytes / 2, narrow, 1e-6 * bytes);
    double waco = bytes(band, ModelKind.WACO, 32, 2) / band.nnz();
    assertEquals(21.5e9 / 9_999_979, waco, 0.01 * waco);
  }
}
