package autosparse.engine.opcase;

import static org.junit.jupiter.api.Assertions.assertFalse;

import autosparse.engine.HostDevice;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * No operator writes beside its tensors (closing the scope checks the sentinels around each), reads
 * memory that nobody wrote or leaves an output unwritten (fresh memory is NaN).
 */
class OperatorSentinelTest {
  private static HostDevice cpu;
  private static HostDevice reference;

  @BeforeAll
  static void open() {
    cpu = CaseRunner.guarded(false);
    reference = CaseRunner.guarded(true);
  }

  @AfterAll
  static void close() {
    cpu.close();
    reference.close();
  }

  @ParameterizedTest(name = "{0}, size {1}")
  @MethodSource("autosparse.engine.opcase.CaseRunner#casesAndSizes")
  void staysInsideItsTensors(OpCase operator, long size) {
    check(CaseRunner.outputs(cpu, operator, size));
    if (size <= 64) {
      check(CaseRunner.outputs(reference, operator, size));
    }
  }

  private static void check(List<double[]> outputs) {
    for (int o = 0; o < outputs.size(); o++) {
      for (int i = 0; i < outputs.get(o).length; i++) {
        assertFalse(Double.isNaN(outputs.get(o)[i]), "output " + o + ", element " + i + " is NaN");
      }
    }
  }
}
