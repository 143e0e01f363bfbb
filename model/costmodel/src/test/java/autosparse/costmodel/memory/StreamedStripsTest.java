package autosparse.costmodel.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.memory.TowerStrategy.Strips;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.CudaDevice;
import autosparse.engine.Device;
import autosparse.engine.GpuTests;
import autosparse.engine.HostDevice;
import autosparse.engine.PlanningDevice;
import autosparse.engine.Precision;
import autosparse.engine.Tensor;
import autosparse.engine.memory.MemoryLedger;
import autosparse.engine.sparse.RowSource;
import autosparse.engine.sparse.Sites;
import autosparse.engine.sparse.WatchedRows;
import autosparse.kernels.Gpu;
import autosparse.layers.Parameters;
import autosparse.schedule.CsrFile;
import autosparse.schedule.InputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Strips whose rows come from a source: same numbers, planned bytes, never the whole at once. */
class StreamedStripsTest {
  private static final long CAPACITY = 1L << 30;
  private static final Strips STRIPS = new Strips(3000);

  @TempDir Path folder;

  /** Averages and gradients of a pass, and everything that it placed. */
  private record Outcome(List<double[]> values, List<Placement> placements, long peakExtent) {}

  /** An event without its time. */
  private record Placement(
      MemoryLedger.Action action, String tag, String name, long offset, long bytes) {}

  private static Outcome run(
      Device opened, List<? extends RowSource> batch, TowerStrategy strategy, boolean training) {
    try (Device device = opened) {
      return runOn(device, batch, strategy, training);
    }
  }

  private static Outcome runOn(
      Device device, List<? extends RowSource> batch, TowerStrategy strategy, boolean training) {
    try (Parameters parameters = new Parameters(device.root(), 7)) {
      SparseTower tower = SparseTower.autoSparse(parameters.in("tower"), 8);
      long before = device.allocator().liveBytes();
      device.ledger().setRecording(true);
      List<double[]> values = new ArrayList<>();
      TowerPass pass =
          TowerPass.of(
              strategy,
              tower,
              device.root(),
              batch,
              () -> {
                throw new IllegalStateException("strips have no pyramid of the whole");
              });
      try (Tape tape =
          training ? Tape.recording(device.root(), 1) : Tape.inference(device.root())) {
        for (Variable average : pass.pooled(tape)) {
          values.add(average.value().toDoubles());
          if (training) {
            tape.gradient(average, g -> device.operators().elementwise().fill(g, 1));
          }
        }
        if (training) {
          tape.backward();
          pass.finish();
        }
      }
      if (training) {
        parameters.gradients().stream().map(Tensor::toDoubles).forEach(values::add);
      }
      assertEquals(before, device.allocator().liveBytes());
      return new Outcome(
          values,
          device.ledger().events().stream()
              .map(e -> new Placement(e.action(), e.tag().name(), e.name(), e.offset(), e.bytes()))
              .toList(),
          device.allocator().peakExtent());
    }
  }

  private static Device cpu() {
    return HostDevice.cpu(HostDevice.Options.defaults().withCapacity(CAPACITY).withThreads(2));
  }

  private static void assertSameBits(Outcome expected, Outcome actual) {
    assertEquals(expected.values.size(), actual.values.size());
    for (int i = 0; i < expected.values.size(); i++) {
      assertArrayEquals(expected.values.get(i), actual.values.get(i), "tensor " + i);
    }
  }

