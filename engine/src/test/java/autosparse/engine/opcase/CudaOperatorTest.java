package autosparse.engine.opcase;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import autosparse.engine.CudaDevice;
import autosparse.engine.HostDevice;
import autosparse.kernels.CudaDriver;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every operator on the GPU against the reference, on guarded memory that starts as NaN, twice.
 *
 * <p>{@code -Dautosparse.opcases=REGEX} runs the cases of the families that match.
 */
@Tag("gpu")
class CudaOperatorTest {
  private static final long CAPACITY = 1L << 30;

  private static HostDevice reference;
  private static CudaDevice cuda;

  @BeforeAll
  static void open() {
    if (!CudaDriver.probe().isAvailable()) {
      return; // each test then says that it is skipped, and why
    }
    reference = CaseRunner.reference();
    cuda = CudaDevice.open(CudaDevice.Options.of(0).withCapacity(CAPACITY).withGuards());
  }

  @BeforeEach
  void require() {
    GpuTests.require();
  }

  @AfterAll
  static void close() {
    if (cuda != null) {
      cuda.close();
      reference.close();
    }
  }

  static Stream<Arguments> casesAndSizes() {
    String families = System.getProperty("autosparse.opcases", ".*");
    return CaseRunner.casesAndSizes()
        .filter(arguments -> ((OpCase) arguments.get()[0]).family().matches(families));
  }

  @ParameterizedTest(name = "{0}, size {1}")
  @MethodSource("casesAndSizes")
  void agreesWithTheReferenceTwice(OpCase operator, long size) {
    List<double[]> expected = CaseRunner.outputs(reference, operator, size);
    List<double[]> actual = CaseRunner.outputs(cuda, operator, size);
    CaseRunner.compare(operator.tolerance(), expected, actual);
    List<double[]> again = CaseRunner.outputs(cuda, operator, size);
    for (int o = 0; o < actual.size(); o++) {
      for (double value : actual.get(o)) {
        assertFalse(Double.isNaN(value), "output " + o + " holds NaN");
      }
      assertArrayEquals(actual.get(o), again.get(o), "output " + o + " of a second run");
    }
  }
}
