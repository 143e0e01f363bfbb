package autosparse.costmodel.tokens;

import autosparse.schedule.Op;
import autosparse.schedule.ScheduleGeometry;

/**
 * What an axis is for, whatever its letter: row, column or dense axis, outer or inner part. Unsplit
 * axes count as outer. Two operators' schedules thus look alike where they do alike.
 */
final class Roles {
  /** Number of roles: three axes, two parts. */
  static final int COUNT = 6;

  /** Roles of the sparse tensor's levels: row and column axes. */
  static final int SPARSE = 4;

  private Roles() {}

  /** Number of operators. */
  static final int OPS = 3;

  /** SpMV 0, SpMM 1, SDDMM 2. */
  static int operator(Op op) {
    return switch (op) {
      case SPMV -> 0;
      case SPMM -> 1;
      case SDDMM -> 2;
    };
  }

  /** Row 0, column 1, dense 2. */
  static int axis(Op op, String axis) {
    if (axis.equals(op.rowAxis())) {
      return 0;
    }
    return axis.equals(op.columnAxis()) ? 1 : 2;
  }

  /** 2·axis for a whole or outer part, 2·axis + 1 for an inner one. */
  static int of(Op op, ScheduleGeometry.Loop loop) {
    return 2 * axis(op, loop.axis()) + (loop.part() == ScheduleGeometry.Part.INNER ? 1 : 0);
  }

  /** The role of a level or loop by its name, such as {@code k1}. */
  static int of(Op op, String name) {
    String axis = Op.logicalAxis(name);
    return 2 * axis(op, axis) + (!axis.equals(name) && name.endsWith("1") ? 1 : 0);
  }
}
