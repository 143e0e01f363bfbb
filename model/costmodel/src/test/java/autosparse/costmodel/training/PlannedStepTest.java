package autosparse.costmodel.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.GpuTests;
import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.engine.CudaDevice;
import autosparse.engine.Device;
import autosparse.engine.HostDevice;
import autosparse.engine.PlanningDevice;
import autosparse.engine.Precision;
import autosparse.engine.memory.MemoryLedger;
import autosparse.kernels.Gpu;
import autosparse.schedule.Op;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A planned step places what the step itself places, event for event. */
class PlannedStepTest {
  private static final long CAPACITY = 1L << 30;
  private static final int STEPS = 6;

  @TempDir static Path folder;
  private static TrainingData data;

  @BeforeAll
  static void write() throws IOException {
    data = TinyTraining.data(folder);
  }

  /** An event without its time. */
  private record Placement(
      MemoryLedger.Action action, String tag, String name, long offset, long bytes) {}

  /** Everything that some steps place, and the peaks of it. */
  private record Book(List<Placement> placements, long peakBytes, long peakExtent, long live) {}

  private static Book book(ModelKind kind, Device device) {
    device.ledger().setRecording(true);
    ModelConfig config = model(kind);
    TrainingData one = config.ops().size() == 1 ? only(config.ops().get(0)) : data;
    // Without what plans do not count: heads replayed as graphs, patterns copied a step ahead.
    try (TinyTraining training =
        new TinyTraining(one, config, TinyTraining.config(STEPS, 2), device, false)) {
      training.run(STEPS);
      return new Book(
          device.ledger().events().stream()
              .map(e -> new Placement(e.action(), e.tag().name(), e.name(), e.offset(), e.bytes()))
              .toList(),
          device.ledger().peakBytes(),
          device.allocator().peakExtent(),
          device.allocator().liveBytes());
    }
  }

  private static ModelConfig model(ModelKind kind) {
    ModelConfig like = TinyTraining.model(ModelKind.AUTOSPARSE);
    return new ModelConfig(
        kind,
        kind == ModelKind.WACO ? List.of(Op.SPMM) : like.ops(),
        like.channels(),
        like.tokens(),
        true,
        like.attentionLayers(),
        like.featureAt(),
        like.head());
  }

  private static TrainingData only(Op op) {
    return new TrainingData(
        data.tasks().stream().filter(task -> task.task().op() == op).toList(),
        data.patterns(),
        data.split());
  }

  private static void assertSame(Book measured, Book planned) {
    int common = Math.min(measured.placements.size(), planned.placements.size());
    for (int i = 0; i < common; i++) {
      assertEquals(measured.placements.get(i), planned.placements.get(i), "event " + i);
    }
    assertEquals(measured.placements.size(), planned.placements.size());
    assertEquals(measured, planned);
    assertTrue(measured.peakExtent >= measured.peakBytes, measured.toString());
  }

  @ParameterizedTest
  @EnumSource(ModelKind.class)
  void ofTheCpu(ModelKind kind) {
    Book measured =
        book(kind, HostDevice.cpu(HostDevice.Options.defaults().withCapacity(CAPACITY)));
    assertSame(measured, book(kind, PlanningDevice.cpu(CAPACITY)));
  }

  @Test
  void ofTheReference() {
    Book measured =
        book(
            ModelKind.AUTOSPARSE,
            HostDevice.reference(HostDevice.Options.defaults().withCapacity(CAPACITY)));
    assertSame(measured, book(ModelKind.AUTOSPARSE, PlanningDevice.reference(CAPACITY)));
  }

  @Tag("gpu")
  @ParameterizedTest
  @EnumSource(ModelKind.class)
  void ofAGpu(ModelKind kind) {
    GpuTests.require();
    CudaDevice cuda = CudaDevice.open(CudaDevice.Options.of(0).withCapacity(CAPACITY));
    PlanningDevice planning = PlanningDevice.like(cuda, CAPACITY);
    assertSame(book(kind, cuda), book(kind, planning));
  }

  @ParameterizedTest
  @EnumSource(ModelKind.class)
  void ofAGpuThatIsNotThere(ModelKind kind) {
    Gpu gpu = new Gpu(0, "NVIDIA H200", 9, 0, 132, 150L << 30);
    Book planned = book(kind, PlanningDevice.cuda(gpu, Precision.FP32, true, CAPACITY));
    assertSame(planned, book(kind, PlanningDevice.cuda(gpu, Precision.FP32, true, CAPACITY)));
    assertTrue(planned.peakBytes > planned.live, planned.peakBytes + " of " + planned.live);
  }
}
