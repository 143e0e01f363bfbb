package autosparse.costmodel.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.memory.TowerStrategy.Strips;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.DType;
import autosparse.engine.PlanningDevice;
import autosparse.engine.Precision;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.sparse.RowSource;
import autosparse.kernels.Gpu;
import autosparse.layers.Parameters;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Budgets are used up: as few strips as fit, about equal, found with few plans. */
class StrategySearchTest {
  private static final Gpu H200 = new Gpu(0, "NVIDIA H200", 9, 0, 132, 150L << 30);

  /** Rows of a strip that one step of rounding may add to an equal share. */
  private static final double ROUNDED = 9.0 / 8;

  private final RowSource band = StreamedStripsTest.band(40_000);
  private PlanningDevice device;
  private Parameters parameters;
  private SparseTower tower;

  @BeforeEach
  void open() {
    device = PlanningDevice.cuda(H200, Precision.BF16, true, 1L << 50);
    parameters = new Parameters(device.root(), 7);
    tower = SparseTower.autoSparse(parameters.in("tower"), 16);
  }

  @AfterEach
  void close() {
    parameters.close();
    device.close();
  }

  /**
   * A search for training steps of the tower alone.
   *
   * @param planned what it has planned
   */
  private StrategySearch search(List<RowSource> batch, Set<TowerStrategy> planned) {
    return new StrategySearch(
        device,
        tower,
        batch,
        true,
        0,
        strategy -> {
          planned.add(strategy);
          step(batch, strategy);
        });
  }

  private void step(List<RowSource> batch, TowerStrategy strategy) {
    try (PyramidOnDemand whole = new PyramidOnDemand(device.root(), batch);
        Tape tape = Tape.recording(device.root(), 1)) {
      TowerPass pass = TowerPass.of(strategy, tower, device.root(), batch, whole);
      for (Variable average : pass.pooled(tape)) {
        tape.gradient(average, g -> device.operators().elementwise().fill(g, 1));
      }
      tape.backward();
      pass.finish();
    }
  }

  private List<Strip> strips(List<RowSource> batch, MemoryPlan plan) {
    return Strip.of(batch, tower, ((Strips) plan.strategy()).sites());
  }

  private static long largest(List<Strip> strips) {
    return strips.stream().mapToLong(Strip::sites).max().orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 11, 13})
  void asManyStripsAsAskedForAndAboutEqual(int count) {
    List<RowSource> batch = List.of(band);
    long size = Strip.sizeFor(batch, tower, count, Strip.size(batch));
    List<Strip> strips = Strip.of(batch, tower, size);
    assertEquals(count, strips.size());
    long row = 0;
    for (Strip strip : strips) {
      assertEquals(row, strip.firstOwned());
      row = strip.endOwned();
      double share = (double) band.rows() / count;
      assertTrue(strip.endOwned() - strip.firstOwned() <= ROUNDED * share, strip.toString());
    }
    assertEquals(band.rows(), row);
  }

  @Test
  void everyBudgetIsUsedUp() {
    List<RowSource> batch = List.of(band);
    StrategySearch search = search(batch, new HashSet<>());
    long most = search.plan(TowerStrategy.KEEP_ALL).capacityBytes();
    long least = search.smallest().capacityBytes();
    int before = Integer.MAX_VALUE;
    double time = Double.MAX_VALUE;
    Set<Integer> numbers = new HashSet<>();
    for (int part = 0; part <= 20; part++) {
      // From the smallest range to the largest by equal factors.
      long capacity = (long) Math.ceil(least * Math.pow((double) most / least, part / 20.0));
      MemoryPlan plan = search.ofKind(Strips.class, capacity).orElseThrow();
      List<Strip> strips = strips(batch, plan);
      assertTrue(plan.capacityBytes() <= capacity, plan + " in " + capacity);
      assertTrue(strips.size() <= before, strips.size() + " strips after " + before);
      assertTrue(plan.relativeTime() <= time, plan + " after " + time);
      assertTrue(largest(strips) >= byHalving(search, batch, capacity), plan.toString());
      before = strips.size();
      time = plan.relativeTime();
      numbers.add(before);
    }
    assertTrue(numbers.size() > 10, numbers + " strips");
  }

  /** Sites of the largest strip, had the matrix been halved until it fits. */
  private long byHalving(StrategySearch search, List<RowSource> batch, long capacity) {
    for (long size = Strip.size(batch); size >= 1; size /= 2) {
      MemoryPlan plan = search.plan(new Strips(size));
      if (plan.capacityBytes() <= capacity) {
        return largest(strips(batch, plan));
      }
    }
    return 0;
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.7, 0.5, 0.3, 0.1, 0.03})
  void fewPlansFindIt(double share) {
    Set<TowerStrategy> planned = new HashSet<>();
    StrategySearch search = search(List.of(band), planned);
    long most = search.plan(TowerStrategy.KEEP_ALL).capacityBytes();
    planned.clear();
    assertTrue(search.ofKind(Strips.class, (long) (share * most)).isPresent());
    assertTrue(planned.size() <= 8, planned.toString());
  }

  /** Where the head takes what there is, no number of strips helps, and few are tried. */
  @Test
  void whatDoesNotFitIsSoonGivenUp() {
    Set<TowerStrategy> planned = new HashSet<>();
    StrategySearch search = search(List.of(band), planned);
    long least = search.smallest().capacityBytes();
    planned.clear();
    assertTrue(search.fastest(least - 1).isEmpty());
    assertTrue(planned.size() <= 16, planned.toString());
  }

  /** One strip a matrix is as large as half of the batch: smaller ones are tried all the same. */
  @Test
  void aBatchOfEqualMatricesIsCutToo() {
    List<RowSource> batch = List.of(StreamedStripsTest.band(4000), StreamedStripsTest.band(4000));
    StrategySearch search = search(batch, new HashSet<>());
    MemoryPlan smallest = search.smallest();
    assertTrue(strips(batch, smallest).size() > 16, smallest.toString());
    MemoryPlan aMatrix = search.plan(new Strips(Strip.size(batch)));
    assertTrue(smallest.capacityBytes() < aMatrix.capacityBytes() / 2, smallest + ", " + aMatrix);
  }

  /** All its rows must stay together, so there is one strip, and it has the matrix's size. */
  @Test
  void aMatrixOfFewRowsIsOneStrip() {
    RowSource few = StreamedStripsTest.band(8);
    MemoryPlan plan = search(List.of(few), new HashSet<>()).ofKind(Strips.class, 0).orElseThrow();
    assertEquals(new Strips(few.sites()), plan.strategy());
  }

  @Test
  void theSmallestIsTheFastestThatTakesAsLittle() {
    long elsewhere = 1L << 30;
    StrategySearch search =
        new StrategySearch(
            device,
            tower,
            List.of(band),
            true,
            elsewhere,
            strategy -> {
              step(List.of(band), strategy);
              // Behind the tower the step takes more than the tower ever does.
              try (TensorScope head = device.root().child("head")) {
                head.create("scores", DType.F32, MemoryTag.ACTIVATION, elsewhere / 4);
              }
            });
    MemoryPlan smallest = search.smallest();
    assertEquals(TowerStrategy.KEEP_ALL, smallest.strategy());
    assertEquals(search.fastest(smallest.capacityBytes()).orElseThrow(), smallest);
  }
}
