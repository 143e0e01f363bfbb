package autosparse.schedule;

import java.util.List;
import java.util.Optional;

/**
 * The modes of a sparse tensor's levels.
 *
 * @param tensor the tensor, e.g. {@code A}
 * @param modes one per level, as written: in logical order (i0 i1 k0 k1), not in storage order
 */
public record LevelModes(String tensor, List<AxisMode> modes) {
  /**
   * One level.
   *
   * @param axis the axis after splitting, e.g. {@code i0}
   * @param mode how it is stored
   */
  public record AxisMode(String axis, Mode mode) {
    /** Throws {@link IllegalArgumentException} if the name is malformed. */
    public AxisMode {
      Axis.requireName("mode axis", axis);
    }
  }

  /** Throws {@link IllegalArgumentException} if the tensor's name is malformed. */
  public LevelModes {
    Axis.requireName("mode tensor", tensor);
    modes = List.copyOf(modes);
  }

  /** The mode of one axis; empty where the tensor does not have it. */
  public Optional<Mode> mode(String axis) {
    for (AxisMode level : modes) {
      if (level.axis().equals(axis)) {
        return Optional.of(level.mode());
      }
    }
    return Optional.empty();
  }
}
