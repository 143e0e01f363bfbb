package autosparse.engine.sparse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import autosparse.engine.DType;
import autosparse.engine.HostDevice;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.opcase.Invocation;
import autosparse.engine.opcase.OpCase;
import autosparse.engine.opcase.SparseCases;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The odd sizes of the registry fit one tile; here the threads share several. */
class SeveralTilesTest {
  private static final long SEED = 7;
  private static final long SIZE = 9001;
  private static final HostDevice.Options OPTIONS =
      HostDevice.Options.defaults().withCapacity(1L << 26).withGuards();

  static List<OpCase> cases() {
    return SparseCases.all();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void resultsDoNotDependOnTheNumberOfThreads(OpCase opCase) {
    List<double[]> expected = outputs(opCase, 1);
    for (int threads : new int[] {2, 3, 3}) {
      List<double[]> actual = outputs(opCase, threads);
      for (int i = 0; i < expected.size(); i++) {
        assertArrayEquals(expected.get(i), actual.get(i));
      }
    }
  }

  private static List<double[]> outputs(OpCase opCase, int threads) {
    try (HostDevice device = HostDevice.cpu(OPTIONS.withThreads(threads));
        TensorScope scope = device.root().child("case")) {
      Invocation invocation = opCase.prepare(scope, SIZE, SEED);
      invocation.run().run();
      return invocation.outputs().stream().map(SeveralTilesTest::doubles).toList();
    }
  }

  private static double[] doubles(Tensor tensor) {
    if (tensor.dtype().isReal()) {
      return tensor.toDoubles();
    }
    return tensor.dtype() == DType.I32
        ? Arrays.stream(tensor.toInts()).asDoubleStream().toArray()
        : Arrays.stream(tensor.toLongs()).asDoubleStream().toArray();
  }
}
