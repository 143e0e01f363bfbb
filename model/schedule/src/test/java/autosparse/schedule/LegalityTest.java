package autosparse.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LegalityTest {
  private static Set<Rule> broken(String line, Op op) {
    EnumSet<Rule> rules = EnumSet.noneOf(Rule.class);
    Legality.check(ScheduleTest.parse(line), op).forEach(violation -> rules.add(violation.rule()));
    return rules;
  }

  private static void assertBreaks(Rule rule, String line) {
    assertEquals(Set.of(rule), broken(line, Op.SPMM), line);
  }

  private static String spmm(String from, String to) {
    assertTrue(ScheduleTest.SPMM.contains(from), from);
    return ScheduleTest.SPMM.replace(from, to);
  }

  private static String modes(int i0, int i1, int k0, int k1) {
    String modes = "A 4 i0 " + i0 + " i1 " + i1 + " k0 " + k0 + " k1 " + k1;
    // Without marks that the modes could contradict.
    return spmm("A 4 i0 1 i1 1 k0 1 k1 1", modes);
  }

  @Test
  void examplesAreLegal() {
    assertEquals(Set.of(), broken(ScheduleTest.SPMM, Op.SPMM));
    assertEquals(Set.of(), broken(ScheduleTest.SPMV, Op.SPMV));
    assertEquals(Set.of(), broken(ScheduleTest.SDDMM, Op.SDDMM));
  }

  @Test
  void modesFollowTheReference() {
    for (int[] legal :
        new int[][] {
          {0, 0, 0, 0}, {2, 4, 4, 3}, {2, 4, 1, 0}, {1, 2, 2, 3}, {0, 1, 2, 1}, {2, 4, 2, 2}
        }) {
      assertEquals(Set.of(), broken(modes(legal[0], legal[1], legal[2], legal[3]), Op.SPMM));
    }
    assertBreaks(Rule.ROOT_MODE, modes(4, 4, 4, 3));
    assertBreaks(Rule.ROOT_MODE, modes(3, 1, 1, 1));
    assertBreaks(Rule.MODE_AFTER_FULL, modes(0, 3, 1, 1));
    assertBreaks(Rule.MODE_AFTER_FULL, modes(1, 1, 1, 4));
    assertBreaks(Rule.MODE_AFTER_NON_UNIQUE, modes(2, 0, 1, 1));
    assertBreaks(Rule.MODE_AFTER_NON_UNIQUE, modes(2, 3, 1, 1));
    assertBreaks(Rule.MODE_AFTER_NON_UNIQUE, modes(2, 4, 4, 4));
    assertEquals(
        Set.of(Rule.MODE_AFTER_NON_UNIQUE, Rule.MODE_AFTER_SINGLETON),
        broken(modes(2, 3, 0, 1), Op.SPMM));
  }

  @Test
  void aLevelOfSizeOneMayCarryAnyMode() {
    String line = modes(1, 1, 1, 4).replace("k0 4096 k1 16", "k0 65536 k1 1");
    assertEquals(Set.of(), broken(line, Op.SPMM));
    // 16 rows in one block of 16: only the shape tells that i0 runs once.
    Schedule schedule = ScheduleTest.parse(modes(4, 1, 1, 1));
    assertEquals(List.of(), Legality.check(schedule, Problem.of(Op.SPMM, 16, 1000, 99)));
    assertEquals(1, Legality.check(schedule, Problem.of(Op.SPMM, 17, 1000, 99)).size());
  }

  @Test
  void everyRuleCanBeBroken() {
    assertBreaks(Rule.TENSORS, spmm("A 4", "B 4"));
    assertTrue(broken(ScheduleTest.SPMV, Op.SDDMM).contains(Rule.TENSORS));
    assertTrue(broken(ScheduleTest.SPMM, Op.SPMV).contains(Rule.SPLIT_KIND));
    assertBreaks(
        Rule.STORAGE_COMPLETE,
        spmm("A 4 i0 i1 k0 k1 A 4 i0 1 i1 1 k0 1 k1 1", "A 3 i0 i1 k0 A 3 i0 1 i1 1 k0 1"));
    assertBreaks(Rule.LOOPS_COMPLETE, spmm("6 j0", "7 m j0"));
    assertBreaks(Rule.MARKS_ARE_LOOPS, ScheduleTest.NO_OP.replace("0 0 None None", "0 0 m None"));
    assertBreaks(Rule.STORAGE_FOLLOWS_LOOPS, spmm("6 j0 i0 i1 k0 k1", "6 j0 i0 k0 i1 k1"));
    assertBreaks(
        Rule.OUTER_BEFORE_INNER,
        spmm("6 j0 i0 i1 k0 k1", "6 j0 i1 i0 k0 k1").replace("A 4 i0 i1 k0", "A 4 i1 i0 k0"));
    assertEquals(
        Set.of(Rule.SAME_FORMAT),
        broken(ScheduleTest.SDDMM.replace("D 4 i0 0", "D 4 i0 1"), Op.SDDMM));
    assertBreaks(Rule.PARALLEL_NOT_REDUCTION, spmm("j1 j0 j1 None", "j1 k0 j1 None"));
    assertEquals(
        Set.of(Rule.PARALLEL_MODE),
        broken(modes(2, 4, 1, 1).replace("j1 j0 j1 None", "j1 i1 j1 None"), Op.SPMM));
    assertBreaks(Rule.VECTORIZED_INNERMOST, spmm("j1 j0 j1 None", "j1 i0 j0 None"));
    String rowsInnermost =
        spmm("6 j0 i0 i1 k0 k1 j1 j0 j1", "6 j0 i0 k0 k1 j1 i1 j0 i1")
            .replace("A 4 i0 i1 k0 k1", "A 4 i0 k0 k1 i1");
    assertBreaks(Rule.VECTORIZED_DENSE, rowsInnermost);
    String columnsInnermost =
        modes(1, 1, 1, 0).replace("6 j0 i0 i1 k0 k1 j1 j0 j1", "6 j0 i0 i1 k0 j1 k1 j0 k1");
    assertBreaks(Rule.VECTORIZED_NOT_REDUCTION, columnsInnermost);
    assertBreaks(Rule.UNROLLED_DENSE, spmm("j0 j1 None 0", "j0 j1 i1 16"));
    assertBreaks(Rule.MARKS_DISTINCT, spmm("j0 j1 None 0", "j0 j1 j1 64"));
    assertBreaks(Rule.UNROLL_FACTOR, spmm("None 0 128", "None 4 128"));
  }

  @Test
  void violationsCarryRuleAndValues() {
    List<Legality.Violation> violations =
        Legality.check(ScheduleTest.parse(modes(1, 1, 1, 4)), Op.SPMM);
    assertEquals(
        "MODE_AFTER_FULL: A level 3 (k1) is c after s, last (after dense or compressed comes dense,"
            + " compressed or compressed non-unique)",
        violations.get(0).toString());
    InputException refused =
        assertThrows(
            InputException.class,
            () ->
                Legality.require(
                    ScheduleTest.parse(modes(1, 1, 1, 4)), Op.SPMM, ScheduleTest.HERE));
    assertTrue(refused.getMessage().startsWith("some.txt:7: illegal schedule for spmm: "));
  }
}
