package autosparse.trainer.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import autosparse.costmodel.ModelKind;
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
  private static double neighbors(SparsityPattern pattern) {
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
    return (double) pairs / pattern.nnz();
  }

  @Test
  void neighborsAreThoseOfAWindow() {
    SparsityPattern uniform = generated(PatternKind.UNIFORM, 60, 0);
    assertEquals(neighbors(uniform), PlainFramework.neighbors(uniform), 1e-12);
    SparsityPattern band = generated(PatternKind.BAND, 50, 1);
    assertEquals(neighbors(band), PlainFramework.neighbors(band), 1e-12);
    SparsityPattern empty = SparsityPattern.of("empty", 3, 3, new long[4], new int[0]);
    assertEquals(0, PlainFramework.neighbors(empty));
    assertEquals(0, PlainFramework.bytes(empty, ModelKind.AUTOSPARSE, 128, 2));
  }

  /** A band of nine diagonals, ten thousand rows: the measured 116.8 GB for 10 million nonzeros. */
  @Test
  void aBandTakesWhatWasMeasured() {
    SparsityPattern band = generated(PatternKind.BAND, 10_000, 1);
    double each = 116.8e9 / 9_999_979;
    double bytes = PlainFramework.bytes(band, ModelKind.AUTOSPARSE, 128, 2) / band.nnz();
    assertEquals(each, bytes, 0.01 * each);
    double narrow = PlainFramework.bytes(band, ModelKind.AUTOSPARSE, 32, 4) / band.nnz();
    assertEquals(bytes / 2, narrow, 1e-6 * bytes);
    double waco = PlainFramework.bytes(band, ModelKind.WACO, 32, 2) / band.nnz();
    assertEquals(21.5e9 / 9_999_979, waco, 0.01 * waco);
  }
}
