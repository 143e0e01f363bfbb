package autosparse.costmodel.tokens;

import autosparse.schedule.Mode;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import autosparse.schedule.ScheduleGeometry.Loop;
import java.util.ArrayList;
import java.util.List;

/**
 * A schedule as WACO's network sees it: categories for the inner splits, the four formats, parallel
 * loop and chunk, and the loop order as a permutation matrix.
 *
 * <p>WACO's own schedules fit exactly. AutoSparse's say more than WACO can: a level counts as
 * uncompressed when its mode is dense, a category beyond its table is clipped to the last, an
 * unsplit axis is an outer loop directly around an inner one of size 1.
 */
public final class WacoProjection {
  private static final int SPLIT = 17;
  private static final int DENSE_SPLIT = 8;
  private static final int FORMATS = 4;

  /**
   * A projected schedule.
   *
   * @param categories one index a category
   * @param order [variables · positions], row-major, 1 where a variable stands
   */
  public record Projected(int[] categories, float[] order) {}

  private final Op op;
  private final List<String> names = new ArrayList<>();
  private final List<Integer> sizes = new ArrayList<>();
  private final int splits;

  public WacoProjection(Op op) {
    this.op = op;
    add("row-split", SPLIT);
    add("column-split", SPLIT);
    if (op.denseAxis().isPresent()) {
      add("dense-split", DENSE_SPLIT);
    }
    splits = sizes.size();
    for (int f = 0; f < FORMATS; f++) {
      add("format-" + f, 2);
    }
    if (op == Op.SDDMM) {
      add("parallel", 6);
      add("chunk", 6);
    } else {
      add("chunk", 9);
    }
  }

  private void add(String name, int size) {
    names.add(name);
    sizes.add(size);
  }

  /** Table size of each category, in the order of the network's concatenation. */
  public List<Integer> categorySizes() {
    return List.copyOf(sizes);
  }

  /** What messages call a category of {@link #categorySizes}. */
  public String categoryName(int category) {
    return names.get(category);
  }

  /** The category before which the order's embedding stands in the concatenation. */
  public int orderPlace() {
    return splits;
  }

  /** Variables times positions: 16 for SpMV, 36 for SpMM and SDDMM. */
  public int orderLength() {
    int variables = 2 * splits;
    return variables * variables;
  }

  /** Projects a schedule. */
  public Projected project(Schedule schedule, Problem problem) {
    ScheduleGeometry geometry = ScheduleGeometry.of(schedule, problem);
    int[] categories = new int[sizes.size()];
    float[] order = new float[orderLength()];
    int variables = 2 * splits;
    int[] formats = new int[FORMATS];
    int position = 0;
    for (Loop loop : geometry.loops()) {
      int role = Roles.of(op, loop);
      order[role * variables + position++] = 1;
      boolean whole = loop.part() == ScheduleGeometry.Part.WHOLE;
      if (whole) {
        order[(role + 1) * variables + position++] = 1;
      }
      if (role % 2 == 1) {
        categories[role / 2] = log2(loop.size());
      }
      if (role < FORMATS && loop.mode().isPresent() && loop.mode().get() == Mode.DENSE) {
        formats[role] = 1;
        if (whole) {
          formats[role + 1] = 1;
        }
      }
      if (op == Op.SDDMM && loop.parallel()) {
        categories[splits + FORMATS] = role;
      }
    }
    System.arraycopy(formats, 0, categories, splits, FORMATS);
    categories[categories.length - 1] = log2(schedule.chunk());
    for (int c = 0; c < categories.length; c++) {
      categories[c] = Math.min(categories[c], sizes.get(c) - 1);
    }
    return new Projected(categories, order);
  }

  private static int log2(long size) {
    return 63 - Long.numberOfLeadingZeros(Math.max(1, size));
  }
}
