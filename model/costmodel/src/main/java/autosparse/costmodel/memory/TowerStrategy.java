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
   * @param forwardSites the same of the strips that the averages are formed by: they can be larger,
   *     since nothing of them is kept for a gradient
   */
  record Strips(long sites, long forwardSites) implements TowerStrategy {
    public Strips {
      if (sites < 1 || forwardSites < sites) {
        throw new IllegalArgumentException(
            "strips of "
                + sites
                + " sites, "
                + forwardSites
                + " in the forward pass: expected at least 1, and no fewer in the forward pass");
      }
    }

    /** Of one size. */
    public Strips(long sites) {
      this(sites, sites);
    }

    @Override
    public String toString() {
      return "strips of "
          + sites
          + " sites"
          + (forwardSites == sites ? "" : ", forward of " + forwardSites);
    }
  }

  /** Every layer's output stays. */
  TowerStrategy KEEP_ALL = new KeepAll();
}
