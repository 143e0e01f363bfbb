package autosparse.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ScheduleGeometryTest {
  @Test
  void worksOutTheReferenceExample() {
    // 5000 rows in blocks of 16: 313, where the nominal outer size says 256.
    ScheduleGeometry geometry =
        ScheduleGeometry.of(
            ScheduleTest.parse(ScheduleTest.SPMM), Problem.of(Op.SPMM, 5000, 70_000, 1_000_000));
    assertEquals(
        List.of(2L, 313L, 16L, 4375L, 16L, 64L),
        geometry.loops().stream().map(ScheduleGeometry.Loop::size).toList());
    assertEquals(List.of(313L, 16L, 4375L, 16L), geometry.storageSizes());
    ScheduleGeometry.Loop k0 = geometry.loop("k0").orElseThrow();
    assertEquals("k", k0.axis());
    assertEquals(ScheduleGeometry.Part.OUTER, k0.part());
    assertEquals(3, k0.position());
    assertEquals(2, k0.level());
    assertEquals(Optional.of(Mode.COMPRESSED), k0.mode());
    assertTrue(k0.reduction());
    ScheduleGeometry.Loop j1 = geometry.innermost(0);
    assertEquals("j1", j1.name());
    assertTrue(j1.vectorized());
    assertFalse(j1.reduction());
    assertEquals(-1, j1.level());
    assertEquals(Optional.empty(), j1.mode());
    assertEquals("k1", geometry.innermost(1).name());
    assertEquals("j0", geometry.parallelLoop().orElseThrow().name());
    assertEquals(k0, geometry.outer("k"));
    assertEquals("k1", geometry.inner("k").orElseThrow().name());
  }

  @Test
  void sharesOutTheParallelLoop() {
    // 5000 / 64 = 79 blocks of rows on 104 threads in chunks of 8: 10 chunks, one round.
    ScheduleGeometry geometry =
        ScheduleGeometry.of(
            ScheduleTest.parse(ScheduleTest.SPMV), Problem.of(Op.SPMV, 5000, 6000, 100_000));
    assertEquals(79, geometry.parallelIterations());
    assertEquals(1, geometry.parallelEntries());
    assertEquals(79 / 8.0, geometry.chunks());
    assertEquals(79 / 8.0 / 104, geometry.chunksPerThread());
    assertEquals(1, geometry.chunkRounds());
    String inside = ScheduleTest.SPMV.replace("4 i0 j0 j1 i1 i0", "4 j0 i0 j1 i1 i0");
    ScheduleGeometry nested =
        ScheduleGeometry.of(
            ScheduleTest.parse(inside.replace("104 8", "2 1")),
            Problem.of(Op.SPMV, 5000, 6000, 100_000));
    assertEquals(47, nested.parallelEntries());
    assertEquals(40, nested.chunkRounds());
  }

  @Test
  void plainCsrHasOneLoopPerAxis() {
    for (Op op : Op.values()) {
      Problem problem = Problem.of(op, 10, 20, 50);
      ScheduleGeometry geometry = ScheduleGeometry.of(Schedule.noOp(op, 4, 1), problem);
      assertEquals(op.axes(), geometry.loops().stream().map(ScheduleGeometry.Loop::name).toList());
      assertEquals(List.of(10L, 20L), geometry.storageSizes());
      assertEquals(ScheduleGeometry.Part.WHOLE, geometry.outer("i").part());
      assertEquals(Optional.empty(), geometry.inner("i"));
      assertEquals(Optional.empty(), geometry.parallelLoop());
      assertEquals(1, geometry.parallelIterations());
    }
  }

  @Test
  void denseAxisHasTheExtentOfItsRecords() {
    Problem autosparse = Problem.of(Op.SDDMM, 10, 20, 50);
    assertEquals(128, autosparse.extent("k"));
    assertEquals(256, autosparse.withDenseSize(Op.SDDMM.wacoDenseSize()).extent("k"));
    assertThrows(IllegalArgumentException.class, () -> Problem.of(Op.SPMV, 10, 20, 50).extent("k"));
    assertThrows(IllegalArgumentException.class, () -> Problem.of(Op.SPMV, 0, 20, 50));
  }

  @Test
  void refusesAScheduleOfAnotherOperator() {
    Schedule spmm = ScheduleTest.parse(ScheduleTest.SPMM);
    assertThrows(
        IllegalArgumentException.class,
        () -> ScheduleGeometry.of(spmm, Problem.of(Op.SPMV, 10, 20, 50)));
    Schedule spmv = ScheduleTest.parse(ScheduleTest.SPMV);
    assertThrows(
        IllegalArgumentException.class,
        () -> ScheduleGeometry.of(spmv, Problem.of(Op.SPMM, 10, 20, 50)));
  }
}
