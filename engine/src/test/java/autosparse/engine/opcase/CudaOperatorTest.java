package autosparse.engine.opcase;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import autosparse.engine.CudaDevice;
import autosparse.engine.GpuTests;
import autosparse.engine.HostDevice;
import autosparse.engine.Precision;
import autosparse.kernels.CudaDriver;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every operator on the GPU in every precision against the reference, on guarded memory that starts
 * as NaN, twice.
 *
 * <p>{@code -Dautosparse.opcases=REGEX} runs the cases whose family or name matches, {@code
 * -Dautosparse.sizes=33,1025} only these of their sizes (under compute-sanitizer all take hours).
 */
@Tag("gpu")
class CudaOperatorTest {
  private static final long CAPACITY = 1L << 30;

  private static HostDevice reference;
  private static final Map<Precision, CudaDevice> cuda = new EnumMap<>(Precision.class);

  @BeforeAll
  static void open() {
    CudaDriver driver = CudaDriver.probe();
    if (!driver.isAvailable()) {
      return; // each test then says that it is skipped, and why
    }
    reference = CaseRunner.reference();
    CudaDevice.Options options = CudaDevice.Options.of(0).withCapacity(CAPACITY).withGuards();
    for (Precision precision : Precision.values()) {
      if (precision.runsOn(driver.devices().get(0))) {
        cuda.put(precision, CudaDevice.open(options.withPrecision(precision)));
      }
    }
  }

  @BeforeEach
  void require() {
    GpuTests.require();
  }

  @AfterAll
  static void close() {
    cuda.values().forEach(CudaDevice::close);
    cuda.clear();
    if (reference != null) {
      reference.close();
    }
  }

  static Stream<Arguments> casesAndSizes() {
    String cases = System.getProperty("autosparse.opcases", ".*");
    String sizes = System.getProperty("autosparse.sizes");
    Set<String> chosen = sizes == null ? Set.of() : Set.of(sizes.split(","));
    return OpCases.all().stream()
        .filter(operator -> operator.family().matches(cases) || operator.name().matches(cases))
        .flatMap(
            operator ->
                operator.precisions().stream()
                    .flatMap(
                        precision ->
                            operator.testSizes().stream()
                                .filter(
                                    size -> sizes == null || chosen.contains(String.valueOf(size)))
                                .map(size -> Arguments.of(operator, precision, size))));
  }

  @ParameterizedTest(name = "{0}, {1}, size {2}")
  @MethodSource("casesAndSizes")
  void agreesWithTheReferenceTwice(OpCase operator, Precision precision, long size) {
    CudaDevice device = cuda.get(precision);
    assumeTrue(device != null, () -> precision + " needs compute capability 8.0");
    CaseRunner.Results results = CaseRunner.results(device, operator, size, Draw.Rounding.NONE);
    CaseRunner.compare(reference, operator, size, precision, results);
    List<double[]> actual = results.values();
    List<double[]> again = CaseRunner.outputs(device, operator, size);
    for (int o = 0; o < actual.size(); o++) {
      for (double value : actual.get(o)) {
        assertFalse(Double.isNaN(value), "output " + o + " holds NaN");
      }
      assertArrayEquals(actual.get(o), again.get(o), "output " + o + " of a second run");
    }
  }
}
