package autosparse.engine.opcase;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

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
    assertEquals(expected.size(), actual.size());
    for (int o = 0; o < expected.size(); o++) {
      compare("output " + o, operator.tolerance(), expected.get(o), actual.get(o));
    }
  }

  private static void compare(
      String output, OpCase.Tolerance tolerance, double[] expected, double[] actual) {
    assertEquals(expected.length, actual.length, output);
    double scale = 0;
    for (double value : expected) {
      scale = Math.max(scale, Math.abs(value));
    }
    double allowed = tolerance.absolute() + tolerance.relative() * scale;
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(actual[i] - expected[i]) <= allowed)) {
        fail(
            String.format(
                "%s, element %d: %.9g, reference %.9g, allowed error %.3g",
                output, i, actual[i], expected[i], allowed));
      }
    }
  }
}
