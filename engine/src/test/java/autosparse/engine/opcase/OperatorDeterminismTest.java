package autosparse.engine.opcase;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import autosparse.engine.HostDevice;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Same bits twice, and on one, two and three threads. */
class OperatorDeterminismTest {
  private static HostDevice one;
  private static HostDevice two;
  private static HostDevice three;

  @BeforeAll
  static void open() {
    one = CaseRunner.cpu(1);
    two = CaseRunner.cpu(2);
    three = CaseRunner.cpu(3);
  }

  @AfterAll
  static void close() {
    one.close();
    two.close();
    three.close();
  }

  @ParameterizedTest(name = "{0}, size {1}")
  @MethodSource("autosparse.engine.opcase.CaseRunner#casesAndSizes")
  void sameBits(OpCase operator, long size) {
    List<double[]> expected = CaseRunner.outputs(one, operator, size);
    same(expected, CaseRunner.outputs(one, operator, size));
    same(expected, CaseRunner.outputs(two, operator, size));
    same(expected, CaseRunner.outputs(three, operator, size));
  }

  private static void same(List<double[]> expected, List<double[]> actual) {
    for (int o = 0; o < expected.size(); o++) {
      assertArrayEquals(expected.get(o), actual.get(o), "output " + o);
    }
  }
}
