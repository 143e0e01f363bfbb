package autosparse.costmodel.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.costmodel.SyntheticData;
import autosparse.costmodel.memory.ChainPart;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.CudaDevice;
import autosparse.engine.Device;
import autosparse.engine.GpuTests;
import autosparse.engine.HostDevice;
import autosparse.engine.PlanningDevice;
import autosparse.engine.Precision;
import autosparse.engine.memory.MemoryLedger;
import autosparse.kernels.Gpu;
import autosparse.schedule.MatrixPattern;
import autosparse.schedule.Op;
import autosparse.schedule.SparsityPattern;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A planned step places what the step itself places, event for event. */
class PlannedStepTest {
  private static final long CAPACITY = 1L << 30;
  private static final int STEPS = 6;

  @TempDir static Path folder;
  private static TrainingData data;

  @BeforeAll
  static void write() throws IOException {
    TrainingData tiny = TinyTraining.data(folder);
    // Rows enough for several strips.
    List<SparsityPattern> longer = new ArrayList<>();
    for (MatrixPattern pattern : tiny.patterns()) {
      int number = longer.size();
      longer.add(SyntheticData.pattern(pattern.name(), 500 + 200 * number, 40, 3, 17L + number));
    }
    data = new TrainingData(tiny.tasks(), longer, tiny.split());
  }

  /** An event without its time. */
  private record Placement(
      MemoryLedger.Action action, String tag, String part, String name, long offset, long bytes) {}

  /** Everything that some steps place, and the peaks of it. */
  private record Book(List<Placement> placements, long peakBytes, long peakExtent, long live) {}

  /** How a test's towers are run. */
  enum Way {
    KEEP_ALL,
    CHECKPOINTS,
    STRIPS;

    TowerStrategy of(SparseTower tower) {
      return switch (this) {
        case KEEP_ALL -> TowerStrategy.KEEP_ALL;
        case CHECKPOINTS -> new TowerStrategy.Checkpoints(halves(tower.size()));
        // The fewest rows that can be owned: several strips of each matrix where strides are small.
        case STRIPS -> new TowerStrategy.Strips(1);
      };
    }

    /** The first half kept but for a run inside, the second computed again. */
    private static List<ChainPart> halves(int layers) {
      List<ChainPart> kept =
          IntStream.range(0, layers).mapToObj(l -> new ChainPart(l, l + 1, List.of())).toList();
      List<ChainPart> parts = new ArrayList<>(kept.subList(0, 1));
      parts.add(new ChainPart(1, 3, kept.subList(1, 3)));
      parts.addAll(kept.subList(3, layers / 2));
      parts.add(new ChainPart(layers / 2, layers, kept.subList(layers / 2, layers)));
      return parts;
    }
  }

  private static Book book(ModelKind kind, Device device) {
    return book(kind, Way.KEEP_ALL, device);
  }

  private static Book book(ModelKind kind, Way way, Device device) {
    device.ledger().setRecording(true);
    ModelConfig config = TinyTraining.model(kind);
    TrainingData one = config.ops().size() == 1 ? only(config.ops().get(0)) : data;
    // Without what plans do not count: heads replayed as graphs, patterns copied a step ahead.
    try (TinyTraining training =
        new TinyTraining(one, config, TinyTraining.config(STEPS, 2), device, false)) {
      TowerStrategy strategy = training.model.tower().map(way::of).orElse(TowerStrategy.KEEP_ALL);
      training.trainer.plan(step -> strategy);
      training.run(STEPS);
      return new Book(
          device.ledger().events().stream()
              .map(
                  e ->
                      new Placement(
                          e.action(), e.tag().name(), e.part(), e.name(), e.offset(), e.bytes()))
              .toList(),
          device.ledger().peakBytes(),
          device.allocator().peakExtent(),
          device.allocator().liveBytes());
    }
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

  /** Every network with a tower, by every way. */
  static Stream<Arguments> ways() {
    return Stream.of(ModelKind.values())
        .filter(kind -> kind != ModelKind.FEATURES_MLP && kind != ModelKind.WORK_MLP)
        .flatMap(kind -> Stream.of(Way.values()).map(way -> Arguments.of(kind, way)));
  }

  static Stream<Arguments> waysAndPrecisions() {
    return ways()
        .flatMap(
            way ->
                Stream.of(Precision.values())
                    .map(precision -> Arguments.of(way.get()[0], way.get()[1], precision)));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void ofTheCpu(ModelKind kind, Way way) {
    Book measured =
        book(kind, way, HostDevice.cpu(HostDevice.Options.defaults().withCapacity(CAPACITY)));
    assertSame(measured, book(kind, way, PlanningDevice.cpu(CAPACITY)));
  }

  @ParameterizedTest
  @EnumSource(
      value = ModelKind.class,
      names = {"FEATURES_MLP", "WORK_MLP"})
  void ofNetworksWithoutATower(ModelKind kind) {
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
  @MethodSource("waysAndPrecisions")
  void ofAGpu(ModelKind kind, Way way, Precision precision) {
    GpuTests.require();
    CudaDevice cuda =
        CudaDevice.open(CudaDevice.Options.of(0).withCapacity(CAPACITY).withPrecision(precision));
    PlanningDevice planning = PlanningDevice.like(cuda, CAPACITY);
    assertSame(book(kind, way, cuda), book(kind, way, planning));
  }

  @ParameterizedTest
  @MethodSource("waysAndPrecisions")
  void ofAGpuThatIsNotThere(ModelKind kind, Way way, Precision precision) {
    Gpu gpu = new Gpu(0, "NVIDIA H200", 9, 0, 132, 150L << 30);
    Book planned = book(kind, way, PlanningDevice.cuda(gpu, precision, true, CAPACITY));
    assertSame(planned, book(kind, way, PlanningDevice.cuda(gpu, precision, true, CAPACITY)));
    assertTrue(planned.peakBytes > planned.live, planned.peakBytes + " of " + planned.live);
  }
}
