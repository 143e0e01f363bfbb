package autosparse.engine.opcase;

import autosparse.engine.HostDevice;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every operator on the CPU against the reference. */
class OperatorValuesTest {
  private static HostDevice cpu;
  private static HostDevice reference;

  @BeforeAll
  static void open() {
    cpu = CaseRunner.cpu(2);
    reference = CaseRunner.reference();
  }

  @AfterAll
  static void close() {
    cpu.close();
    reference.close();
  }

  @ParameterizedTest(name = "{0}, size {1}")
  @MethodSource("autosparse.engine.opcase.CaseRunner#casesAndSizes")
  void agreesWithTheReference(OpCase operator, long size) {
    List<double[]> expected = CaseRunner.outputs(reference, operator, size);
    List<double[]> actual = CaseRunner.outputs(cpu, operator, size);
    CaseRunner.compare(operator.tolerance(), expected, actual);
  }
}
