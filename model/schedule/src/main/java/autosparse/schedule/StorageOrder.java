package autosparse.schedule;

import java.util.List;

/**
 * The order in which a sparse tensor's levels are stored.
 *
 * @param tensor the tensor, e.g. {@code A}
 * @param axes its axes after splitting, outermost level first
 */
public record StorageOrder(String tensor, List<String> axes) {
  /** Throws {@link IllegalArgumentException} if a name is malformed. */
  public StorageOrder {
    Axis.requireName("storage order tensor", tensor);
    axes = List.copyOf(axes);
    for (String axis : axes) {
      Axis.requireName("storage order of " + tensor, axis);
    }
  }
}
