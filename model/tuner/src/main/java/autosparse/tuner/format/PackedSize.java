package autosparse.tuner.format;

import autosparse.schedule.Mode;
import autosparse.schedule.PatternCounts;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import autosparse.schedule.ScheduleWork;
import java.util.Arrays;
import java.util.List;

/**
 * How large a {@link PackedMatrix} is, or would be.
 *
 * @param formats its levels, outermost first
 * @param positions entries of each level
 */
public record PackedSize(List<LevelFormat> formats, List<Long> positions) {
  /** Copies the lists. */
  public PackedSize {
    formats = List.copyOf(formats);
    positions = List.copyOf(positions);
  }

  /**
   * Counts what {@link Packer} would make of a pattern, which need not be in memory for that.
   *
   * @param counts of the pattern
   * @param schedule one that {@link LevelFormat#misplacedSingleton} finds nothing in
   * @param problem operator and extents, those of the matrix
   * @throws StorageCapException if a level would be too large
   */
  public static PackedSize of(PatternCounts counts, Schedule schedule, Problem problem) {
    List<LevelFormat> formats = LevelFormat.of(schedule, problem);
    Packer.checkDensePrefix(formats, problem);
    List<Double> counted = ScheduleWork.positions(ScheduleGeometry.of(schedule, problem), counts);
    long[] sizes = Packer.sizes(formats, problem, level -> Math.round(counted.get(level)));
    return new PackedSize(formats, Arrays.stream(sizes).boxed().toList());
  }

  /** Number of values: positions of the last level. */
  public long values() {
    return positions.get(positions.size() - 1);
  }

  /** Whether a position array has an entry that does not fit 32 bits. */
  public boolean wide() {
    // Entries of a position array count up to the number of positions of its level.
    for (int level = 0; level < formats.size(); level++) {
      if (formats.get(level).isCompressed() && positions.get(level) > Integer.MAX_VALUE) {
        return true;
      }
    }
    return false;
  }

  /** Bytes of all arrays as the C side holds them: 32-bit coordinates, positions by width. */
  public long bytes() {
    long bytes = 4 * values();
    long parents = 1;
    for (int level = 0; level < formats.size(); level++) {
      bytes += formats.get(level).isCompressed() ? (parents + 1) * (wide() ? 8 : 4) : 0;
      parents = positions.get(level);
      bytes += formats.get(level).mode() == Mode.DENSE ? 0 : 4 * parents;
    }
    return bytes;
  }
}
