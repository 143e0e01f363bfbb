package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShowCommandTest {
  private static final String BLOCKED =
      "2 i 2 i0 64 i1 16 k 2 k0 64 k1 16 1 A 4 i0 k0 i1 k1 A 4 i0 0 i1 0 k0 1 k1 0 1 j 2 j0 2 j1 60"
          + " 6 i0 k0 i1 k1 j0 j1 i0 j1 k1 8 2 32";
  private static final List<String> SHAPE =
      List.of("--rows", "1000", "--cols", "900", "--nnz", "5000");

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @TempDir Path folder;

  private int show(String schedule, List<String> more) {
    List<String> args = new ArrayList<>(List.of("show", "--schedule", schedule));
    args.addAll(more);
    return new Main(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8))
        .run(args.toArray(String[]::new));
  }

  private void assertShows(String expected) {
    assertEquals("", err.toString(StandardCharsets.UTF_8));
    assertEquals(expected, out.toString(StandardCharsets.UTF_8));
  }

  private void assertRefused(String message, int code) {
    assertEquals("error: " + message + "\n", err.toString(StandardCharsets.UTF_8));
    assertEquals("", out.toString(StandardCharsets.UTF_8));
    assertEquals(2, code);
  }

  @Test
  void aLineALoop() {
    assertEquals(0, show(BLOCKED, SHAPE));
    assertShows(
        """
        spmm, A 1000 x 900, nnz 5000, j = 128
        out = 0
        i0            63 = ceil(i / 16)       A: d  parallel, 2 threads, chunk 32
          k0          57 = ceil(k / 16)       A: s  summed over
            i1        16                      A: d
              k1      16                      A: d  summed over; unrolled by 8
                j0    3 = ceil(j / 60)
                  j1  60                            vectorised
                    out[i, j] += A[i, k] * b[k, j]
        """);
  }

  @Test
  void theFormatOfAMatrixAndTheSource() throws IOException {
    Path matrix = folder.resolve("m.mtx");
    Files.writeString(
        matrix, "%%MatrixMarket matrix coordinate pattern general\n3 4 3\n1 1\n1 4\n3 2\n");
    String csr = "0 1 A 2 i j A 2 i 0 j 1 0 0 None None None 0 1 1 0.25";
    assertEquals(0, show(csr, List.of("--op", "spmv", "--matrix", matrix.toString(), "--c")));
    assertShows(
        """
        spmv, A 3 x 4, nnz 3
        i     3                       A: d
          sum = 0
          j   4                       A: s  summed over
            sum += A[i, j] * b[j]
          out[i] = sum
        A packed: positions i 3, j 3; 3 values for 3 nonzeros; 40 bytes

        /* spmv: 0 1 A 2 i j A 2 i 0 j 1 0 0 None None None 0 1 1 */
        void kernel(const as_matrix *restrict a, const float *restrict b, const float *restrict c, float *out) {
          (void)c;
          const float *restrict vals = a->vals;
          const int64_t extent_i = a->level[0].extent;
          const int32_t *restrict pos_j = a->level[1].pos;
          const int32_t *restrict crd_j = a->level[1].crd;

          /* i: dense level */
          for (int64_t i = 0; i < extent_i; i++) {
            float sum = 0.0f;
            /* j: compressed level, summed over */
            for (int32_t p_j = pos_j[i]; p_j < pos_j[i + 1]; p_j++) {
              const int64_t j = crd_j[p_j];
              sum += vals[p_j] * b[j];
            }
            out[i] = sum;
          }
        }
        """);
  }

  @Test
  void aBrokenRuleIsNamed() {
    int code = show(BLOCKED.replace(" i0 j1 k1 8", " k0 j1 k1 8"), SHAPE);
    assertRefused(
        "--schedule: refused for spmm: PARALLEL_NOT_REDUCTION: k0 (the parallel loop is not a"
            + " reduction)",
        code);
  }

  @Test
  void theStorageCapIsNamed() throws IOException {
    Path matrix = folder.resolve("m.mtx");
    Files.writeString(
        matrix, "%%MatrixMarket matrix coordinate pattern general\n3000 4000 1\n1 1\n");
    String dense = "0 1 A 2 i k A 2 i 0 k 0 0 0 None None None 0 1 1";
    assertRefused(
        "--schedule: storage cap on this matrix: level k (d) would have 3000 x 4000 positions, the"
            + " cap is 80000",
        show(dense, List.of("--matrix", matrix.toString())));
  }

  @Test
  void whatIsNoScheduleIsNamed() {
    assertEquals(2, show("0 1 A", SHAPE));
    String message = err.toString(StandardCharsets.UTF_8);
    assertTrue(message.startsWith("error: --schedule: field "), message);
    assertEquals(1, message.lines().count());
  }

  @Test
  void aShapeOrAMatrixIsNeeded() {
    assertRefused(
        "--matrix or --rows, --cols and --nnz: expected one of them, and the three together",
        show(BLOCKED, List.of()));
  }

  @Test
  void extentsArePositive() {
    assertRefused(
        "--rows: 0, expected a whole number above 0",
        show(BLOCKED, List.of("--rows", "0", "--cols", "1", "--nnz", "1")));
  }

  @Test
  void theDenseAxisCanBeGivenWhereThereIsOne() {
    String csr = "0 1 A 2 i j A 2 i 0 j 1 0 0 None None None 0 1 1";
    List<String> more = new ArrayList<>(SHAPE);
    more.addAll(List.of("--op", "spmv", "--dense", "4"));
    assertRefused("--dense: 4, but spmv has no dense axis", show(csr, more));
  }
}
