package autosparse.costmodel.memory;

import autosparse.costmodel.network.SparseTower;
import autosparse.engine.PlanningDevice;
import autosparse.engine.sparse.RowSource;
import autosparse.engine.sparse.SiteBuffer;
import autosparse.engine.sparse.Sites;
import autosparse.layers.PatternPyramid;
import java.util.List;

/** Counts a matrix's sites on each layer of a tower, strip by strip. */
public final class TowerSites {
  private TowerSites() {}

  /**
   * Sites of each layer's output.
   *
   * @param device counts, and remembers for plans that have the same strips
   * @param most sites of a strip
   */
  public static long[] outputs(
      PlanningDevice device, SparseTower tower, RowSource source, long most) {
    long[] counts = new long[tower.size()];
    for (Strip strip : Strip.of(List.of(source), tower, most)) {
      try (var scope = device.root().child("sites")) {
        Sites rows = new SiteBuffer(scope, strip.rowCount(), strip.sites()).sites(strip.rows());
        try (PatternPyramid pyramid = new PatternPyramid(scope, rows, false)) {
          tower.prepare(pyramid);
          for (int layer = 0; layer < counts.length; layer++) {
            int level = tower.outputLevel(layer);
            long stride = tower.stride(layer);
            counts[layer] +=
                pyramid.firstSite(level, strip.endOwned(stride))
                    - pyramid.firstSite(level, strip.firstOwned(stride));
          }
        }
      }
    }
    return counts;
  }
}
