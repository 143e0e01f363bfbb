package autosparse.schedule;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Whether the parts of a schedule fit each other, whatever the operator. */
final class ScheduleConsistency {
  /** A loop picked out by name, with the name of the field that does so. */
  record Mark(String field, Optional<String> axis) {}

  private ScheduleConsistency() {}

  static void check(
      List<AxisSplit> formatSplits,
      List<StorageOrder> storageOrders,
      List<LevelModes> levelModes,
      List<AxisSplit> loopSplits,
      List<String> loopOrder,
      List<Mark> marks) {
    List<AxisSplit> splits = new ArrayList<>(formatSplits);
    splits.addAll(loopSplits);
    Set<String> splitAxes = new HashSet<>();
    Set<String> parts = new HashSet<>();
    for (AxisSplit split : splits) {
      unique("split axis", splitAxes, split.axis());
      parts.add(split.outer());
      parts.add(split.inner());
    }
    Set<String> loops = new HashSet<>();
    for (String axis : loopOrder) {
      Axis.requireName("loop order", axis);
      unique("loop order", loops, axis);
      whole("loop order", splitAxes, parts, axis);
    }
    Set<String> known = new HashSet<>(loops);
    checkTensors(storageOrders, levelModes, splitAxes, parts, loops, known);
    if (loopOrder.isEmpty()) {
      known.addAll(parts);
    } else {
      for (AxisSplit split : splits) {
        for (String part : List.of(split.outer(), split.inner())) {
          require(
              loops.contains(part),
              "loop order",
              loopOrder,
              "the part " + part + " of a split too");
        }
      }
    }
    for (Mark mark : marks) {
      if (mark.axis().isPresent()) {
        String axis = mark.axis().get();
        Axis.requireName(mark.field(), axis);
        // With no loop order written the loops of a dense axis have no name here to check against.
        if (!loopOrder.isEmpty() || splitAxes.contains(axis)) {
          require(
              known.contains(axis), mark.field(), axis, "None or one of the loops " + loopOrder);
        }
      }
    }
  }

  private static void checkTensors(
      List<StorageOrder> storageOrders,
      List<LevelModes> levelModes,
      Set<String> splitAxes,
      Set<String> parts,
      Set<String> loops,
      Set<String> known) {
    require(
        storageOrders.size() == levelModes.size(),
        "modes",
        levelModes.size() + " tensors",
        "as many as storage orders, " + storageOrders.size());
    Set<String> tensors = new HashSet<>();
    for (int t = 0; t < storageOrders.size(); t++) {
      StorageOrder order = storageOrders.get(t);
      LevelModes modes = levelModes.get(t);
      String field = "storage order of " + order.tensor();
      unique("storage order tensor", tensors, order.tensor());
      require(
          modes.tensor().equals(order.tensor()),
          "mode tensor",
          modes.tensor(),
          order.tensor() + ", as in the storage orders");
      Set<String> stored = new HashSet<>();
      for (String axis : order.axes()) {
        unique(field, stored, axis);
        whole(field, splitAxes, parts, axis);
        require(loops.isEmpty() || loops.contains(axis), field, axis, "an axis of the loop order");
        known.add(axis);
      }
      Set<String> moded = new HashSet<>();
      for (LevelModes.AxisMode level : modes.modes()) {
        unique("modes of " + modes.tensor(), moded, level.axis());
        require(
            stored.contains(level.axis()),
            "modes of " + modes.tensor(),
            level.axis(),
            "an axis of its storage order " + order.axes());
      }
      require(
          moded.size() == stored.size(),
          "modes of " + modes.tensor(),
          moded.size() + " levels",
          "one for each of " + order.axes());
    }
  }

  static void checkNumber(String field, int value, int least) {
    require(value >= least, field, value, least + " or more");
  }

  private static void unique(String field, Set<String> seen, String axis) {
    require(seen.add(axis), field, axis, "each name once");
  }

  /** A split axis is spoken of by its parts, and a part only where its axis is split. */
  private static void whole(String field, Set<String> splitAxes, Set<String> parts, String axis) {
    require(!splitAxes.contains(axis), field, axis, "its parts " + axis + "0 and " + axis + "1");
    require(
        parts.contains(axis) || Op.logicalAxis(axis).equals(axis),
        field,
        axis,
        "an axis that is split, or a whole one");
  }

  private static void require(boolean holds, String field, Object value, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(InputException.fieldMessage(field, value, expected));
    }
  }
}
