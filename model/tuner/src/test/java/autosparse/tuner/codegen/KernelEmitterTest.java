package autosparse.tuner.codegen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SourceLocation;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class KernelEmitterTest {
  /** SpMM with both axes of A cut by 16 and j by 60, which does not divide 128. */
  private static final String BLOCKED =
      "2 i 2 i0 0 i1 16 k 2 k0 0 k1 16 1 A 4 i0 k0 i1 k1 A 4 i0 0 i1 0 k0 1 k1 0 1 j 2 j0 0 j1 60"
          + " 6 i0 k0 i1 k1 j0 j1 i0 j1 k1 8 2 32";

  private static Schedule parse(String line) {
    return Schedule.parse(line, new SourceLocation("test", 0));
  }

  private static Problem problem(Op op) {
    return Problem.of(op, 1000, 900, 5000);
  }

  private static String body(Schedule schedule, Op op) {
    String code = KernelEmitter.emit(schedule, problem(op), false, "kernel").code();
    return code.substring(code.indexOf("\n\n") + 2);
  }

  @Test
  void plainCsrSpmvIsWhatOneWritesByHand() {
    assertEquals(
        """
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
        """,
        body(Schedule.noOp(Op.SPMV, 1, 1), Op.SPMV));
  }

  @Test
  void plainCsrSpmmIsWhatOneWritesByHand() {
    assertEquals(
        """
          /* i: dense level */
          for (int64_t i = 0; i < extent_i; i++) {
            float *restrict out_i = out + i * 128;
            for (int64_t j = 0; j < 128; j++) {
              out_i[j] = 0.0f;
            }
            /* k: compressed level, summed over */
            for (int32_t p_k = pos_k[i]; p_k < pos_k[i + 1]; p_k++) {
              const int64_t k = crd_k[p_k];
              const float *restrict b_k = b + k * 128;
              const float value = vals[p_k];
              /* j: dense axis */
              for (int64_t j = 0; j < 128; j++) {
                out_i[j] += value * b_k[j];
              }
            }
          }
        }
        """,
        body(Schedule.noOp(Op.SPMM, 1, 1), Op.SPMM));
  }

  @Test
  void marksBecomePragmasAndRemaindersLimits() {
    String code = body(parse(BLOCKED), Op.SPMM);
    assertTrue(
        code.contains(
            "#pragma omp parallel for schedule(dynamic, 32) num_threads(2)\n  for (int64_t i0"),
        code);
    assertTrue(code.contains("#pragma GCC unroll 8\n        for (int64_t k1"), code);
    assertTrue(code.contains("#pragma omp simd\n            for (int64_t j1"), code);
    assertTrue(code.contains("extent_j1 = j0 * 60 + 60 <= 128 ? 60 : 128 - j0 * 60;"), code);
    String even = body(parse(BLOCKED.replace("j1 60", "j1 64")), Op.SPMM);
    assertTrue(even.contains("j1 < 64"), even);
    assertFalse(even.contains("extent_j1"), even);
  }

  @Test
  void oneFunctionServesEveryShape() {
    Schedule schedule = parse(BLOCKED);
    String small = KernelEmitter.emit(schedule, problem(Op.SPMM), false, "kernel").code();
    Problem other = Problem.of(Op.SPMM, 77, 12345, 1);
    Schedule stated = schedule.withPublishedOuterSizes(other);
    assertEquals(small, KernelEmitter.emit(stated, other, false, "kernel").code());
  }

  @Test
  void positionsAre64BitWhereWide() {
    Schedule csr = Schedule.noOp(Op.SPMV, 1, 1);
    String wide = KernelEmitter.emit(csr, problem(Op.SPMV), true, "kernel").code();
    assertTrue(wide.contains("const int64_t *restrict pos_j"), wide);
    assertTrue(wide.contains("const int32_t *restrict crd_j"), wide);
  }

  @Test
  void threadsThatMeetInARowAddAtomically() {
    String coo = "0 1 A 2 i k A 2 i 2 k 3 0 3 i k j i j None 0 2 32";
    String code = body(parse(coo), Op.SPMM);
    assertTrue(code.contains("#pragma omp atomic\n      out_i[j] += value * b_k[j];"), code);
    assertFalse(code.contains("omp simd"), code);
    // One thread, or threads over the columns of the result, never meet.
    for (String marks : new String[] {"None j", "j None"}) {
      String alone = body(parse(coo.replace("i j None 0", marks + " None 0")), Op.SPMM);
      assertFalse(alone.contains("atomic"), alone);
    }
    // Nor do they where the result has A's positions.
    String sddmm = "0 2 A 2 i j D 2 i j A 2 i 2 j 3 D 2 i 2 j 3 0 3 i j k i None None 0 2 32";
    assertFalse(body(parse(sddmm), Op.SDDMM).contains("atomic"));
  }

  private static void assertRefused(String start, String line, Problem problem) {
    Schedule schedule = parse(line);
    Optional<String> refusal = KernelEmitter.refusal(schedule, problem);
    assertTrue(refusal.orElse("").startsWith(start), refusal.toString());
    assertFalse(refusal.get().contains("\n"));
    IllegalArgumentException thrown =
        assertThrows(
            IllegalArgumentException.class,
            () -> KernelEmitter.emit(schedule, problem, false, "kernel"));
    assertEquals(refusal.get(), thrown.getMessage());
  }

  @Test
  void whatCannotBeRightIsRefusedByAName() {
    Problem spmm = problem(Op.SPMM);
    assertEquals(Optional.empty(), KernelEmitter.refusal(parse(BLOCKED), spmm));
    assertRefused(
        "PARALLEL_NOT_REDUCTION: k0", BLOCKED.replace(" i0 j1 k1 8", " k0 j1 k1 8"), spmm);
    assertRefused("UNROLL_LIMIT: 65535", BLOCKED.replace("k1 8 2 32", "k1 65535 2 32"), spmm);
    assertRefused("THREAD_LIMIT: 1025", BLOCKED.replace("k1 8 2 32", "k1 8 1025 32"), spmm);
    assertRefused(
        "PADDED_EXTENT: i0 of 2 x 1500000000",
        BLOCKED.replace("i1 16", "i1 1500000000"),
        Problem.of(Op.SPMM, 1_600_000_000L, 5, 1));
    // A row axis of size 1 may carry any mode by the language's rules: here a root that is a
    // singleton, and under it one that would need a nonzero of its own.
    assertRefused(
        "SINGLETON_PARENT: k in levels i c, k q",
        "0 1 A 2 i k A 2 i 4 k 3 0 0 None None None 0 1 1",
        Problem.of(Op.SPMM, 1, 900, 50));
  }
}