  private Path write(Sites.Pattern pattern, String name) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(4 * (3 + pattern.rowPointers().length + pattern.columnIndices().length))
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt((int) pattern.rows()).putInt((int) pattern.columns());
    bytes.putInt(pattern.columnIndices().length);
    for (long pointer : pattern.rowPointers()) {
      bytes.putInt((int) pointer);
    }
    for (int column : pattern.columnIndices()) {
      bytes.putInt(column);
    }
    return Files.write(folder.resolve(name), bytes.array());
  }

  /** Nine full diagonals: all strips but the first and the last are alike. */
  static Sites.Pattern band(int rows) {
    long[] pointers = new long[rows + 1];
    List<Integer> columns = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      for (int c = Math.max(0, row - 4); c <= Math.min(rows - 1, row + 4); c++) {
        columns.add(c);
      }
      pointers[row + 1] = columns.size();
    }
    return new Sites.Pattern(
        rows, rows, pointers, columns.stream().mapToInt(Integer::intValue).toArray());
  }

  /**
   * A pattern's rows, and what is read of them.
   *
   * @param most sites of one read
   */
  private record Watched(RowSource rows, AtomicLong most, AtomicLong reads) {
    static Watched of(Sites.Pattern pattern) {
      AtomicLong most = new AtomicLong();
      AtomicLong reads = new AtomicLong();
      RowSource rows =
          new WatchedRows(
              pattern,
              Long.MAX_VALUE,
              (first, end) -> {
                long sites = pattern.sitesBefore(end) - pattern.sitesBefore(first);
                most.accumulateAndGet(sites, Math::max);
                reads.incrementAndGet();
              });
      return new Watched(rows, most, reads);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aFileOnDiskGivesTheBitsOfTheMatrixInMemory(boolean training) throws IOException {
    List<Sites.Pattern> batch =
        List.of(
            TowerStrategyTest.pattern(1500, 900, 4, 1), TowerStrategyTest.pattern(611, 2000, 3, 2));
    Outcome inMemory = run(cpu(), batch, STRIPS, training);
    try (CsrFile first = CsrFile.open(write(batch.get(0), "a.csr"));
        CsrFile second = CsrFile.open(write(batch.get(1), "b.csr"))) {
      List<PatternRows> onDisk = List.of(new PatternRows(first), new PatternRows(second));
      assertSameBits(inMemory, run(cpu(), onDisk, STRIPS, training));
      assertEquals(
          inMemory.placements, run(cpu(), onDisk, STRIPS, training).placements, "placements");
    }
  }

  @Test
  void aBrokenRowEndsThePassAndNamesTheRow() throws IOException {
    Sites.Pattern band = band(2000);
    int[] columns = band.columnIndices().clone();
    long late = band.rowPointers()[1900];
    columns[(int) late] = 7777;
    Path file = write(new Sites.Pattern(2000, 2000, band.rowPointers(), columns), "broken.csr");
    try (CsrFile csr = CsrFile.open(file)) {
      String message =
          assertThrows(
                  InputException.class,
                  () -> run(cpu(), List.of(new PatternRows(csr)), STRIPS, true))
              .getMessage();
      assertEquals(file + ": column 7777 in row 1900, expected 0 to 1999", message);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void planned(boolean training) {
    List<Sites.Pattern> batch = List.of(band(4000), TowerStrategyTest.pattern(1500, 900, 4, 1));
    Outcome measured = run(cpu(), batch, STRIPS, training);
    Outcome planned = run(PlanningDevice.cpu(CAPACITY), batch, STRIPS, training);
    assertEquals(measured.placements, planned.placements);
    assertEquals(measured.peakExtent, planned.peakExtent);
  }

  @Tag("gpu")
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void plannedForAGpu(boolean training) {
    GpuTests.require();
    List<Sites.Pattern> batch = List.of(band(4000), TowerStrategyTest.pattern(1500, 900, 4, 1));
    CudaDevice cuda = CudaDevice.open(CudaDevice.Options.of(0).withCapacity(CAPACITY));
    Device planning = PlanningDevice.like(cuda, CAPACITY);
    Outcome measured = run(cuda, batch, STRIPS, training);
    Outcome planned = run(planning, batch, STRIPS, training);
    assertEquals(measured.placements, planned.placements);
    assertEquals(measured.peakExtent, planned.peakExtent);
    Outcome onCpu = run(cpu(), batch, STRIPS, training);
    for (int i = 0; i < onCpu.values.size(); i++) {
      assertArrayEquals(onCpu.values.get(i), measured.values.get(i), 1e-3, "tensor " + i);
    }
  }

  /** The host waits to count strips once: not in the backward pass, nor in a step that follows. */
  @Tag("gpu")
  @Test
  void stripsAreCountedOnce() {
    GpuTests.require();
    List<Sites.Pattern> batch = List.of(band(4000), TowerStrategyTest.pattern(1500, 900, 4, 1));
    try (CudaDevice cuda = CudaDevice.open(CudaDevice.Options.of(0).withCapacity(CAPACITY))) {
      long[] waits = new long[3];
      Outcome[] outcomes = new Outcome[3];
      for (int step = 0; step < waits.length; step++) {
        long before = cuda.context().waits();
        outcomes[step] = runOn(cuda, batch, STRIPS, true);
        waits[step] = cuda.context().waits() - before;
      }
      assertTrue(waits[1] < waits[0], waits[1] + " waits after " + waits[0]);
      assertEquals(outcomes[0].values.size(), waits[1], "one for each tensor that is read");
      assertEquals(waits[1], waits[2]);
      assertSameBits(outcomes[0], outcomes[1]);
      assertSameBits(outcomes[0], outcomes[2]);
    }
  }

  /** Two buffers as large as the largest strip, in each of the two passes. */
  @Test
  void twoStripsRowsAreInThePlan() {
    Sites.Pattern band = band(4000);
    Gpu gpu = new Gpu(0, "NVIDIA H200", 9, 0, 132, 150L << 30);
    Outcome planned =
        run(PlanningDevice.cuda(gpu, Precision.FP32, true, CAPACITY), List.of(band), STRIPS, true);
    long[] columns =
        planned.placements.stream()
            .filter(p -> p.action == MemoryLedger.Action.ALLOCATE && p.name.equals("columns"))
            .mapToLong(Placement::bytes)
            .toArray();
    long largest = java.util.Arrays.stream(columns).max().orElseThrow();
    assertTrue(largest <= 4 * STRIPS.sites() + 256, "bytes of columns: " + largest);
    assertEquals(4, java.util.Arrays.stream(columns).filter(bytes -> bytes == largest).count());
  }

  @Test
  void neitherPlanNorPassReadsMoreThanAStrip() {
    Watched watched = Watched.of(band(4000));
    run(cpu(), List.of(watched.rows), STRIPS, true);
    assertTrue(watched.most.get() <= STRIPS.sites(), watched.most + " sites read at once");
    long strips = watched.reads.get() / 2;
    assertTrue(strips >= 10, strips + " strips");
    assertEquals(0, watched.reads.get() % 2, "each strip is read once a pass");

    watched.most.set(0);
    watched.reads.set(0);
    run(PlanningDevice.cpu(CAPACITY), List.of(watched.rows), STRIPS, true);
    assertTrue(watched.most.get() <= STRIPS.sites(), watched.most + " sites counted at once");
    assertEquals(strips, watched.reads.get(), "each strip is read once to plan both passes");
  }

  /** Whatever the device has room for. */
  @Test
  void stripsOfAFileAreNoLargerThanTheHostHasRoomFor() throws IOException {
    Sites.Pattern band = band(20_000);
    long whole = band.bytes(0, band.rows());
    Path file = write(band, "large.csr");
    try (Device device = PlanningDevice.cpu(CAPACITY);
        Parameters parameters = new Parameters(device.root(), 7)) {
      SparseTower tower = SparseTower.autoSparse(parameters.in("tower"), 8);
      assertEquals(1, Strip.of(List.of(band), tower, CAPACITY).size());
      for (long rangeBytes : new long[] {whole / 3, whole / 10}) {
        try (CsrFile csr = CsrFile.open(file, rangeBytes)) {
          PatternRows rows = new PatternRows(csr);
          long largest =
              Strip.of(List.of(rows), tower, CAPACITY).stream()
                  .mapToLong(strip -> rows.bytes(strip.firstRow(), strip.endRow()))
                  .max()
                  .orElseThrow();
          assertTrue(largest <= rangeBytes, largest + " bytes of " + rangeBytes);
          assertTrue(largest > rangeBytes / 2, largest + " bytes of " + rangeBytes);
        }
      }
    }
  }

  @Test
  void rowsOfFewSitesAreManyInAStripButNotAllAndEmptyOnesAreNotRead() {
    int rows = 400_000;
    int apart = 10_000;
    long[] pointers = new long[rows + 1];
    for (int row = 0; row < rows; row++) {
      pointers[row + 1] = pointers[row] + (row % apart == 0 ? 1 : 0);
    }
    Watched few = Watched.of(new Sites.Pattern(rows, 10, pointers, new int[rows / apart]));
    run(cpu(), List.of(few.rows), new Strips(1000), false);
    assertTrue(few.reads.get() >= 6, few.reads + " strips");

    Watched none = Watched.of(new Sites.Pattern(rows, 10, new long[rows + 1], new int[0]));
    Outcome outcome = run(cpu(), List.of(none.rows), new Strips(1000), false);
    assertEquals(0, none.reads.get());
    outcome.values.forEach(average -> assertArrayEquals(new double[average.length], average));
  }
}
