package autosparse.costmodel.memory;

import java.util.List;

/** How the pattern tower of a step is run. All give the same numbers, within rounding. */
public sealed interface TowerStrategy {
  /** Every layer's output stays until the backward pass has used it. */
  record KeepAll() implements TowerStrategy {
    @Override
    public String toString() {
      return "keep everything";
    }
  }

  /**
   * Some layers' outputs are computed again.
   *
   * @param parts the tower's layers
   */
  record Checkpoints(List<ChainPart> parts) implements TowerStrategy {
    public Checkpoints {
      parts = List.copyOf(parts);
    }

    @Override
    public String toString() {
      return "checkpoints " + ChainPart.text(parts);
    }
  }

  /**
   * The matrices' rows go through the tower strip by strip, once for the averages and once more for
   * the gradients.
   *
   * @param sites most sites of a strip, its halo included, where the rows that must stay together
   *     have no more; 64 rows count as a site where that is more
   */
  record Strips(long sites) implements TowerStrategy {
    public Strips {
      if (sites < 1) {
        throw new IllegalArgumentException("strips of " + sites + " sites: expected at least 1");
      }
    }

    @Override
    public String toString() {
      return "strips of " + sites + " sites";
    }
  }

  /** Every layer's output stays. */
  TowerStrategy KEEP_ALL = new KeepAll();
}
