package autosparse.costmodel.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.memory.ChainProgramme.Layer;
import autosparse.costmodel.memory.ChainProgramme.Solution;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The programme against every way there is to run short chains, each simulated event by event. */
class ChainProgrammeTest {
  /** Live bytes of a simulated pass. */
  private static final class Simulation {
    private final List<Layer> layers;
    private long live;
    private long peak;
    private double seconds;

    Simulation(List<Layer> layers) {
      this.layers = layers;
    }

    private void add(long bytes) {
      live += bytes;
      peak = Math.max(peak, live);
    }

    private long activation(int layer) {
      return layer < 0 ? 0 : layers.get(layer).activation();
    }

    private void forward(int layer) {
      add(activation(layer));
      add(layers.get(layer).forwardWorkspace());
      live -= layers.get(layer).forwardWorkspace();
    }

    /** Forward over parts; kept layers stay, runs leave their last output. */
    void forward(List<ChainPart> parts) {
      for (ChainPart part : parts) {
        if (part.isKept()) {
          forward(part.from());
          continue;
        }
        for (int layer = part.from(); layer < part.to(); layer++) {
          forward(layer);
          live -= layer == part.from() ? 0 : activation(layer - 1);
        }
      }
    }

    /** Backward over parts, whose last output's gradient is there; leaves that of the input. */
    void backward(List<ChainPart> parts) {
      for (int p = parts.size() - 1; p >= 0; p--) {
        ChainPart part = parts.get(p);
        int last = part.to() - 1;
        if (part.isKept()) {
          add(activation(part.from() - 1));
          add(layers.get(part.from()).backwardWorkspace());
          live -= layers.get(part.from()).backwardWorkspace();
          live -= 2 * activation(part.from());
          continue;
        }
        live -= activation(last); // the run makes its output again
        for (int layer = part.from(); layer <= last; layer++) {
          seconds += layers.get(layer).forwardSeconds();
        }
        forward(part.inner());
        backward(part.inner());
      }
    }
  }

  private static Simulation simulate(List<Layer> layers, List<ChainPart> parts, long behind) {
    Simulation simulation = new Simulation(layers);
    simulation.forward(parts);
    simulation.add(behind);
    simulation.live -= behind;
    simulation.add(simulation.activation(layers.size() - 1));
    simulation.backward(parts);
    assertEquals(0, simulation.live);
    return simulation;
  }

  /**
   * Every way to run layers from..to.
   *
   * @param whole whether all of them may be one run
   */
  private static List<List<ChainPart>> ways(int from, int to, boolean whole) {
    List<List<ChainPart>> all = new ArrayList<>();
    if (from > to) {
      all.add(List.of());
      return all;
    }
    for (int middle = from; middle <= to; middle++) {
      List<ChainPart> firsts = new ArrayList<>();
      if (middle == from) {
        firsts.add(ChainPart.kept(from));
      } else if (middle < to || whole) {
        for (List<ChainPart> inner : ways(from, middle, false)) {
          firsts.add(ChainPart.again(inner));
        }
      }
      for (ChainPart first : firsts) {
        for (List<ChainPart> rest : ways(middle + 1, to, true)) {
          List<ChainPart> parts = new ArrayList<>();
          parts.add(first);
          parts.addAll(rest);
          all.add(parts);
        }
      }
    }
    return all;
  }

  private static List<Layer> chain(int length, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<Layer> layers = new ArrayList<>();
    for (int layer = 0; layer < length; layer++) {
      layers.add(
          new Layer(
              1 + random.nextInt(100),
              random.nextInt(20),
              random.nextInt(30),
              1 + random.nextInt(50)));
    }
    return layers;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void noWayIsFasterInTheBytesThatItPromises(long seed) {
    List<Layer> layers = chain(2 + (int) (seed % 5), seed);
    long behind = 17;
    List<Solution> solutions = ChainProgramme.solve(layers, behind);
    assertEquals(0, solutions.get(0).recomputeSeconds());
    for (Solution solution : solutions) {
      Simulation run = simulate(layers, solution.parts(), behind);
      assertEquals(run.seconds, solution.recomputeSeconds(), 1e-9, solution.toString());
      assertTrue(run.peak <= solution.bytes(), run.peak + " in " + solution);
    }
    for (List<ChainPart> way : ways(0, layers.size() - 1, true)) {
      Simulation run = simulate(layers, way, behind);
      double best =
          solutions.stream()
              .filter(solution -> solution.bytes() <= run.peak)
              .mapToDouble(Solution::recomputeSeconds)
              .min()
              .orElse(Double.POSITIVE_INFINITY);
      assertTrue(
          best <= run.seconds + 1e-9,
          ChainPart.text(way) + ": " + run.peak + " bytes, " + run.seconds + " s, best " + best);
    }
  }

  @Test
  void equalLayersTakeFewerBytesThanTheirSum() {
    List<Layer> layers = new ArrayList<>();
    for (int layer = 0; layer < 16; layer++) {
      layers.add(new Layer(100, 0, 0, 1));
    }
    List<Solution> solutions = ChainProgramme.solve(layers, 0);
    Solution keepAll = solutions.get(0);
    Solution least = solutions.get(solutions.size() - 1);
    assertEquals(1800, keepAll.bytes());
    assertTrue(least.bytes() <= 700, least.toString());
    for (int i = 1; i < solutions.size(); i++) {
      assertTrue(solutions.get(i).bytes() < solutions.get(i - 1).bytes());
      assertTrue(solutions.get(i).recomputeSeconds() > solutions.get(i - 1).recomputeSeconds());
    }
  }

  @Test
  void partsThatDoNotAdjoinAreRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> ChainPart.again(List.of(ChainPart.kept(0), ChainPart.kept(2))));
    assertThrows(IllegalArgumentException.class, () -> ChainProgramme.solve(List.of(), 0));
    assertEquals(
        "(0 1) 2",
        ChainPart.text(
            List.of(
                ChainPart.again(List.of(ChainPart.kept(0), ChainPart.kept(1))),
                ChainPart.kept(2))));
  }
}
