package autosparse.costmodel.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import autosparse.costmodel.ModelKind;
import autosparse.engine.CudaDevice;
import autosparse.engine.Device;
import autosparse.engine.HostDevice;
import autosparse.kernels.CudaDriver;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole training steps on a GPU: the CPU's losses within rounding, and the same bits twice. */
@Tag("gpu")
class CudaTrainingTest {
  private static final int STEPS = 20;
  private static final double TOLERANCE = 1e-4;
  private static final long CAPACITY = 1L << 30;

  @TempDir static Path folder;
  private TrainingData data;

  /** Losses of the steps, and a hash of each tensor of weights and optimiser after them. */
  private record Outcome(List<Double> losses, Map<String, Integer> bits) {}

  @BeforeEach
  void requireGpu() throws IOException {
    CudaDriver driver = CudaDriver.probe();
    if (!driver.isAvailable()) {
      if ("1".equals(System.getenv("REQUIRE_GPU"))) {
        fail("REQUIRE_GPU=1, but " + driver.unavailable());
      }
      abort(driver.unavailable());
    }
    data = TinyTraining.data(folder);
  }

  private Outcome train(ModelKind kind, Device device) {
    List<Double> losses = new ArrayList<>();
    try (TinyTraining training =
        new TinyTraining(data, TinyTraining.model(kind), TinyTraining.config(STEPS, 2), device)) {
      for (int step = 0; step < STEPS; step++) {
        losses.add(training.trainer.next().loss());
      }
      return new Outcome(losses, training.bits());
    }
  }

  private static Device cuda() {
    return CudaDevice.open(CudaDevice.Options.of(0).withCapacity(CAPACITY).withGuards());
  }

  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"WACO"},
      mode = EnumSource.Mode.EXCLUDE)
  void lossesAreTheCpusAndTheBitsTheSameTwice(ModelKind kind) {
    Outcome cuda = train(kind, cuda());
    Outcome cpu = train(kind, HostDevice.cpu(HostDevice.Options.defaults().withCapacity(CAPACITY)));
    // A loss that has all but vanished is a difference of large scores: its error is theirs.
    double least = cpu.losses.get(0) / 4;
    for (int step = 0; step < STEPS; step++) {
      double expected = cpu.losses.get(step);
      assertEquals(
          expected,
          cuda.losses.get(step),
          TOLERANCE * Math.max(Math.abs(expected), least),
          "loss of step " + (step + 1));
    }
    assertEquals(cuda, train(kind, cuda()));
  }
}
