package autosparse.costmodel.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.memory.TowerStrategy.Strips;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.Device;
import autosparse.engine.HostDevice;
import autosparse.engine.PlanningDevice;
import autosparse.engine.Tensor;
import autosparse.engine.sparse.RowSource;
import autosparse.engine.sparse.Sites;
import autosparse.layers.Parameters;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Matrices at the edge of what there is go through the towers, forward and backward. */
class EdgeMatricesTest {
  private static final long UNLIMITED = 1L << 50;

  /** What a pass gave: averages, then gradients; and the most memory that it had. */
  private record Outcome(List<double[]> values, long peakBytes) {}

  private static Outcome run(
      Device opened, boolean waco, RowSource matrix, TowerStrategy strategy) {
    try (Device device = opened;
        Parameters parameters = new Parameters(device.root(), 7)) {
      SparseTower tower =
          waco
              ? SparseTower.waco(parameters.in("tower"), 4)
              : SparseTower.autoSparse(parameters.in("tower"), 4);
      List<double[]> values = new ArrayList<>();
      List<RowSource> batch = List.of(matrix);
      try (PyramidOnDemand whole = new PyramidOnDemand(device.root(), batch);
          Tape tape = Tape.recording(device.root(), 1)) {
        TowerPass pass = TowerPass.of(strategy, tower, device.root(), batch, whole);
        for (Variable average : pass.pooled(tape)) {
          values.add(average.value().toDoubles());
          tape.gradient(average, g -> device.operators().elementwise().fill(g, 1));
        }
        tape.backward();
        pass.finish();
      }
      parameters.gradients().stream().map(Tensor::toDoubles).forEach(values::add);
      return new Outcome(values, device.ledger().peakBytes());
    }
  }

  private static Device cpu(long capacity) {
    return HostDevice.cpu(HostDevice.Options.defaults().withCapacity(capacity).withThreads(2));
  }

  /** Runs it, checks that all is finite and takes what was planned; whether anything is not 0. */
  private static boolean passes(
      boolean waco, RowSource matrix, TowerStrategy strategy, long capacity) {
    long planned = run(PlanningDevice.cpu(UNLIMITED), waco, matrix, strategy).peakBytes();
    Outcome outcome = run(cpu(capacity), waco, matrix, strategy);
    assertEquals(planned, outcome.peakBytes());
    outcome.values().forEach(v -> Arrays.stream(v).forEach(x -> assertTrue(Double.isFinite(x))));
    return outcome.values().stream().flatMapToDouble(Arrays::stream).anyMatch(x -> x != 0);
  }

  private static Sites.Pattern empty(long rows, long columns) {
    return new Sites.Pattern(rows, columns, new long[(int) rows + 1], new int[0]);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void oneByOneAndWithoutNonzeros(boolean waco) {
    for (TowerStrategy strategy : List.of(TowerStrategy.KEEP_ALL, new Strips(1))) {
      assertTrue(
          passes(waco, new Sites.Pattern(1, 1, new long[] {0, 1}, new int[1]), strategy, 1 << 24));
      // An average over no site is 0, and so is what it hands back.
      assertTrue(!passes(waco, empty(1, 1), strategy, 1 << 24));
      assertTrue(!passes(waco, empty(1000, 7), strategy, 1 << 24));
      assertTrue(!passes(waco, empty(0, 0), strategy, 1 << 24));
    }
  }

  /** A row cannot be cut: all of it is one strip. */
  @Test
  void aDenseRowOfFiveMillionNonzeros() {
    int nonzeros = 5_000_000;
    Sites.Pattern row =
        new Sites.Pattern(
            1, nonzeros, new long[] {0, nonzeros}, IntStream.range(0, nonzeros).toArray());
    assertTrue(passes(false, row, new Strips(1000), 3L << 30));
  }

  /** Three nonzeros in two hundred million rows, in memory for a few million rows. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void twoHundredMillionEmptyRows(boolean waco) {
    assertTrue(passes(waco, new Sparse(200_000_000), new Strips(1L << 15), 256L << 20));
  }

  /** A nonzero in the first, the middle and the last row. */
  private record Sparse(long rows) implements RowSource {
    @Override
    public long columns() {
      return 1000;
    }

    @Override
    public long sitesBefore(long row) {
      long first = row > 0 ? 1 : 0;
      return first + (row > rows / 2 ? 1 : 0) + (row == rows ? 1 : 0);
    }

    @Override
    public Sites.Pattern read(long firstRow, long endRow) {
      int sites = checkRange(firstRow, endRow);
      long before = sitesBefore(firstRow);
      long[] pointers = new long[(int) (endRow - firstRow) + 1];
      for (int row = 0; row < pointers.length; row++) {
        pointers[row] = sitesBefore(firstRow + (long) row) - before;
      }
      int[] columns = new int[sites];
      Arrays.fill(columns, 500);
      return new Sites.Pattern(endRow - firstRow, columns(), pointers, columns);
    }
  }
}
