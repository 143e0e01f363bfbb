package autosparse.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ScheduleTest {
  static final SourceLocation HERE = new SourceLocation("some.txt", 7);

  /** The example of the reference, section 1. */
  static final String SPMM =
      "2 i 2 i0 256 i1 16 k 2 k0 4096 k1 16 1 A 4 i0 i1 k0 k1 A 4 i0 1 i1 1 k0 1 k1 1"
          + " 1 j 2 j0 2 j1 64 6 j0 i0 i1 k0 k1 j1 j0 j1 None 0 128 512";

  static final String SPMV =
      "2 i 2 i0 512 i1 64 j 2 j0 64 j1 128 1 A 4 i0 j0 j1 i1 A 4 i0 1 i1 0 j0 2 j1 1 0"
          + " 4 i0 j0 j1 i1 i0 None i1 64 104 8";

  static final String SDDMM =
      "2 i 2 i0 1024 i1 32 j 2 j0 128 j1 64 2 A 4 j0 i0 j1 i1 D 4 j0 i0 j1 i1"
          + " A 4 i0 0 i1 0 j0 0 j1 1 D 4 i0 0 i1 0 j0 0 j1 1 1 k 2 k0 2 k1 64"
          + " 6 k0 j0 i0 j1 i1 k1 j0 None i0 1024 104 1";

  static final String NO_OP = "0 1 A 2 i k A 2 i 0 k 1 0 0 None None None 0 104 64";

  static Schedule parse(String line) {
    return Schedule.parse(line, HERE);
  }

  private static String refusal(String line) {
    return assertThrows(InputException.class, () -> parse(line)).getMessage();
  }

  @Test
  void readsEveryFieldOfTheReferenceExample() {
    Schedule schedule = parse(SPMM);
    assertEquals(
        List.of(new AxisSplit("i", 256, 16), new AxisSplit("k", 4096, 16)),
        schedule.formatSplits());
    assertEquals(
        List.of(new StorageOrder("A", List.of("i0", "i1", "k0", "k1"))), schedule.storageOrders());
    assertEquals(Optional.of(Mode.COMPRESSED), schedule.levelModes("A").orElseThrow().mode("k1"));
    assertEquals(List.of(new AxisSplit("j", 2, 64)), schedule.loopSplits());
    assertEquals(List.of("j0", "i0", "i1", "k0", "k1", "j1"), schedule.loopOrder());
    assertEquals(Optional.of("j0"), schedule.parallelAxis());
    assertEquals(Optional.of("j1"), schedule.vectorizedAxis());
    assertEquals(Optional.empty(), schedule.unrolledAxis());
    assertEquals(0, schedule.unrollFactor());
    assertEquals(128, schedule.threads());
    assertEquals(512, schedule.chunk());
  }

  @Test
  void printsBackWhatItRead() {
    String nothing = "0 0 0 0 None None None 0 1 1";
    for (String line :
        List.of(SPMM, SPMV, SDDMM, NO_OP, nothing, "0 1 A 0 A 0 0 0 None None None 0 1 1")) {
      assertEquals(line, parse(line).encode());
    }
    String measured = SPMM + " 445.855559";
    assertEquals(measured, MeasuredSchedule.parse(measured, HERE).encode());
    assertEquals(445.855559, MeasuredSchedule.parse(measured, HERE).latencyMs());
    String exponent = NO_OP + " 1e-05";
    assertEquals(exponent, MeasuredSchedule.parse(exponent, HERE).encode());
  }

  @Test
  void noOpIsPlainCsr() {
    assertEquals(NO_OP, Schedule.noOp(Op.SPMM, 104, 64).encode());
    for (Op op : Op.values()) {
      Schedule schedule = Schedule.noOp(op, 4, 1);
      assertEquals(List.of(), Legality.check(schedule, op));
      assertEquals(schedule, parse(schedule.encode()));
    }
    assertEquals(2, Schedule.noOp(Op.SDDMM, 4, 1).storageOrders().size());
  }

  @Test
  void aLineMayCarryALatencyOrNot() {
    ScheduleParser parser = new ScheduleParser();
    assertEquals(Optional.empty(), parser.parseLine(SPMM, HERE).latency());
    assertEquals(Optional.of("1.5"), parser.parseLine(SPMM + " 1.5", HERE).latency());
    assertTrue(refusal(SPMM + " 1.5").contains("'end of line': 1.5"));
    assertThrows(InputException.class, () -> MeasuredSchedule.parse(SPMM, HERE));
    for (String latency : List.of("-1", "0", "nan", "inf", "1.", "1e999", "1.5ms", "0x1p3", "1f")) {
      String message =
          assertThrows(
                  InputException.class, () -> MeasuredSchedule.parse(SPMM + " " + latency, HERE))
              .getMessage();
      assertTrue(message.startsWith("some.txt:7: field 'latency': " + latency), message);
    }
  }

  @Test
  void refusalsNamePlaceFieldValueAndExpectation() {
    assertEquals(
        "some.txt:7: field 'mode of k0': 7, expected 0 (dense), 1 (compressed), 2 (compressed"
            + " non-unique), 3 (singleton) or 4 (singleton non-unique)",
        refusal(SPMM.replace("k0 1 k1 1", "k0 7 k1 1")));
    assertEquals(
        "some.txt:7: field 'parallel axis': q0, expected None or one of the loops [j0, i0, i1, k0,"
            + " k1, j1]",
        refusal(SPMM.replace("j1 j0 j1 None", "j1 q0 j1 None")));
    assertEquals(
        "some.txt:7: field 'chunk': missing, the line ends before it",
        refusal(SPMM.substring(0, SPMM.length() - 4)));
    assertEquals(
        "some.txt:7: field 'threads': -3, expected an integer of 1 or more",
        refusal(SPMM.replace("128 512", "-3 512")));
    assertTrue(refusal("").contains("'number of format splits': missing"));
    assertTrue(refusal("999999 i 2").contains("expected at most 64"));
    assertTrue(refusal(SPMM.replace("i0 256", "i0  256")).contains("single spaces"));
    assertTrue(refusal(" " + SPMM).contains("single spaces"));
    assertTrue(refusal(SPMM + " ").contains("single spaces"));
    assertTrue(refusal(SPMM.replace("i0 256", "i0 0256")).contains("0256"));
    assertTrue(refusal(SPMM.replace("i1 16 k", "i1 0 k")).contains("'i1 size': 0"));
    assertTrue(
        refusal(SPMM.replace("i 2 i0", "i 3 i0")).contains("'parts of split i': 3, expected 2"));
    assertTrue(refusal(SPMM.replace("i 2 i0", "i 2 m0")).contains("'outer part of split i': m0"));
    assertTrue(refusal(SPMM.replace("6 j0 i0 i1", "6 j0 i0 i0")).contains("each name once"));
    assertTrue(refusal(SPMM.replace("A 4 i0 1", "B 4 i0 1")).contains("'mode tensor': B"));
    assertTrue(refusal(SPMM.replace("i0 1 i1 1", "i0 1 i0 1")).contains("'modes of A': i0"));
    assertTrue(refusal(SPMM.replace("A 4 i0 i1", "A 4 i i1")).contains("its parts i0 and i1"));
    assertTrue(refusal(SPMM.replace("512", "99999999999")).contains("99999999999"));
    assertTrue(
        refusal(SPMM.replace("i0 i1 k0 k1 j1 j0", "i0\u0007 i1 k0 k1 j1 j0")).contains("\uFFFD"));
  }

  @Test
  void equalEffectGivesEqualCanonicalForm() {
    Schedule schedule = parse(SPMM);
    Schedule otherOrder =
        parse(
            SPMM.replace(
                "i 2 i0 256 i1 16 k 2 k0 4096 k1 16", "k 2 k0 4096 k1 16 i 2 i0 256 i1 16"));
    Schedule otherOuter = parse(SPMM.replace("i0 256", "i0 333"));
    assertNotEquals(schedule, otherOrder);
    assertEquals(schedule.canonical(), otherOrder.canonical());
    assertEquals(schedule.canonical(), otherOuter.canonical());
    assertEquals(schedule.canonicalHash(), otherOrder.canonicalHash());
    assertEquals(schedule.canonicalHash(), otherOuter.canonicalHash());
    assertEquals(schedule, otherOrder.inCanonicalOrder());
    assertEquals(schedule.canonical(), schedule.canonical().canonical());
    assertEquals(schedule.canonical(), parse(schedule.canonical().encode()));
    for (String other :
        List.of(
            SPMM.replace("i1 16", "i1 32"),
            SPMM.replace("128 512", "128 256"),
            SPMM.replace("j1 64", "j1 32"),
            SPMM.replace("i0 i1 k0 k1 j1 j0", "i0 k0 i1 k1 j1 j0")
                .replace("A 4 i0 i1 k0", "A 4 i0 k0 i1"))) {
      assertNotEquals(schedule.canonicalHash(), parse(other).canonicalHash(), other);
    }
    Schedule tensors =
        parse(
            SDDMM
                .replace("A 4 j0", "X 4 j0")
                .replace("D 4 j0", "A 4 j0")
                .replace("X 4 j0", "D 4 j0")
                .replace("A 4 i0", "X 4 i0")
                .replace("D 4 i0", "A 4 i0")
                .replace("X 4 i0", "D 4 i0"));
    assertEquals(parse(SDDMM).canonical(), tensors.canonical());
  }

  @Test
  void chunkCountsOnlyWhereALoopIsParallel() {
    String serial = SPMV.replace("i1 i0 None", "i1 None None");
    assertEquals(parse(serial).canonical(), parse(serial.replace("104 8", "104 64")).canonical());
    assertNotEquals(parse(SPMV).canonical(), parse(SPMV.replace("104 8", "104 64")).canonical());
  }

  @Test
  void canonicalHashIsTheSameInEveryJvm() {
    // Fixed here so that a change of the canonical form or the hash shows: stored splits rest on
    // it.
    assertEquals("0cc859d1afd917d0", parse(SPMM).canonicalHashHex());
    assertEquals("a85657b9e39ea742", parse(NO_OP).canonicalHashHex());
  }

  @Test
  void publishedOuterSizes() {
    Problem problem = Problem.of(Op.SPMM, 5000, 70_000, 1_000_000);
    Schedule schedule = parse(SPMM).canonical().withPublishedOuterSizes(problem);
    assertEquals(256, schedule.split("i").orElseThrow().outerSize());
    assertEquals(4096, schedule.split("k").orElseThrow().outerSize());
    assertEquals(2, schedule.split("j").orElseThrow().outerSize());
    assertEquals(parse(SPMM), schedule);
    AxisSplit wide = new AxisSplit("i", 0, 256);
    assertEquals(1, wide.withPublishedOuterSize(3).outerSize());
  }

  @Test
  void constructorRefusesContradictions() {
    Schedule schedule = parse(SPMM);
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new Schedule(
                schedule.formatSplits(),
                schedule.storageOrders(),
                List.of(),
                schedule.loopSplits(),
                schedule.loopOrder(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                0,
                1,
                1));
    assertThrows(IllegalArgumentException.class, () -> new AxisSplit("i", 1, 0));
    assertThrows(IllegalArgumentException.class, () -> Mode.ofCode(5));
  }

  @Test
  void operatorsKnowTheirAxes() {
    assertEquals(Op.SPMM, Op.parse("spmm"));
    assertEquals(
        "operator SpMM, expected spmv, spmm or sddmm",
        assertThrows(InputException.class, () -> Op.parse("SpMM")).getMessage());
    assertEquals(List.of("i", "j"), Op.SPMV.axes());
    assertEquals(List.of("i", "k", "j"), Op.SPMM.axes());
    assertEquals(List.of("i", "j", "k"), Op.SDDMM.axes());
    assertTrue(Op.SPMV.isReduction("j1"));
    assertTrue(Op.SPMM.isReduction("k0"));
    assertFalse(Op.SDDMM.isReduction("j0"));
    assertTrue(Op.SDDMM.isReduction("k"));
    assertTrue(Op.SPMM.isSparse("k1"));
    assertFalse(Op.SPMM.isSparse("j1"));
    assertEquals(
        List.of("SpMV", "SpMM", "SDDMM"),
        List.of(Op.SPMV.wacoName(), Op.SPMM.wacoName(), Op.SDDMM.wacoName()));
  }
}
