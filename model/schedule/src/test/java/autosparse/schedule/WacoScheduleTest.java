package autosparse.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WacoScheduleTest {
  private static final String SPMM = "1 32 16 k1 i1 j1 k0 i0 j0 1 1 1 0 i1 48 64";

  private static Schedule parse(Op op, String line) {
    return WacoSchedule.parse(op, line, ScheduleTest.HERE);
  }

  private static String refusal(Op op, String line) {
    return assertThrows(InputException.class, () -> parse(op, line)).getMessage();
  }

  @Test
  void outerAndInnerAreNamedTheOtherWayRound() {
    Schedule schedule = parse(Op.SPMM, SPMM);
    assertEquals(
        List.of(new AxisSplit("i", 0, 1), new AxisSplit("k", 0, 32)), schedule.formatSplits());
    assertEquals(List.of(new AxisSplit("j", 0, 16)), schedule.loopSplits());
    assertEquals(List.of("k0", "i0", "j0", "k1", "i1", "j1"), schedule.loopOrder());
    assertEquals(List.of("k0", "i0", "k1", "i1"), schedule.storageOrder("A").orElseThrow().axes());
    LevelModes modes = schedule.levelModes("A").orElseThrow();
    assertEquals(Optional.of(Mode.DENSE), modes.mode("i0"));
    assertEquals(Optional.of(Mode.DENSE), modes.mode("k0"));
    assertEquals(Optional.of(Mode.COMPRESSED), modes.mode("k1"));
    assertEquals(Optional.of("i0"), schedule.parallelAxis());
    assertEquals(48, schedule.threads());
    assertEquals(64, schedule.chunk());
    assertEquals(SPMM, WacoSchedule.encode(Op.SPMM, schedule));
    assertEquals(List.of(), Legality.check(schedule, Op.SPMM));
    assertEquals(schedule, ScheduleTest.parse(schedule.encode()));
  }

  @Test
  void spmvColumnsAreAxisJHere() {
    String line = "2048 2 k1 k0 i1 i0 0 1 0 1 i1 48 4";
    Schedule schedule = parse(Op.SPMV, line);
    assertEquals(List.of("j0", "j1", "i0", "i1"), schedule.loopOrder());
    assertEquals(line, WacoSchedule.encode(Op.SPMV, schedule));
    assertTrue(refusal(Op.SPMV, line.replace("k0", "j0")).contains("one of [i1, i0, k1, k0]"));
  }

  @Test
  void sddmmResultHasTheFormatOfA() {
    String line = "1 8 4 i1 j1 k1 j0 i0 k0 0 1 0 1 i1 48 4";
    Schedule schedule = parse(Op.SDDMM, line);
    assertEquals(2, schedule.storageOrders().size());
    assertEquals(List.of(), Legality.check(schedule, Op.SDDMM));
    assertEquals(line, WacoSchedule.encode(Op.SDDMM, schedule));
  }

  @Test
  void refusalsNamePlaceFieldValueAndExpectation() {
    assertEquals(
        "some.txt:7: field 'inner size of k': 33, expected a power of two",
        refusal(Op.SPMM, SPMM.replace("32", "33")));
    assertEquals(
        "some.txt:7: field 'format of i1': 2, expected 0 (compressed) or 1 (uncompressed)",
        refusal(Op.SPMM, SPMM.replace("j0 1 1", "j0 2 1")));
    assertTrue(refusal(Op.SPMM, SPMM.replace("k0 i0", "k0 k0")).contains("each loop once"));
    assertTrue(refusal(Op.SPMM, SPMM + " = 3").contains("nothing after the chunk"));
    String measured = SPMM + " = 15.548";
    assertEquals(
        measured,
        WacoSchedule.encode(
            Op.SPMM, WacoSchedule.parseMeasured(Op.SPMM, measured, ScheduleTest.HERE)));
    assertThrows(
        InputException.class,
        () -> WacoSchedule.parseMeasured(Op.SPMM, SPMM + " : 15.5", ScheduleTest.HERE));
  }

  @Test
  void saysWhatTheGrammarCannotExpress() {
    for (String line :
        List.of(
            ScheduleTest.SPMM,
            ScheduleTest.NO_OP,
            ScheduleTest.SPMM.replace("j0 j1 None 0", "None None None 0"),
            ScheduleTest.SPMM.replace("k0 1 k1 1", "k0 2 k1 3"))) {
      Schedule schedule = ScheduleTest.parse(line);
      assertThrows(
          IllegalArgumentException.class, () -> WacoSchedule.encode(Op.SPMM, schedule), line);
    }
    Schedule plain = ScheduleTest.parse(ScheduleTest.SPMM.replace("j0 j1 None", "j0 None None"));
    assertEquals(
        "16 16 64 j1 i1 i0 k1 k0 j0 0 0 0 0 j1 128 512", WacoSchedule.encode(Op.SPMM, plain));
  }

  @Test
  void featureVectorHasTheReferenceLayout() {
    assertEquals(25, WacoFeatures.length(Op.SPMV));
    assertEquals(46, WacoFeatures.length(Op.SPMM));
    assertEquals(46, WacoFeatures.length(Op.SDDMM));
    float[] vector = WacoFeatures.of(Op.SPMM, parse(Op.SPMM, SPMM));
    StringBuilder printed = new StringBuilder();
    for (float value : vector) {
      printed.append((int) value).append(' ');
    }
    assertEquals(
        "0 5 4 "
            + "0 1 0 0 0 0 " // i1 comes second
            + "0 0 0 0 1 0 "
            + "1 0 0 0 0 0 " // k1 first
            + "0 0 0 1 0 0 "
            + "0 0 1 0 0 0 " // j1 third
            + "0 0 0 0 0 1 "
            + "1 1 1 0 "
            + "0 0 6 ",
        printed.toString());
    float[] sddmm =
        WacoFeatures.of(Op.SDDMM, parse(Op.SDDMM, "64 4096 1 j1 j0 i1 k1 i0 k0 1 0 1 1 j1 48 8"));
    assertEquals(2, sddmm[WacoFeatures.parallelOffset(Op.SDDMM)]);
    assertEquals(3, sddmm[45]);
    assertEquals(1, sddmm[WacoFeatures.formatOffset(Op.SDDMM)]);
    assertEquals(0, sddmm[WacoFeatures.formatOffset(Op.SDDMM) + 1]);
    Schedule oddChunk = parse(Op.SPMM, SPMM.replace("48 64", "48 63"));
    assertThrows(IllegalArgumentException.class, () -> WacoFeatures.of(Op.SPMM, oddChunk));
  }
}
